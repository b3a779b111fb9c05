// One call to the GraphQL API of the server that served this page; shared by the sign-in page and the inbox.
// It keeps no state and stores nothing: who is signed in is the caller's business.

/** What the API answered instead of data, or that it did not answer at all. */
export class ApiError extends Error {
  constructor(code, message, requestId, retryAfter) {
    super(message);
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

// The server's clock minus ours, in milliseconds. The moments in answers are the server's, and a laptop's clock may
// be minutes off; a countdown made with it would promise something untrue.
let skew = 0;

/** Now, by the server's clock, in milliseconds. */
export function serverNow() {
  return Date.now() + skew;
}

function learnClock(response) {
  const sent = Date.parse(response.headers.get("date") ?? "");
  // The header counts whole seconds, so a smaller difference than two says nothing.
  if (!Number.isNaN(sent)) skew = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
}

/** Runs one operation; gives `data`, or throws an `ApiError`. */
export async function call(query, variables = {}, accessToken = null) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json, application/json" };
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
    throw new ApiError("UNAVAILABLE", "The server did not answer. Check the connection and try again.", null, null);
  }
  const error = body?.errors?.[0];
  if (error || !body?.data) {
    throw new ApiError(
      error?.extensions?.code ?? "INTERNAL",
      error?.message ?? "The server gave an answer that this page does not understand.",
      error?.extensions?.requestId ?? response.headers.get("x-request-id"),
      Number(response.headers.get("retry-after")) || null,
    );
  }
  return body.data;
}
