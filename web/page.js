// Helpers for the sign-in page: show one step at a time, move the focus, announce results, block double submits and
// count down. This module makes no requests, and inserts text as text nodes, never as HTML.

import { ApiError, serverNow } from "./graphql.js";

const brand = document.body.dataset.brand;
const waits = new Map(); // Button id -> label and end of the wait (server time).
const expiries = new Map(); // Code field -> expiry (server time).
let busy = false;
let announcement = 0;
let onDisabled = () => {};

export const at = (id) => document.getElementById(id);

/** Shows one step and hides the others. */
export function show(step, focus) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `step-${step}`;
  const title = at(`step-${step}`).querySelector("h1");
  document.title = `${title.textContent} · ${brand}`;
  (focus ?? title).focus();
}

/** Announces a status message. Clears the status first, because screen readers would skip a repeated message. */
export function announce(text) {
  clearTimeout(announcement);
  at("status").textContent = "";
  if (text) announcement = setTimeout(() => at("status").append(text), 50);
}

/** Shows an error in the field's alert region, which screen readers announce without a focus change. */
export function showError(field, text) {
  at(`${field}-error`).textContent = text;
  const input = at(field);
  if (!(input instanceof HTMLInputElement)) return;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** Shows why a request was refused, and disables the button until `retryAt`. */
export function refuse(field, button, outcome) {
  showError(field, outcome.message);
  if (outcome.retryAt) waitUntil(button, outcome.retryAt);
}

/** Returns the text for a failed call. Rethrows any error other than an `ApiError`, because it is a bug in the page. */
export function errorText(error) {
  if (!(error instanceof ApiError)) throw error;
  const later = error.retryAfter ? ` Try again in ${span(error.retryAfter)}.` : "";
  // Invalid input needs no reference for support.
  const reference = error.requestId && error.code !== "BAD_USER_INPUT" ? ` (Reference: ${error.requestId})` : "";
  return `${error.message}${later}${reference}`;
}

/** Registers a callback for when the server has turned passwords off, with its message. */
export function whenDisabled(callback) {
  onDisabled = callback;
}

/** Runs one action at a time, ignoring clicks while another is running. Errors are shown next to `field`. */
export async function once(field, button, work) {
  if (busy || waiting(button)) return;
  busy = true;
  hidePasswords(); // Browsers save a password only from a password field.
  at(button).setAttribute("aria-busy", "true");
  showError(field, "");
  announce("");
  try {
    await work();
  } catch (error) {
    if (error.code === "METHOD_DISABLED") onDisabled(error.message);
    else showError(field, errorText(error));
  } finally {
    busy = false;
    at(button).removeAttribute("aria-busy");
  }
}

// ---- Passwords -----------------------------------------------------------------------------------------------------

function reveal(button, isShown) {
  at(button.getAttribute("aria-controls")).type = isShown ? "text" : "password";
  button.textContent = isShown ? "Hide" : "Show";
  button.setAttribute("aria-label", isShown ? "Hide password" : "Show password");
}

function hidePasswords() {
  for (const button of document.querySelectorAll("button.reveal")) reveal(button, false);
}

for (const button of document.querySelectorAll("button.reveal")) {
  button.addEventListener("click", () => {
    const isShown = button.textContent === "Show";
    reveal(button, isShown);
    announce(isShown ? "Your password is visible." : "Your password is hidden.");
  });
}

/** Shows an error at a field and moves the focus there. What was typed stays, selected. */
export function complain(field, text) {
  showError(field, text);
  at(field).focus();
  at(field).select();
}

// ---- Stay signed in ------------------------------------------------------------------------------------------------

const boxes = document.querySelectorAll("input.remember");

/** Whether the user wants to stay signed in. All forms have this box, with one state. */
export function remember() {
  return boxes[0].checked;
}

for (const box of boxes) {
  box.addEventListener("change", () => boxes.forEach((other) => (other.checked = box.checked)));
}

// ---- Codes ---------------------------------------------------------------------------------------------------------

/** Shows the details of a `CodeSent` next to a code field. */
export function showCode(field, code) {
  at(`${field}-email`).textContent = code.email;
  at(`${field}-length`).textContent = code.codeLength;
  showTries(field, code.attemptsLeft);
  expiries.set(field, Date.parse(code.expiresAt));
  tick();
}

function showTries(field, count) {
  at(`${field}-tries`).textContent = count === 1 ? "1 attempt left." : `${count} attempts left.`;
}

/** Returns the code in a field. If its length is wrong, shows an error and returns null. A typo costs no attempt. */
export function typedCode(field, length) {
  const code = at(field).value.replace(/[\s-]/g, "");
  if (new RegExp(`^[0-9]{${length}}$`).test(code)) return code;
  showError(field, `The code has ${length} digits.`);
  at(field).focus();
  return null;
}

/** Shows why a code was refused. Returns true if the user needs a new code. */
export function refuseCode(field, outcome) {
  refuse(field, `${field}-submit`, outcome);
  if (outcome.attemptsLeft !== undefined) showTries(field, outcome.attemptsLeft);
  at(field).select();
  return outcome.__typename === "CodeExpired" || outcome.attemptsLeft === 0;
}

// ---- Countdowns ----------------------------------------------------------------------------------------------------

export function waitUntil(button, moment) {
  const label = waits.get(button)?.label ?? at(button).textContent;
  waits.set(button, { label, until: Date.parse(moment) });
  tick();
}

export function waiting(button) {
  return (waits.get(button)?.until ?? 0) > serverNow();
}

function span(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The countdown is not a live region, because screen readers would announce every second. Only its end is announced.
function tick() {
  for (const [button, { label, until }] of waits) {
    const left = (until - serverNow()) / 1000;
    at(button).setAttribute("aria-disabled", String(left > 0));
    at(button).textContent = left > 0 ? `${label} in ${span(left)}` : label;
    if (left <= 0) {
      waits.delete(button);
      if (at(button).checkVisibility()) announce(`“${label}” is available again.`);
    }
  }
  for (const [field, until] of expiries) {
    const left = (until - serverNow()) / 1000;
    at(`${field}-expiry`).textContent = left > 0 ? `The code expires in ${span(left)}.` : "The code has expired.";
  }
}
setInterval(tick, 1000);
