// The way in: by code, by a link from a mail, for whoever is signed in already, and again when that was too long ago.
// It never changes an account, and never uses a link without a press of its button: mail scanners open links, they do
// not press buttons. Nothing may import it: the page loads it by its content hash, so an import would run it twice.

import * as account from "./account.js";
import { call } from "./graphql.js";
import { LOGIN, ME, VERIFY, VERIFY_LINK } from "./operations.js";
import { at, complain, once, refuse, refuseCode, say, show, showCode, typedCode } from "./page.js";
import { waitUntil, waiting, wordsFor } from "./page.js";
import * as session from "./session.js";
import * as undo from "./undo.js";

const ENDED = "Your session has ended. Please sign in again.";

let sent = null; // The CodeSent being answered.
let linkToken = null; // Of a link that waits for its button.

// ---- Address -------------------------------------------------------------------------------------------------------

async function askForCode(email, challenge) {
  const { login } = await call(LOGIN, {
    input: { email, challenge, deviceToken: session.deviceToken(email), locale: navigator.language },
  });
  if (login.__typename === "CodeSent") {
    sent = login;
    showCode("code", sent);
    complain("code", "");
    waitUntil("code-resend", sent.resendAt);
  }
  return login;
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
    refuse("email", "email-submit", { ...outcome, message: outcome.message + hint });
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

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("code", "code-submit", async () => {
    const code = typedCode("code", sent.codeLength);
    if (!code) return;
    const { verify } = await session.prove(VERIFY, { input: { challenge: sent.challenge, code } });
    if (accept(verify)) return;
    const over = refuseCode("code", verify);
    at(over && !waiting("code-resend") ? "code-resend" : "code").focus();
  });
});

at("code-resend").addEventListener("click", () => {
  once("code", "code-resend", async () => {
    const outcome = await askForCode(sent.email, sent.challenge);
    if (outcome.__typename === "CodeSent") {
      say(`A new code was asked for ${outcome.email}.`);
      at("code").value = "";
      at("code").focus();
      return;
    }
    refuse("code", "code-resend", outcome);
  });
});

at("code-back").addEventListener("click", () => goBack());

// ---- Links from mails ----------------------------------------------------------------------------------------------

// Takes the token out of the address bar at once, so that it stays in no history entry, bookmark or screenshot.
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

// ---- Is it still you -----------------------------------------------------------------------------------------------

// What was typed stays where it is meanwhile.
account.whenTooOld((why) => {
  at("again-why").textContent = why;
  at("again-email").textContent = account.person.email;
  complain("again", "");
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

// ---- Signed in, or not ---------------------------------------------------------------------------------------------

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
  const linked = () => linkToken || undo.token; // A link may be opened meanwhile.
  if (linked()) return;
  at("wait-retry").hidden = true;
  show("wait");
  try {
    const { me } = await session.ask(ME);
    if (linked()) return;
    if (!me) throw new session.SessionOver();
    account.welcome(me, isNewUser, message);
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

/** To whoever is signed in, or to the way in. */
function goBack(message = "") {
  sent = null;
  if (session.exists()) resume({ message });
  else startOver(message);
}

function startOver(message) {
  sent = null;
  account.forgetPerson();
  complain("email", "");
  say(message);
  show("email", at("email"));
  at("email").select();
}

at("wait-retry").addEventListener("click", () => resume());
account.whenOver((message = ENDED) => startOver(message));
undo.whenDone(goBack);
session.whenOver(() => {
  if (linkToken) offerLink();
  else if (!at("step-undo").hidden) return; // Nothing there needs a session.
  // Whoever types a code goes on with it: it needs no session.
  else if (sent) at("code-back").textContent = "Use another address";
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
