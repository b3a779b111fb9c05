// An emailed code in progress, for signing in, registering or resetting a password: requests it, shows its details next
// to its field, and sends it again.

import { call } from "./graphql.js";
import { RESEND_CODE } from "./operations.js";
import { announce, at, once, refuse, showCode, showError, waitUntil } from "./page.js";

const pending = new Map(); // Code field -> CodeSent, and the request that led to it.

/** Requests a code with `ask`, and shows it next to `field`. Returns the outcome. */
export async function requestCode(field, ask) {
  const outcome = await ask();
  keep(field, outcome, ask);
  return outcome;
}

/** The `CodeSent` of a field, if there is one. */
export function sentFor(field) {
  return pending.get(field)?.sent;
}

/** Drops all codes in progress. */
export function forgetCodes() {
  pending.clear();
}

function keep(field, sent, ask) {
  if (sent.__typename !== "CodeSent") return;
  pending.set(field, { sent, ask });
  showCode(field, sent);
  showError(field, "");
  waitUntil(`${field}-resend`, sent.resendAt);
}

// The earlier code stays valid, unless all of them have expired: then the same request starts over.
async function resend(field) {
  const { sent, ask } = pending.get(field);
  let { resendCode: outcome } = await call(RESEND_CODE, { input: { challenge: sent.challenge } });
  if (outcome.__typename === "CodeExpired") outcome = await ask();
  if (outcome.__typename !== "CodeSent") {
    refuse(field, `${field}-resend`, outcome);
    return;
  }
  keep(field, outcome, ask);
  announce(`Check ${outcome.email} for a new code.`);
  at(field).value = "";
  at(field).focus();
}

for (const field of ["code", "reset"]) {
  at(`${field}-resend`).addEventListener("click", () => once(field, `${field}-resend`, () => resend(field)));
}
