// Tests the pages of a running development server in Chromium, by keyboard only.
//
//   node run.mjs [BASE_URL] [--all] [--only TEXT] [--screenshots FOLDER]
//
// BASE_URL defaults to DOORCODE_URL. CHROMIUM is the path of the browser; the script downloads none. Requests to other
// hosts, console errors and content security policy violations count as failures. With --all, every screen is also
// checked at two widths, in light and dark, in five languages, offline, and with a server that is down.
//
// The server emails a sign-in link once the guessing budget of an address is used up. Set DOORCODE_GUESS_ACCOUNT to the
// number of guesses in the server's DOORCODE_LIMIT_GUESS_ACCOUNT. With the default of 20, the tests would need more
// codes than other limits allow, so run the server with a smaller number, as tests/run does.
//
// A server that sends mail over SMTP has no inbox. For such a server, set DOORCODE_MAIL_URL to the address of
// tests/lib/mailbox.py. The tests of the inbox are then skipped.

import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";
import { ask, base, check, mailbox, picture, test, tests, values } from "./kit.mjs";
import "./sign-in.mjs";
import "./passwords.mjs";
import "./links.mjs";
import "./account.mjs";
import "./session.mjs";
import "./developer.mjs";
if (values.all) await import("./matrix.mjs");

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
  // GraphiQL only sends the chosen operation. Send the other operations of its walk-through here, to validate them.
  const walk = await readFile(new URL("graphiql.js", web), "utf8");
  for (const [query] of walk.matchAll(/^(?:query|mutation) [A-Z][^]*?^}$/gm)) {
    const body = JSON.stringify({ query });
    const answer = await fetch(`${base}/graphql`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const code = (await answer.json()).errors?.[0].extensions.code;
    check(!["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"].includes(code), `the walk-through does not match the schema: ${query}`);
  }
  const asked = written.filter((name) => !(mailbox && /Inbox|NewestCode/.test(name)));
  const never = asked.filter((name) => !answered.has(name));
  check(values.only || never.length === 0, `never answered: ${never.join(", ")}`);
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
const chosen = tests.filter(({ name }) => !values.only || name.includes(values.only));
for (const { name, size, body, locale, colorScheme } of chosen) {
  if (!body) {
    skipped += 1;
    console.log(`skip   ${name}: this server has no inbox`);
    continue;
  }
  const context = await browser.newContext({ viewport: size, locale: locale ?? "en-GB", colorScheme: colorScheme ?? "light" });
  context.setDefaultTimeout(10_000);
  const faults = [];
  context.on("page", (page) => watch(page, faults));
  const page = await context.newPage();
  try {
    await body(page, faults);
    check(faults.length === 0, faults.join("\n       "));
    passed += 1;
    console.log(`ok     ${name}`);
  } catch (error) {
    await picture(page, "failed").catch(() => {});
    console.log(`FAILED ${name}\n       ${[error.message, ...faults].join("\n       ")}`);
  }
  await context.close();
}
await browser.close();
const failed = chosen.length - passed - skipped;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
