// Requests to the Doorcode server, and its errors. Knows nothing about sessions.

import type { Operation } from "./operations.js";
import type { Problem, Result } from "./types.js";

/** A bug in the application, a failure of the server, or a failure to reach it. The message says what to do. */
export class DoorcodeError extends Error {
  override readonly name = "DoorcodeError";

  constructor(
    /** `UNREACHABLE`, `USAGE`, or an error code of the server. */
    readonly code: string,
    message: string,
    /** The ID of the request, to look it up in the server's log. */
    readonly requestId?: string,
    /** When to try again, if the server says so. */
    readonly retryAt?: Date,
  ) {
    super(requestId ? `${message} (request ${requestId})` : message);
  }
}

/** An error in the code of the application. */
export const misuse = (message: string) => new DoorcodeError("USAGE", message);

// Errors of the API that the user can act on.
const ACTIONABLE = "UNAUTHENTICATED REAUTHENTICATION_REQUIRED FORBIDDEN NOT_FOUND CONFLICT BAD_USER_INPUT METHOD_DISABLED INSUFFICIENT_SCOPE RATE_LIMITED";

/** Turns errors that the user can act on into problems. */
export async function settle<T>(work: Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, data: await work };
  } catch (error) {
    if (!(error instanceof DoorcodeError) || !ACTIONABLE.includes(error.code)) throw error;
    const { code, message, retryAt } = error;
    return { ok: false, problem: retryAt ? { code, message, retryAt } : { code, message } };
  }
}

/** When to try again, if a response says so. */
export function retryAt({ headers }: Response): Date | undefined {
  const wait = Number(headers.get("retry-after"));
  return wait ? new Date(Date.now() + wait * 1000) : undefined;
}

interface Body {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

export type Http = ReturnType<typeof connect>;

export function connect(base: string, fetcher: typeof fetch = (...request) => fetch(...request)) {
  let url: URL;
  try {
    url = new URL(base.endsWith("/") ? base : `${base}/`);
  } catch {
    throw misuse(`createDoorcode needs \`url\`, the address of your Doorcode server, such as https://login.example.com, instead of ${base}.`);
  }
  // Server time minus local time, in milliseconds.
  let skew = 0;

  const here = url.origin;

  /** Sends a request. Throws if there is no response. */
  async function send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetcher(new URL(path, url), { cache: "no-store", credentials: "omit", ...init });
    } catch (error) {
      if (init.signal?.aborted && init.signal.reason?.name !== "TimeoutError") throw error;
      throw new DoorcodeError(
        "UNREACHABLE",
        `Cannot reach Doorcode at ${here}. Check the connection, that the server is running, and in a browser that DOORCODE_CORS_ORIGINS has this page's origin.`,
      );
    }
    const sent = Date.parse(response.headers.get("date") ?? "");
    // The header is in whole seconds, so smaller differences are ignored.
    if (sent) skew = Math.abs(sent - Date.now()) > 2000 ? sent - Date.now() : 0;
    return response;
  }

  /** Sends an operation. */
  function post(query: string, variables: unknown, token?: string | null, init: RequestInit = {}): Promise<Response> {
    const language = globalThis.document?.documentElement.lang;
    return send("graphql", {
      signal: AbortSignal.timeout(20_000),
      ...init,
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json, application/json",
        ...(language && { "accept-language": language }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...init.headers,
      },
      body: JSON.stringify({ query, variables }),
    });
  }

  /** The data of a response of the API. Throws its first error. */
  async function unwrap<T>(response: Response): Promise<T> {
    const body: Body = await response.json().catch(() => ({}));
    const error = body.errors?.[0];
    if (!error && body.data) return body.data as T;
    throw new DoorcodeError(
      error?.extensions?.code ?? "INTERNAL",
      error?.message ?? `${here} responded with status ${response.status}, which is no response of Doorcode. Check \`url\`.`,
      error?.extensions?.requestId,
      retryAt(response),
    );
  }

  return {
    url,
    send,
    post,
    unwrap,
    /** Runs an operation of this package. */
    async call<Data, Variables>(document: Operation<Data, Variables>, variables: Variables, token?: string | null) {
      return unwrap<Data>(await post(document, variables, token));
    },
    /** Converts a time of the server to the clock of this device. */
    local: (time: string) => new Date(Date.parse(time) - skew),
  };
}

/** The problem in the outcome of a mutation, if there is one. */
export function problemIn(outcome: object, http: Http): Problem | null {
  if (!("code" in outcome)) return null;
  const { code, message, retryAt, attemptsLeft, reasons } = outcome as Omit<Problem, "retryAt"> & { retryAt?: string };
  return {
    code,
    message,
    ...(retryAt && { retryAt: http.local(retryAt) }),
    ...(attemptsLeft !== undefined && { attemptsLeft }),
    ...(reasons && { reasons }),
  };
}
