// Verifies access tokens in a backend: in Node, Deno, Bun and on edge runtimes, with Web Crypto.

import { jwks, type JwksOptions } from "./jwks.js";

export interface VerifierOptions extends JwksOptions {
  /** The issuer: `DOORCODE_PUBLIC_URL` of the server. */
  issuer: string;
  /** The audience that tokens must have: `DOORCODE_TOKEN_AUDIENCE`, or that of `doorcode client add`. */
  audience: string;
  /**
   * Refuses tokens of other applications, except these: their `client_id` is here. With `[]`, only Doorcode's own pages
   * and API give tokens. Default: tokens of all applications with this audience are accepted.
   */
  clients?: string[];
  /** How many seconds the clocks may differ. Default: 5. */
  leeway?: number;
}

/** The claims of a verified access token. */
export interface Claims {
  iss: string;
  aud: string | string[];
  /** The user: `User.databaseId`. Store this, not the address. */
  sub: string;
  /** The session. */
  sid: string;
  exp: number;
  nbf: number;
  iat: number;
  jti: string;
  /** The time of the sign-in, in seconds. */
  auth_time: number;
  /** How the user signed in: `otp` (a code), `link` or `pwd` (a password). */
  amr: string[];
  role: "GUEST" | "USER" | "MANAGER" | "ADMIN" | (string & {});
  /** The application that acts for the user, if it is another one. */
  client_id?: string;
  email?: string;
}

declare global {
  // Express merges this into its type of requests.
  namespace Express {
    interface Request {
      /** The claims of the access token, if the middleware accepted one. */
      auth?: Claims;
    }
  }
}

/** A token that is missing, invalid, expired, or for something else. Answer with status 401. */
export class TokenError extends Error {
  override readonly name = "TokenError";
}

export { KeysError } from "./jwks.js";

interface ExpressRequest {
  headers: Record<string, string | string[] | undefined>;
  auth?: Claims;
}
interface ExpressResponse {
  status(code: number): this;
  set(name: string, value: string): this;
  json(body: unknown): unknown;
}

export interface Verifier {
  /** Returns the claims of a token. Throws `TokenError`, or `KeysError` if Doorcode's keys cannot be read. */
  verify(token: string): Promise<Claims>;
  /** Express middleware. Sets `req.auth`, or responds with 401. With `optional`, requests without a token pass. */
  express(options?: { optional?: boolean }): (
    request: ExpressRequest,
    response: ExpressResponse,
    next: (error?: unknown) => void,
  ) => Promise<void>;
  /** Wraps a handler of `fetch` requests. Passes the claims, or responds with 401. */
  fetch<Rest extends unknown[]>(
    handler: (request: Request, claims: Claims, ...rest: Rest) => Response | Promise<Response>,
  ): (request: Request, ...rest: Rest) => Promise<Response>;
}

const MAX_LENGTH = 8192;

function decode(part: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]+$/.test(part)) throw new TokenError("The token is not a JWT.");
  return Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (byte) => byte.charCodeAt(0));
}

function parse(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decode(part)));
    if (value && typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  throw new TokenError("The token is not a JWT.");
}

/** What to respond instead of the handler's response. */
function refusal(error: unknown): { status: number; name: string; value: string; message: string } {
  if (error instanceof TokenError) {
    const value = error.message === MISSING ? "Bearer" : 'Bearer error="invalid_token"';
    return { status: 401, name: "WWW-Authenticate", value, message: error.message };
  }
  return { status: 503, name: "Retry-After", value: "5", message: "Sign-in is unavailable. Try again in a few seconds." };
}

const MISSING = "The request has no access token. Send it as `Authorization: Bearer …`.";

/** The token in an `Authorization` header. */
function bearer(header: string | null | undefined): string {
  if (!header) throw new TokenError(MISSING);
  const token = /^Bearer +([\w.-]+) *$/i.exec(header)?.[1];
  if (!token) throw new TokenError("The `Authorization` header has no bearer token.");
  return token;
}

/** Creates a verifier. An application needs one: it keeps the keys. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { issuer, audience, clients, leeway = 5 } = options;
  if (!issuer || !audience) throw new TypeError("createVerifier needs `issuer` and `audience`: see docs/integrate/backend.md.");
  const keys = jwks(issuer, options);

  function check(claims: Record<string, unknown>): Claims {
    const { iss, aud, exp, nbf, sub, sid, client_id } = claims;
    const now = Date.now() / 1000;
    if (iss !== issuer) throw new TokenError(`The token is from ${String(iss)}, not from ${issuer}.`);
    if (![aud].flat().includes(audience)) throw new TokenError(`The token is for ${String(aud)}, not for ${audience}.`);
    if (typeof exp !== "number" || exp <= now - leeway) throw new TokenError("The token has expired.");
    if (typeof nbf !== "number" || nbf > now + leeway) throw new TokenError("The token is not valid yet.");
    if (!sub || typeof sub !== "string" || !sid || typeof sid !== "string") throw new TokenError("The token has no user or session.");
    if (clients && client_id !== undefined && !clients.includes(client_id as string)) {
      throw new TokenError(`The token is of the application ${String(client_id)}, which is not accepted here.`);
    }
    return claims as unknown as Claims;
  }

  async function verify(token: string): Promise<Claims> {
    const parts = String(token).split(".");
    if (parts.length !== 3 || token.length > MAX_LENGTH) throw new TokenError("The token is not a JWT.");
    const [head, body, signature] = parts as [string, string, string];
    const { typ, alg, kid, crit } = parse(head);
    if (typeof typ !== "string" || !/^(application\/)?at\+jwt$/i.test(typ)) throw new TokenError("The token is not an access token.");
    if (crit !== undefined) throw new TokenError("The token needs an extension that is not known here.");
    const found = typeof kid === "string" ? await keys(kid) : undefined;
    // The key decides the algorithm. The token only names it.
    if (!found || found.alg !== alg) throw new TokenError("The token is signed with an unknown key.");
    const signed = new TextEncoder().encode(`${head}.${body}`);
    const isGenuine = await crypto.subtle.verify(found.algorithm, found.key, decode(signature), signed).catch(() => false);
    if (!isGenuine) throw new TokenError("The signature of the token is wrong.");
    return check(parse(body));
  }

  return {
    verify,
    express:
      ({ optional = false } = {}) =>
      async (request, response, next) => {
        const header = request.headers["authorization"];
        if (optional && !header) return next();
        try {
          request.auth = await verify(bearer(Array.isArray(header) ? header[0] : header));
        } catch (error) {
          const { status, name, value, message } = refusal(error);
          response.status(status).set(name, value).json({ error: message });
          return;
        }
        next();
      },
    fetch:
      (handler) =>
      async (request, ...rest) => {
        let claims: Claims;
        try {
          claims = await verify(bearer(request.headers.get("authorization")));
        } catch (error) {
          const { status, name, value, message } = refusal(error);
          return Response.json({ error: message }, { status, headers: { [name]: value } });
        }
        return handler(request, claims, ...rest);
      },
  };
}
