// The sign-in page: address, code, signed in. One section is shown at a time, and each step moves the focus to where
// the person goes on. Text reaches the page through textContent alone, and a sign-in link is used only by a button:
// mail scanners open links, they do not press buttons.

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
const ME = `query Me { me { email name } }`;

const at = (id) => document.getElementById(id);
const steps = ["wait", "email", "code", "link", "done"];
const brand = document.body.dataset.brand;

let sent = null; // The CodeSent being answered.
let linkToken = null;
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
  const input = field === "email" || field === "code" ? at(field) : null;
  if (!input) return;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

function wordsFor(error) {
  if (!(error instanceof ApiError)) throw error;
  const later = error.retryAfter ? ` Try again in ${span(error.retryAfter)}.` : "";
  const reference = error.requestId ? ` (Reference: ${error.requestId})` : "";
  return `${error.message}${later}${reference}`;
}

function span(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

// Runs one thing at a time: a second press of a button while the first is under way is not a second try. What goes
// wrong is said beside `field`.
async function once(field, button, work) {
  if (busy || waiting(button)) return;
  busy = true;
  at(button).setAttribute("aria-busy", "true");
  complain(field, "");
  say("");
  try {
    await work();
  } catch (error) {
    complain(field, wordsFor(error));
  } finally {
    busy = false;
    at(button).removeAttribute("aria-busy");
  }
}

// ---- Countdowns ----------------------------------------------------------------------------------------------------

const labels = new Map(["email-submit", "code-submit", "code-resend", "link-confirm"].map((id) => [id, at(id).textContent]));

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
      if (!at(id).closest("section").hidden) say(`You can press “${labels.get(id)}” now.`);
    }
  }
  if (sent) {
    const left = (Date.parse(sent.expiresAt) - serverNow()) / 1000;
    at("code-expiry").textContent = left > 0 ? `The code is good for ${span(left)}.` : "The code has expired.";
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
    showTries(login.attemptsLeft);
    complain("code", "");
    waitUntil("code-resend", login.resendAt);
  }
  return login;
}

function showTries(count) {
  at("code-tries").textContent = count === 1 ? "One try left." : `${count} tries left.`;
}

at("email-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("email", "email-submit", async () => {
    const email = at("email").value.trim();
    const outcome = email ? await askForCode(email, null) : { message: "Type your e-mail address." };
    if (outcome.__typename === "CodeSent") {
      at("code").value = "";
      show("code", at("code"));
      say(`A code was asked for ${outcome.email}.`);
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

at("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("code", "code-submit", async () => {
    const code = at("code").value.replace(/[\s-]/g, "");
    // Caught here, a slip of the finger does not cost one of the few tries.
    if (!new RegExp(`^[0-9]{${sent.codeLength}}$`).test(code)) {
      complain("code", `The code has ${sent.codeLength} digits.`);
      at("code").focus();
      return;
    }
    const { verify } = await session.prove(VERIFY, { input: { challenge: sent.challenge, code } });
    if (!accept(verify)) refuse(verify);
  });
});

function refuse(outcome) {
  complain("code", outcome.message);
  if (outcome.attemptsLeft !== undefined) showTries(outcome.attemptsLeft);
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

at("code-back").addEventListener("click", () => startOver());

function startOver(message = "") {
  sent = null;
  complain("email", "");
  say(message);
  show("email", at("email"));
  at("email").select();
}

// ---- Sign-in link --------------------------------------------------------------------------------------------------

// Takes the token out of the address bar at once, so that it stays in no history entry, bookmark or screenshot.
function takeLink() {
  const match = /^#link=(.+)$/.exec(location.hash);
  if (!match) return false;
  history.replaceState(null, "", location.pathname);
  linkToken = match[1];
  offerLink();
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
    await session.read(ME).then(({ me }) => (who = `as ${me.email}`)).catch(() => {});
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
  if (session.exists()) resume();
  else startOver();
});
addEventListener("hashchange", takeLink);

// ---- Signed in -----------------------------------------------------------------------------------------------------

function accept(outcome, caution = "") {
  if (outcome.__typename !== "SignedIn") return false;
  session.begin(outcome);
  sent = null;
  linkToken = null;
  at("code").value = "";
  at("done-caution").textContent = caution;
  resume(outcome.isNewUser);
  return true;
}

// Shows who is signed in, or the way in. The server is asked even right after signing in: what the page says is what
// the token can do.
async function resume(isNewUser = false) {
  at("wait-retry").hidden = true;
  show("wait");
  try {
    const { me } = await session.read(ME);
    if (!me) throw new session.SessionOver();
    at("done-title").textContent = `You are signed in as ${me.email}`;
    at("done-welcome").hidden = !isNewUser;
    at("done-session").textContent = "This tab stays signed in until you sign out or close it.";
    complain("done", "");
    say("");
    show("done");
  } catch (error) {
    if (error instanceof session.SessionOver) {
      session.drop();
      startOver("Your session has ended. Please sign in again.");
      return;
    }
    say(wordsFor(error));
    at("wait-retry").hidden = false;
  }
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
  else startOver("Your session has ended. Please sign in again.");
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
