// Tests examples/yogaflow in Chromium: its server and its front end. With PICTURES=folder, also takes screenshots.

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { readFileSync } from "node:fs";
import { readCode } from "@doorcode/client/testing";
import { launch, watch } from "./browser.mjs";
import { serveApplication } from "./application.mjs";
import { Doorcode } from "./support.mjs";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
let server, browser, site;

before(async () => {
  const program = join(dirname(process.env.DOORCODE_BIN), "yogaflow");
  [server, browser] = await Promise.all([Doorcode.start({}, program), launch()]);
  process.env.DOORCODE_URL = server.url;
  site = await serveApplication("yogaflow/web", server);
});
after(async () => {
  await site?.close();
  await browser?.close();
  await server?.remove();
});

async function open(settings = {}) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, colorScheme: "light", ...settings });
  context.setDefaultTimeout(10_000);
  const wrong = watch(context);
  const page = await context.newPage();
  await page.goto(site.url);
  return { page, wrong, close: () => context.close() };
}

async function signIn(page, email) {
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Email me a code" }).click();
  await page.getByText("Check your email").waitFor();
  await page.keyboard.type(await readCode(email));
  await page.getByRole("heading", { name: "What do you need today?" }).waitFor();
}

async function picture(page, name) {
  if (process.env.PICTURES) await page.screenshot({ path: join(process.env.PICTURES, `yogaflow-${name}.png`) });
}

/** Finds problems for users with disabilities. */
async function assertAccessible(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run());
  assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes[0].html]), []);
}

test("a user signs in, builds a sequence, practises it and earns a badge, and a double click does nothing twice", async () => {
  const { page, wrong, close } = await open();
  const sent = [];
  page.on("request", (request) => {
    const [mutation] = /(createSequence|startPractice|finishPractice)\(/.exec(request.postData() ?? "") ?? [];
    if (mutation) sent.push(mutation);
  });
  await picture(page, "welcome");
  await assertAccessible(page);
  await signIn(page, "ada@example.com");
  await page.getByRole("heading", { name: "Happy Hips" }).waitFor();
  await assertAccessible(page);
  await picture(page, "sequences");

  await page.getByRole("link", { name: "Build", exact: true }).click();
  await page.getByLabel("Name").fill("Two minutes of calm");
  for (const pose of ["Tree", "Corpse", "Boat"]) {
    await page.getByLabel("Find a pose").fill(pose);
    await page.getByRole("button", { name: `Add ${pose}` }).click();
  }
  await page.getByRole("button", { name: "Move Boat up" }).click();
  await page.getByRole("button", { name: "Remove Corpse" }).click();
  await page.getByLabel("Seconds of Tree").fill("6");
  await page.getByLabel("Seconds of Boat").fill("5");
  await assertAccessible(page);
  await picture(page, "builder");
  await page.getByRole("button", { name: "Save" }).dblclick();
  await page.getByRole("button", { name: "Yours" }).click();
  await page.getByRole("link", { name: "Start Two minutes of calm" }).click();

  await page.getByRole("button", { name: "Begin" }).dblclick();
  await page.getByRole("heading", { name: "Tree" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const left = await page.getByRole("timer").textContent();
  await page.waitForTimeout(1_500);
  assert.equal(await page.getByRole("timer").textContent(), left, "the timer stands still");
  await picture(page, "practice");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByRole("heading", { name: "Boat" }).waitFor();
  await page.getByRole("heading", { name: "How do you feel?" }).waitFor();
  await page.getByRole("button", { name: "Calm" }).click();
  await page.getByLabel("Notes").fill("Felt good.");
  await page.getByRole("button", { name: "Save the practice" }).dblclick();
  await page.getByRole("heading", { name: "You earned something" }).waitFor();
  await page.getByText("First Steps").waitFor();

  await page.getByRole("link", { name: "See your progress" }).click();
  await page.getByText("Felt good.").waitFor();
  assert.match(await page.locator(".numbers").textContent(), /1days in a row1longest streak1practices/);
  assert.equal(await page.locator(".badge.earned").count(), 1);
  assert.equal(await page.locator(".month .active").count(), 1);
  await assertAccessible(page);
  await picture(page, "progress");
  assert.deepEqual(sent, ["createSequence(", "startPractice(", "finishPractice("]);
  assert.deepEqual(wrong, []);
  await close();
});

test("poses are found by search and filters, and show their steps", async () => {
  const { page, wrong, close } = await open();
  await signIn(page, "bob@example.com");
  await page.getByRole("link", { name: "Poses", exact: true }).click();
  await page.getByText("40 poses").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.locator(".grid li:nth-child(40)").waitFor();
  await assertAccessible(page);
  await page.getByLabel("Works on").selectOption("Neck");
  await page.getByText("1 pose", { exact: true }).waitFor();
  await page.getByLabel("Works on").selectOption("Everything");
  await page.getByText("40 poses").waitFor();
  await picture(page, "poses");
  await page.getByLabel("Search").fill("vrksa");
  await page.getByText("1 pose", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Tree/ }).click();
  await page.getByText("never on the knee").waitFor();
  await picture(page, "pose");
  await page.getByRole("button", { name: "Close" }).click();
  assert.deepEqual(wrong, []);
  await close();
});

test("sequences and the history continue on the next page", async () => {
  const { page, wrong, close } = await open();
  const practice = (number) => ({
    id: `p${number}`, name: `Practice ${number}`, style: "YIN", startedAt: "2026-01-01T08:00:00Z", seconds: 600, mood: null, notes: "",
  });
  await page.route(`${server.url}/graphql`, (route) => {
    const request = route.request().postData() ?? "";
    if (request.includes("practiceHistory(")) {
      const { after } = JSON.parse(request).variables;
      const pageInfo = { hasNextPage: !after, endCursor: after ? "two" : "one" };
      return route.fulfill({ json: { data: { practiceHistory: { nodes: [practice(after ? 2 : 1)], pageInfo } } } });
    }
    return route.continue({ postData: request.replace("first: 24", "first: 3") });
  });
  await signIn(page, "reader@example.com");
  const cards = page.locator(".sequence");
  await cards.nth(2).waitFor();
  assert.equal(await cards.count(), 3);
  await page.getByRole("button", { name: "Show more" }).click();
  await cards.nth(5).waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await cards.nth(7).waitFor();
  assert.equal(await page.getByRole("button", { name: "Show more" }).count(), 0);
  await cards.nth(7).getByRole("button", { name: /^Favorite/ }).click();
  await cards.nth(7).getByRole("button", { name: /^Favorite/, pressed: true }).waitFor();
  assert.equal(await cards.count(), 8, "the list is shorter after a change");
  assert.equal(new Set(await cards.locator("h2").allTextContents()).size, 8);

  await page.getByRole("link", { name: "Progress" }).click();
  await page.getByText("Practice 1").waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.getByText("Practice 2").waitFor();
  assert.equal(await page.locator(".history li").count(), 2);
  assert.deepEqual(wrong, []);
  await close();
});

test("the heart keeps a sequence, and one of another user is seen only if it is public", async () => {
  const { page, wrong, close } = await open({ viewport: { width: 390, height: 780 }, colorScheme: "dark" });
  await signIn(page, "eve@example.com");
  await page.getByRole("button", { name: "Favorite: Happy Hips" }).click();
  await page.getByRole("button", { name: "Favorites" }).click();
  await page.getByRole("heading", { name: "Happy Hips" }).waitFor();
  await picture(page, "phone");
  await assertAccessible(page);
  await page.getByRole("button", { name: "Favorite: Happy Hips" }).click();
  await page.getByText("Mark a sequence with the heart").waitFor();
  await page.getByRole("button", { name: "Community" }).click();
  await page.getByText("Nobody has shared").waitFor();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert(width <= 390, `the page is ${width} wide`);
  assert.deepEqual(wrong, []);
  await close();
});
