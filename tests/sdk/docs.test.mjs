// Runs the programs of docs/integrate against a live development server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { createDoorcode } from "@doorcode/client";
import { readCode } from "@doorcode/client/testing";
import { Doorcode, serve } from "./support.mjs";

let server, token, session;

before(async () => {
  server = await Doorcode.start();
  const doorcode = createDoorcode({ url: server.url });
  const { data: pending } = await doorcode.signIn.withCode("ada@example.com");
  ({ data: session } = await pending.verify(await readCode("ada@example.com", { url: server.url })));
  token = await doorcode.getAccessToken();
});
after(() => server.remove());

/** The first program in a language below a heading of a page, for this server. */
async function program(page, heading, language) {
  const text = await readFile(new URL(`../../docs/integrate/${page}`, import.meta.url), "utf8");
  const section = text.slice(text.indexOf(`\n## ${heading}\n`));
  const [, code] = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, "s").exec(section);
  return code.replaceAll("http://localhost:4000", server.url);
}

test("the Python recipe has ten lines, accepts a token, and refuses every other one", async (t) => {
  const recipe = await program("backend.md", "Python", "python");
  const lines = recipe.split("\n").filter((line) => line && !/^(import|ISSUER)/.test(line));
  assert(lines.length <= 10, String(lines.length));
  const file = join(server.data, "verify.py");
  await writeFile(file, `${recipe}\n\nimport sys\nprint(verify(sys.argv[1])["sub"])\n`);
  // Python would send requests for localhost through a proxy.
  const env = { ...process.env, no_proxy: "localhost" };
  const verify = (given) =>
    new Promise((done) => {
      execFile(process.env.PYTHON ?? "python3", [file, given], { env }, (error, stdout, stderr) =>
        done({ status: error?.code ?? 0, stdout, stderr }),
      );
    });
  const accepted = await verify(token);
  assert.equal(accepted.stdout.trim(), session.user.databaseId, accepted.stderr);
  const [head, body, signature] = token.split(".");
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = JSON.parse(Buffer.from(head, "base64url"));
  for (const wrong of [
    `${head}.${body}.${signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`,
    `${part({ ...header, typ: "JWT" })}.${body}.${signature}`,
    `${part({ ...header, alg: "none" })}.${body}.`,
    `${part({ ...header, kid: "unknown" })}.${body}.${signature}`,
  ]) {
    assert.equal((await verify(wrong)).status, 1, wrong);
  }
  // What the signature does not decide, with a key of our own.
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "own", alg: "EdDSA", use: "sig" };
  const issuer = await serve((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  t.after(issuer.close);
  await writeFile(file, `${recipe.replaceAll(server.url, issuer.url)}\n\nimport sys\nprint(verify(sys.argv[1])["sub"])\n`);
  const now = Math.floor(Date.now() / 1000);
  const forge = (header = {}, claims = {}) => {
    const good = { iss: issuer.url, aud: issuer.url, sub: "u", sid: "s", exp: now + 600, nbf: now };
    const text = `${part({ typ: "at+jwt", alg: "EdDSA", kid: "own", ...header })}.${part({ ...good, ...claims })}`;
    return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
  };
  assert.equal((await verify(forge())).stdout.trim(), "u");
  for (const [header, claims] of [
    [{ typ: "JWT" }, {}],
    [{ typ: undefined }, {}],
    [{ crit: ["exp"] }, {}],
    [{}, { aud: "https://other.example" }],
    [{}, { aud: undefined }],
    [{}, { iss: "https://other.example" }],
    [{}, { exp: now - 10 }],
    [{}, { nbf: now + 300 }],
    [{}, { nbf: undefined }],
    [{}, { sid: undefined }],
  ]) {
    assert.equal((await verify(forge(header, claims))).status, 1, JSON.stringify([header, claims]));
  }
});

test("the programs for browsers and for Node compile", async () => {
  for (const [page, heading, language] of [
    ["spa.md", "3. Show the form", "tsx"],
    ["spa.md", "Without React", "js"],
    ["tests.md", "Sign in without a page", "ts"],
    ["backend.md", "Node, Deno, Bun and edge runtimes", "ts"],
  ]) {
    await build({
      stdin: { contents: await program(page, heading, language), loader: language, resolveDir: import.meta.dirname },
      bundle: true,
      write: false,
      format: "esm",
      jsx: "automatic",
      platform: page === "backend.md" ? "node" : "browser",
      logLevel: "silent",
    });
  }
});
