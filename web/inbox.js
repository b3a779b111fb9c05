// The development inbox: polls for new emails every two seconds and shows them. HTML is shown only in a sandboxed frame
// without scripts or network access.

import { ApiError, call } from "./graphql.js";
import { INBOX, INBOX_IDS } from "./operations.js";

const EVERY = 2000;

const at = (id) => document.getElementById(id);
const shown = new Map(); // id -> { item, to }
let known = null;

// Fetches the ids first, because the list rarely changes.
async function look() {
  try {
    const ids = (await call(INBOX_IDS)).inbox.map((message) => message.id).join();
    if (ids !== known) {
      const { inbox } = await call(INBOX);
      place(inbox);
      known = inbox.map((message) => message.id).join();
    }
    if (at("status").dataset.failed) {
      delete at("status").dataset.failed;
      at("status").textContent = "";
    }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    at("status").dataset.failed = "yes";
    if (at("status").textContent !== error.message) at("status").textContent = error.message;
  } finally {
    setTimeout(look, EVERY);
  }
}

// Adds new emails and removes deleted ones. Leaves the other list items unchanged, to keep the focus and their expanded
// parts.
function place(inbox) {
  const ids = new Set(inbox.map((message) => message.id));
  for (const [id, { item }] of shown) {
    if (ids.has(id)) continue;
    item.remove();
    shown.delete(id);
  }
  for (const message of [...inbox].reverse()) {
    if (shown.has(message.id)) continue;
    const item = build(message);
    shown.set(message.id, { item, to: message.to.toLowerCase() });
    at("messages").prepend(item);
  }
  filter();
}

function build(message) {
  const item = at("message").content.firstElementChild.cloneNode(true);
  const part = (selector) => item.querySelector(selector);
  part("h2").textContent = message.subject;
  part(".to").textContent = `To ${message.to}`;
  part("time").dateTime = message.at;
  part("time").textContent = new Date(message.at).toLocaleString();
  part(".digits").textContent = message.code ?? "";
  part(".actions").hidden = !message.code;
  part("button").setAttribute("aria-label", `Copy the code for ${message.to}`);
  part("button").addEventListener("click", () => copy(message.code, part(".digits")));
  fillText(part("pre"), message.text);
  part(".html").addEventListener("toggle", (event) => fillHtml(event.target, message), { once: true });
  // An email without a code has a sign-in link, so show its text.
  part(".text").open = !message.code;
  return item;
}

// Inserts plain text and turns URLs into links.
function fillText(place, text) {
  for (const piece of text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/)) {
    if (!/^https?:\/\//.test(piece)) {
      place.append(piece);
      continue;
    }
    const link = document.createElement("a");
    link.href = piece;
    link.rel = "noopener noreferrer";
    link.target = "_blank";
    link.textContent = piece;
    place.append(link);
  }
}

function fillHtml(place, message) {
  const frame = document.createElement("iframe");
  // An empty `sandbox` list allows no scripts, forms or pop-ups, and gives the frame an opaque origin.
  frame.setAttribute("sandbox", "");
  frame.title = `HTML part of: ${message.subject}`;
  frame.srcdoc = message.html;
  place.append(frame);
}

async function copy(code, digits) {
  try {
    await navigator.clipboard.writeText(code);
    at("status").textContent = `Copied ${code}.`;
  } catch {
    // The clipboard needs HTTPS and a permission. Without them, select the text for the user to copy.
    getSelection().selectAllChildren(digits);
    at("status").textContent = "The code is selected. Press Ctrl+C or ⌘C to copy it.";
  }
}

function filter() {
  const wanted = at("filter").value.trim().toLowerCase();
  let count = 0;
  for (const { item, to } of shown.values()) {
    item.hidden = !to.includes(wanted);
    if (!item.hidden) count += 1;
  }
  at("count").textContent = count === 0 ? "No emails." : `${count} ${count === 1 ? "email" : "emails"}.`;
}

at("filter").addEventListener("input", filter);
look();
