// The session of GraphiQL: who is signed in, and with which tokens. It is kept until the browser tab closes, apart from
// the session of the pages. The parts of the TypeScript client hand out tokens and refresh them before they expire.

import { connect } from "../../../clients/typescript/src/http.js";
import { LOGOUT, ME } from "../../../clients/typescript/src/operations.js";
import { sessions as open, type Tokens } from "../../../clients/typescript/src/session.js";
import { signInWith } from "../../../clients/typescript/src/sign-in.js";
import { shelves } from "../../../clients/typescript/src/store.js";
import { NEWEST_CODE } from "../api/operations";
import { shell } from "../shell";

const KEY = "doorcode:graphiql";
const shelf = shelves(sessionStorage);

export const http = connect(location.origin);
// No session of GraphiQL belongs to an application, so none is refreshed at the token endpoint.
export const sessions = open(http, { url: location.origin }, KEY, shelf, () => Promise.resolve(null));
export const signIn = signInWith(http, sessions, KEY, shelf);

/** How long the access token is still valid, in milliseconds. */
export function timeLeft(): number {
  const kept = sessions.kept();
  return kept ? Math.max(0, kept.at + kept.life - Date.now()) : 0;
}

// The newest email before the latest request for a code. Its code belongs to an earlier sign-in.
let before: string | undefined;

/** The newest email to an address in the inbox of a development server. */
async function newest(to: string): Promise<{ at: string; code: string | null } | undefined> {
  // The generated types of the two projects have different names for the same thing.
  const response = await http.post(NEWEST_CODE, { to });
  return (await http.unwrap<{ inbox: { at: string; code: string | null }[] }>(response)).inbox[0];
}

/** Sends a request for a code, and notes which email came before it. */
export async function requestCode<T extends { ok: boolean }>(to: string, request: () => Promise<T>): Promise<T> {
  const seen = shell.inbox ? await newest(to) : undefined;
  const outcome = await request();
  if (outcome.ok) before = seen?.at;
  return outcome;
}

/** The code in the inbox of a development server that came after the latest request. */
export async function newestCode(to: string): Promise<string | null> {
  const found = await newest(to);
  return found && found.at !== before ? found.code : null;
}

/** Ends the session with its refresh token, which works even if the access token has expired. */
export async function signOut(): Promise<void> {
  const kept = sessions.kept();
  if (kept) await http.call(LOGOUT, { input: { refreshToken: kept.refresh } });
  await sessions.drop();
}

/** Takes over a session that began, continued or ended in a response to the editor. */
export async function capture(data: unknown, ofBar: boolean): Promise<void> {
  const found = find(data);
  // A tab with an `Authorization` of its own ends another session than that of the bar.
  if (found === "ended" && ofBar) await sessions.drop();
  if (!found || found === "ended") return;
  const { me } = await http.call(ME, {}, found.accessToken);
  if (me) sessions.begin(found, { user: me, remembered: false, isNewUser: false });
}

function find(value: unknown): Tokens | "ended" | null {
  if (typeof value !== "object" || value === null) return null;
  const { accessToken, refreshToken, __typename } = value as Record<string, unknown>;
  if (typeof accessToken === "string" && typeof refreshToken === "string") return { accessToken, refreshToken };
  if (__typename === "LoggedOut") return "ended";
  for (const part of Object.values(value)) {
    const found = find(part);
    if (found) return found;
  }
  return null;
}
