// Takes an account back with the link of a notice: undoes an address change, or signs out everywhere after "This wasn't
// me". It needs no session. Opening the link does not use it, because mail scanners open links: the user must press a
// button.

import { call } from "./graphql.js";
import { DISOWN_SESSION, UNDO_EMAIL_CHANGE } from "./operations.js";
import { announce, at, once, refuse, show, showError } from "./page.js";
import * as session from "./session.js";

// By the name in the link, which is also the name of the step.
const links = {
  undo: { mutation: UNDO_EMAIL_CHANGE, field: "undoEmailChange", done: "EmailChangeUndone" },
  disown: { mutation: DISOWN_SESSION, field: "disownSession", done: "SessionDisowned" },
};

export let token = null; // Token of an opened link, until the link is used or dismissed.
let onDone = () => {};

/** Registers a callback that runs when the user leaves this step. Its argument is an optional message to announce. */
export function whenDone(callback) {
  onDone = callback;
}

/** Shows the step for an opened link. */
export function offer(kind, given) {
  token = given;
  at(`${kind}-hint`).hidden = false;
  at(`${kind}-confirm`).hidden = false;
  at(`${kind}-back`).textContent = "Keep everything as it is";
  showError(kind, "");
  announce("");
  show(kind);
}

/** Forgets the token of the link. */
export function forget() {
  token = null;
}

/** Whether a step of this module is shown. */
export function isShown() {
  return Object.keys(links).some((kind) => !at(`step-${kind}`).hidden);
}

async function use(kind) {
  const { mutation, field, done } = links[kind];
  const { [field]: outcome } = await call(mutation, { input: { token } });
  if (outcome.retryAt) {
    refuse(kind, `${kind}-confirm`, outcome);
    return;
  }
  forget();
  // This may have ended the sessions of all tabs. This tab checks its own session when the user continues.
  session.recheckOtherTabs();
  if (outcome.__typename === done) {
    session.preferPassword(false); // There is none now.
    onDone(outcome.message);
    return;
  }
  showError(kind, outcome.message);
  at(`${kind}-hint`).hidden = true;
  at(`${kind}-confirm`).hidden = true;
  at(`${kind}-back`).textContent = "Go to the sign-in page";
  at(`${kind}-back`).focus();
}

for (const kind of Object.keys(links)) {
  at(`${kind}-confirm`).addEventListener("click", () => once(kind, `${kind}-confirm`, () => use(kind)));
  at(`${kind}-back`).addEventListener("click", () => {
    forget();
    onDone();
  });
}
