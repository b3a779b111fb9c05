// Passwords before sign-in: signing in with one, registering, and resetting a forgotten one. All of it is hidden where
// the server has passwords off.

import { forgetCodes, requestCode, sentFor } from "./code.js";
import { call } from "./graphql.js";
import { LOGIN, OPTIONS, REGISTER, REQUEST_PASSWORD_RESET, RESET_PASSWORD } from "./operations.js";
import { announce, at, complain, once, refuse, refuseCode, remember, show, showError, typedCode } from "./page.js";
import { waiting, whenDisabled } from "./page.js";
import * as session from "./session.js";

const NO_EMAIL = "Enter your email address.";

let options = null; // The server's SignInOptions, read once.
let loading = null;
let onSignedIn = () => {};
let onCode = () => {};
let onBack = () => {};

/** Registers a callback for `SignedIn`. */
export function whenSignedIn(callback) {
  onSignedIn = callback;
}

/** Registers a callback for when a code was sent to register. */
export function whenCodeSent(callback) {
  onCode = callback;
}

/** Registers a callback for returning to the first step, with an optional message. */
export function whenBack(callback) {
  onBack = callback;
}

/** Reads how users sign in here, once. Fails if the server is unreachable. */
export async function loadOptions() {
  loading ??= call(OPTIONS).finally(() => (loading = null));
  options ??= (await loading).signInOptions;
  showOptions();
}

/** Whether the options are known. */
export function isReady() {
  return options !== null;
}

/** Whether users can sign in with a password. */
export function isOn() {
  return options?.methods.includes("PASSWORD") ?? false;
}

function showOptions() {
  document.body.classList.toggle("with-passwords", isOn());
  document.body.classList.toggle("with-sign-up", options.signUp !== "CLOSED");
  for (const length of document.querySelectorAll(".min-length")) {
    length.textContent = options.passwordPolicy?.minLength ?? "";
  }
}

whenDisabled((message) => {
  if (options) options.methods = options.methods.filter((method) => method !== "PASSWORD");
  showOptions();
  onBack(message);
});

/** After sign-in, clears all passwords and keeps the address for the next time. */
export function prefill(email) {
  at("password-email").value = email;
  for (const field of ["password", "register-password", "reset-password"]) at(field).value = "";
}

/** Shows a form with the address that was typed in another one. */
function open(step, email) {
  const field = step === "forgot" ? at("forgot") : at(`${step}-email`);
  field.value = email.trim();
  for (const error of at(`step-${step}`).querySelectorAll(".error")) showError(error.id.replace(/-error$/, ""), "");
  announce("");
  show(step, field.value ? firstEmpty(step) : field);
}

function firstEmpty(step) {
  return [...at(`step-${step}`).querySelectorAll("input[required]")].find((input) => !input.value);
}

// ---- Sign in -------------------------------------------------------------------------------------------------------

const typedEmail = () => at("password-email").value;

/** Shows the form for the address and the password. */
export function offer(email = typedEmail()) {
  open("password", email);
}

at("password-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("password", "password-submit", async () => {
    const [email, password] = [at("password-email").value.trim(), at("password").value];
    showError("password-email", "");
    if (!email) return complain("password-email", NO_EMAIL);
    if (!password) return complain("password", "Enter your password, or get a code by email.");
    const deviceToken = session.deviceToken(email);
    const { login } = await call(LOGIN, { input: { email, password, deviceToken, remember: remember() } });
    if (login.__typename === "SignedIn") return onSignedIn(login);
    const field = login.__typename === "InvalidEmail" ? "password-email" : "password";
    // Wrong passwords don't use up the attempts of codes.
    const hint = login.retryAt ? " You can get a code by email instead." : "";
    refuse(field, "password-submit", { ...login, message: login.message + hint });
    at(field).focus();
    at(field).select();
  });
});

// ---- Register ------------------------------------------------------------------------------------------------------

/** Shows the form to register, with what was typed before. */
export function offerRegistration(email = at("register-email").value) {
  forgetCodes();
  open("register", email);
}

function register() {
  const email = at("register-email").value.trim();
  const input = {
    email,
    password: at("register-password").value,
    name: at("register-name").value.trim() || null,
    remember: remember(),
    deviceToken: session.deviceToken(email),
    locale: navigator.language,
  };
  return async () => (await call(REGISTER, { input })).register;
}

at("register-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("register", "register-submit", async () => {
    for (const field of ["register-email", "register-password"]) showError(field, "");
    if (!at("register-email").value.trim()) return complain("register-email", NO_EMAIL);
    if (!at("register-password").value) return complain("register-password", "Choose a password.");
    const outcome = await requestCode("code", register());
    if (outcome.__typename === "CodeSent") return onCode();
    if (outcome.__typename === "WeakPassword") return complain("register-password", outcome.message);
    if (outcome.__typename === "InvalidEmail") return complain("register-email", outcome.message);
    refuse("register", "register-submit", outcome);
  });
});

// ---- Reset ---------------------------------------------------------------------------------------------------------

function requestReset(email) {
  const input = { email, deviceToken: session.deviceToken(email), locale: navigator.language };
  return async () => (await call(REQUEST_PASSWORD_RESET, { input })).requestPasswordReset;
}

at("forgot-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("forgot", "forgot-submit", async () => {
    const email = at("forgot").value.trim();
    if (!email) return complain("forgot", NO_EMAIL);
    const outcome = await requestCode("reset", requestReset(email));
    if (outcome.__typename !== "CodeSent") {
      refuse("forgot", "forgot-submit", outcome);
      at("forgot").focus();
      return;
    }
    at("reset-username").value = outcome.email;
    at("reset").value = "";
    showError("reset-password", "");
    show("reset", at("reset"));
    announce(`Check ${outcome.email} for a code.`);
  });
});

at("reset-form").addEventListener("submit", (event) => {
  event.preventDefault();
  once("reset", "reset-submit", async () => {
    showError("reset-password", "");
    const sent = sentFor("reset");
    const code = typedCode("reset", sent.codeLength);
    if (!code) return;
    const newPassword = at("reset-password").value;
    if (!newPassword) return complain("reset-password", "Choose a password.");
    const input = { challenge: sent.challenge, code, newPassword, remember: remember() };
    const { resetPassword: outcome } = await session.verify(RESET_PASSWORD, { input });
    if (outcome.__typename === "SignedIn") return onSignedIn(outcome);
    if (outcome.__typename === "WeakPassword") return complain("reset-password", outcome.message);
    const over = refuseCode("reset", outcome);
    at(over && !waiting("reset-resend") ? "reset-resend" : "reset").focus();
  });
});

// ---- Between the forms ---------------------------------------------------------------------------------------------

at("email-register").addEventListener("click", () => offerRegistration(at("email").value));
at("password-register").addEventListener("click", () => offerRegistration(typedEmail()));
at("password-forgot").addEventListener("click", () => open("forgot", typedEmail()));
for (const button of ["register-back", "forgot-back", "reset-back"]) {
  at(button).addEventListener("click", () => {
    forgetCodes();
    onBack();
  });
}
