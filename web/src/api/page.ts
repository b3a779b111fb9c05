// Calls the endpoints of the pages, which only scripts of this origin can use.

import { language, text } from "../i18n";
import { ApiError, learnClock } from "./call";

interface Failure {
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

/** Sends a request. Returns a response with a success status, or throws an `ApiError`. */
export async function send(
  method: "POST" | "DELETE",
  path: string,
  body?: object,
  accessToken?: string,
): Promise<Response> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "accept-language": language(),
    "x-doorcode": "1",
  };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  try {
    const response = await fetch(path, {
      method,
      headers,
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
