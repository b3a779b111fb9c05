// Signing in on the pages of the Doorcode server: OAuth 2.1 authorization code with PKCE (RFC 6749, 7636, 8414, 9207).

import { DoorcodeError, misuse, type Http } from "./http.js";
import { ME } from "./operations.js";
import type { Exchange, Sessions, Tokens } from "./session.js";
import type { shelves } from "./store.js";
import type { DoorcodeOptions, Problem, Result, Session, SignIn } from "./types.js";

interface Metadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
}

/** A redirect in progress, kept in the tab that started it. */
interface Leaving {
  state: string;
  verifier: string;
  redirectUri: string;
  returnTo: string;
}

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Sends a form to the token endpoint. Returns `null` if the grant is not valid any more. */
async function redeem(http: Http, form: Record<string, string>): Promise<Tokens | null> {
  const { token_endpoint } = await metadata(http);
  const response = await http.send(token_endpoint, {
    method: "POST",
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(20_000),
  });
  const { access_token, refresh_token, error, error_description } = await response.json().catch(() => ({}));
  if (response.ok && access_token) return { accessToken: access_token, refreshToken: refresh_token };
  if (error === "invalid_grant") return null;
  const why = error_description ?? error ?? `status ${response.status}`;
  throw new DoorcodeError(error ?? "UNAVAILABLE", `Doorcode refused the sign-in: ${why}. Check \`clientId\` and \`redirectUri\`.`);
}

const known = new WeakMap<Http, Metadata>();

async function metadata(http: Http): Promise<Metadata> {
  const cached = known.get(http);
  if (cached) return cached;
  const response = await http.send(".well-known/oauth-authorization-server", { signal: AbortSignal.timeout(20_000) });
  const found: Metadata = await response.json().catch(() => ({}));
  if (!response.ok || !found.issuer) throw new DoorcodeError("UNAVAILABLE", `Cannot read the endpoints of ${http.url.origin}. Try again later.`);
  // RFC 8414, section 3.3: without this check, one server could speak for another.
  if (new URL(found.issuer).href !== http.url.href) {
    throw misuse(`The server at ${http.url.href} is ${found.issuer}. Use that address as \`url\` of createDoorcode.`);
  }
  known.set(http, found);
  return found;
}

/** Refreshes a session of `withRedirect`. */
export const exchange =
  (http: Http): Exchange =>
  ({ refresh, clientId }) =>
    redeem(http, { grant_type: "refresh_token", refresh_token: refresh, client_id: clientId! });

export function redirects(
  http: Http,
  sessions: Sessions,
  { clientId, redirectUri }: DoorcodeOptions,
  key: string,
  { tab }: ReturnType<typeof shelves>,
): Pick<SignIn, "withRedirect" | "handleRedirect"> {
  const leavingKey = `${key}:redirect`;
  let handling: ReturnType<SignIn["handleRedirect"]> | null = null;

  function needed(): string {
    if (clientId) return clientId;
    throw misuse("withRedirect needs `clientId`. Register this application with `doorcode client add`, and pass its ID to createDoorcode.");
  }

  function refuse(problem: Problem): Result<Session> {
    return { ok: false, problem: sessions.problem(problem) };
  }

  async function handle(): Promise<Result<Session> | null> {
    const answer = new URLSearchParams(location.search);
    const leaving = tab.get<Leaving>(leavingKey);
    const state = answer.get("state");
    if (!leaving || !state || state !== leaving.state) return null;
    // While the server is unreachable, reloading the page tries again.
    const { issuer } = await metadata(http);
    // A code works once, and so does its state.
    tab.set(leavingKey, null);
    history.replaceState(history.state, "", leaving.returnTo);
    // RFC 9207: the response of another server must not be redeemed here.
    if (answer.get("iss") !== issuer) throw misuse(`The sign-in came back from ${answer.get("iss")} instead of ${issuer}.`);
    const error = answer.get("error");
    if (error === "access_denied") return refuse({ code: "ACCESS_DENIED", message: "The sign-in was cancelled." });
    if (error) throw new DoorcodeError(error, `Doorcode refused the sign-in: ${answer.get("error_description") ?? error}.`);
    const id = needed();
    const tokens = await redeem(http, {
      grant_type: "authorization_code",
      code: answer.get("code") ?? "",
      redirect_uri: leaving.redirectUri,
      client_id: id,
      code_verifier: leaving.verifier,
    });
    if (!tokens) return refuse({ code: "CODE_EXPIRED", message: "This sign-in has expired. Sign in again." });
    const { me } = await http.call(ME, {}, tokens.accessToken);
    return { ok: true, data: sessions.begin(tokens, { user: me!, remembered: true, isNewUser: false, clientId: id }) };
  }

  return {
    async withRedirect({ returnTo = location.href, loginHint, prompt } = {}) {
      const id = needed();
      const target = new URL(returnTo, location.href);
      if (target.origin !== location.origin) throw misuse(`\`returnTo\` must be a page of ${location.origin}, not of ${target.origin}.`);
      if (!crypto.subtle) throw misuse("withRedirect needs a page on HTTPS or localhost.");
      const { authorization_endpoint } = await metadata(http);
      const leaving: Leaving = {
        state: random(),
        verifier: random(),
        redirectUri: redirectUri ?? `${location.origin}/`,
        returnTo: target.href,
      };
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(leaving.verifier));
      tab.set(leavingKey, leaving);
      const to = new URL(authorization_endpoint);
      const question = {
        response_type: "code",
        client_id: id,
        redirect_uri: leaving.redirectUri,
        state: leaving.state,
        code_challenge: base64url(new Uint8Array(digest)),
        code_challenge_method: "S256",
        login_hint: loginHint,
        prompt,
        ui_locales: document.documentElement.lang,
      };
      for (const [name, value] of Object.entries(question)) if (value) to.searchParams.set(name, value);
      location.assign(to);
    },
    // Frameworks run effects twice: both calls get the same result.
    handleRedirect: () => (handling ??= handle().finally(() => (handling = null))),
  };
}
