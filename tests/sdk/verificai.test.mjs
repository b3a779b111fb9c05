// Runs the operations of examples/verificai/README.md in its GraphiQL. With PICTURES=folder, also takes a screenshot.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { readCode } from "@doorcode/client/testing";
import { execute, read, write } from "../lib/graphiql.mjs";
import { launch, watch } from "./browser.mjs";
import { Doorcode } from "./support.mjs";

const README = readFileSync(new URL("../../examples/verificai/README.md", import.meta.url), "utf8");
const OPERATIONS = /```graphql\n([^]*?)```/.exec(README)[1];
let server, browser;

before(async () => {
  const program = join(dirname(process.env.DOORCODE_BIN), "verificai");
  [server, browser] = await Promise.all([Doorcode.start({}, program), launch()]);
});
after(async () => {
  await browser?.close();
  await server?.remove();
});

/** Runs an operation until its result is as expected, and returns the result. */
async function run(page, operation, variables, isExpected) {
  await write(page, "variables.json", JSON.stringify(variables, null, 2));
  for (let tries = 0; tries < 10; tries += 1) {
    await execute(page, operation);
    await page.waitForTimeout(500);
    const shown = await read(page, "response.json");
    const { data } = shown ? JSON.parse(shown) : {};
    if (data && isExpected(data)) return data;
  }
  assert.fail(`${operation}: ${await read(page, "response.json")}`);
}

test("the operations of the README find something in a file", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  context.setDefaultTimeout(10_000);
  const wrong = watch(context);
  const page = await context.newPage();
  await page.goto(`${server.url}/graphiql`);
  await page.locator(".graphiql-query-editor .monaco-editor").first().waitFor();
  const email = "ada@example.com";
  await page.getByLabel("Sign in as").fill(email);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Code for ${email}`).fill(await readCode(email, { url: server.url }));
  await page.keyboard.press("Enter");
  await page.locator(".bar .chip", { hasText: email }).waitFor();

  await write(page, "operation.graphql", OPERATIONS);
  const { prompts } = await run(page, "Prompts", {}, ({ prompts }) => prompts?.nodes.length === 5);
  const prompt = prompts.nodes.find(({ name }) => name === "Bug hunt").id;
  const { startAnalysis } = await run(page, "Start", { prompt }, ({ startAnalysis }) => startAnalysis?.analysis);
  const { id } = startAnalysis.analysis;
  const { analysis } = await run(page, "Result", { id }, ({ analysis }) => analysis?.status === "SUCCEEDED");
  assert.ok(analysis.result.findings.some(({ line }) => line === 2), JSON.stringify(analysis));
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, "verificai.png") });
  const { usageByDay } = await run(page, "Usage", {}, ({ usageByDay }) => usageByDay?.length === 1);
  assert.equal(usageByDay[0].analyses, 1);
  assert.deepEqual(wrong, []);
});
