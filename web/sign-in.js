// The sign-in page: address, code, signed in, and there what people change of their own account. One section is shown
// at a time, and each step moves the focus to where the person goes on. Text reaches the page through textContent
// alone, and a link from a mail is used only by a button: mail scanners open links, they do not press buttons.

import { ApiError, call, serverNow } from "./graphql.js";
import * as session from "./session.js";

const SIGNED_IN = `... on SignedIn {
  isNewUser deviceToken user { email }
  tokens { accessToken expiresAt refreshToken refreshExpiresAt }
}
... on InvalidCode { attemptsLeft }
... on RateLimited { retryAt }
... on Problem { message }`;
const LOGIN = `mutation Login($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
const VERIFY = `mutation Verify($input: VerifyInput!) { verify(input: $input) { __typename ${SIGNED_IN} } }`;
const VERIFY_LINK = `mutation VerifyLink($input: VerifyLinkInput!) { verifyLink(input: $input) { __typename ${SIGNED_IN} } }`;
const ME = `query Me { me { id email name role } }`;
const UNDO = `mutation UndoEmailChange($input: UndoEmailChangeInput!) {
  undoEmailChange(input: $input) {
    __typename
    ... on EmailChangeUndone { message }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
const UPDATE_PROFILE = `mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) { user { name } }
}`;
const CHANGE_EMAIL = `mutation ChangeEmail($input: ChangeEmailInput!) {
  changeEmail(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
const CONFIRM_EMAIL = `mutation ConfirmEmail($input: ConfirmEmailInput!) {
  confirmEmail(input: $input) {
    __typename
    ... on EmailChanged { user { email } }
    ... on InvalidCode { attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
const EXPORT_DATA = `mutation ExportData { exportData { data } }`;
const DELETE_ACCOUNT = `mutation DeleteAccount($input: DeleteAccountInput!) {
  deleteAccount(input: $input) { __typename ... on AccountDeleted { message } ... on Problem { message } }
}`;
const ENDED = "Your session has ended. Please sign in again.";

const at = (id) => document.getElementById(id);
const steps = ["wait", "email", "code", "link", "undo", "again", "done"];
const brand = document.body.dataset.brand;

let sent = null; // The CodeSent being answered.
let linkToken = null;
let undoToken = null;
let me = null; // Whom the page shows as signed in.
let proving = null; // The CodeSent for a new address of theirs.
let unfinished = null; // The button that wants a recent sign-in first.
let busy = false;
const waits = new Map(); // Button id -> until when it waits, by the server's clock.

// ---- What every step uses ------------------------------------------------------------------------------------------

function show(step, focus) {
  for (const name of steps) at(`step-${name}`).hidden = name !== step;
  const title = at(`step-${step}`).querySelector("h1");
  document.title = `${title.textContent} · ${brand}`;
  (focus ?? title).focus();
}

// Cleared first and filled a moment later: otherwise the same sentence twice is announced once.
let saying = 0;
function say(text) {
  clearTimeout(saying);
  at("status").textContent = "";
  if (text) saying = setTimeout(() => at("status").append(text), 50);
}

// Problems stand in alert regions, so they are read out even when the focus stays where it is.
function complain(field, text) {
  at(`${field}-error`).textContent = text;
  const input = at(field);
  if (!(input instanceof HTMLInputElement)) return;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function wordsFor(error) {
  if (!(error instanceof ApiError)) throw error;
  const later = error.retryAfter ? ` Try again in ${span(error.retryAfter)}.` : "";
  // What somebody typed is no fault to look up.
  const reference = error.requestId && error.code !== "BAD_USER_INPUT" ? ` (Reference: ${error.requestId})` : "";
  return `${error.message}${later}${reference}`;
}

function span(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

// Runs one thing at a time: a second press of a button while the first is under way is not a second try. What goes
// wrong is said beside `field`; a sign-in that is over, or too long ago, leads to a new one.
async function once(field, button, work) {
  if (busy || waiting(button)) return;
  busy = true;
  at(button).setAttribute("aria-busy", "true");
  complain(field, "");
  say("");
  try {
    await work();
  } catch (error) {
    if (error instanceof session.SessionOver) startOver(ENDED);
    else if (error.code === "REAUTHENTICATION_REQUIRED") offerAgain(button, error.message);
    else complain(field, wordsFor(error));
  } finally {
    busy = false;
    at(button).removeAttribute("aria-busy");
  }
}

// ---- Countdowns ----------------------------------------------------------------------------------------------------

const labels = new Map(
  [
    "email-submit", "code-submit", "code-resend", "link-confirm", "undo-confirm", "again-submit", "change-submit",
    "prove-submit",
  ].map((id) => [id, at(id).textContent]),
);

function waitUntil(id, moment) {
  waits.set(id, Date.parse(moment));
  tick();
}

function waiting(id) {
  return (waits.get(id) ?? 0) > serverNow();
}

// Once a second. Nothing here is a live region: a screen reader is told when something ends, not every second.
function tick() {
  for (const [id, until] of waits) {
    const left = (until - serverNow()) / 1000;
    at(id).setAttribute("aria-disabled", String(left > 0));
    at(id).textContent = left > 0 ? `${labels.get(id)} (in ${span(left)})` : labels.get(id);
    if (left <= 0) {
      waits.delete(id);
      if (at(id).checkVisibility()) say(`You can press “${labels.get(id)}” now.`);
    }
  }
  for (const [field, code] of [["code", sent], ["prove", proving]]) {
    if (!code) continue;
    const left = (Date.parse(code.expiresAt) - serverNow()) / 1000;
    at(`${field}-expiry`).textContent = left > 0 ? `The code is good for ${span(left)}.` : "The code has expired.";
  }
}

// ---- Address -------------------------------------------------------------------------------------------------------

async function askForCode(email, challenge) {
  const { login } = await call(LOGIN, {
    input: { email, challenge, deviceToken: session.deviceToken(email), locale: navigator.language },
  });
  if (login.__typename === "CodeSent") {
    sent = login;
    at("code-email").textContent = login.email;
    at("code-length").textContent = login.codeLength;
    showTries("code", login.attemptsLeft);
    complain("code", "");
    waitUntil("code-resend", login.resendAt);
  }
  return login;
}

function showTries(field, count) {
  at(`${field}-tries`).textContent = count === 1 ? "One try left." : `${count} tries left.`;
}

at("email-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("email", "email-submit", async () => {
    const email = at("email").value.trim();
    const outcome = email ? await askForCode(email, null) : { message: "Type your e-mail address." };
    if (outcome.__typename === "CodeSent") {
      awaitCode("Use another address");
      return;
    }
    // Said for every address alike: whether a link was mailed is not for this page to tell.
    const hint = outcome.retryAt ? " If a mail with a sign-in link has reached you, use that." : "";
    complain("email", outcome.message + hint);
    if (outcome.retryAt) waitUntil("email-submit", outcome.retryAt);
    at("email").focus();
  });
});

// ---- Code ----------------------------------------------------------------------------------------------------------

function awaitCode(back) {
  at("code").value = "";
  at("code-back").textContent = back;
  show("code", at("code"));
  say(`A code was asked for ${sent.email}.`);
}

/** The digits typed into a field, or null: caught here, a slip of the finger does not cost one of the few tries. */
function typedCode(field, length) {
  const code = at(field).value.replace(/[\s-]/g, "");
  if (new RegExp(`^[0-9]{${length}}$`).test(code)) return code;
  complain(field, `The code has ${length} digits.`);
  at(field).focus();
  return null;
}

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("code", "code-submit", async () => {
    const code = typedCode("code", sent.codeLength);
    if (!code) return;
    const { verify } = await session.prove(VERIFY, { input: { challenge: sent.challenge, code } });
    if (!accept(verify)) refuse(verify);
  });
});

function refuse(outcome) {
  complain("code", outcome.message);
  if (outcome.attemptsLeft !== undefined) showTries("code", outcome.attemptsLeft);
  if (outcome.retryAt) waitUntil("code-submit", outcome.retryAt);
  const over = outcome.__typename === "CodeExpired" || outcome.attemptsLeft === 0;
  at("code").select();
  (over && !waiting("code-resend") ? at("code-resend") : at("code")).focus();
}

at("code-resend").addEventListener("click", () => {
  once("code", "code-resend", async () => {
    const outcome = await askForCode(sent.email, sent.challenge);
    if (outcome.__typename === "CodeSent") {
      say(`A new code was asked for ${outcome.email}.`);
      at("code").value = "";
      at("code").focus();
      return;
    }
    complain("code", outcome.message);
    if (outcome.retryAt) waitUntil("code-resend", outcome.retryAt);
  });
});

at("code-back").addEventListener("click", goBack);

/** To whoever is signed in, or to the way in. */
function goBack() {
  sent = null;
  if (session.exists()) resume();
  else startOver();
}

function startOver(message = "") {
  sent = null;
  forgetPerson();
  complain("email", "");
  say(message);
  show("email", at("email"));
  at("email").select();
}

// ---- Links from mails ----------------------------------------------------------------------------------------------

// Takes the token out of the address bar at once, so that it stays in no history entry, bookmark or screenshot.
function takeLink() {
  const [, kind, token] = /^#(link|undo)=(.+)$/.exec(location.hash) ?? [];
  if (!kind) return false;
  history.replaceState(null, "", location.pathname);
  [linkToken, undoToken] = kind === "link" ? [token, null] : [null, token];
  if (linkToken) offerLink();
  else offerUndo();
  return true;
}

// The link may be a stranger's, sent so that this person goes on in the stranger's account. So the page says who is
// signed in: here before, and afterwards with a caution.
async function offerLink() {
  let who = "already";
  if (session.exists()) {
    at("wait-retry").hidden = true;
    show("wait");
    // Without an answer the link is offered all the same; without a session there is nobody to name.
    await session.ask(ME).then((answer) => (who = `as ${answer.me.email}`)).catch(() => {});
    if (!linkToken) return;
  }
  const signedIn = session.exists();
  const notice = `You are signed in ${who}. If you go on, this tab signs in with the link instead.`;
  at("link-session").textContent = signedIn ? notice : "";
  at("link-back").textContent = signedIn ? "Stay signed in" : "Ask for a code instead";
  at("link-confirm").hidden = false;
  complain("link", "");
  show("link");
}

at("link-confirm").addEventListener("click", () => {
  once("link", "link-confirm", async () => {
    const { verifyLink } = await session.prove(VERIFY_LINK, { input: { token: linkToken } });
    if (accept(verifyLink, "If this is not your address, sign out: the link was somebody else's.")) return;
    complain("link", verifyLink.message);
    if (verifyLink.retryAt) {
      waitUntil("link-confirm", verifyLink.retryAt);
    } else {
      linkToken = null;
      at("link-confirm").hidden = true;
      at("link-back").focus();
    }
  });
});
at("link-back").addEventListener("click", () => {
  linkToken = null;
  goBack();
});
addEventListener("hashchange", takeLink);

function offerUndo() {
  at("undo-hint").hidden = false;
  at("undo-confirm").hidden = false;
  at("undo-back").textContent = "Leave everything as it is";
  complain("undo", "");
  say("");
  show("undo");
}

at("undo-confirm").addEventListener("click", () => {
  once("undo", "undo-confirm", async () => {
    const { undoEmailChange: outcome } = await call(UNDO, { input: { token: undoToken } });
    if (outcome.retryAt) {
      complain("undo", outcome.message);
      waitUntil("undo-confirm", outcome.retryAt);
      return;
    }
    undoToken = null;
    // Sessions may have ended with it, in other tabs too. In this one `resume` and `goBack` ask.
    session.doubtOthers();
    if (outcome.__typename === "EmailChangeUndone") {
      if (session.exists()) resume({ message: outcome.message });
      else startOver(outcome.message);
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
  undoToken = null;
  goBack();
});

// ---- Signing in again ----------------------------------------------------------------------------------------------

// Some things need a recent sign-in. What was typed stays where it is meanwhile.
function offerAgain(button, why) {
  unfinished = at(button);
  at("again-why").textContent = why;
  at("again-email").textContent = me.email;
  complain("again", "");
  show("again");
}

at("again-submit").addEventListener("click", () => {
  once("again", "again-submit", async () => {
    const outcome = await askForCode(me.email, null);
    if (outcome.__typename === "CodeSent") {
      awaitCode("Go back");
      return;
    }
    complain("again", outcome.message);
    if (outcome.retryAt) waitUntil("again-submit", outcome.retryAt);
  });
});
at("again-back").addEventListener("click", goBack);

// ---- Signed in -----------------------------------------------------------------------------------------------------

function accept(outcome, caution = "") {
  if (outcome.__typename !== "SignedIn") return false;
  session.begin(outcome);
  sent = null;
  linkToken = null;
  at("code").value = "";
  at("done-caution").textContent = caution;
  resume({ isNewUser: outcome.isNewUser });
  return true;
}

// Shows who is signed in, or the way in. The server is asked even right after signing in: what the page says is what
// the token can do. `message` is said whatever the answer is.
async function resume({ isNewUser = false, message = "" } = {}) {
  const linked = () => linkToken || undoToken; // A link may be opened meanwhile.
  if (linked()) return;
  at("wait-retry").hidden = true;
  show("wait");
  try {
    const answer = await session.ask(ME);
    if (linked()) return;
    if (!answer.me) throw new session.SessionOver();
    showPerson(answer.me);
    at("done-welcome").hidden = !isNewUser;
    at("done-session").textContent = "This tab stays signed in until you sign out or close it.";
    complain("done", "");
    say(message || (unfinished ? "You can go on where you were." : ""));
    show("done", unfinished);
    unfinished = null;
  } catch (error) {
    if (linked()) return;
    if (error instanceof session.SessionOver) {
      session.drop();
      startOver(message || ENDED);
      return;
    }
    say(`${message} ${wordsFor(error)}`.trim());
    at("wait-retry").hidden = false;
  }
}

function showPerson(person) {
  if (me?.id !== person.id) forgetPerson();
  me = person;
  at("done-title").textContent = `You are signed in as ${me.email}`;
  at("name").value = me.name ?? "";
  at("name-now").textContent = me.name ?? "";
  // Guests read; only the copy of their data is theirs to take.
  for (const part of ["name", "address", "delete"]) at(`part-${part}`).hidden = me.role === "GUEST";
}

/** Takes everything that belongs to one person out of the page. */
function forgetPerson() {
  me = null;
  unfinished = null;
  showChange(null);
  for (const form of at("step-done").querySelectorAll("form")) form.reset();
  for (const part of at("step-done").querySelectorAll("details")) part.open = false;
  for (const field of ["name", "change", "prove", "export", "delete"]) complain(field, "");
  at("name-now").textContent = "";
}

at("wait-retry").addEventListener("click", () => resume());
at("sign-out").addEventListener("click", () => {
  once("done", "sign-out", async () => {
    let message = "You are signed out.";
    try {
      await session.end();
    } catch (error) {
      message = `This page has forgotten your session, but the server may still keep it: ${wordsFor(error)}`;
    }
    startOver(message);
  });
});
session.whenOver(() => {
  if (linkToken) offerLink();
  else if (!at("step-undo").hidden) return; // Nothing there needs a session.
  // Whoever types a code goes on with it: it needs no session.
  else if (sent) at("code-back").textContent = "Use another address";
  else startOver(ENDED);
});

// ---- The account ---------------------------------------------------------------------------------------------------

at("name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("name", "name-submit", async () => {
    const { updateProfile } = await session.ask(UPDATE_PROFILE, { input: { name: at("name").value.trim() || null } });
    showPerson({ ...me, name: updateProfile.user.name });
    say(me.name ? `Your name is saved: ${me.name}` : "Your name is taken away.");
  });
});

/** The form for the new address, or the one for the code that proves it. */
function showChange(codeSent) {
  proving = codeSent;
  at("change-form").hidden = Boolean(proving);
  at("prove-form").hidden = !proving;
  at("prove-facts").hidden = false;
  at("prove").value = "";
  complain("change", "");
  complain("prove", "");
  if (!proving) return;
  at("prove-email").textContent = proving.email;
  at("prove-length").textContent = proving.codeLength;
  showTries("prove", proving.attemptsLeft);
  tick();
}

at("change-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("change", "change-submit", async () => {
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
    complain("change", outcome.message);
    if (outcome.retryAt) waitUntil("change-submit", outcome.retryAt);
    at("change").focus();
  });
});

at("prove-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("prove", "prove-submit", async () => {
    const code = typedCode("prove", proving.codeLength);
    if (!code) return;
    const input = { challenge: proving.challenge, code };
    const { confirmEmail: outcome } = await session.ask(CONFIRM_EMAIL, { input });
    if (outcome.__typename === "EmailChanged") {
      const { email } = outcome.user;
      session.renameDevice(me.email, email);
      session.doubtOthers();
      showPerson({ ...me, email });
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
  complain("prove", outcome.message);
  if (outcome.attemptsLeft !== undefined) showTries("prove", outcome.attemptsLeft);
  if (outcome.retryAt) waitUntil("prove-submit", outcome.retryAt);
  const over = outcome.__typename === "CodeExpired" || outcome.attemptsLeft === 0;
  at("prove-facts").hidden = over;
  at("prove").select();
  at(over ? "prove-back" : "prove").focus();
}

at("prove-back").addEventListener("click", () => {
  showChange(null);
  at("change").select();
  at("change").focus();
});

at("export-submit").addEventListener("click", () => {
  once("export", "export-submit", async () => {
    const { exportData } = await session.ask(EXPORT_DATA);
    const file = new Blob([JSON.stringify(exportData.data, null, 2)], { type: "application/json" });
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
  once("delete", "delete-submit", async () => {
    // Held here, too: an empty field is no reason to ask for a new sign-in first.
    const email = at("delete").value.trim();
    const outcome = email
      ? (await session.ask(DELETE_ACCOUNT, { input: { email } })).deleteAccount
      : { message: "Type your own address to delete your account." };
    if (outcome.__typename === "AccountDeleted") {
      session.leave(me.email);
      session.doubtOthers();
      at("email").value = "";
      startOver(outcome.message);
      return;
    }
    complain("delete", outcome.message);
    at("delete").focus();
  });
});

// ---- Start ---------------------------------------------------------------------------------------------------------

if (document.body.dataset.inbox) {
  at("developer-link").href = document.body.dataset.inbox;
  at("developer").hidden = false;
}
setInterval(tick, 1000);
if (!takeLink()) {
  if (session.exists()) resume();
  else show("email", at("email"));
}
