// Two clients that check every answer against the standards sign in to Doorcode: openid-client, and oauth4webapi without
// its help. The test is the user: it signs in through the API and presses the button of the page.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { Doorcode } from "../sdk/support.mjs";

const id = "notes";
const redirectUri = "http://127.0.0.1:8976/callback";
let doorcode;
let user;

/** Runs a GraphQL operation. */
async function api(query, variables, token) {
  const response = await fetch(`${doorcode.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

/** Signs a user in, as the pages do. */
async function signIn(email) {
  const login = await api("mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }", {
    input: { email },
  });
  let code;
  for (const late = Date.now() + 10_000; !code && Date.now() < late; await setTimeout(20)) {
    const inbox = await api("query($email: String!) { inbox(to: $email, first: 1) { code } }", { email });
    code = inbox.data.inbox[0]?.code;
  }
  const verified = await api(
    "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { user { databaseId } tokens { accessToken } } } }",
    { input: { challenge: login.data.login.challenge, code } },
  );
  const { user, tokens } = verified.data.verify;
  return { account: user.databaseId, token: tokens.accessToken };
}

/** Opens the page and presses a button. Returns the URL to which the browser is sent. */
async function answer(url, approve = true) {
  const page = await fetch(url, { redirect: "manual" });
  if (page.status === 303) return new URL(page.headers.get("location"));
  assert.equal(page.status, 200);
  const response = await fetch(`${doorcode.url}/pages/authorize`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      origin: doorcode.url,
      "x-doorcode": "1",
      authorization: `Bearer ${user.token}`,
    },
    body: JSON.stringify({ query: new URL(url).search.slice(1), approve, account: user.account }),
  });
  assert.equal(response.status, 200);
  return new URL((await response.json()).redirect);
}

before(async () => {
  doorcode = await Doorcode.start();
  doorcode.command("client", "add", id, "--name", "Notes", "--redirect", "http://127.0.0.1/callback");
  user = await signIn("ada@example.com");
});

after(() => doorcode.remove());

/** A configuration of openid-client, from the metadata of the server. */
const discover = () =>
  client.discovery(new URL(doorcode.url), id, undefined, client.None(), {
    algorithm: "oauth2",
    execute: [client.allowInsecureRequests],
  });

async function request(config, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...more,
  });
  return { url, checks: { pkceCodeVerifier: verifier, expectedState: state } };
}

test("openid-client signs in, reads the account and refreshes", async () => {
  const config = await discover();
  assert.equal(config.serverMetadata().supportsPKCE(), true);
  const { url, checks } = await request(config);
  const tokens = await client.authorizationCodeGrant(config, await answer(url), checks);
  assert.equal(tokens.token_type, "bearer");
  assert.ok(tokens.expiresIn() > 800);
  const me = await api("{ me { email } }", {}, tokens.access_token);
  assert.equal(me.data.me.email, "ada@example.com");
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  const again = await api("{ me { email } }", {}, next.access_token);
  assert.equal(again.data.me.email, "ada@example.com");
});

test("openid-client refuses an answer of another issuer, and one for another request", async () => {
  const config = await discover();
  const { url, checks } = await request(config);
  const back = await answer(url);
  const mixedUp = new URL(back);
  mixedUp.searchParams.set("iss", "https://evil.example");
  await assert.rejects(client.authorizationCodeGrant(config, mixedUp, checks));
  const without = new URL(back);
  without.searchParams.delete("iss");
  await assert.rejects(client.authorizationCodeGrant(config, without, checks));
  const other = await request(config);
  await assert.rejects(client.authorizationCodeGrant(config, back, other.checks));
  assert.ok(await client.authorizationCodeGrant(config, back, checks), "none of this reached the server");
});

test("openid-client learns that a code was used, and that its session has ended", async () => {
  const config = await discover();
  const { url, checks } = await request(config);
  const back = await answer(url);
  const tokens = await client.authorizationCodeGrant(config, back, checks);
  await assert.rejects(client.authorizationCodeGrant(config, back, checks), { error: "invalid_grant" });
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
});

test("openid-client learns that the user refused, and that the server has no scopes", async () => {
  const config = await discover();
  const refused = await request(config);
  await assert.rejects(client.authorizationCodeGrant(config, await answer(refused.url, false), refused.checks), {
    error: "access_denied",
  });
  const scoped = await request(config, { scope: "openid" });
  await assert.rejects(client.authorizationCodeGrant(config, await answer(scoped.url), scoped.checks), {
    error: "invalid_scope",
  });
});

test("oauth4webapi signs in, and reads the claims of the access token", async () => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(doorcode.url);
  const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
  const server = await oauth.processDiscoveryResponse(issuer, found);
  const own = { client_id: id };
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint);
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: id,
    redirect_uri: redirectUri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  }).toString();
  const back = oauth.validateAuthResponse(server, own, await answer(url), state);
  const exchange = (withVerifier) =>
    oauth.authorizationCodeGrantRequest(server, own, oauth.None(), back, redirectUri, withVerifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(server, own, await exchange(verifier));
  const resource = new Request(`${doorcode.url}/graphql`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const claims = await oauth.validateJwtAccessToken(server, resource, doorcode.url, insecure);
  assert.equal(claims.client_id, id);
  assert.equal(claims.sub, user.account);
  const refreshed = await oauth.refreshTokenGrantRequest(server, own, oauth.None(), tokens.refresh_token, insecure);
  assert.ok((await oauth.processRefreshTokenResponse(server, own, refreshed)).refresh_token);
  const again = await exchange(oauth.generateRandomCodeVerifier());
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, own, again), { error: "invalid_grant" });
});
