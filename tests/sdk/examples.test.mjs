// Tests the applications in examples/ in Chromium against a live development server.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readCode } from "@doorcode/client/testing";
import { launch, watch } from "./browser.mjs";
import { folder, serveApplication } from "./application.mjs";
import { Doorcode } from "./support.mjs";

let server, browser;

before(async () => {
  [server, browser] = await Promise.all([Doorcode.start(), launch()]);
  process.env.DOORCODE_URL = server.url;
});
after(async () => {
  await browser.close();
  await server.remove();
});

async function visit(url) {
  const context = await browser.newContext();
  context.setDefaultTimeout(10_000);
  const wrong = watch(context);
  const page = await context.newPage();
  await page.goto(url);
  return { page, wrong, close: () => context.close() };
}

test("examples/spa signs a user in with a code, keeps the session, and signs out", async (t) => {
  const site = await serveApplication("spa", server);
  t.after(site.close);
  const { page, wrong, close } = await visit(site.url);
  await page.getByLabel("Email address").fill("spa@example.com");
  await page.getByRole("button", { name: "Email me a code" }).click();
  await page.getByText("Check your email").waitFor();
  await page.keyboard.type(await readCode("spa@example.com"));
  await page.getByRole("heading", { name: "Welcome, spa@example.com" }).waitFor();
  await page.getByText("This device.").waitFor();
  await page.reload();
  await page.getByRole("button", { name: /Account: / }).click();
  await page.getByRole("button", { name: "Sign out", exact: true }).click();
  await page.getByLabel("Email address").waitFor();
  assert.deepEqual(wrong, []);
  await close();
});

test("the sign-in of examples/spa takes at most 60 lines", async () => {
  const text = await readFile(join(folder("spa"), "src/main.tsx"), "utf8");
  assert(text.split("\n").length <= 60);
});
