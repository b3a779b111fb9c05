// The password of the signed-in user: setting, changing and removing it. The server wants the current password or a
// recent sign-in by email.

import { onceSignedIn, person, showPerson } from "./account.js";
import { REMOVE_PASSWORD, SET_PASSWORD } from "./operations.js";
import { announce, at, complain, refuse, showError } from "./page.js";
import * as session from "./session.js";

const SAVED = "Your password is saved. You're signed out everywhere else.";

/** Opens the form and moves the focus to its first field. */
export function open() {
  if (at("part-password").hidden) return;
  at("part-password").open = true;
  at(person.hasPassword ? "current-password" : "new-password").focus();
}

const currentPassword = () => at("current-password").value || null;

function clearErrors() {
  for (const field of ["current-password", "new-password"]) showError(field, "");
}

at("password-change-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("new-password", "password-change-submit", async () => {
    clearErrors();
    const newPassword = at("new-password").value;
    if (!newPassword) {
      complain("new-password", "Choose a password.");
      return;
    }
    const input = { currentPassword: currentPassword(), newPassword };
    const { setPassword: outcome } = await session.ask(SET_PASSWORD, { input });
    if (outcome.__typename === "PasswordSet") finish(outcome.user, SAVED);
    else if (outcome.__typename === "WeakPassword") complain("new-password", outcome.message);
    else refuseCurrent("password-change-submit", outcome);
  });
});

at("password-remove").addEventListener("click", () => {
  onceSignedIn("current-password", "password-remove", async () => {
    clearErrors();
    const input = { currentPassword: currentPassword() };
    const { removePassword: outcome } = await session.ask(REMOVE_PASSWORD, { input });
    if (outcome.__typename !== "PasswordRemoved") refuseCurrent("password-remove", outcome);
    else finish(outcome.user, "Your password is removed. Sign in with a code by email from now on.");
  });
});

function refuseCurrent(button, outcome) {
  refuse("current-password", button, outcome);
  at("current-password").focus();
  at("current-password").select();
}

// The other sessions have ended.
function finish({ hasPassword }, message) {
  session.preferPassword(hasPassword);
  session.recheckOtherTabs();
  at("password-change-form").reset();
  at("part-password").open = false;
  showPerson({ ...person, hasPassword });
  at("done-title").focus();
  announce(message);
}
