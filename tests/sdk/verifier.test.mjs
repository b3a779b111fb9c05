// Tests the token verifier, with tokens of live servers and with forged ones.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, createHmac, sign as signWith } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import express from "express";
import { createDoorcode } from "@doorcode/client";
import { createVerifier, KeysError, TokenError } from "@doorcode/client/server";
import { readCode } from "@doorcode/client/testing";
import { Doorcode, serve } from "./support.mjs";

const servers = {};
let count = 0;

before(async () => {
  for (const alg of ["EdDSA", "ES256", "RS256"]) servers[alg] = await Doorcode.start({ DOORCODE_TOKEN_ALG: alg });
});
after(() => Promise.all(Object.values(servers).map((server) => server.remove())));

/** Signs a new user in, and returns the access token. */
async function tokenOf({ url }) {
  const doorcode = createDoorcode({ url });
  const email = `user-${(count += 1)}@example.com`;
  const { data: pending } = await doorcode.signIn.withCode(email);
  const { data: session } = await pending.verify(await readCode(email, { url }));
  return { token: await doorcode.getAccessToken(), session, doorcode };
}

function verifierOf({ url }, options = {}) {
  const requests = [];
  const counting = (input, init) => {
    requests.push(input);
    return fetch(input, init);
  };
  return { requests, ...createVerifier({ issuer: url, audience: url, fetch: counting, ...options }) };
}

const isTokenError = (error) => error instanceof TokenError;

for (const alg of ["EdDSA", "ES256", "RS256"]) {
  test(`a token signed with ${alg} is verified, and the keys are fetched once`, async () => {
    const { token, session } = await tokenOf(servers[alg]);
    const verifier = verifierOf(servers[alg]);
    const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
    const [claims] = all;
    assert.deepEqual([claims.sub, claims.sid, claims.role], [session.user.databaseId, session.id, "USER"]);
    await verifier.verify(token);
    assert.equal(verifier.requests.length, 1);
  });
}

test("a token for another audience or from another issuer is refused", async () => {
  const { token } = await tokenOf(servers.EdDSA);
  const { url } = servers.EdDSA;
  await assert.rejects(verifierOf({ url }, { audience: "https://api.example.com" }).verify(token), isTokenError);
  const jwksUri = `${url}/.well-known/jwks.json`;
  await assert.rejects(verifierOf({ url }, { issuer: "https://other.example.com", jwksUri }).verify(token), isTokenError);
});

test("any changed character of a token is refused", async () => {
  const { token } = await tokenOf(servers.EdDSA);
  const verifier = verifierOf(servers.EdDSA);
  for (let at = 0; at < token.length - 1; at += 7) {
    const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
    await assert.rejects(verifier.verify(changed), isTokenError, `character ${at}`);
  }
  for (const wrong of ["", "a.b", "a.b.c", `${token}.`, token.split(".").slice(0, 2).join("."), "x".repeat(9000)]) {
    await assert.rejects(verifier.verify(wrong), isTokenError);
  }
});

test("a token is refused six seconds after it expires and six seconds before it begins", async (t) => {
  const { token } = await tokenOf(servers.EdDSA);
  const verifier = verifierOf(servers.EdDSA);
  const { exp, nbf } = await verifier.verify(token);
  for (const [seconds, holds] of [[exp + 4, true], [exp + 6, false], [nbf - 4, true], [nbf - 6, false]]) {
    t.mock.method(Date, "now", () => seconds * 1000);
    if (holds) await verifier.verify(token);
    else await assert.rejects(verifier.verify(token), isTokenError);
    t.mock.restoreAll();
  }
});

// ---- Forged tokens -------------------------------------------------------------------------------------------------

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const ed = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const short = generateKeyPairSync("rsa", { modulusLength: 1024 });
const jwk = ({ publicKey }, kid, rest = {}) => ({ ...publicKey.export({ format: "jwk" }), kid, use: "sig", ...rest });

const issuer = "https://login.example.com";
const audience = "https://api.example.com";
const seconds = () => Math.floor(Date.now() / 1000);
const claims = (rest = {}) => ({ iss: issuer, aud: audience, sub: "u", sid: "s", exp: seconds() + 60, nbf: seconds(), ...rest });

function forge({ header = {}, body = claims(), key = ed.privateKey, hash = null, signature } = {}) {
  const text = `${encode({ typ: "at+jwt", alg: "EdDSA", kid: "ed", ...header })}.${encode(body)}`;
  return `${text}.${(signature?.(text) ?? signWith(hash, Buffer.from(text), key)).toString("base64url")}`;
}

async function forged(t, keys, options = {}) {
  const state = { keys, requests: 0, status: 200 };
  const host = await serve((_, response) => {
    state.requests += 1;
    response.statusCode = state.status;
    response.end(JSON.stringify({ keys: state.keys }));
  });
  t.after(host.close);
  const verifier = createVerifier({ issuer, audience, jwksUri: host.url, ...options });
  return Object.assign(state, { verify: verifier.verify });
}

const all = [jwk(ed, "ed", { alg: "EdDSA" }), jwk(rsa, "rsa"), jwk(short, "short"), jwk(other, "enc", { use: "enc" })];

test("only an access token with every claim is accepted", async (t) => {
  const { verify } = await forged(t, all);
  await verify(forge());
  await verify(forge({ header: { typ: "application/at+jwt" }, body: claims({ aud: [audience, "b"] }) }));
  await verify(forge({ header: { alg: "RS256", kid: "rsa" }, key: rsa.privateKey, hash: "sha256" }));
  for (const header of [{ typ: "JWT" }, { typ: undefined }, { crit: ["exp"] }, { crit: [] }, { kid: undefined }, { kid: 1 }]) {
    await assert.rejects(verify(forge({ header })), isTokenError, JSON.stringify(header));
  }
  for (const rest of [
    { aud: undefined }, { aud: null }, { aud: [] }, { aud: `${audience}/` }, { iss: undefined }, { iss: [issuer] },
    { exp: undefined }, { exp: "9999999999" }, { exp: null }, { nbf: undefined }, { nbf: null }, { nbf: seconds() + 60 },
    { sub: undefined }, { sub: "" }, { sub: 1 }, { sid: undefined }, { sid: {} },
  ]) {
    await assert.rejects(verify(forge({ body: claims(rest) })), isTokenError, JSON.stringify(rest));
  }
  for (const body of ["null", "[]", '"x"', "{"]) await assert.rejects(verify(forge({ body })), isTokenError, body);
});

test("tokens of other applications are refused, except of those in `clients`", async (t) => {
  const token = (client_id) => forge({ body: claims({ client_id }) });
  const everyone = await forged(t, all);
  const pages = await forged(t, all, { clients: [] });
  const notes = await forged(t, all, { clients: ["notes"] });
  for (const { verify } of [everyone, pages, notes]) await verify(token(undefined));
  assert.equal((await everyone.verify(token("other"))).client_id, "other");
  await notes.verify(token("notes"));
  await assert.rejects(pages.verify(token("notes")), isTokenError);
  for (const wrong of ["other", "", null, ["notes"], "notes "]) {
    await assert.rejects(notes.verify(token(wrong)), isTokenError, JSON.stringify(wrong));
  }
});

test("the key decides the algorithm, never the token", async (t) => {
  const { verify } = await forged(t, all);
  const secret = rsa.publicKey.export({ format: "pem", type: "spki" });
  const mac = (text) => createHmac("sha256", secret).update(text).digest();
  for (const [name, token] of Object.entries({
    none: forge({ header: { alg: "none" }, signature: () => Buffer.alloc(0) }),
    "none with a key": forge({ header: { alg: "none" } }),
    "a public key as secret": forge({ header: { alg: "HS256", kid: "rsa" }, signature: mac }),
    "another algorithm": forge({ header: { alg: "RS256" } }),
    "another key": forge({ key: other.privateKey }),
    "a short key": forge({ header: { alg: "RS256", kid: "short" }, key: short.privateKey, hash: "sha256" }),
    "a key for encryption": forge({ header: { kid: "enc" }, key: other.privateKey }),
    "its own key": forge({ header: { jwk: jwk(other, "ed"), jku: "https://evil.example" }, key: other.privateKey }),
  })) {
    await assert.rejects(verify(token), isTokenError, name);
  }
});

test("invented keys cause at most one request in ten seconds", async (t) => {
  const state = await forged(t, all);
  await state.verify(forge());
  for (let number = 0; number < 50; number += 1) {
    await assert.rejects(state.verify(forge({ header: { kid: `k${number}` } })), isTokenError);
  }
  assert.equal(state.requests, 1);
  const start = performance.now();
  t.mock.method(performance, "now", () => start + 10_100);
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(state.verify(forge({ header: { kid: "x" } })), isTokenError)));
  assert.equal(state.requests, 2);
});

test("keys serve for an hour while the server is unreachable, and are renewed after five minutes", async (t) => {
  const state = await forged(t, all);
  const start = performance.now();
  await state.verify(forge());
  state.status = 503;
  const at = (minutes) => t.mock.method(performance, "now", () => start + minutes * 60_000);
  at(6);
  await state.verify(forge());
  assert.equal(state.requests, 2);
  at(61);
  await assert.rejects(state.verify(forge()), (error) => error instanceof KeysError && /status 503/.test(error.message));
  state.status = 200;
  at(62);
  await state.verify(forge());
  state.keys = [];
  at(68);
  await assert.rejects(state.verify(forge()), isTokenError, "a key that was withdrawn");
});

// ---- A rotation ----------------------------------------------------------------------------------------------------

test("tokens of the old and the new key are accepted after a rotation", async () => {
  const server = servers.EdDSA;
  const verifier = verifierOf(server);
  const before = (await tokenOf(server)).token;
  await verifier.verify(before);
  server.command("keys", "rotate");
  // A new key signs after ten minutes. This test does not wait.
  const update = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('UPDATE signing_keys SET signs_from = created_at'); d.commit()";
  execFileSync("/usr/bin/python3", ["-c", update, join(server.data, "doorcode.db")]);
  await server.stop();
  await server.start();
  const after = (await tokenOf(server)).token;
  const kid = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;
  assert.notEqual(kid(before), kid(after));
  const start = performance.now();
  const { now } = performance;
  performance.now = () => start + 10_100;
  try {
    await verifier.verify(after);
    await verifier.verify(before);
  } finally {
    performance.now = now;
  }
  assert.equal(verifier.requests.length, 2);
});

// ---- Middleware ----------------------------------------------------------------------------------------------------

test("the Express middleware passes claims, and refuses everything else", async (t) => {
  const verifier = verifierOf(servers.EdDSA);
  const { token, doorcode, session } = await tokenOf(servers.EdDSA);
  const app = express();
  app.get("/private", verifier.express(), (request, response) => response.json({ user: request.auth.sub }));
  app.get("/open", verifier.express({ optional: true }), (request, response) => response.json({ user: request.auth?.sub ?? null }));
  const host = await serve(app);
  t.after(host.close);
  const get = async (path, authorization) => {
    const response = await fetch(host.url + path, { headers: authorization ? { authorization } : {} });
    return [response.status, response.headers.get("www-authenticate"), await response.json()];
  };
  assert.deepEqual(await get("/private", `Bearer ${token}`), [200, null, { user: session.user.databaseId }]);
  assert.deepEqual((await get("/private")).slice(0, 2), [401, "Bearer"]);
  for (const wrong of [`Bearer ${token}x`, `Basic ${token}`, "Bearer"]) {
    assert.deepEqual((await get("/private", wrong)).slice(0, 2), [401, 'Bearer error="invalid_token"'], wrong);
  }
  assert.deepEqual(await get("/open"), [200, null, { user: null }]);
  assert.equal((await get("/open", "Bearer x"))[0], 401);
  const response = await doorcode.fetch(`${host.url}/private`);
  assert.deepEqual(await response.json(), { user: session.user.databaseId });
});

test("the fetch middleware passes claims, and refuses everything else", async () => {
  const verifier = verifierOf(servers.EdDSA);
  const { token, session } = await tokenOf(servers.EdDSA);
  const handler = verifier.fetch((request, claims, extra) => new Response(`${claims.sub} ${extra}`));
  const request = (authorization) => new Request("https://api.example.com/", { headers: authorization ? { authorization } : {} });
  const response = await handler(request(`Bearer ${token}`), "more");
  assert.equal(await response.text(), `${session.user.databaseId} more`);
  assert.equal((await handler(request())).status, 401);
  const down = createVerifier({ issuer, audience, jwksUri: "http://127.0.0.1:1/" }).fetch(() => new Response());
  const unavailable = await down(request(`Bearer ${token}`));
  assert.deepEqual([unavailable.status, unavailable.headers.get("retry-after")], [503, "5"]);
});

test("a verifier without an issuer or an audience is refused", () => {
  assert.throws(() => createVerifier({ issuer }), /needs `issuer` and `audience`/);
});
