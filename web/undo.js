// Undoes an address change, with the link emailed to the old address. It needs no session. The link is used only when
// the button is pressed, because mail scanners open links.

import { call } from "./graphql.js";
import { UNDO_EMAIL_CHANGE } from "./operations.js";
import { announce, at, once, refuse, show, showError } from "./page.js";
import * as session from "./session.js";

export let token = null; // From an opened link, until its button is pressed.
let onDone = () => {};

/** Registers a callback for when the user leaves this step, with an optional message. */
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

/** Drops the link, used or not. */
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
    // This may have ended sessions, in other tabs too. This tab checks when the user continues.
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
