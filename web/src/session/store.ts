// Where the session is between page loads: in a cookie that scripts cannot read, which `/pages/session` sets. The only
// file that knows.

import { send } from "../api/page";

export interface Tokens {
  accessToken: string;
  expiresAt: string;
}

const PATH = "/pages/session";

/**
 * Gets new tokens for the session in the cookie, or moves the session of a refresh token into the cookie. Returns null
 * if there is no session or it has ended.
 */
export async function open(refreshToken?: string): Promise<Tokens | null> {
  const response = await send("POST", PATH, { refreshToken });
  return response.status === 204 ? null : ((await response.json()) as Tokens);
}

/** Ends the session on the server, and clears the cookie. */
export async function end(): Promise<void> {
  await send("DELETE", PATH);
}
