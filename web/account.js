// The account step: name, email address, data export, account deletion and sign-out. Calls back to `sign-in.js` when
// the session has ended or an action needs a more recent sign-in.

import { serverNow } from "./graphql.js";
import { CHANGE_EMAIL, CONFIRM_EMAIL, DELETE_ACCOUNT, EXPORT_DATA, UPDATE_PROFILE } from "./operations.js";
import { announce, at, errorText, once, refuse, refuseCode, show, showCode, showError, typedCode } from "./page.js";
import * as session from "./session.js";

export let person = null; // The signed-in user.
let newAddress = null; // The `CodeSent` response for a new address.
let unfinished = null; // The button to return to after a recent sign-in.
let onOver = () => {};
let onTooOld = () => {};

/** Registers a callback that runs when the session ends. Its argument is an optional message to announce. */
export function whenOver(callback) {
  onOver = callback;
}

/** Registers a callback that runs when an action needs a more recent sign-in. Its argument is the server's reason. */
export function whenTooOld(callback) {
  onTooOld = callback;
}

/** Shows the account, and returns the focus to the action that a new sign-in interrupted. */
export function welcome(someone, isNewUser, message) {
  showPerson(someone);
  at("done-welcome").hidden = !isNewUser;
  const limit = session.isRemembered() ? "" : ", for a day at most";
  at("done-session").textContent = `This tab stays signed in until you sign out or close it${limit}.`;
  showError("done", "");
  announce(message || (unfinished ? "You can continue where you left off." : ""));
  show("done", unfinished);
  unfinished = null;
}

/** Removes all data of the previous user from the page. */
export function forgetPerson() {
  person = null;
  unfinished = null;
  showChange(null);
  for (const form of at("step-done").querySelectorAll("form")) form.reset();
  for (const part of at("step-done").querySelectorAll("details")) part.open = false;
  for (const error of at("step-done").querySelectorAll(".error")) showError(error.id.replace(/-error$/, ""), "");
  at("name-now").textContent = "";
}

/** Shows the account of the signed-in user. */
export function showPerson(someone) {
  if (person?.id !== someone.id) forgetPerson();
  person = someone;
  at("done-title").textContent = `You're signed in as ${person.email}`;
  at("name").value = person.name ?? "";
  at("name-now").textContent = person.name ?? "";
  at("password-now").textContent = person.hasPassword ? "" : "Not set";
  at("password-username").value = person.email;
  at("part-password").classList.toggle("has-password", Boolean(person.hasPassword));
  // Guests can only read and export their data.
  for (const part of ["name", "address", "password", "delete"]) at(`part-${part}`).hidden = person.role === "GUEST";
}

/** Runs an action like `once`, and handles an ended session or a sign-in that is too old. */
export function onceSignedIn(field, button, work) {
  once(field, button, async () => {
    try {
      await work();
    } catch (error) {
      if (error instanceof session.SessionEnded) {
        onOver();
      } else if (error.code === "REAUTHENTICATION_REQUIRED") {
        unfinished = at(button);
        onTooOld(error.message);
      } else {
        throw error;
      }
    }
  });
}

at("sign-out").addEventListener("click", () => {
  once("done", "sign-out", async () => {
    let message = "You're signed out.";
    try {
      await session.end();
    } catch (error) {
      message = `You're signed out in this tab, but the server may still keep the session: ${errorText(error)}`;
    }
    onOver(message);
  });
});

// ---- Name ----------------------------------------------------------------------------------------------------------

at("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("name", "name-submit", async () => {
    const input = { name: at("name").value.trim() || null };
    const { updateProfile: outcome } = await session.ask(UPDATE_PROFILE, { input });
    if (outcome.__typename !== "ProfileUpdated") {
      refuse("name", "name-submit", outcome);
      return;
    }
    showPerson({ ...person, name: outcome.user.name });
    announce(person.name ? `Name saved: ${person.name}` : "Name removed.");
  });
});

// ---- Address -------------------------------------------------------------------------------------------------------

/** Shows the form for the code after `codeSent`, otherwise the form for the new address. */
function showChange(codeSent) {
  newAddress = codeSent;
  at("change-form").hidden = Boolean(newAddress);
  at("prove-form").hidden = !newAddress;
  at("prove-facts").hidden = false;
  at("prove").value = "";
  showError("change", "");
  showError("prove", "");
  if (newAddress) showCode("prove", newAddress);
}

at("change-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("change", "change-submit", async () => {
    const email = at("change").value.trim();
    const outcome = email
      ? (await session.ask(CHANGE_EMAIL, { input: { email } })).changeEmail
      : { message: "Enter the new email address." };
    if (outcome.__typename === "CodeSent") {
      showChange(outcome);
      at("prove").focus();
      announce(`Check ${outcome.email} for a code.`);
      return;
    }
    refuse("change", "change-submit", outcome);
    at("change").focus();
  });
});

at("prove-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("prove", "prove-submit", async () => {
    const code = typedCode("prove", newAddress.codeLength);
    if (!code) return;
    const input = { challenge: newAddress.challenge, code };
    const { confirmEmail: outcome } = await session.ask(CONFIRM_EMAIL, { input });
    if (outcome.__typename === "EmailChanged") {
      const { email } = outcome.user;
      session.renameDevice(person.email, email);
      session.recheckOtherTabs();
      showPerson({ ...person, email });
      showChange(null);
      at("change").value = "";
      at("part-address").open = false;
      at("done-title").focus();
      announce("Your email address is changed. You're signed out everywhere else.");
      return;
    }
    refuseNewAddress(outcome);
  });
});

function refuseNewAddress(outcome) {
  if (outcome.__typename === "EmailTaken") {
    showChange(null);
    showError("change", outcome.message);
    at("change").focus();
    return;
  }
  const over = refuseCode("prove", outcome);
  at("prove-facts").hidden = over;
  at(over ? "prove-back" : "prove").focus();
}

at("prove-back").addEventListener("click", () => {
  showChange(null);
  at("change").select();
  at("change").focus();
});

// ---- Data and deletion ---------------------------------------------------------------------------------------------

at("export-submit").addEventListener("click", () => {
  onceSignedIn("export", "export-submit", async () => {
    const { exportData: outcome } = await session.ask(EXPORT_DATA);
    if (outcome.__typename !== "DataExported") {
      refuse("export", "export-submit", outcome);
      return;
    }
    const file = new Blob([JSON.stringify(outcome.data, null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `account-${new Date(serverNow()).toISOString().slice(0, 10)}.json`;
    link.click();
    // The browser may still be reading the file.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    announce(`Your data was downloaded as ${link.download}.`);
  });
});

at("delete-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("delete", "delete-submit", async () => {
    // Check for an empty field here, because the server would first ask for a recent sign-in.
    const email = at("delete").value.trim();
    const outcome = email
      ? (await session.ask(DELETE_ACCOUNT, { input: { email } })).deleteAccount
      : { message: "Enter your email address to delete your account." };
    if (outcome.__typename === "AccountDeleted") {
      session.forgetAccount(person.email);
      session.recheckOtherTabs();
      for (const input of document.querySelectorAll("main input:not([type=checkbox])")) input.value = "";
      onOver(outcome.message);
      return;
    }
    showError("delete", outcome.message);
    at("delete").focus();
  });
});
