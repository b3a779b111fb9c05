// Calls the GraphQL API of this server, for the sign-in page and the inbox. Stores no session: callers pass the access
// token.

/** An error from the API, or a failure to reach it. */
export class ApiError extends Error {
  constructor(code, message, requestId, retryAfter) {
    super(message);
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

// Server time minus local time, in milliseconds. Countdowns use server time, because local clocks may be minutes off.
let skew = 0;

/** The server's current time in milliseconds. */
export function serverNow() {
  return Date.now() + skew;
}

function learnClock(response) {
  const sent = Date.parse(response.headers.get("date") ?? "");
  // The header is in whole seconds, so ignore differences of up to two seconds.
  if (!Number.isNaN(sent)) skew = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
}

/** Runs one operation. Returns `data` or throws an `ApiError`. */
export async function call(query, variables = {}, accessToken = null) {
  const headers = {
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json",
    // Messages in the language of the page, not of the browser.
    "accept-language": document.documentElement.lang,
  };
  if (accessToken) headers.authorization = `Bearer ${accessToken}`;
  let response;
  let body;
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
    body = await response.json();
  } catch {
    throw new ApiError("UNAVAILABLE", "Can't reach the server. Check your connection and try again.", null, null);
  }
  const error = body?.errors?.[0];
  if (error || !body?.data) {
    throw new ApiError(
      error?.extensions?.code ?? "INTERNAL",
      error?.message ?? "The server sent an unexpected response. Try again later.",
      error?.extensions?.requestId ?? response.headers.get("x-request-id"),
      Number(response.headers.get("retry-after")) || null,
    );
  }
  return body.data;
}
