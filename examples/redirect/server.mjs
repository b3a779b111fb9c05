// A server-rendered application. Doorcode's pages sign its users in; the tokens stay on this server.

import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import * as oauth from "openid-client";

const doorcode = new URL(process.env.DOORCODE_URL ?? "http://localhost:4000");
const clientId = process.env.CLIENT_ID ?? "redirect-example";
const base = new URL(process.env.BASE_URL ?? "http://localhost:3000");
const redirectUri = new URL("/callback", base).href;

// Every response is checked: state, PKCE, and the issuer. Only a development server may be without TLS.
const config = await oauth.discovery(doorcode, clientId, undefined, oauth.None(), {
  algorithm: "oauth2",
  execute: doorcode.protocol === "http:" ? [oauth.allowInsecureRequests] : [],
});

// ---- Sessions: in memory. Use a store that all your servers share. ---------------------------------------------------

const sessions = new Map();
const SECURE = base.protocol === "https:";
const COOKIE = SECURE ? "__Host-session" : "session";

function sessionOf(request) {
  const cookies = request.headers.cookie?.split("; ") ?? [];
  return sessions.get(cookies.find((each) => each.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1));
}

/** Begins a session with a new id, so that an id from before the sign-in is worth nothing after it. */
function begin(response, session, old) {
  if (old) sessions.delete(old.id);
  const id = randomBytes(32).toString("base64url");
  sessions.set(id, { ...session, id });
  // `Lax`, because the browser comes back from another site.
  response.setHeader("set-cookie", `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax${SECURE ? "; Secure" : ""}`);
}

function end(response, session) {
  if (session) sessions.delete(session.id);
  response.setHeader("set-cookie", `${COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${SECURE ? "; Secure" : ""}`);
}

// ---- Signing in ------------------------------------------------------------------------------------------------------

async function signIn(request, response) {
  const [verifier, state] = [oauth.randomPKCECodeVerifier(), oauth.randomState()];
  begin(response, { leaving: { verifier, state } }, sessionOf(request));
  const to = oauth.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
  });
  redirect(response, to.href);
}

async function callback(request, response) {
  const session = sessionOf(request);
  if (!session?.leaving) return redirect(response, "/");
  const { verifier, state } = session.leaving;
  session.leaving = null; // A response is taken once.
  try {
    const tokens = await oauth.authorizationCodeGrant(config, new URL(request.url, base), {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    begin(response, keep(tokens), session);
    redirect(response, "/");
  } catch (error) {
    end(response, session);
    const message = error.error === "access_denied" ? "You did not sign in." : "This sign-in has expired. Sign in again.";
    page(response, 400, `<p role="alert">${message}</p>${BUTTON}`);
  }
}

const keep = ({ access_token, refresh_token, expires_in }) => ({
  access: access_token,
  refresh: refresh_token,
  expiresAt: Date.now() + expires_in * 1000,
});

/**
 * Refreshes the tokens before they expire. Requests at the same time share one refresh, because a token works once.
 * Returns null if the session has ended at Doorcode. Any other failure, such as an outage, ends no session.
 */
async function accessToken(session) {
  if (session.expiresAt - Date.now() > 60_000) return session.access;
  session.refreshing ??= oauth
    .refreshTokenGrant(config, session.refresh)
    .then((tokens) => Object.assign(session, keep(tokens)).access)
    .catch((error) => {
      if (error.error === "invalid_grant") return null;
      throw error;
    })
    .finally(() => (session.refreshing = null));
  return session.refreshing;
}

async function signOut(request, response) {
  // `SameSite=Lax` keeps the cookie out of forms of other sites.
  const session = sessionOf(request);
  end(response, session);
  const refreshToken = session?.refresh;
  if (refreshToken) await graphql("mutation End($input: LogoutInput) { logout(input: $input) { __typename } }", { input: { refreshToken } });
  redirect(response, "/");
}

/** Asks Doorcode's API, as the user whose token it is. Returns null if the token is no longer valid. */
async function graphql(query, variables, token) {
  const response = await fetch(new URL("/graphql", doorcode), {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors && errors[0].extensions?.code !== "UNAUTHENTICATED") throw new Error(`Doorcode: ${errors[0].message}`);
  return data;
}

// ---- Pages -----------------------------------------------------------------------------------------------------------

const BUTTON = `<form action="/sign-in"><button>Sign in</button></form>`;
const escape = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

function page(response, status, body) {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  });
  response.end(`<!doctype html><html lang="en"><title>Notes</title><main><h1>Notes</h1>${body}</main>`);
}

function redirect(response, location) {
  response.writeHead(303, { location, "cache-control": "no-store" }).end();
}

async function home(request, response) {
  const session = sessionOf(request);
  if (!session?.access) return page(response, 200, BUTTON);
  const token = await accessToken(session);
  const data = token && (await graphql("query Me { me { email } }", {}, token));
  // The session ends when it ends at Doorcode: the user signed out everywhere, or was suspended.
  if (!data?.me) {
    end(response, session);
    return page(response, 200, `<p>You are signed out.</p>${BUTTON}`);
  }
  page(response, 200, `<p>Welcome, ${escape(data.me.email)}.</p><form method="post" action="/sign-out"><button>Sign out</button></form>`);
}

const ROUTES = { "GET /": home, "GET /sign-in": signIn, "GET /callback": callback, "POST /sign-out": signOut };

createServer((request, response) => {
  const route = ROUTES[`${request.method} ${new URL(request.url, base).pathname}`];
  if (!route) return page(response, 404, "<p>There is no such page.</p>");
  route(request, response).catch((error) => {
    console.error(error);
    page(response, 502, "<p>Something went wrong. Try again later.</p>");
  });
}).listen(Number(base.port) || 3000, "127.0.0.1", () => console.log(`Open ${base.href}`));
