// The session of this browser. Each tab keeps its access token in memory only, and gets a new one before it expires.

import { ApiError, call, serverNow } from "../api/call";
import { CHECK_SESSION, type Document } from "../api/operations";
import { forgetThisTab, keepDevice, keepLast, write } from "./devices";
import * as store from "./store";

/** Thrown when there is no session, or it has ended. */
export class SessionEnded extends Error {}

export interface SignedIn {
  deviceToken: string;
  user: { email: string };
  session: { remembered: boolean };
  tokens: store.Tokens & { refreshToken: string };
}

type Message = "signed-in" | "signed-out" | "recheck";

// A hint without any secret, so that a signed-out browser shows the sign-in form without asking the server.
const HINT = "doorcode.session";
const channel = new BroadcastChannel("doorcode");
let tokens: store.Tokens | null = null;
let unsaved: string | undefined; // A refresh token that is not in the cookie yet.
let exchanging: Promise<void> | null = null;
let timer = 0;
let onOver = () => {};
let onSignedIn = () => {};

function hint(): string | null {
  try {
    return localStorage.getItem(HINT);
  } catch {
    return null;
  }
}

/** Whether this browser seems to be signed in. Only the server knows whether the session is still valid. */
export const exists = (): boolean => tokens !== null || hint() !== null;

/** Whether the session outlives a day. */
export const isRemembered = (): boolean => hint() !== '"short"';

/** Registers a callback for when the session ends in another tab or on the server. */
export function whenOver(callback: () => void): void {
  onOver = callback;
}

/** Registers a callback for when the user signs in in another tab. */
export function whenSignedIn(callback: () => void): void {
  onSignedIn = callback;
}

function keep(next: store.Tokens | null): void {
  tokens = next;
  schedule();
}

/** Starts a session. `password` is whether the user typed one. */
export async function begin(signedIn: SignedIn, password: boolean | null): Promise<void> {
  const { remembered } = signedIn.session;
  keep(signedIn.tokens);
  unsaved = signedIn.tokens.refreshToken;
  write(HINT, remembered ? "remembered" : "short");
  keepDevice(signedIn.user.email, signedIn.deviceToken, remembered);
  if (password !== null) keepLast(remembered ? { email: signedIn.user.email, password } : null);
  // The user is signed in anyway. Before the access token expires, the page tries again.
  await exchange().catch(() => {});
  channel.postMessage("signed-in" satisfies Message);
}

/** Forgets the session without ending it on the server. */
export function drop(): void {
  unsaved = undefined;
  keep(null);
  write(HINT, null);
}

/** Removes everything about a deleted account from this browser. */
export async function forgetAccount(email: string): Promise<void> {
  keepDevice(email, null);
  keepLast(null);
  drop();
  await store.end().catch(() => {}); // The session has ended, but the cookie is still there.
  channel.postMessage("signed-out" satisfies Message);
}

/** When the user signed in, in seconds: `auth_time` of the access token. */
export function signedInAt(): number {
  const [, claims = ""] = tokens?.accessToken.split(".") ?? [];
  const text = atob(claims.replaceAll("-", "+").replaceAll("_", "/"));
  return text ? (JSON.parse(text) as { auth_time: number }).auth_time : 0;
}

/** Asks other tabs to check whether their session is still valid. */
export function recheckOtherTabs(): void {
  channel.postMessage("recheck" satisfies Message);
}

/** Sends a sign-in with the current access token, so that the new session replaces the old one of the same user. */
export function callSignedIn<Data, Variables>(query: Document<Data, Variables>, variables: Variables): Promise<Data> {
  return call(query, variables, tokens?.accessToken);
}

const isUnauthenticated = (error: unknown) => error instanceof ApiError && error.code === "UNAUTHENTICATED";

/** Runs an operation with the access token. */
export function ask<Data, Variables>(query: Document<Data, Variables>, variables: Variables): Promise<Data> {
  return withToken((token) => call(query, variables, token));
}

/** Does something with the access token. If the token is refused, gets a new one and tries once more. */
export async function withToken<T>(work: (token: string | undefined) => Promise<T>): Promise<T> {
  if (!tokens || Date.parse(tokens.expiresAt) - serverNow() < 10_000) await exchange();
  try {
    return await work(tokens?.accessToken);
  } catch (error) {
    if (!isUnauthenticated(error)) throw error;
  }
  await exchange();
  try {
    return await work(tokens?.accessToken);
  } catch (error) {
    if (!isUnauthenticated(error)) throw error;
    drop();
    throw new SessionEnded();
  }
}

/** Gets new tokens. Concurrent callers share one request, and tabs take turns. */
export function exchange(): Promise<void> {
  exchanging ??= inTurn(requestTokens).finally(() => {
    exchanging = null;
  });
  return exchanging;
}

// Runs `work` in one tab at a time, if the browser supports locks.
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request("doorcode.session", work) : work();
}

async function requestTokens(): Promise<void> {
  if (!exists()) throw new SessionEnded();
  const next = await store.open(unsaved);
  unsaved = undefined;
  if (next && exists()) {
    keep(next);
    return;
  }
  if (exists()) channel.postMessage("signed-out" satisfies Message); // The session has ended, for all tabs.
  drop();
  throw new SessionEnded();
}

channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
  if (data === "signed-in") {
    keep(null); // The session in the store is another one now.
    onSignedIn();
  } else if (data === "signed-out") {
    keep(null);
    onOver();
  } else {
    void checkQuietly();
  }
});

async function checkQuietly(): Promise<void> {
  if (!exists()) return;
  try {
    await ask(CHECK_SESSION, {});
  } catch (error) {
    // If the server is unreachable, keep the tokens. The next exchange checks again.
    if (error instanceof SessionEnded) onOver();
  }
}

// Schedules the next exchange one minute before the access token expires, or after half its lifetime if that is under
// two minutes.
function schedule(): void {
  clearTimeout(timer);
  if (!tokens) return;
  const left = Date.parse(tokens.expiresAt) - serverNow();
  timer = setTimeout(exchangeQuietly, Math.max(1000, left - Math.min(60_000, left / 2)));
}

async function exchangeQuietly(): Promise<void> {
  try {
    await exchange();
  } catch (error) {
    if (error instanceof SessionEnded) onOver();
    else timer = setTimeout(exchangeQuietly, 15_000);
  }
}

// Timers pause while the computer sleeps, so check when the page becomes visible.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && tokens && Date.parse(tokens.expiresAt) - serverNow() < 60_000) void exchangeQuietly();
});

/** Ends the session on the server. Forgets it in any case, then throws if the request failed. */
export async function end(): Promise<void> {
  // Wait for an exchange in progress, because it would store new tokens after the sign-out.
  await exchanging?.catch(() => {});
  drop();
  forgetThisTab();
  channel.postMessage("signed-out" satisfies Message);
  await store.end();
}
