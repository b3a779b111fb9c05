// What whoever is signed in sees: who they are, what they change of their account, and the way out. It never signs
// anybody in: when a sign-in is over, or too long ago for something, it calls back.

import { serverNow } from "./graphql.js";
import { CHANGE_EMAIL, CONFIRM_EMAIL, DELETE_ACCOUNT, EXPORT_DATA, UPDATE_PROFILE } from "./operations.js";
import { at, complain, once, refuse, refuseCode, say, show, showCode, typedCode, wordsFor } from "./page.js";
import * as session from "./session.js";

export let person = null; // Whom the page shows as signed in.
let newAddress = null; // The CodeSent for a new address of theirs.
let unfinished = null; // The button that wants a recent sign-in first.
let onOver = () => {};
let onTooOld = () => {};

/** Calls back with what to say, if it is known, once nobody is signed in any more. */
export function whenOver(callback) {
  onOver = callback;
}

/** Calls back with the reason when something needs a more recent sign-in. */
export function whenTooOld(callback) {
  onTooOld = callback;
}

/** Shows who is signed in, and goes on with what they were at. */
export function welcome(someone, isNewUser, message) {
  showPerson(someone);
  at("done-welcome").hidden = !isNewUser;
  at("done-session").textContent = "This tab stays signed in until you sign out or close it.";
  complain("done", "");
  say(message || (unfinished ? "You can go on where you were." : ""));
  show("done", unfinished);
  unfinished = null;
}

/** Takes everything that belongs to one person out of the page. */
export function forgetPerson() {
  person = null;
  unfinished = null;
  showChange(null);
  for (const form of at("step-done").querySelectorAll("form")) form.reset();
  for (const part of at("step-done").querySelectorAll("details")) part.open = false;
  for (const field of ["name", "change", "prove", "export", "delete"]) complain(field, "");
  at("name-now").textContent = "";
}

function showPerson(someone) {
  if (person?.id !== someone.id) forgetPerson();
  person = someone;
  at("done-title").textContent = `You are signed in as ${person.email}`;
  at("name").value = person.name ?? "";
  at("name-now").textContent = person.name ?? "";
  // Guests read; only the copy of their data is theirs to take.
  for (const part of ["name", "address", "delete"]) at(`part-${part}`).hidden = person.role === "GUEST";
}

// Like `once`, for what the server does only for the person signed in.
function onceSignedIn(field, button, work) {
  once(field, button, async () => {
    try {
      await work();
    } catch (error) {
      if (error instanceof session.SessionOver) {
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
    let message = "You are signed out.";
    try {
      await session.end();
    } catch (error) {
      message = `This page has forgotten your session, but the server may still keep it: ${wordsFor(error)}`;
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
    say(person.name ? `Your name is saved: ${person.name}` : "Your name is taken away.");
  });
});

// ---- Address -------------------------------------------------------------------------------------------------------

/** The form for the new address, or the one for the code that proves it. */
function showChange(codeSent) {
  newAddress = codeSent;
  at("change-form").hidden = Boolean(newAddress);
  at("prove-form").hidden = !newAddress;
  at("prove-facts").hidden = false;
  at("prove").value = "";
  complain("change", "");
  complain("prove", "");
  if (newAddress) showCode("prove", newAddress);
}

at("change-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("change", "change-submit", async () => {
    const email = at("change").value.trim();
    const outcome = email
      ? (await session.ask(CHANGE_EMAIL, { input: { email } })).changeEmail
      : { message: "Type the new e-mail address." };
    if (outcome.__typename === "CodeSent") {
      showChange(outcome);
      at("prove").focus();
      say(`A code was asked for ${outcome.email}.`);
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
      session.doubtOthers();
      showPerson({ ...person, email });
      showChange(null);
      at("change").value = "";
      at("part-address").open = false;
      at("done-title").focus();
      say("Your address is changed. Everywhere else you are signed out.");
      return;
    }
    refuseNewAddress(outcome);
  });
});

function refuseNewAddress(outcome) {
  if (outcome.__typename === "EmailTaken") {
    showChange(null);
    complain("change", outcome.message);
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
    // The browser may still be reading it.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    say(`Your data is in the file ${link.download}.`);
  });
});

at("delete-form").addEventListener("submit", (event) => {
  event.preventDefault();
  onceSignedIn("delete", "delete-submit", async () => {
    // Held here, too: an empty field is no reason to ask for a new sign-in first.
    const email = at("delete").value.trim();
    const outcome = email
      ? (await session.ask(DELETE_ACCOUNT, { input: { email } })).deleteAccount
      : { message: "Type your own address to delete your account." };
    if (outcome.__typename === "AccountDeleted") {
      session.leave(person.email);
      session.doubtOthers();
      at("email").value = "";
      onOver(outcome.message);
      return;
    }
    complain("delete", outcome.message);
    at("delete").focus();
  });
});
