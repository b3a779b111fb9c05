// Signing in on the pages of the Doorcode server: OAuth 2.1 authorization code with PKCE (RFC 6749, 7636, 8414, 9207).

import { DoorcodeError, misuse, retryAt, settle, type Http } from "./http.js";
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
/** An error of the server about a request to its pages (RFC 6749, section 4.1.2.1). */
function refused(error: string, description: string | null): DoorcodeError {
  const isDown = error === "server_error" || error === "temporarily_unavailable";
  return isDown
    ? new DoorcodeError("UNAVAILABLE", description ?? "Doorcode cannot sign you in now. Try again later.")
    : new DoorcodeError(error, `Doorcode refused the sign-in: ${description ?? error}.`);
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** Sends a form to the token endpoint. Returns `null` if the grant is not valid any more. */
async function redeem(http: Http, form: Record<string, string>): Promise<Tokens | null> {
  const { token_endpoint } = await metadata(http);
  const response = await http.send(token_endpoint, {
    method: "POST",
    body: new URLSearchParams(form),
    signal: AbortSignal.timeout(20_000),
  });
  const { access_token, refresh_token, token_type, error, error_description } = await objectIn(response);
  if (response.ok && access_token && /^bearer$/i.test(token_type)) {
    // RFC 6749, section 6: without a new refresh token, the old one stays valid.
    return { accessToken: access_token, refreshToken: refresh_token ?? form["refresh_token"] };
  }
  if (error === "invalid_grant") return null;
  const why = error_description ?? error ?? `status ${response.status}`;
  const isBusy = response.status === 429;
  if (isBusy || response.status >= 500) {
    throw new DoorcodeError(isBusy ? "RATE_LIMITED" : "UNAVAILABLE", why, undefined, retryAt(response));
  }
  throw new DoorcodeError(error ?? "USAGE", `Doorcode refused the sign-in: ${why}. Check \`clientId\` and \`redirectUri\`.`);
}

/** The JSON object of a response, or an empty one. */
const objectIn = async (response: Response) => (await response.json().catch(() => null)) ?? {};

const known = new WeakMap<Http, Metadata>();

const trimmed = (url: string) => url.replace(/\/$/, "");

async function metadata(http: Http): Promise<Metadata> {
  const cached = known.get(http);
  if (cached) return cached;
  const response = await http.send(".well-known/oauth-authorization-server", { signal: AbortSignal.timeout(20_000) });
  const found: Metadata = await objectIn(response);
  if (!response.ok || !found.issuer) throw new DoorcodeError("UNAVAILABLE", `Cannot read the endpoints of ${http.url.origin}. Try again later.`);
  // RFC 8414, section 3.3: without this check, one server could speak for another.
  if (trimmed(found.issuer) !== trimmed(http.url.href)) {
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

  /** The issuer, or the redirect goes on when the page is reloaded. */
  async function issuerFor(leaving: Leaving): Promise<string> {
    try {
      return (await metadata(http)).issuer;
    } catch (error) {
      tab.set(leavingKey, leaving);
      throw error;
    }
  }

  async function handle(): Promise<Result<Session> | null> {
    const answer = new URLSearchParams(location.search);
    const leaving = tab.get<Leaving>(leavingKey);
    const state = answer.get("state");
    if (!leaving || !state || state !== leaving.state) return null;
    // Before anything else happens, because a code that is exchanged twice ends its session.
    tab.set(leavingKey, null);
    const issuer = await issuerFor(leaving);
    history.replaceState(history.state, "", leaving.returnTo);
    // RFC 9207: the response of another server must not be redeemed here.
    const from = answer.get("iss");
    if (from !== issuer) throw misuse(`The sign-in came back ${from ? `from ${from}` : "without `iss`"} instead of from ${issuer}.`);
    const error = answer.get("error");
    if (error === "access_denied") return refuse({ code: "ACCESS_DENIED", message: "The sign-in was cancelled." });
    if (error) throw refused(error, answer.get("error_description"));
    const id = needed();
    const redeemed = await settle(
      redeem(http, {
        grant_type: "authorization_code",
        code: answer.get("code") ?? "",
        redirect_uri: leaving.redirectUri,
        client_id: id,
        code_verifier: leaving.verifier,
      }),
    );
    if (!redeemed.ok) return refuse(redeemed.problem);
    const tokens = redeemed.data;
    if (!tokens) return refuse({ code: "CODE_EXPIRED", message: "This sign-in has expired. Sign in again." });
    return { ok: true, data: sessions.begin(tokens, { user: await owner(tokens), remembered: true, isNewUser: false, clientId: id }) };
  }

  /** The user of an access token. */
  async function owner({ accessToken }: Tokens) {
    const { me } = await http.call(ME, {}, accessToken).catch((error: unknown) => {
      if (!(error instanceof DoorcodeError) || error.code !== "UNAUTHENTICATED") throw error;
      throw misuse(`Doorcode does not accept the tokens of ${clientId}. Register this application without an audience of its own.`);
    });
    return me!;
  }

  return {
    async withRedirect({ returnTo = location.href, loginHint, prompt } = {}) {
      const id = needed();
      const target = new URL(returnTo, location.href);
      if (target.origin !== location.origin) throw misuse(`\`returnTo\` must be a page of ${location.origin}, not of ${target.origin}.`);
      if (!crypto.subtle) throw misuse("withRedirect needs a page on HTTPS or localhost.");
      const back = redirectUri ?? `${location.origin}/`;
      if (!back.startsWith(`${location.origin}/`)) throw misuse(`\`redirectUri\` must be the whole address of a page of ${location.origin}, not ${back}.`);
      const { authorization_endpoint } = await metadata(http);
      const leaving: Leaving = { state: random(), verifier: random(), redirectUri: back, returnTo: target.href };
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(leaving.verifier));
      // What is only in memory is gone when the browser comes back.
      if (!tab.set(leavingKey, leaving)) {
        throw new DoorcodeError("STORAGE", "This browser refuses storage for this page. Allow it, or sign in without a redirect.");
      }
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
