// Entry point of the sign-in page. Handles sign-in by code or link, and asks for a new sign-in before actions that need
// a recent one. Opening a sign-in link does not use it, because mail scanners open links: the user must press a button.
// No other script may import this file. The page loads it from a versioned URL, so an import would load and run a
// second copy.

import * as account from "./account.js";
import { call } from "./graphql.js";
import { LOGIN, ME, VERIFY, VERIFY_LINK } from "./operations.js";
import { announce, at, once, refuse, refuseCode, show, showCode, showError, typedCode } from "./page.js";
import { errorText, waiting, waitUntil } from "./page.js";
import * as session from "./session.js";
import * as undo from "./undo.js";

const ENDED = "Your session has ended. Sign in again.";

let sent = null; // The latest `CodeSent` response.
let linkToken = null; // Token of an opened sign-in link, until the link is used or dismissed.

// ---- Address -------------------------------------------------------------------------------------------------------

async function askForCode(email, challenge) {
  const { login } = await call(LOGIN, {
    input: { email, challenge, deviceToken: session.deviceToken(email), locale: navigator.language },
  });
  if (login.__typename === "CodeSent") {
    sent = login;
    showCode("code", sent);
    showError("code", "");
    waitUntil("code-resend", sent.resendAt);
  }
  return login;
}

at("email-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("email", "email-submit", async () => {
    const email = at("email").value.trim();
    const outcome = email ? await askForCode(email, null) : { message: "Enter your email address." };
    if (outcome.__typename === "CodeSent") {
      awaitCode("Use a different address");
      return;
    }
    // Show the hint for every address, so that it does not reveal whether a link was emailed.
    const hint = outcome.retryAt ? " If you got an email with a sign-in link, use that." : "";
    refuse("email", "email-submit", { ...outcome, message: outcome.message + hint });
    at("email").focus();
  });
});

// ---- Code ----------------------------------------------------------------------------------------------------------

function awaitCode(back) {
  at("code").value = "";
  at("code-back").textContent = back;
  show("code", at("code"));
  announce(`Check ${sent.email} for a code.`);
}

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("code", "code-submit", async () => {
    const code = typedCode("code", sent.codeLength);
    if (!code) return;
    const { verify } = await session.verify(VERIFY, { input: { challenge: sent.challenge, code } });
    if (accept(verify)) return;
    const over = refuseCode("code", verify);
    at(over && !waiting("code-resend") ? "code-resend" : "code").focus();
  });
});

at("code-resend").addEventListener("click", () => {
  once("code", "code-resend", async () => {
    const outcome = await askForCode(sent.email, sent.challenge);
    if (outcome.__typename === "CodeSent") {
      announce(`Check ${outcome.email} for a new code.`);
      at("code").value = "";
      at("code").focus();
      return;
    }
    refuse("code", "code-resend", outcome);
  });
});

at("code-back").addEventListener("click", () => goBack());

// ---- Links from emails ---------------------------------------------------------------------------------------------

// Handles a sign-in or undo link. Removes the token from the address bar immediately, to keep it out of the browser
// history, bookmarks and screenshots.
function takeLink() {
  const [, kind, token] = /^#(link|undo)=(.+)$/.exec(location.hash) ?? [];
  if (!kind) return false;
  history.replaceState(null, "", location.pathname);
  linkToken = kind === "link" ? token : null;
  undo.forget();
  if (linkToken) offerLink();
  else undo.offer(token);
  return true;
}

// The link may be one that an attacker requested for their own account. So show which account is signed in, both before
// and after the link is used.
async function offerLink() {
  let who = "already";
  if (session.exists()) {
    at("wait-retry").hidden = true;
    show("wait");
    // Offer the link even if this request fails.
    await session.ask(ME).then((answer) => (who = `as ${answer.me.email}`)).catch(() => {});
    if (!linkToken) return;
  }
  const signedIn = session.exists();
  const notice = `You're signed in ${who}. If you continue, this tab signs in with the link instead.`;
  at("link-session").textContent = signedIn ? notice : "";
  at("link-back").textContent = signedIn ? "Stay signed in" : "Get a code instead";
  at("link-confirm").hidden = false;
  showError("link", "");
  show("link");
}

at("link-confirm").addEventListener("click", () => {
  once("link", "link-confirm", async () => {
    const { verifyLink } = await session.verify(VERIFY_LINK, { input: { token: linkToken } });
    if (accept(verifyLink, "Not your address? Sign out: someone else sent you the link.")) return;
    refuse("link", "link-confirm", verifyLink);
    if (verifyLink.retryAt) return;
    linkToken = null;
    at("link-confirm").hidden = true;
    at("link-back").focus();
  });
});

at("link-back").addEventListener("click", () => {
  linkToken = null;
  goBack();
});

// ---- Recent sign-in ------------------------------------------------------------------------------------------------

// Hiding the account step does not clear its forms, so the user can continue after signing in again.
account.whenTooOld((why) => {
  at("again-why").textContent = why;
  at("again-email").textContent = account.person.email;
  showError("again", "");
  show("again");
});

at("again-submit").addEventListener("click", () => {
  once("again", "again-submit", async () => {
    const outcome = await askForCode(account.person.email, null);
    if (outcome.__typename === "CodeSent") awaitCode("Go back");
    else refuse("again", "again-submit", outcome);
  });
});

at("again-back").addEventListener("click", () => goBack());

// ---- Sign-in result ------------------------------------------------------------------------------------------------

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

// Shows the account if the session is valid, otherwise the email form. Requests `me` even right after a sign-in, to
// confirm that the access token works. Screen readers announce `message` in both cases.
async function resume({ isNewUser = false, message = "" } = {}) {
  const linked = () => linkToken || undo.token; // A link may be opened while a request is pending.
  if (linked()) return;
  at("wait-retry").hidden = true;
  show("wait");
  try {
    const { me } = await session.ask(ME);
    if (linked()) return;
    if (!me) throw new session.SessionEnded();
    account.welcome(me, isNewUser, message);
  } catch (error) {
    if (linked()) return;
    if (error instanceof session.SessionEnded) {
      session.drop();
      startOver(message || ENDED);
      return;
    }
    announce(`${message} ${errorText(error)}`.trim());
    at("wait-retry").hidden = false;
  }
}

/** Shows the account if there is a session, otherwise the email form. */
function goBack(message = "") {
  sent = null;
  if (session.exists()) resume({ message });
  else startOver(message);
}

function startOver(message) {
  sent = null;
  account.forgetPerson();
  showError("email", "");
  announce(message);
  show("email", at("email"));
  at("email").select();
}

at("wait-retry").addEventListener("click", () => resume());
account.whenOver((message = ENDED) => startOver(message));
undo.whenDone(goBack);
session.whenOver(() => {
  if (linkToken) offerLink();
  else if (!at("step-undo").hidden) return; // Undoing an address change needs no session.
  // Entering a sign-in code needs no session either.
  else if (sent) at("code-back").textContent = "Use a different address";
  else startOver(ENDED);
});

// ---- Start ---------------------------------------------------------------------------------------------------------

if (document.body.dataset.inbox) {
  at("developer-link").href = document.body.dataset.inbox;
  at("developer").hidden = false;
}
addEventListener("hashchange", takeLink);
if (!takeLink()) {
  if (session.exists()) resume();
  else show("email", at("email"));
}
