// Helpers of the browser tests: requests to the API, emails, keys and checks of a page.

import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

export const { values, positionals } = parseArgs({
  options: { all: { type: "boolean" }, theme: { type: "boolean" }, only: { type: "string" }, screenshots: { type: "string" } },
  allowPositionals: true,
});
export const base = new URL(positionals[0] ?? process.env.DOORCODE_URL ?? "http://localhost:4000").origin;
export const mailbox = process.env.DOORCODE_MAIL_URL;
const budget = Number(process.env.DOORCODE_GUESS_ACCOUNT ?? 20);
export let run = Date.now().toString(36);
/** Gives the next test other addresses. */
export const renew = () => {
  run = Date.now().toString(36);
};
export const phone = { width: 360, height: 740 };
export const desk = { width: 1280, height: 860 };
export const GOOD = "correct horse battery";
export const BETTER = "staple battery horse";

export const tests = [];
/** Registers a test. It fails on any request to another host, console error or failed response, except `refuses`. */
export const test = (name, size, body, options = {}) => tests.push({ name, size, body, ...options });
/** Registers a test that needs the development inbox. */
export const testOfInbox = (name, size, body, options = {}) => tests.push({ name, size, body: mailbox ? null : body, ...options });
const program = process.env.DOORCODE_BIN;
/** Registers a test that needs the program of the server, for `promote`. */
export const testOfProgram = (name, size, body, options = {}) => tests.push({ name, size, body: program ? body : null, ...options });

export const address = (name) => `${name}-${run}@example.com`;

export function check(holds, message) {
  if (!holds) throw new Error(message);
}

// ---- The API and emails --------------------------------------------------------------------------------------------

export async function ask(query, variables = {}, { from = base, token } = {}) {
  const response = await fetch(`${from}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${errors[0].message} (${errors[0].extensions?.code})`);
  return data;
}

const LOGIN = `mutation Login($input: LoginInput!) {
  login(input: $input) { __typename ... on CodeSent { challenge } ... on SignedIn { tokens { accessToken } } }
}`;
const VERIFY = `mutation Verify($input: VerifyInput!) {
  verify(input: $input) { __typename ... on InvalidCode { attemptsLeft } ... on SignedIn { tokens { accessToken refreshToken } } }
}`;
const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ... on CodeSent { challenge } } }`;

export const requestCode = async (email) => (await ask(LOGIN, { input: { email } })).login;
export const loginWith = async (email, password) => (await ask(LOGIN, { input: { email, password } })).login.__typename;

/** Creates an account with a password. */
export async function register(email, password = GOOD) {
  const { register: sent } = await ask(REGISTER, { input: { email, password } });
  const { verify } = await ask(VERIFY, { input: { challenge: sent.challenge, code: await codeFor(email) } });
  check(verify.__typename === "SignedIn", `${verify.__typename} instead of a new account`);
}

/** Signs in with a code other than `used`, which creates the account. Returns the tokens. */
export async function signInByApi(email, used = null) {
  const { challenge } = await requestCode(email);
  const { verify } = await ask(VERIFY, { input: { challenge, code: await codeFor(email, used) } });
  check(verify.__typename === "SignedIn", `${verify.__typename} instead of a sign-in`);
  return verify.tokens;
}

/** Gives an account another role. */
export async function promote(email, role) {
  const { PATH, DOORCODE_DATA } = process.env;
  await promisify(execFile)(program, ["user", "role", email, role], { env: { PATH, DOORCODE_DATA } });
}

/** Waits until something holds. `found` says what is there instead. */
export async function eventually(what, holds, found = () => "nothing") {
  for (let tries = 0; tries < 50; tries += 1) {
    if (await holds()) return;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`no ${what} within ten seconds, but ${await found()}`);
}

/** Waits until `find` returns a value for the newest email to an address, and returns that value. */
async function mailed(to, what, find) {
  for (let tries = 0; tries < 50; tries += 1) {
    const newest = "query Newest($to: String!) { inbox(to: $to, first: 1) { code text } }";
    const { inbox } = await ask(newest, { to }, { from: mailbox });
    const found = inbox[0] && find(inbox[0]);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`no ${what} was emailed to ${to} within ten seconds`);
}

/** The newest code emailed to an address, other than `not`. */
export const codeFor = (to, not = null) => mailed(to, "code", ({ code }) => (code === not ? null : code));
const linkOf = (kind) => (to) => mailed(to, `${kind} link`, ({ text }) => new RegExp(`https?:\\S+#${kind}=[\\w-]+`).exec(text)?.[0]);
export const linkFor = linkOf("link");
export const undoFor = linkOf("undo");
export const disownFor = linkOf("disown");

/** Another code of the same length. */
export const wrong = (code) => code.replace(/.$/, (last) => String((Number(last) + 1) % 10));

/** Spends the guessing budget of an address, so that its emails contain a link. */
export async function spendBudget(email) {
  let challenge = null;
  for (let guess = 1; guess <= budget; guess += 1) {
    if (!challenge) {
      const login = await requestCode(email);
      check(login.challenge, `${login.__typename} before ${budget} wrong codes: set DOORCODE_GUESS_ACCOUNT`);
      challenge = login.challenge;
    }
    const { verify } = await ask(VERIFY, { input: { challenge, code: "00000000" } });
    check(verify.__typename === "InvalidCode", `${verify.__typename} for wrong code ${guess} of ${budget}`);
    if (verify.attemptsLeft === 0) challenge = null;
  }
}

// ---- Keys and checks -----------------------------------------------------------------------------------------------

/** The selector of a field. Password managers also get a read-only one for the address. */
export const field = (name) => `input[name="${name}"]:not([readonly])`;
export const button = (page, name) => page.getByRole("button", { name, exact: true });

const locate = (page, what) => (typeof what === "string" ? page.locator(what) : what).first();

/** Presses Tab until the element has the focus. */
export async function tabTo(page, what) {
  await locate(page, what).waitFor();
  for (let presses = 0; presses < 40; presses += 1) {
    if (await locate(page, what).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${what}`);
}

/** Moves the focus to a button by keyboard, and presses it. The name of a button is enough. */
export async function press(page, what) {
  const target = typeof what === "string" && !/[[.#=]/.test(what) ? button(page, what) : what;
  await tabTo(page, target);
  await page.keyboard.press("Enter");
}

export async function focused(page, selector) {
  await page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
}

export async function sees(page, selector, text) {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: "visible" });
}

export const valueOf = (page, selector) => page.locator(selector).first().inputValue();

/** Replaces the value of the focused field. */
export async function retype(page, text) {
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}

export async function fits(page) {
  const extra = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(extra <= 0, `the page is ${extra} px wider than the window`);
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Checks the page, or a part of it, with axe-core, and that nothing is wider than the window. */
export async function accessible(page, name, part = "html") {
  await fits(page);
  await page.evaluate(axe);
  const found = await page.evaluate((part) =>
    window.axe.run(part, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }), part,
  );
  const text = found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
  check(text.length === 0, `axe-core on ${name}: ${text.join("; ")}`);
  await picture(page, name);
}

let shot = 0;
/** Takes a screenshot for `--screenshots FOLDER`. */
export async function picture(page, name) {
  if (!values.screenshots) return;
  shot += 1;
  await mkdir(values.screenshots, { recursive: true });
  await page.screenshot({ path: join(values.screenshots, `${String(shot).padStart(3, "0")}-${name}.png`) });
}

/** Modifies the server's responses to one operation. */
export async function alter(page, operation, change) {
  await page.route("**/graphql", async (route) => {
    if (!route.request().postData()?.includes(`${operation}(input`)) return route.fallback();
    const response = await route.fetch();
    const json = await response.json();
    change(json.data);
    return route.fulfill({ response, json });
  });
}

/** Answers one operation with an error. */
export const refuseWith = (page, operation, code, message, still = () => true) =>
  page.route("**/graphql", (route) => {
    if (!still() || !route.request().postData()?.includes(operation)) return route.fallback();
    return route.fulfill({ json: { data: null, errors: [{ message, extensions: { code, requestId: "r" } }] } });
  });

/** Changes what the server writes into the page. */
export const withShell = (page, change) =>
  page.route((url) => url.origin === base && ["/", "/sign-in", "/register", "/reset", "/account", "/authorize"].includes(url.pathname), async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    const body = html.replace(/data-shell="([^"]*)"/, (_, text) => {
      const shell = JSON.parse(text.replaceAll("&#34;", '"').replaceAll("&#38;", "&"));
      return `data-shell="${JSON.stringify({ ...shell, ...change }).replaceAll("&", "&#38;").replaceAll('"', "&#34;")}"`;
    });
    return route.fulfill({ response, body });
  });

export const soon = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

/** Removes expected failures from the faults. The browser logs an error for each of them. */
export function expectStatus(faults, status) {
  for (const fault of faults.splice(0)) if (!new RegExp(`\\b${status}\\b`).test(fault)) faults.push(fault);
}

/** Everything that this browser stores for the pages. */
export const stored = (page) => page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
/** The device token that this browser keeps for an address. */
export const deviceOf = (page, email) =>
  page.evaluate((key) => new Map(JSON.parse(localStorage.getItem("doorcode.devices"))).get(key), email);

// ---- Journeys that many tests share --------------------------------------------------------------------------------

export async function typeAddress(page, email) {
  await page.goto(`${base}/`);
  await typeAddressHere(page, email);
}

/** Types the address into the first form of this page, and requests a code. */
export async function typeAddressHere(page, email) {
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
}

/** Types a code. The first complete one is submitted by itself. */
export const enterCode = (page, code) => page.keyboard.type(code);

export async function signedInAs(page, email) {
  await sees(page, ".person", email);
}

/** Signs in by code. `not` is the code of an earlier email, which is ignored. */
export async function signIn(page, email, not = null) {
  await typeAddress(page, email);
  await enterCode(page, await codeFor(email, not));
  await signedInAs(page, email);
}

/** Opens the form for the password and types the address. */
export async function typePasswordAddress(page, email) {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await press(page, "Use a password");
  await focused(page, field("password"));
}

export async function signInWithPassword(page, email, password = GOOD) {
  await typePasswordAddress(page, email);
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
}

/** Opens a tab of the account. */
export async function openTab(page, name) {
  await press(page, page.getByRole("link", { name, exact: true }));
  await sees(page, "main h1", name);
}

/** Opens the form of a row of the account. */
export async function openRow(page, name) {
  await press(page, name);
}
