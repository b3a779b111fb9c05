// Undoes an address change with the link that was emailed to the old address. Undoing needs no session. Opening the
// link does not use it, because mail scanners open links: the user must press a button.

import { call } from "./graphql.js";
import { UNDO_EMAIL_CHANGE } from "./operations.js";
import { announce, at, once, refuse, show, showError } from "./page.js";
import * as session from "./session.js";

export let token = null; // Token of an opened undo link, until the link is used or dismissed.
let onDone = () => {};

/** Registers a callback that runs when the user leaves this step. Its argument is an optional message to announce. */
export function whenDone(callback) {
  onDone = callback;
}

/** Shows the step for an opened link. */
export function offer(given) {
  token = given;
  at("undo-hint").hidden = false;
  at("undo-confirm").hidden = false;
  at("undo-back").textContent = "Keep everything as it is";
  showError("undo", "");
  announce("");
  show("undo");
}

/** Forgets the token of the link. */
export function forget() {
  token = null;
}

at("undo-confirm").addEventListener("click", () => {
  once("undo", "undo-confirm", async () => {
    const { undoEmailChange: outcome } = await call(UNDO_EMAIL_CHANGE, { input: { token } });
    if (outcome.retryAt) {
      refuse("undo", "undo-confirm", outcome);
      return;
    }
    forget();
    // Undoing may have ended the sessions of all tabs. This tab checks its own session when the user continues.
    session.recheckOtherTabs();
    if (outcome.__typename === "EmailChangeUndone") {
      onDone(outcome.message);
      return;
    }
    showError("undo", outcome.message);
    at("undo-hint").hidden = true;
    at("undo-confirm").hidden = true;
    at("undo-back").textContent = "Go to the sign-in page";
    at("undo-back").focus();
  });
});

at("undo-back").addEventListener("click", () => {
  forget();
  onDone();
});
