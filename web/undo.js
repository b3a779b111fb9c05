// Takes a changed address back, with the link mailed to the old one. It needs no session and never uses the link by
// itself: mail scanners open links, they do not press buttons. Where to go afterwards is the sign-in's business.

import { call } from "./graphql.js";
import { UNDO_EMAIL_CHANGE } from "./operations.js";
import { at, complain, once, refuse, say, show } from "./page.js";
import * as session from "./session.js";

export let token = null; // Of a link that waits for its button.
let onDone = () => {};

/** Calls back with what to say, if anything, once the person goes on from here. */
export function whenDone(callback) {
  onDone = callback;
}

/** Offers to use a link. */
export function offer(given) {
  token = given;
  at("undo-hint").hidden = false;
  at("undo-confirm").hidden = false;
  at("undo-back").textContent = "Leave everything as it is";
  complain("undo", "");
  say("");
  show("undo");
}

/** Lets go of a link, used or not. */
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
    // Sessions may have ended with it, in other tabs too. This one asks when it goes on.
    session.doubtOthers();
    if (outcome.__typename === "EmailChangeUndone") {
      onDone(outcome.message);
      return;
    }
    complain("undo", outcome.message);
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
