// Tests the client and the components in Chromium against a live development server.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { createDoorcode } from "@doorcode/client";
import { readCode } from "@doorcode/client/testing";
import { launch, servePage, watch } from "./browser.mjs";
import { Doorcode } from "./support.mjs";

const GOOD = "seven otters at noon";
const BETTER = "eight otters at dawn";
const MINUTE = 60_000;

let server, site, browser;
let count = 0;
const address = () => `person-${(count += 1)}@example.com`;
const axe = await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

before(async () => {
  server = await Doorcode.start({ DOORCODE_LIMIT_SEND_NETWORK: "10000/15m", DOORCODE_LIMIT_API_CALLER: "100000/1m" });
  process.env.DOORCODE_URL = server.url;
  [site, browser] = await Promise.all([servePage(server.url), launch()]);
});
after(async () => {
  site.close();
  await browser.close();
  await server.remove();
});

/** A test with a browser context of its own, which fails on errors of its pages. */
function inBrowser(name, body) {
  test(name, async () => {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    context.setDefaultTimeout(10_000);
    const wrong = watch(context);
    const open = async () => {
      const page = await context.newPage();
      page.refreshes = 0;
      page.on("request", (request) => {
        if (request.postData()?.includes("mutation Refresh(")) page.refreshes += 1;
      });
      await page.goto(site.url);
      return page;
    };
    await body({ open, context });
    assert.deepEqual(wrong, []);
    await context.close();
  });
}

const shows = (page, text) => page.getByText(text).first().waitFor();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const account = (page, who) => page.getByRole("button", { name: `Account: ${who}` });
const signedInAs = (page, email) => page.locator("#who", { hasText: email }).waitFor();
const signedOut = (page) => page.getByLabel("Email address").waitFor();

async function requestCode(page, email) {
  await page.getByLabel("Email address").fill(email);
  await button(page, "Email me a code").click();
  await shows(page, "Check your email");
}

async function signIn(page, email = address()) {
  await requestCode(page, email);
  await page.keyboard.type(await readCode(email));
  await signedInAs(page, email);
  return email;
}

/** Moves the clock of all pages of a context, but not that of the server. */
const moveClock = (pages, milliseconds) =>
  Promise.all(pages.map((page) => page.evaluate((by) => ((now) => (Date.now = () => now() + by))(Date.now), milliseconds)));

async function isAccessible(page) {
  await page.evaluate(`${axe}; 0`).catch(() => page.addScriptTag({ content: axe }));
  const { violations } = await page.evaluate(() => axe.run(document.querySelector("#root")));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
}

inBrowser("a user signs in with a code, which submits itself, and a reload keeps the session", async ({ open }) => {
  const page = await open();
  await isAccessible(page);
  const email = await signIn(page);
  await page.reload();
  await signedInAs(page, email);
  await account(page, email).click();
  await isAccessible(page);
  await page.keyboard.press("Escape");
  assert.equal(await button(page, "Sign out").count(), 0);
  await account(page, email).click();
  await button(page, "Sign out").click();
  await signedOut(page);
});

inBrowser("a code in progress survives a reload, and a wrong code can be corrected", async ({ open }) => {
  const page = await open();
  const email = address();
  await requestCode(page, email);
  await page.reload();
  await shows(page, email);
  await isAccessible(page);
  const code = await readCode(email);
  await page.keyboard.type(code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)));
  await shows(page, "2 attempts left.");
  // Attempts are scarce, so the second code waits for the button.
  await page.keyboard.insertText(`Your code: ${code.slice(0, 4)} ${code.slice(4)}`);
  assert.equal(await page.getByLabel("Code from the email").inputValue(), code);
  await button(page, "Sign in").click();
  await signedInAs(page, email);
});

inBrowser("a user registers, signs in with the password, and resets it", async ({ open }) => {
  const page = await open();
  const email = address();
  await button(page, "Create an account").click();
  await isAccessible(page);
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("New password").fill("short");
  await page.getByLabel("Name (optional)").fill("Ada Lovelace");
  await button(page, "Create account").click();
  await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  await page.getByLabel("New password").fill(GOOD);
  await button(page, "Create account").click();
  await shows(page, "Check your email");
  await page.keyboard.type(await readCode(email));
  await signedInAs(page, email);
  assert.match(await account(page, "Ada Lovelace").textContent(), /^AL /);
  await page.evaluate(() => doorcode.signOut());

  await button(page, "Use a password").click();
  await isAccessible(page);
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password").fill(BETTER);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: /\w/ }).waitFor();
  await page.getByLabel("Password").fill(GOOD);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
  await page.evaluate(() => doorcode.signOut());

  await button(page, "Use a password").click();
  await page.getByLabel("Email address").fill(email);
  await button(page, "Forgot your password?").click();
  await button(page, "Email me a code").click();
  await shows(page, "Check your email");
  await isAccessible(page);
  await page.keyboard.type(await readCode(email));
  await page.getByLabel("New password").fill(BETTER);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
});

inBrowser("another email can be sent after the wait, by the clock of the server", async ({ open, context }) => {
  await context.addInitScript((by) => ((now) => (Date.now = () => now() + by))(Date.now), -5 * MINUTE);
  const page = await open();
  const email = address();
  await requestCode(page, email);
  const label = await page.getByRole("button", { name: /^Resend in/ }).textContent();
  assert.match(label, /^Resend in [01]:\d\d$/);
  const first = await readCode(email);
  await moveClock([page], 2 * MINUTE);
  await button(page, "Resend code").click();
  await readCode(email);
  await page.getByLabel("Code from the email").fill(first);
  await signedInAs(page, email);
});

inBrowser("two tabs refresh at once with one request", async ({ open }) => {
  const one = await open();
  const email = await signIn(one);
  const two = await open();
  await signedInAs(two, email);
  for (let round = 1; round <= 5; round += 1) {
    await moveClock([one, two], 20 * MINUTE);
    const before = await Promise.all([one, two].map((page) => page.evaluate(() => doorcode.getAccessToken())));
    assert.equal(before[0], before[1]);
    assert.equal(one.refreshes + two.refreshes, round);
  }
  for (const page of [one, two]) {
    const { data } = await page.evaluate(() => doorcode.query("{ me { email } }"));
    assert.equal(data.me.email, email);
  }
});

inBrowser("signing out, and signing out everywhere, reach the other tab", async ({ open }) => {
  const [one, two] = [await open(), await open()];
  const email = await signIn(one);
  await signedInAs(two, email);
  await one.evaluate(() => doorcode.signOut());
  await Promise.all([signedOut(one), signedOut(two)]);

  await signIn(two, email);
  await signedInAs(one, email);
  const elsewhere = createDoorcode({ url: server.url });
  const { data: pending } = await elsewhere.signIn.withCode(email);
  await pending.verify(await readCode(email));
  await account(two, email).click();
  await button(two, "Sign out everywhere").click();
  await Promise.all([signedOut(one), signedOut(two)]);
  assert.equal((await elsewhere.query("{ me { id } }")).problem.code, "UNAUTHENTICATED");
});

inBrowser("a session that ended elsewhere ends in all tabs", async ({ open }) => {
  const [one, two] = [await open(), await open()];
  const email = await signIn(one);
  server.command("user", "suspend", email);
  await signedInAs(two, email);
  await two.evaluate(() => doorcode.query("{ me { id } }"));
  await Promise.all([signedOut(one), signedOut(two)]);
  assert.deepEqual(await two.evaluate(() => problems), ["SESSION_ENDED", "UNAUTHENTICATED"]);
});

inBrowser("a session that is not remembered is in all tabs, but not in lasting storage", async ({ open }) => {
  const one = await open();
  await one.getByLabel("Stay signed in").uncheck();
  const email = await signIn(one);
  const two = await open();
  await signedInAs(two, email);
  const stored = await one.evaluate(() => JSON.stringify(localStorage));
  assert(!stored.includes("eyJ"), stored);
  await moveClock([one, two], 20 * MINUTE);
  await Promise.all([one, two].map((page) => page.evaluate(() => doorcode.getAccessToken())));
  await two.reload();
  await signedInAs(two, email);
  await two.evaluate(() => doorcode.signOut());
  await Promise.all([signedOut(one), signedOut(two)]);
});

inBrowser("where storage is refused, sign-in works, and new tabs have the session", async ({ open, context }) => {
  await context.addInitScript(() => {
    const refuse = { get: () => { throw new DOMException("refused", "SecurityError"); } };
    for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(globalThis, name, refuse);
  });
  const one = await open();
  const email = await signIn(one);
  const two = await open();
  await signedInAs(two, email);
  await moveClock([one, two], 20 * MINUTE);
  const tokens = await Promise.all([one, two].map((page) => page.evaluate(() => doorcode.getAccessToken())));
  assert.equal(tokens[0], tokens[1]);
});

inBrowser("without locks and channels, tabs still share one session", async ({ open, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "locks", { value: undefined });
    globalThis.BroadcastChannel = undefined;
  });
  const [one, two] = [await open(), await open()];
  const email = await signIn(one);
  await signedInAs(two, email);
  await moveClock([one, two], 20 * MINUTE);
  await Promise.all([one, two].map((page) => page.evaluate(() => doorcode.getAccessToken())));
  for (const page of [one, two]) {
    const { data } = await page.evaluate(() => doorcode.query("{ me { email } }"));
    assert.equal(data.me.email, email);
  }
  await one.evaluate(() => doorcode.signOut());
  await Promise.all([signedOut(one), signedOut(two)]);
});

inBrowser("a page refreshes before its token expires, not while it is offline, and again when it is back", async ({ open, context }) => {
  await context.addInitScript(() => {
    const { setTimeout } = globalThis;
    // Hours pass in milliseconds.
    globalThis.setTimeout = (work, wait, ...rest) => setTimeout(work, wait > 60_000 ? wait / 1000 : wait, ...rest);
  });
  const page = await open();
  await signIn(page);
  await page.waitForTimeout(1500);
  assert(page.refreshes >= 1, "no refresh");
  await context.setOffline(true);
  await page.waitForTimeout(300);
  page.refreshes = 0;
  await page.waitForTimeout(1500);
  assert.equal(page.refreshes, 0, "a refresh while offline");
  await context.setOffline(false);
  await page.waitForTimeout(1500);
  assert(page.refreshes >= 1, "no refresh when online again");
});

inBrowser("an unreachable server is a sentence in the form", async ({ open, context }) => {
  const page = await open();
  await context.setOffline(true);
  await page.getByLabel("Email address").fill(address());
  await button(page, "Email me a code").click();
  await shows(page, "Can’t reach the server. Check your connection and try again.");
  await context.setOffline(false);
  await button(page, "Email me a code").click();
  await shows(page, "Check your email");
});
