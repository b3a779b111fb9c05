// Tests the pages of a running development server in Chromium, by keyboard only.
//
//   node run.mjs [BASE_URL] [--all | --theme] [--only TEXT] [--screenshots FOLDER]
//
// BASE_URL defaults to DOORCODE_URL. CHROMIUM is the path of the browser; the script downloads none. Requests to other
// hosts, console errors and content security policy violations count as failures. A test that fails runs again once, and
// counts as flaky if it passes then. With --theme, only the look that an
// operator sets is checked, on a server with the settings that tests/run has for it. With --all, every screen is also
// checked at two widths, in light and dark, in five languages, offline, and with a server that is down.
//
// The server emails a sign-in link once the guessing budget of an address is used up. Set DOORCODE_GUESS_ACCOUNT to the
// number of guesses in the server's DOORCODE_LIMIT_GUESS_ACCOUNT. With the default of 20, the tests would need more
// codes than other limits allow, so run the server with a smaller number, as tests/run does.
//
// DOORCODE_BIN and DOORCODE_DATA are the program and the data folder of the server, for tests that need an administrator.
// The application `notes` has to be registered with the redirect URI http://127.0.0.1/callback.
//
// A server that sends mail over SMTP has no inbox. For such a server, set DOORCODE_MAIL_URL to the address of
// tests/lib/mailbox.py. The tests of the inbox are then skipped.

import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { ask, base, check, mailbox, picture, renew, test, tests, values } from "./kit.mjs";

const suites = ["sign-in", "passwords", "links", "account", "keys", "session", "authorize", "console", "inbox", "graphiql"];
if (values.all) suites.push("matrix");
for (const suite of values.theme ? ["theme"] : suites) await import(`./${suite}.mjs`);

const switches = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const answered = new Set();
const operations = (text) => [...text.matchAll(/\b(?:query|mutation) ([A-Z]\w*)/g)].map(([, name]) => name);

// This test must be the last one, because it checks which operations the earlier tests have sent.
test("every operation in the pages' scripts was answered by the server", { width: 800, height: 600 }, async () => {
  const web = new URL("../../web/", import.meta.url);
  const written = JSON.parse(await readFile(new URL("src/api/operations.json", web), "utf8")).flatMap(operations);
  check(written.length > 20, `only ${written.length} operations were found`);
  const asked = written.filter((name) => !(mailbox && /Inbox|NewestCode/.test(name)));
  const never = asked.filter((name) => !answered.has(name));
  check(values.only || values.theme || never.length === 0, `never answered: ${never.join(", ")}`);
});

/** Records everything that a page must not do: errors, and requests to other hosts. */
function watch(page, faults) {
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== base && !["data:", "about:", "blob:"].includes(protocol)) faults.push(`request to ${request.url()}`);
  });
  page.on("response", (response) => {
    const request = response.request();
    if (request.url() === `${base}/graphql` && response.status() === 200) {
      for (const name of operations(request.postDataJSON().query)) answered.add(name);
    }
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  page.on("console", (message) => {
    const text = message.text();
    const policy = /content security policy|permissions-policy|trusted/i.test(text);
    if (message.type() === "error" || policy) faults.push(`console: ${text} (${message.location().url})`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
}

await ask("{ signInOptions { brand } }"); // Fails early if there is no server.
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: switches });
let passed = 0;
let skipped = 0;
let flaky = 0;

/** Runs a test in a context of its own, and returns why it failed, or null. */
async function attempt({ size, body, locale, colorScheme, refuses }) {
  const context = await browser.newContext({ viewport: size, locale: locale ?? "en-GB", colorScheme: colorScheme ?? "light" });
  context.setDefaultTimeout(10_000);
  const faults = [];
  context.on("page", (page) => watch(page, faults));
  const page = await context.newPage();
  try {
    await body(page, faults);
    // What the browser says about something that it had to refuse.
    if (refuses) for (const fault of faults.splice(0)) if (!refuses.test(fault)) faults.push(fault);
    check(faults.length === 0, faults.join("\n       "));
    return null;
  } catch (error) {
    await picture(page, "failed").catch(() => {});
    return [error.message, ...faults].join("\n       ");
  } finally {
    await context.close();
  }
}

const chosen = tests.filter(({ name }) => !values.only || name.includes(values.only));
for (const each of chosen) {
  const { name, body } = each;
  if (!body) {
    skipped += 1;
    console.log(`skip   ${name}: needs what this run does not have`);
    continue;
  }
  let why = await attempt(each);
  if (why !== null) {
    console.log(`again  ${name}\n       ${why}`);
    renew();
    why = await attempt(each);
    if (why === null) flaky += 1;
  }
  if (why === null) passed += 1;
  console.log(why === null ? `ok     ${name}` : `FAILED ${name}\n       ${why}`);
}
await browser.close();
const failed = chosen.length - passed - skipped;
const also = Object.entries({ skipped, flaky }).filter(([, number]) => number > 0);
console.log([`${passed} passed`, `${failed} failed`, ...also.map(([what, number]) => `${number} ${what}`)].join(", "));
process.exitCode = failed === 0 ? 0 : 1;
