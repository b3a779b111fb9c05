// Tests that a server that runs only trusted documents accepts the client, if its manifest has those of the package.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createDoorcode, DoorcodeError } from "@doorcode/client";
import { readCode } from "@doorcode/client/testing";
import { Doorcode } from "./support.mjs";

const GOOD = "seven otters at noon";
const BETTER = "eight otters at dawn";
const PACKAGED = createRequire(import.meta.url).resolve("@doorcode/client/documents.json");
const OWN = "query Own { me { createdAt } }";

const good = (result) => {
  assert(result.ok, JSON.stringify(result));
  return result.data;
};

/** A server that runs only the documents of a manifest. */
async function withDocuments(manifest, use) {
  const file = join(tmpdir(), `manifest-${Object.keys(manifest).length}.json`);
  writeFileSync(file, JSON.stringify(manifest));
  const server = await Doorcode.start({ DOORCODE_DOCUMENTS: file });
  try {
    await use(server);
  } finally {
    await server.remove();
  }
}

const own = { [createHash("sha256").update(OWN).digest("hex")]: OWN };
const packaged = JSON.parse(readFileSync(PACKAGED, "utf8"));

test("a server with trusted documents accepts all that the client and readCode send", async (t) => {
  await withDocuments({ ...packaged, ...own }, async (server) => {
    assert.doesNotMatch(server.command("documents", PACKAGED), /refused/);
    const refused = [];
    const watching = async (input, init) => {
      const response = await fetch(input, init);
      const { errors } = await response.clone().json();
      if (errors) refused.push(`${errors[0].message}: ${init.body}`);
      return response;
    };
    const doorcode = createDoorcode({ url: server.url, fetch: watching });
    const [email, url] = ["ada@example.com", server.url];
    good({ ok: true, data: await doorcode.signIn.options() });
    const registration = good(await doorcode.signIn.register(email, GOOD, { name: "Ada" }));
    good(await registration.verify(await readCode(email, { url })));
    assert.equal(good(await doorcode.query(OWN)).me.createdAt.length > 0, true);
    const { now } = Date;
    t.mock.method(Date, "now", () => now() + 14.9 * 60_000);
    await doorcode.getAccessToken();
    t.mock.restoreAll();
    await doorcode.signOut({ everywhere: true });
    good(await doorcode.signIn.withPassword(email, GOOD));
    await doorcode.signOut();
    const reset = good(await doorcode.signIn.requestReset(email));
    good(await reset.finish(await readCode(email, { url }), BETTER));
    const code = good(await doorcode.signIn.withCode("eve@example.com"));
    await code.resend();
    good(await code.verify(await readCode("eve@example.com", { url })));
    assert.equal((await doorcode.signIn.confirmLink("x".repeat(43))).ok, false);
    assert.deepEqual(refused, []);
    await assert.rejects(doorcode.query("query Other { me { id } }"), DoorcodeError);
  });
});

test("a server without the manifest of the package refuses the client", async () => {
  await withDocuments(own, async (server) => {
    await assert.rejects(createDoorcode({ url: server.url }).signIn.withCode("ada@example.com"), DoorcodeError);
  });
});
