// The session of this tab: tokens in sessionStorage, refreshed before they expire. They are dropped only when the
// server says the session has ended or the user signs out. An unreachable server signs nobody out.

import { ApiError, call, serverNow } from "./graphql.js";
import { LOGOUT, REFRESH, CHECK_SESSION } from "./operations.js";

const TOKENS = "doorcode.tokens";
const DEVICES = "doorcode.devices";
const PASSWORD = "doorcode.password";
const MOST_DEVICES = 10;

/** Thrown by `ask` and `refresh` when there is no session. */
export class SessionEnded extends Error {}

// A duplicated tab starts with a copy of the tokens. Both copies must not refresh independently: reusing an old refresh
// token ends the session. So tabs share new tokens.
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

/** Whether this tab has tokens. Only the server knows whether they are still valid. */
export function exists() {
  return tokens !== null;
}

/** Whether the session outlives a day. */
export function isRemembered() {
  return tokens?.remembered ?? true;
}

/** Starts a session from `SignedIn`, and stores its device token. */
export function begin(signedIn) {
  keep({ ...signedIn.tokens, remembered: signedIn.session.remembered });
  keepDevice(signedIn.user.email, signedIn.deviceToken);
}

/** The device token from an earlier sign-in with this address, or null. */
export function deviceToken(email) {
  return devices().get(email.trim().toLowerCase()) ?? null;
}

// Canonical address -> token, newest last. One per address, so that signing in to another account does not replace the
// first one's token.
function devices() {
  try {
    return new Map(JSON.parse(localStorage.getItem(DEVICES)));
  } catch {
    return new Map();
  }
}

// Without a token, removes the address.
function keepDevice(email, token) {
  const known = devices();
  known.delete(email);
  if (token) known.set(email, token);
  try {
    localStorage.setItem(DEVICES, JSON.stringify([...known].slice(-MOST_DEVICES)));
  } catch {
    // Storage may be full or blocked. Sign-in still works, but this device won't be recognized next time.
  }
}

/** Moves the device token to the new address after an address change. */
export function renameDevice(before, after) {
  const token = deviceToken(before);
  keepDevice(before, null);
  if (token) keepDevice(after, token);
}

/** Remembers which form this browser shows first. */
export function preferPassword(isPreferred) {
  try {
    if (isPreferred) localStorage.setItem(PASSWORD, "preferred");
    else localStorage.removeItem(PASSWORD);
  } catch {
    // Storage may be full or blocked. The form for a code comes first then.
  }
}

/** Whether the latest sign-in in this browser was with a password. */
export function prefersPassword() {
  try {
    return localStorage.getItem(PASSWORD) !== null;
  } catch {
    return false;
  }
}

/** Drops the tokens without telling the server. */
export function drop() {
  keep(null);
}

/** Removes everything about a deleted account from this browser. */
export function forgetAccount(email) {
  if (tokens) channel.postMessage({ before: tokens.refreshToken, tokens: null });
  drop();
  keepDevice(email, null);
}

/** Makes other tabs check whether their sessions still exist. */
export function recheckOtherTabs() {
  channel.postMessage({ recheck: true });
}

/** Registers a callback for when the session ends elsewhere or expires. */
export function whenOver(callback) {
  onOver = callback;
}

function over() {
  drop();
  onOver();
}

/** Runs `verify`, `verifyLink` or `resetPassword` with this tab's access token, so that the new session replaces the old one. */
export function verify(mutation, variables) {
  return call(mutation, variables, tokens?.accessToken);
}

/** Runs an operation with the access token. If the token is refused, refreshes it once and retries. */
export async function ask(query, variables) {
  if (!tokens) throw new SessionEnded();
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
    throw new SessionEnded();
  }
}

/** Gets new tokens. Concurrent callers share one request. */
export function refresh() {
  refreshing ??= withLock(requestTokens).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

// One tab at a time, if the browser supports locks.
function withLock(work) {
  return navigator.locks ? navigator.locks.request("doorcode.refresh", work) : work();
}

async function requestTokens() {
  const before = tokens?.refreshToken;
  if (!before) throw new SessionEnded();
  const { refresh: outcome } = await call(REFRESH, { input: { refreshToken: before } });
  // The user may have signed out meanwhile, or another tab may have sent new tokens.
  if (tokens?.refreshToken !== before) {
    if (!tokens) throw new SessionEnded();
    return;
  }
  if (outcome.__typename === "Refreshed") {
    keep({ ...outcome.tokens, remembered: tokens.remembered });
    channel.postMessage({ before, tokens });
  } else if (outcome.retryAt) {
    throw new ApiError("RATE_LIMITED", outcome.message, null, null);
  } else {
    drop();
    throw new SessionEnded();
  }
}

channel.addEventListener("message", ({ data }) => {
  if (!tokens) return;
  if (data.recheck) checkQuietly();
  else if (data.before !== tokens.refreshToken) return;
  else if (data.tokens) keep(data.tokens);
  else over();
});

// Not a refresh: when several tabs check at once, none needs new tokens.
async function checkQuietly() {
  try {
    await ask(CHECK_SESSION);
  } catch (error) {
    // If the server is unreachable, keep the tokens. The next refresh checks again.
    if (error instanceof SessionEnded) onOver();
  }
}

// One minute before expiry, or half-way for tokens shorter than two minutes.
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
    if (error instanceof SessionEnded) onOver();
    else timer = setTimeout(refreshQuietly, 15_000);
  }
}

// Timers pause while the computer sleeps, so check when the page becomes visible.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && tokens && Date.parse(tokens.expiresAt) - serverNow() < 60_000) refreshQuietly();
});
if (tokens) schedule();

/** Ends the session on the server. Always drops the tokens, then throws if the request failed. */
export async function end() {
  // Wait for a running refresh, which would create new tokens.
  await refreshing?.catch(() => {});
  const refreshToken = tokens?.refreshToken;
  drop();
  if (!refreshToken) return;
  channel.postMessage({ before: refreshToken, tokens: null });
  await call(LOGOUT, { input: { refreshToken } });
}
