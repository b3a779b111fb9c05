// Entry point of the sign-in page. Handles sign-in by code or link, and asks for a new sign-in before actions that need
// a recent one. Opening a sign-in link does not use it, because mail scanners open links: the user must press a button.
// No other script may import this file. The page loads it from a versioned URL, so an import would load and run a
// second copy.

import * as account from "./account.js";
import * as accountPassword from "./account-password.js";
import { forgetCodes, requestCode, sentFor } from "./code.js";
import { call } from "./graphql.js";
import { LOGIN, ME, VERIFY, VERIFY_LINK } from "./operations.js";
import { announce, at, errorText, once, refuse, refuseCode, remember, show, showError, typedCode } from "./page.js";
import { waiting } from "./page.js";
import * as password from "./password.js";
import * as session from "./session.js";
import * as takeBack from "./take-back.js";

const ENDED = "Your session has ended. Sign in again.";
const NOT_SAVED = "You already had an account, so we signed you in to it. The password you typed isn't saved.";

let purpose = "sign in"; // What the code is for: "sign in", "register", or "continue" after an interrupted action.
let linkToken = null; // Token of an opened sign-in link, until the link is used or dismissed.
let wantsNewPassword = false; // From the link of a password manager, until the form is shown.

// ---- Address -------------------------------------------------------------------------------------------------------

function askForCode(email, isRemembered) {
  const input = { email, remember: isRemembered, deviceToken: session.deviceToken(email), locale: navigator.language };
  return requestCode("code", async () => (await call(LOGIN, { input })).login);
}

async function signInWithCode(field, button) {
  const email = at(field).value.trim();
  const outcome = email ? await askForCode(email, remember()) : { message: "Enter your email address." };
  if (outcome.__typename === "CodeSent") {
    awaitCode("sign in");
    return;
  }
  // Show the hint for every address, so that it does not reveal whether a link was emailed.
  const hint = outcome.retryAt ? " If you got an email with a sign-in link, use that." : "";
  refuse(field, button, { ...outcome, message: outcome.message + hint });
  at(field).focus();
}

at("email-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("email", "email-submit", () => signInWithCode("email", "email-submit"));
});

at("email-password").addEventListener("click", () => password.offer(at("email").value));

at("password-code").addEventListener("click", () => {
  showError("password", "");
  once("password-email", "password-code", () => signInWithCode("password-email", "password-code"));
});

// ---- Code ----------------------------------------------------------------------------------------------------------

const backLabels = { "sign in": "Use a different address", register: "Change what you typed", continue: "Go back" };

function awaitCode(why) {
  purpose = why;
  at("code").value = "";
  at("code-submit").textContent = why === "register" ? "Create account" : "Sign in";
  at("code-back").textContent = backLabels[why];
  show("code", at("code"));
  announce(`Check ${sentFor("code").email} for a code.`);
}

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("code", "code-submit", async () => {
    const sent = sentFor("code");
    const code = typedCode("code", sent.codeLength);
    if (!code) return;
    const { verify } = await session.verify(VERIFY, { input: { challenge: sent.challenge, code } });
    const caution = purpose === "register" && verify.isNewUser === false ? NOT_SAVED : "";
    if (purpose !== "continue" && verify.tokens) session.preferPassword(purpose === "register" && verify.isNewUser);
    if (accept(verify, caution)) return;
    const over = refuseCode("code", verify);
    at(over && !waiting("code-resend") ? "code-resend" : "code").focus();
  });
});

at("code-back").addEventListener("click", () => {
  if (purpose === "register" && !session.exists()) password.offerRegistration();
  else goBack();
});

// ---- Links from mails ----------------------------------------------------------------------------------------------

// Handles a sign-in or undo link. Removes the token from the address bar immediately, to keep it out of the browser
// history, bookmarks and screenshots.
function takeLink() {
  const [, kind, token] = /^#(link|undo|disown)=(.+)$/.exec(location.hash) ?? [];
  if (!kind) return false;
  history.replaceState(null, "", location.pathname);
  linkToken = kind === "link" ? token : null;
  takeBack.forget();
  password.loadOptions().catch(() => {}); // Not needed here, and tried again by the next step.
  if (linkToken) offerLink();
  else takeBack.offer(kind, token);
  return true;
}

// Where `/.well-known/change-password` leads.
function takeChangePassword() {
  if (location.hash !== "#change-password") return false;
  history.replaceState(null, "", location.pathname);
  wantsNewPassword = true;
  goBack();
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
    const outcome = await askForCode(account.person.email, session.isRemembered());
    if (outcome.__typename === "CodeSent") awaitCode("continue");
    else refuse("again", "again-submit", outcome);
  });
});

at("again-back").addEventListener("click", () => goBack());

// ---- Sign-in result ------------------------------------------------------------------------------------------------

function accept(outcome, caution = "") {
  if (outcome.__typename !== "SignedIn") return false;
  session.begin(outcome);
  forgetCodes();
  linkToken = null;
  at("code").value = "";
  password.prefill(outcome.user.email);
  at("done-caution").textContent = caution;
  resume({ isNewUser: outcome.isNewUser });
  return true;
}

password.whenSignedIn((signedIn) => {
  session.preferPassword(true);
  accept(signedIn);
});
password.whenCodeSent(() => awaitCode("register"));
password.whenBack((message) => goBack(message));

// Shows the signed-in user, or the first step. Asks the server even right after sign-in, to confirm that the token
// works. `message` is announced in either case.
async function resume({ isNewUser = false, message = "" } = {}) {
  const linked = () => linkToken || takeBack.token; // A link may be opened while a request is pending.
  if (linked()) return;
  at("wait-retry").hidden = true;
  show("wait");
  try {
    await password.loadOptions();
    if (linked()) return;
    if (!session.exists()) {
      startOver(message);
      return;
    }
    const { me } = await session.ask(ME);
    if (linked()) return;
    if (!me) throw new session.SessionEnded();
    account.welcome(me, isNewUser, message);
    if (wantsNewPassword && password.isOn()) accountPassword.open();
    wantsNewPassword = false;
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
  forgetCodes();
  if (session.exists() || !password.isReady()) resume({ message });
  else startOver(message);
}

function startOver(message = "") {
  if (!password.isReady()) {
    resume({ message });
    return;
  }
  forgetCodes();
  account.forgetPerson();
  if (password.isOn() && session.prefersPassword()) {
    password.offer();
  } else {
    showError("email", "");
    show("email", at("email"));
    at("email").select();
  }
  const reason = wantsNewPassword && password.isOn() ? "Sign in to change your password." : "";
  announce(message || reason);
}

at("wait-retry").addEventListener("click", () => resume());
account.whenOver((message = ENDED) => startOver(message));
takeBack.whenDone(goBack);
session.whenOver(() => {
  if (linkToken) offerLink();
  else if (takeBack.isShown()) return; // It needs no session.
  // Entering a code needs no session either.
  else if (sentFor("code")) at("code-back").textContent = backLabels["sign in"];
  else startOver(ENDED);
});

// ---- Start ---------------------------------------------------------------------------------------------------------

if (document.body.dataset.inbox) {
  at("developer-link").href = document.body.dataset.inbox;
  at("developer").hidden = false;
}
addEventListener("hashchange", () => takeLink() || takeChangePassword());
if (!takeLink() && !takeChangePassword()) resume();
