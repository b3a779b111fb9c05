// Calls the GraphQL API of this server. Stores no session: callers pass the access token.

import { language, text } from "../i18n";
import type { Document } from "./operations";

/** An error from the API, or a failure to reach it. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }
}

// Server time minus local time, in milliseconds. Countdowns use server time, because local clocks may be minutes off.
let skew = 0;

/** The server's current time in milliseconds. */
export function serverNow(): number {
  return Date.now() + skew;
}

export function learnClock(response: Response): void {
  const sent = Date.parse(response.headers.get("date") ?? "");
  // The header is in whole seconds, so ignore differences of up to two seconds.
  if (!Number.isNaN(sent)) skew = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
}

interface Answer<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

/** Runs one operation. Returns `data` or throws an `ApiError`. */
export async function call<Data, Variables>(
  query: Document<Data, Variables>,
  variables: Variables,
  accessToken: string | null = null,
): Promise<Data> {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json",
    // Messages in the language of the page, not of the browser.
    "accept-language": language(),
  };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  let response: Response;
  let body: Answer<Data>;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers,
      body: JSON.stringify({ query, variables }),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(20_000),
    });
    learnClock(response);
    body = (await response.json()) as Answer<Data>;
  } catch {
    throw new ApiError("UNAVAILABLE", navigator.onLine ? text().errors.unreachable : text().errors.offline);
  }
  const error = body.errors?.[0];
  if (error || !body.data) {
    throw new ApiError(
      error?.extensions?.code ?? "INTERNAL",
      error?.message ?? text().errors.unexpected,
      error?.extensions?.requestId ?? response.headers.get("x-request-id"),
      Number(response.headers.get("retry-after")) || null,
    );
  }
  return body.data;
}
