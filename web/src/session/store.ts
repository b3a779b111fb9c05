// Where the session is between page loads: in a cookie that scripts cannot read, which `/pages/session` sets. The only
// file that knows.

import { ApiError, learnClock } from "../api/call";
import { language, text } from "../i18n";

export interface Tokens {
  accessToken: string;
  expiresAt: string;
}

interface Failure {
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

async function send(method: "POST" | "DELETE", body?: object): Promise<Response> {
  try {
    const response = await fetch("/pages/session", {
      method,
      headers: { "content-type": "application/json", "accept-language": language(), "x-doorcode": "1" },
      body: body ? JSON.stringify(body) : null,
      cache: "no-store",
      credentials: "same-origin",
      // If the tab closes, the browser must still store the new cookie.
      keepalive: true,
      signal: AbortSignal.timeout(20_000),
    });
    learnClock(response);
    if (response.ok) return response;
    const { errors } = (await response.json()) as Failure;
    const retryAfter = Number(response.headers.get("retry-after")) || null;
    const { code, requestId } = errors?.[0]?.extensions ?? {};
    throw new ApiError(code ?? "INTERNAL", errors?.[0]?.message ?? text().errors.unexpected, requestId, retryAfter);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("UNAVAILABLE", navigator.onLine ? text().errors.unreachable : text().errors.offline);
  }
}

/**
 * Gets new tokens for the session in the cookie, or moves the session of a refresh token into the cookie. Returns null
 * if there is no session or it has ended.
 */
export async function open(refreshToken?: string): Promise<Tokens | null> {
  const response = await send("POST", { refreshToken });
  return response.status === 204 ? null : ((await response.json()) as Tokens);
}

/** Ends the session on the server, and clears the cookie. */
export async function end(): Promise<void> {
  await send("DELETE");
}
