// What every part of the sign-in page uses: it shows one step at a time and moves the focus to where people go on, says
// what happens, runs one thing at a time, and counts down. It never asks the server and knows nobody who signs in;
// text reaches the page as text alone, never as markup.

import { ApiError, serverNow } from "./graphql.js";

const brand = document.body.dataset.brand;
const waits = new Map(); // Button id -> its label, and until when it waits, by the server's clock.
const expiries = new Map(); // Field for a code -> until when that code is good.
let busy = false;
let saying = 0;

export const at = (id) => document.getElementById(id);

/** Shows one step alone. */
export function show(step, focus) {
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== `step-${step}`;
  const title = at(`step-${step}`).querySelector("h1");
  document.title = `${title.textContent} · ${brand}`;
  (focus ?? title).focus();
}

/** Says what happened. Cleared first and filled a moment later: otherwise the same sentence twice is announced once. */
export function say(text) {
  clearTimeout(saying);
  at("status").textContent = "";
  if (text) saying = setTimeout(() => at("status").append(text), 50);
}

/** Problems stand in alert regions, so they are read out even when the focus stays where it is. */
export function complain(field, text) {
  at(`${field}-error`).textContent = text;
  const input = at(field);
  if (!(input instanceof HTMLInputElement)) return;
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** Says why something was refused, and has the button wait as long as the server wants. */
export function refuse(field, button, outcome) {
  complain(field, outcome.message);
  if (outcome.retryAt) waitUntil(button, outcome.retryAt);
}

/** What to say about a failed call; anything else that was thrown is a fault of the page and thrown on. */
export function wordsFor(error) {
  if (!(error instanceof ApiError)) throw error;
  const later = error.retryAfter ? ` Try again in ${span(error.retryAfter)}.` : "";
  // What somebody typed is no fault to look up.
  const reference = error.requestId && error.code !== "BAD_USER_INPUT" ? ` (Reference: ${error.requestId})` : "";
  return `${error.message}${later}${reference}`;
}

/**
 * Runs one thing at a time: a second press of a button while the first is under way is not a second try. What goes
 * wrong is said beside `field`.
 */
export async function once(field, button, work) {
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

// ---- Codes ---------------------------------------------------------------------------------------------------------

/** Shows beside a field which code it wants, from `CodeSent`. */
export function showCode(field, code) {
  at(`${field}-email`).textContent = code.email;
  at(`${field}-length`).textContent = code.codeLength;
  showTries(field, code.attemptsLeft);
  expiries.set(field, Date.parse(code.expiresAt));
  tick();
}

function showTries(field, count) {
  at(`${field}-tries`).textContent = count === 1 ? "One try left." : `${count} tries left.`;
}

/** The digits typed into a field, or null: caught here, a slip of the finger does not cost one of the few tries. */
export function typedCode(field, length) {
  const code = at(field).value.replace(/[\s-]/g, "");
  if (new RegExp(`^[0-9]{${length}}$`).test(code)) return code;
  complain(field, `The code has ${length} digits.`);
  at(field).focus();
  return null;
}

/** Says why a code was refused; gives whether it cannot be tried any more. */
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
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

// Nothing here is a live region: a screen reader is told when something ends, not every second.
function tick() {
  for (const [button, { label, until }] of waits) {
    const left = (until - serverNow()) / 1000;
    at(button).setAttribute("aria-disabled", String(left > 0));
    at(button).textContent = left > 0 ? `${label} (in ${span(left)})` : label;
    if (left <= 0) {
      waits.delete(button);
      if (at(button).checkVisibility()) say(`You can press “${label}” now.`);
    }
  }
  for (const [field, until] of expiries) {
    const left = (until - serverNow()) / 1000;
    at(`${field}-expiry`).textContent = left > 0 ? `The code is good for ${span(left)}.` : "The code has expired.";
  }
}
setInterval(tick, 1000);
