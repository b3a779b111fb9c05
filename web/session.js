// The session of this browser tab. Stores the tokens in `sessionStorage`, and refreshes them before the access token
// expires. Removes the tokens when the user signs out, or when the server responds that the session has ended. Keeps
// them if the server is unreachable.

import { ApiError, call, serverNow } from "./graphql.js";
import { LOGOUT, REFRESH, CHECK_SESSION } from "./operations.js";

const TOKENS = "doorcode.tokens";
const DEVICES = "doorcode.devices";
const PASSWORD = "doorcode.password";
const MOST_DEVICES = 10;

/** Thrown by `ask` and `refresh` when there is no session. */
export class SessionEnded extends Error {}

// A duplicated tab starts with a copy of the tokens. If both tabs refreshed independently, one would reuse an old
// refresh token, which ends the session. So tabs share new tokens over this channel.
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

// Canonical address -> token, newest last. Each address has a separate token, so signing in to another account does not
// replace the first account's token.
function devices() {
  try {
    return new Map(JSON.parse(localStorage.getItem(DEVICES)));
  } catch {
    return new Map();
  }
}

// Stores a device token for an address, or removes the address if there is no token.
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

/** Removes the tokens from this tab without ending the session on the server. */
export function drop() {
  keep(null);
}

/** Removes everything about a deleted account from this browser. */
export function forgetAccount(email) {
  if (tokens) channel.postMessage({ before: tokens.refreshToken, tokens: null });
  drop();
  keepDevice(email, null);
}

/** Asks other tabs to check whether their sessions are still valid. */
export function recheckOtherTabs() {
  channel.postMessage({ recheck: true });
}

/** Registers a callback that runs when the session expires, or ends in another tab or on the server. */
export function whenOver(callback) {
  onOver = callback;
}

function over() {
  drop();
  onOver();
}

/** Sends a sign-in with this tab's access token, so that the new session replaces the old one. */
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

// Runs `work` in one tab at a time, if the browser supports locks.
function withLock(work) {
  return navigator.locks ? navigator.locks.request("doorcode.refresh", work) : work();
}

async function requestTokens() {
  const before = tokens?.refreshToken;
  if (!before) throw new SessionEnded();
  const { refresh: outcome } = await call(REFRESH, { input: { refreshToken: before } });
  // While this tab waited, the user may have signed out, or another tab may have sent new tokens.
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

// Checks the session without refreshing it, because several tabs may check at once and none needs new tokens.
async function checkQuietly() {
  try {
    await ask(CHECK_SESSION);
  } catch (error) {
    // If the server is unreachable, keep the tokens. The next refresh checks again.
    if (error instanceof SessionEnded) onOver();
  }
}

// Schedules the next refresh one minute before the access token expires, or after half its lifetime if that is under
// two minutes.
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

/** Ends the session on the server. Removes the tokens in any case, then throws if the request failed. */
export async function end() {
  // Wait for a refresh in progress, because it would store new tokens after the sign-out.
  await refreshing?.catch(() => {});
  const refreshToken = tokens?.refreshToken;
  drop();
  if (!refreshToken) return;
  channel.postMessage({ before: refreshToken, tokens: null });
  await call(LOGOUT, { input: { refreshToken } });
}
