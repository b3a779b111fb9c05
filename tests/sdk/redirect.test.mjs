// Tests `withRedirect` and `handleRedirect` in Node against a strict authorization server, with a page of our own.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createDoorcode, DoorcodeError } from "@doorcode/client";
import { CLIENT, startAuthorizationServer, USER } from "./authorization-server.mjs";
import { MemoryStorage, serve } from "./support.mjs";

const PAGE = "https://notes.example.com";
const BACK = `${PAGE}/callback?tenant=one`;

let server;
let storage;

before(async () => {
  server = await startAuthorizationServer(BACK);
  globalThis.document = { documentElement: { lang: "de" } };
  globalThis.history = { state: null, replaceState: (_, __, url) => open(url) };
});
after(() => server.close());

/** Shows an address in the page. `left` is the one that the page goes to. */
function open(address) {
  const url = new URL(address, PAGE);
  const { href, origin, search } = url;
  globalThis.location = { href, origin, search, assign: (to) => (globalThis.location.left = new URL(to).href) };
}

beforeEach(() => {
  storage = new MemoryStorage();
  Object.assign(server.state, { redirectUri: BACK, exchanges: 0, metadata: {}, tokenResponse: null, metadataDown: false, rejectsTokens: false });
  server.state.ended.clear();
  open(`${PAGE}/notes/7#top`);
});

const client = (options = {}) => createDoorcode({ url: server.url, clientId: CLIENT, redirectUri: BACK, storage, ...options });

async function leave(doorcode = client(), choices = {}) {
  await doorcode.signIn.withRedirect(choices);
  return location.left;
}

/** Goes to the server and comes back, as a new page load. */
async function comeBack(error) {
  const back = server.approve(await leave(), error);
  open(back);
  return back;
}

const fails = (promise, code, words) =>
  assert.rejects(promise, (error) => error instanceof DoorcodeError && error.code === code && words.test(error.message));

test("a user signs in on the server and is back on the page where they began", async () => {
  await comeBack();
  const doorcode = client();
  const { ok, data } = await doorcode.signIn.handleRedirect();
  assert(ok);
  assert.deepEqual([data.user.email, data.user.role, data.methods], [USER.email, USER.role, ["otp"]]);
  assert.equal(location.href, `${PAGE}/notes/7#top`);
  assert.equal(await doorcode.signIn.handleRedirect(), null, "a page without a response is no return");
});

test("the request has everything that the server needs, and secrets of one use", async () => {
  const requests = [await leave(), await leave()].map((address) => Object.fromEntries(new URL(address).searchParams));
  const [{ state, code_challenge, ...rest }, other] = requests;
  assert.deepEqual(rest, { response_type: "code", client_id: CLIENT, redirect_uri: BACK, code_challenge_method: "S256", ui_locales: "de" });
  assert.match(state, /^[\w-]{43}$/);
  assert.notEqual(state, other.state);
  assert.notEqual(code_challenge, other.code_challenge);
  const hinted = await leave(client(), { loginHint: "ada@example.com", prompt: "login" });
  assert.match(hinted, /login_hint=ada%40example\.com&prompt=login/);
  for (const value of storage.items.values()) assert(!hinted.includes(JSON.parse(value).verifier), "the verifier was sent");
});

test("a response with another state, or without a redirect of this tab, is ignored", async () => {
  const back = server.approve(await leave());
  for (const wrong of [new URL(back), new URL(back)]) {
    wrong.searchParams.set("state", "mine");
    open(wrong);
    assert.equal(await client().signIn.handleRedirect(), null);
  }
  back.searchParams.delete("state");
  open(back);
  assert.equal(await client().signIn.handleRedirect(), null);
  open(server.approve(await leave()));
  assert.equal(await client({ storage: new MemoryStorage() }).signIn.handleRedirect(), null);
  assert.equal(server.state.exchanges, 0, "a code was sent");
});

test("a response of another server, or of one that does not say which it is, is not redeemed", async () => {
  for (const issuer of ["https://evil.example.com", null]) {
    const back = await comeBack();
    if (issuer) back.searchParams.set("iss", issuer);
    else back.searchParams.delete("iss");
    open(back);
    await fails(client().signIn.handleRedirect(), "USAGE", /came back (from https:\/\/evil|without `iss`)/);
    open(back);
    assert.equal(await client().signIn.handleRedirect(), null, "the state was used");
  }
  assert.equal(server.state.exchanges, 0, "a code was sent");
});

test("a server that says it is another one is not trusted", async () => {
  server.state.metadata = { issuer: "https://evil.example.com" };
  await fails(client().signIn.withRedirect(), "USAGE", /is https:\/\/evil\.example\.com/);
});

test("a slash at the end of the address makes no difference", async () => {
  await leave(client({ url: `${server.url}/` }));
  assert(location.left.startsWith(`${server.url}/authorize?`));
});

test("a state is used once, even by two clients of a page at the same time", async () => {
  await comeBack();
  const results = await Promise.all([client(), client()].map((doorcode) => doorcode.signIn.handleRedirect()));
  assert.deepEqual(results.map((result) => result?.ok ?? null), [true, null]);
  assert.equal(server.state.exchanges, 1);
  assert.equal(server.state.ended.size, 0, "the code was exchanged twice, which ends the session");
});

test("two calls of one client share their result", async () => {
  await comeBack();
  const doorcode = client();
  const [first, second] = await Promise.all([doorcode.signIn.handleRedirect(), doorcode.signIn.handleRedirect()]);
  assert(first.ok && first === second);
  assert.equal(server.state.exchanges, 1);
});

test("while the server cannot be reached, reloading the page tries again", async () => {
  const back = await comeBack();
  server.state.metadataDown = true;
  await fails(client().signIn.handleRedirect(), "UNAVAILABLE", /Try again/);
  server.state.metadataDown = false;
  assert.equal(location.href, back.href, "the response is still in the address");
  assert((await client().signIn.handleRedirect()).ok);
});

test("the verifier and the redirect URI of this sign-in are sent, and no others fit", async () => {
  const back = await comeBack();
  const [key, value] = [...storage.items].find(([key]) => key.endsWith(":redirect"));
  for (const change of [{ verifier: "a".repeat(43) }, { redirectUri: `${PAGE}/` }]) {
    open(server.approve(await leave()));
    storage.setItem(key, JSON.stringify({ ...JSON.parse(storage.getItem(key)), ...change }));
    assert.equal((await client().signIn.handleRedirect()).problem.code, "CODE_EXPIRED");
  }
  storage.setItem(key, value);
  open(back);
  // The options of a later version do not change what this sign-in was started with.
  assert((await client({ redirectUri: `${PAGE}/other` }).signIn.handleRedirect()).ok);
});

test("a redirect URI of another origin, or not a whole address, is a mistake", async () => {
  for (const redirectUri of ["https://other.example.com/", "/callback", `${PAGE}.evil.example/`]) {
    await fails(client({ redirectUri }).signIn.withRedirect(), "USAGE", /`redirectUri` must be/);
  }
  await fails(client().signIn.withRedirect({ returnTo: "https://evil.example.com/" }), "USAGE", /`returnTo` must be/);
  await fails(client({ clientId: undefined }).signIn.withRedirect(), "USAGE", /needs `clientId`/);
});

test("a browser that refuses storage is told so before it leaves", async () => {
  const refusing = { getItem: () => null, removeItem() {}, setItem() { throw new Error("quota"); } };
  await fails(client({ storage: refusing }).signIn.withRedirect(), "STORAGE", /refuses storage/);
  assert.equal(location.left, undefined);
});

test("what went wrong is a problem if the user can act on it, and an error if not", async () => {
  await comeBack("access_denied");
  const problems = [];
  const doorcode = client({ onProblem: ({ code }) => problems.push(code) });
  assert.equal((await doorcode.signIn.handleRedirect()).problem.code, "ACCESS_DENIED");
  assert.equal(location.href, `${PAGE}/notes/7#top`);
  for (const [response, code] of [
    [[400, { error: "invalid_grant" }], "CODE_EXPIRED"],
    [[429, { error: "temporarily_unavailable", error_description: "Wait." }, { "retry-after": "30" }], "RATE_LIMITED"],
  ]) {
    await comeBack();
    server.state.tokenResponse = response;
    const { problem } = await doorcode.signIn.handleRedirect();
    assert.equal(problem.code, code);
    if (code === "RATE_LIMITED") assert(problem.retryAt > Date.now() + 25_000);
    server.state.tokenResponse = null;
  }
  assert.deepEqual(problems, ["ACCESS_DENIED", "CODE_EXPIRED", "RATE_LIMITED"]);

  for (const [error, code] of [["temporarily_unavailable", "UNAVAILABLE"], ["server_error", "UNAVAILABLE"], ["invalid_request", "invalid_request"]]) {
    await comeBack(error);
    await fails(client().signIn.handleRedirect(), code, /./);
  }
  for (const [response, code] of [
    [[401, { error: "invalid_client" }], "invalid_client"],
    [[503, { error: "temporarily_unavailable" }], "UNAVAILABLE"],
    [[502, "<html>"], "UNAVAILABLE"],
    [[200, "null"], "USAGE"],
    [[200, { access_token: "a.b.c", token_type: "DPoP" }], "USAGE"],
  ]) {
    await comeBack();
    server.state.tokenResponse = response;
    await fails(client().signIn.handleRedirect(), code, /./);
    server.state.tokenResponse = null;
  }
});

test("an application with an audience of its own gets an error that says so", async () => {
  await comeBack();
  server.state.rejectsTokens = true;
  await fails(client().signIn.handleRedirect(), "USAGE", /without an audience/);
});

test("the session is refreshed at the token endpoint, and ends when the server says so", async (t) => {
  await comeBack();
  const doorcode = client();
  assert((await doorcode.signIn.handleRedirect()).ok);
  const first = await doorcode.getAccessToken();
  const { now } = Date;
  let later = 14.9 * 60_000;
  t.mock.method(Date, "now", () => now() + later);
  const second = await doorcode.getAccessToken();
  assert.notEqual(second, first);

  // RFC 6749, section 6: a response without a refresh token leaves the old one valid.
  const [key] = [...storage.items].find(([, value]) => value.includes(second));
  const kept = JSON.parse(storage.getItem(key));
  later *= 2;
  server.state.tokenResponse = [200, { access_token: second.replace(/[^.]*$/, "other"), token_type: "bearer" }];
  assert.match(await doorcode.getAccessToken(), /other$/);
  assert.equal(JSON.parse(storage.getItem(key)).refresh, kept.refresh);

  later += 14.9 * 60_000;
  server.state.tokenResponse = [503, { error: "temporarily_unavailable" }];
  assert.match(await doorcode.getAccessToken(), /other$/, "a token that is still valid is better than none");
  server.state.tokenResponse = [400, { error: "invalid_grant" }];
  assert.equal(await doorcode.getAccessToken(), null);
  assert.equal(doorcode.session(), null);
});

test("what a session of withRedirect may not do is a problem", async (t) => {
  const body = { errors: [{ message: "The token has no such scope.", extensions: { code: "INSUFFICIENT_SCOPE" } }] };
  const api = await serve((_, response) => response.writeHead(403, { "content-type": "application/json" }).end(JSON.stringify(body)));
  t.after(api.close);
  const { ok, problem } = await createDoorcode({ url: api.url }).query("query Users { users { nodes { id } } }");
  assert.deepEqual([ok, problem.code, problem.message], [false, "INSUFFICIENT_SCOPE", "The token has no such scope."]);
});
