// A small authorization server for tests of `withRedirect`: RFC 6749, 7636, 8414 and 9207 for one public client. Strict,
// so that a client that leaves something out fails. `users` of Doorcode's API is one fixed user.

import { createHash, randomBytes } from "node:crypto";
import { serve } from "./support.mjs";

export const CLIENT = "notes";
export const USER = { id: "user-1", databaseId: "01890000-0000-7000-8000-000000000001", email: "ada@example.com", name: null, role: "USER" };

const random = () => randomBytes(24).toString("base64url");
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Starts the server. `redirectUri` is the only registered one. */
export async function startAuthorizationServer(redirectUri) {
  const codes = new Map();
  const refreshTokens = new Map();
  /** What tests look at and change. */
  const state = { redirectUri, exchanges: 0, metadata: {}, tokenResponse: null, metadataDown: false, rejectsTokens: false, ended: new Set() };

  function token(session) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: USER.databaseId, sid: session, iat: now, exp: now + 900, auth_time: now - 60, amr: ["otp"], role: USER.role, client_id: CLIENT };
    return `${part({ alg: "ES256", typ: "at+jwt" })}.${part(claims)}.signature`;
  }

  function grant(session) {
    const refresh = random();
    refreshTokens.set(refresh, session);
    return [200, { access_token: token(session), token_type: "Bearer", expires_in: 900, refresh_token: refresh }];
  }

  const wrong = (error, error_description = error) => [400, { error, error_description }];

  function byCode(form) {
    const kept = codes.get(form.get("code"));
    if (!kept) return wrong("invalid_grant");
    if (kept.used) {
      state.ended.add(kept.session);
      return wrong("invalid_grant");
    }
    kept.used = true;
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const fits = challenge === kept.challenge && form.get("redirect_uri") === state.redirectUri && form.get("client_id") === CLIENT;
    return fits ? grant(kept.session) : wrong("invalid_grant");
  }

  function byRefreshToken(form) {
    const session = refreshTokens.get(form.get("refresh_token"));
    refreshTokens.delete(form.get("refresh_token"));
    return session && !state.ended.has(session) && form.get("client_id") === CLIENT ? grant(session) : wrong("invalid_grant");
  }

  function exchange(request, text) {
    state.exchanges += 1;
    if (request.headers["content-type"] !== "application/x-www-form-urlencoded;charset=UTF-8") return wrong("invalid_request", "no form");
    if (request.headers.authorization) return wrong("invalid_client");
    if (state.tokenResponse) return state.tokenResponse;
    const form = new URLSearchParams(text);
    const kind = form.get("grant_type");
    if (kind === "authorization_code") return byCode(form);
    return kind === "refresh_token" ? byRefreshToken(form) : wrong("unsupported_grant_type");
  }

  const server = await serve(async (request, response) => {
    const { pathname } = new URL(request.url, server.url);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, body, headers] = answer(pathname, request, Buffer.concat(chunks).toString());
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });

  function answer(path, request, text) {
    if (path === "/.well-known/oauth-authorization-server" && !state.metadataDown) {
      const endpoints = { authorization_endpoint: `${server.url}/authorize`, token_endpoint: `${server.url}/token` };
      return [200, { issuer: server.url, ...endpoints, ...state.metadata }];
    }
    if (path === "/token" && request.method === "POST") return exchange(request, text);
    if (path === "/graphql") {
      const isSignedIn = /^Bearer .+/.test(request.headers.authorization ?? "") && !state.rejectsTokens;
      if (isSignedIn) return [200, { data: { me: USER } }];
      return [401, { errors: [{ message: "The access token is no longer valid.", extensions: { code: "UNAUTHENTICATED" } }] }];
    }
    return [503, "{}"];
  }

  return {
    ...server,
    state,
    /** What a browser and its user do at the authorization endpoint: the address that it sends them back to. */
    approve(address, error) {
      const { origin, pathname, searchParams } = new URL(address);
      const asked = Object.fromEntries(searchParams);
      const isKnown = origin === server.url && pathname === "/authorize" && asked.client_id === CLIENT && asked.redirect_uri === state.redirectUri;
      if (!isKnown) throw new Error(`this request must not be redirected: ${address}`);
      const back = new URL(state.redirectUri);
      back.searchParams.set("iss", server.url);
      if (asked.state) back.searchParams.set("state", asked.state);
      const isWhole = asked.response_type === "code" && asked.code_challenge_method === "S256" && /^[\w-]{43}$/.test(asked.code_challenge);
      const problem = isWhole ? error : "invalid_request";
      if (problem) {
        back.searchParams.set("error", problem);
        return back;
      }
      const code = random();
      codes.set(code, { challenge: asked.code_challenge, session: random(), used: false });
      back.searchParams.set("code", code);
      return back;
    },
  };
}
