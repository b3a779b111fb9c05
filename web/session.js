// The session of this tab: its tokens, kept in sessionStorage, refreshed before they expire, given up at sign-out.
// It never touches the page, never writes a token anywhere else, and lets go of a session only when the server says
// that it ended or the person signs out: a server that does not answer is no reason to sign anybody out.

import { ApiError, call, serverNow } from "./graphql.js";
import { LOGOUT, REFRESH, STILL } from "./operations.js";

const TOKENS = "doorcode.tokens";
const DEVICES = "doorcode.devices";
const MOST_DEVICES = 10;

/** What `ask` and `refresh` throw when there is no session any more. */
export class SessionOver extends Error {}

// A duplicated tab starts with a copy of these tokens. If both copies lived on, the slower one would one day present a
// refresh token that is long used, which ends the session. So tabs tell each other.
const channel = new BroadcastChannel("doorcode");
let tokens = restore();
let refreshing = null;
let timer = 0;
let onOver = () => {};

function restore() {
  try {
    return JSON.parse(sessionStorage.getItem(TOKENS));
  } catch {
    return null;
  }
}

function keep(next) {
  tokens = next;
  if (next) sessionStorage.setItem(TOKENS, JSON.stringify(next));
  else sessionStorage.removeItem(TOKENS);
  schedule();
}

/** Whether this tab holds tokens; the server may know better. */
export function exists() {
  return tokens !== null;
}

/** Starts a session from `SignedIn`, and remembers the device for the next sign-in. */
export function begin(signedIn) {
  keep(signedIn.tokens);
  keepDevice(signedIn.user.email, signedIn.deviceToken);
}

/** The token that this device has from an earlier sign-in with this address, or null. */
export function deviceToken(email) {
  return devices().get(email.trim().toLowerCase()) ?? null;
}

// Canonical address -> token, the newest last. One for each address, so that a second account, or a stranger's link,
// does not cost the first one its allowances.
function devices() {
  try {
    return new Map(JSON.parse(localStorage.getItem(DEVICES)));
  } catch {
    return new Map();
  }
}

// Without a token for an address, that address is forgotten here.
function keepDevice(email, token) {
  const known = devices();
  known.delete(email);
  if (token) known.set(email, token);
  try {
    localStorage.setItem(DEVICES, JSON.stringify([...known].slice(-MOST_DEVICES)));
  } catch {
    // Storage may be full or forbidden. The person is signed in all the same, only not known next time.
  }
}

/** After a change of address: the device is the account's, so it is known by the new one. */
export function renameDevice(before, after) {
  const token = deviceToken(before);
  keepDevice(before, null);
  if (token) keepDevice(after, token);
}

/** Forgets the tokens of this tab without telling the server. */
export function drop() {
  keep(null);
}

/** After the account was deleted: nothing of it stays in this browser. */
export function leave(email) {
  if (tokens) channel.postMessage({ before: tokens.refreshToken, tokens: null });
  drop();
  keepDevice(email, null);
}

/** Has the other tabs ask the server whether their sessions are still open. */
export function doubtOthers() {
  channel.postMessage({ doubt: true });
}

/** Calls back once the session ended elsewhere or by itself. */
export function whenOver(callback) {
  onOver = callback;
}

function over() {
  drop();
  onOver();
}

/** Runs `verify` or `verifyLink` with this tab's access token: the same person's new session ends the one before. */
export function prove(mutation, variables) {
  return call(mutation, variables, tokens?.accessToken);
}

/** Runs an operation as the person signed in. One refusal of the access token is answered with a refresh. */
export async function ask(query, variables) {
  if (!tokens) throw new SessionOver();
  if (Date.parse(tokens.expiresAt) - serverNow() < 10_000) await refresh();
  try {
    return await call(query, variables, tokens?.accessToken);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
  }
  await refresh();
  try {
    return await call(query, variables, tokens?.accessToken);
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "UNAUTHENTICATED") throw error;
    drop();
    throw new SessionOver();
  }
}

/** Trades the refresh token for new tokens; callers at the same time share one trade. */
export function refresh() {
  refreshing ??= exclusively(trade).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

// One tab at a time, where the browser can do that.
function exclusively(work) {
  return navigator.locks ? navigator.locks.request("doorcode.refresh", work) : work();
}

async function trade() {
  const before = tokens?.refreshToken;
  if (!before) throw new SessionOver();
  const { refresh: outcome } = await call(REFRESH, { input: { refreshToken: before } });
  // While the answer was under way, the person may have signed out, or another tab have told us.
  if (tokens?.refreshToken !== before) {
    if (!tokens) throw new SessionOver();
    return;
  }
  if (outcome.__typename === "Refreshed") {
    keep(outcome.tokens);
    channel.postMessage({ before, tokens: outcome.tokens });
  } else if (outcome.retryAt) {
    throw new ApiError("RATE_LIMITED", outcome.message, null, null);
  } else {
    drop();
    throw new SessionOver();
  }
}

channel.addEventListener("message", ({ data }) => {
  if (!tokens) return;
  if (data.doubt) askQuietly();
  else if (data.before !== tokens.refreshToken) return;
  else if (data.tokens) keep(data.tokens);
  else over();
});

// Not a refresh: two copies of a tab, asked at the same moment, need no new tokens to learn this.
async function askQuietly() {
  try {
    await ask(STILL);
  } catch (error) {
    // Without an answer the tokens stay; the next refresh asks again.
    if (error instanceof SessionOver) onOver();
  }
}

// A minute before the end, or half-way when tokens live shorter than two minutes.
function schedule() {
  clearTimeout(timer);
  if (!tokens) return;
  const left = Date.parse(tokens.expiresAt) - serverNow();
  timer = setTimeout(refreshQuietly, Math.max(1000, left - Math.min(60_000, left / 2)));
}

async function refreshQuietly() {
  try {
    await refresh();
  } catch (error) {
    if (error instanceof SessionOver) onOver();
    else timer = setTimeout(refreshQuietly, 15_000);
  }
}

// Timers sleep with the computer; coming back is a good moment to catch up.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && tokens && Date.parse(tokens.expiresAt) - serverNow() < 60_000) refreshQuietly();
});
if (tokens) schedule();

/** Ends the session on the server. The tokens leave this tab whatever happens; a failure is thrown afterwards. */
export async function end() {
  // A refresh under way would make tokens that nobody ends.
  await refreshing?.catch(() => {});
  const refreshToken = tokens?.refreshToken;
  drop();
  if (!refreshToken) return;
  channel.postMessage({ before: refreshToken, tokens: null });
  await call(LOGOUT, { input: { refreshToken } });
}
