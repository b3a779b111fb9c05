// Tests the pages of a running development server in Chromium, by keyboard only.
//
//   node sign-in.mjs [BASE_URL] [--screenshots DIR]
//
// BASE_URL defaults to DOORCODE_URL. CHROMIUM is the path of the browser; the script downloads none. Requests to other
// hosts, console errors and content security policy violations count as failures.
//
// The server emails a sign-in link once the guessing budget of an address is used up. Set DOORCODE_GUESS_ACCOUNT to the
// number of guesses in the server's DOORCODE_LIMIT_GUESS_ACCOUNT. With the default of 20, the tests would need more
// codes than other limits allow, so run the server with a smaller number, as tests/run does.
//
// A server that sends mail over SMTP has no inbox. For such a server, set DOORCODE_MAIL_URL to the address of
// tests/lib/mailbox.py. The tests of the inbox page are then skipped.

import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { passwordTests } from "./passwords.mjs";

const { values, positionals } = parseArgs({ options: { screenshots: { type: "string" } }, allowPositionals: true });
const base = new URL(positionals[0] ?? process.env.DOORCODE_URL ?? "http://localhost:4000").origin;
const mailbox = process.env.DOORCODE_MAIL_URL;
const budget = Number(process.env.DOORCODE_GUESS_ACCOUNT ?? 20);
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
const run = Date.now().toString(36);
const tests = [];
const test = (name, size, body) => tests.push({ name, size, body });
const testOfInbox = (name, size, body) => tests.push({ name, size, body: mailbox ? null : body });
const phone = { width: 360, height: 740 };
const desk = { width: 1280, height: 860 };

function check(holds, message) {
  if (!holds) throw new Error(message);
}

async function ask(query, variables = {}, from = base) {
  const response = await fetch(`${from}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${errors[0].message} (${errors[0].extensions?.code})`);
  return data;
}

/** Waits until `find` returns a value for the newest email to an address, and returns that value. */
async function mailed(to, what, find) {
  for (let tries = 0; tries < 50; tries += 1) {
    const newest = "query Newest($to: String!) { inbox(to: $to, first: 1) { code text } }";
    const { inbox } = await ask(newest, { to }, mailbox);
    const found = inbox[0] && find(inbox[0]);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`no ${what} was emailed to ${to} within ten seconds`);
}

/** The newest code emailed to an address, other than `not`. */
function codeFor(to, not = null) {
  return mailed(to, "code", ({ code }) => (code === not ? null : code));
}

function linkFor(to) {
  return mailed(to, "link", ({ text }) => /https?:\S+#link=[\w-]+/.exec(text)?.[0]);
}

function undoFor(to) {
  return mailed(to, "undo link", ({ text }) => /https?:\S+#undo=[\w-]+/.exec(text)?.[0]);
}

function disownFor(to) {
  return mailed(to, "link “This wasn't me”", ({ text }) => /https?:\S+#disown=[\w-]+/.exec(text)?.[0]);
}

/** Spends the guessing budget of an address, so that its emails contain a link. */
async function spendBudget(email) {
  let challenge = null;
  for (let wrong = 0; wrong < budget; wrong += 1) {
    if (!challenge) {
      const { login } = await ask(
        `mutation Login($input: LoginInput!) { login(input: $input) { __typename ... on CodeSent { challenge } } }`,
        { input: { email } },
      );
      check(login.challenge, `${login.__typename} before ${budget} wrong codes: set DOORCODE_GUESS_ACCOUNT`);
      challenge = login.challenge;
    }
    const { verify } = await ask(
      `mutation Verify($input: VerifyInput!) {
        verify(input: $input) { __typename ... on InvalidCode { attemptsLeft } }
      }`,
      { input: { challenge, code: "00000000" } },
    );
    check(verify.__typename === "InvalidCode", `${verify.__typename} for wrong code ${wrong + 1} of ${budget}`);
    if (verify.attemptsLeft === 0) challenge = null;
  }
}

/** Presses Tab until the element has the focus. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 30; presses += 1) {
    if (await page.locator(selector).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${selector}`);
}

async function focused(page, selector) {
  await page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
}

async function sees(page, selector, text) {
  await page.locator(selector).filter({ hasText: text }).first().waitFor({ state: "visible" });
}

async function fits(page) {
  const extra = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(extra <= 0, `the page is ${extra} px wider than the window`);
}

let shot = 0;
async function picture(page, name) {
  if (!values.screenshots) return;
  shot += 1;
  await page.screenshot({ path: join(values.screenshots, `${String(shot).padStart(2, "0")}-${name}.png`) });
}

async function typeAddress(page, email) {
  await page.goto(`${base}/`);
  await focused(page, "#email");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, "#code");
}

/** Signs in by code. `not` is the code of an earlier email, which is ignored. */
async function signIn(page, email, not = null) {
  await typeAddress(page, email);
  const code = await codeFor(email, not);
  await page.keyboard.type(`${code.slice(0, 4)} ${code.slice(4)}`);
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);
}

for (const [label, size] of [["phone", phone], ["desk", desk]]) {
  test(`on a ${label}, a person signs in, stays signed in and signs out`, size, async (page) => {
    const email = `${label}-${run}@example.com`;
    await page.goto(`${base}/`);
    await focused(page, "#email");
    await fits(page);
    await picture(page, `${label}-address`);
    await typeAddress(page, email);
    await sees(page, "#code-email", email);
    await fits(page);
    await picture(page, `${label}-code`);
    await page.keyboard.type(await codeFor(email));
    await page.keyboard.press("Enter");
    await sees(page, "#done-title", `You're signed in as ${email}`);
    await focused(page, "#done-title");
    await fits(page);
    await picture(page, `${label}-signed-in`);
    await page.reload();
    await sees(page, "#done-title", `You're signed in as ${email}`);
    await tabTo(page, "#sign-out");
    await page.keyboard.press("Enter");
    await focused(page, "#email");
    await sees(page, "#status", "You're signed out.");
    const left = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
    check(!left.includes("Token"), "the tab still has a token after signing out");
    await page.reload();
    await focused(page, "#email");
  });
}

test("a wrong code shows an error at its field and costs an attempt", phone, async (page) => {
  const email = `wrong-${run}@example.com`;
  await typeAddress(page, email);
  const code = await codeFor(email);
  await page.keyboard.type("1234");
  await page.keyboard.press("Enter");
  await sees(page, "#code-error", "The code has 8 digits.");
  await sees(page, "#code-tries", "3 attempts left.");
  await page.locator("#code").selectText();
  await page.keyboard.type(code.replace(/.$/, (last) => String((Number(last) + 1) % 10)));
  await page.keyboard.press("Enter");
  await sees(page, "#code-tries", "2 attempts left.");
  check((await page.locator("#code-error").textContent()).length > 5, "no error is shown");
  check((await page.locator("#code").getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
  check((await page.locator("#code").getAttribute("aria-describedby")).includes("code-error"), "the error is not tied to the field");
  await focused(page, "#code");
  await picture(page, "phone-wrong-code");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", email);
});

test("an invalid address shows an error, and another can be used", desk, async (page) => {
  await page.goto(`${base}/`);
  await focused(page, "#email");
  await page.keyboard.type("not an address");
  await page.keyboard.press("Enter");
  await page.locator("#email[aria-invalid=true]").waitFor();
  check((await page.locator("#email-error").textContent()).length > 5, "no error is shown");
  await picture(page, "desk-wrong-address");
  await typeAddress(page, `first-${run}@example.com`);
  await tabTo(page, "#code-back");
  await page.keyboard.press("Enter");
  await focused(page, "#email");
});

test("a sign-in link is taken from the address bar and used only by its button", phone, async (page) => {
  const calls = [];
  page.on("request", (request) => calls.push(request.postData() ?? ""));
  await page.goto(`${base}/#link=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await sees(page, "h1", "Sign in on this device?");
  check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
  await page.waitForTimeout(300);
  check(!calls.some((body) => body.includes("verifyLink")), "opening the link used it");
  await picture(page, "phone-link");
  await tabTo(page, "#link-confirm");
  await page.keyboard.press("Enter");
  await page.locator("#link-error:not(:empty)").waitFor();
  check(calls.some((body) => body.includes("verifyLink")), "the button did nothing");
  await focused(page, "#link-back");
});

test("after too many guesses, the link in the email signs in", phone, async (page) => {
  const email = `narrow-${run}@example.com`;
  await spendBudget(email);
  await typeAddress(page, email);
  await page.goto(await linkFor(email));
  await sees(page, "h1", "Sign in on this device?");
  check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
  check(!(await page.locator("#link-session").isVisible()), "a session is shown");
  await tabTo(page, "#link-confirm");
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);
  await sees(page, "#done-caution", "Not your address?");
  await fits(page);
  await picture(page, "phone-link-signed-in");
});

test("another account's link in a signed-in tab warns first and keeps the device token", phone, async (page) => {
  const email = `mine-${run}@example.com`;
  const other = `other-${run}@example.com`;
  await spendBudget(other);
  await ask("mutation Login($input: LoginInput!) { login(input: $input) { __typename } }", { input: { email: other } });
  const link = await linkFor(other);
  await signIn(page, email);
  check(!(await page.locator("#done-caution").isVisible()), "the caution about links is shown after a code");
  const [accessToken, device] = await page.evaluate((address) => [
    JSON.parse(sessionStorage.getItem("doorcode.tokens")).accessToken,
    new Map(JSON.parse(localStorage.getItem("doorcode.devices"))).get(address),
  ], email);

  await page.goto(link);
  await sees(page, "#link-session", `You're signed in as ${email}.`);
  await focused(page, "#step-link h1");
  await fits(page);
  await picture(page, "phone-link-while-signed-in");
  await tabTo(page, "#link-back");
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);

  await page.goto(link);
  await sees(page, "#link-session", `You're signed in as ${email}.`);
  const used = page.waitForRequest((request) => request.postData()?.includes("verifyLink(input"));
  await tabTo(page, "#link-confirm");
  await page.keyboard.press("Enter");
  const { authorization } = (await used).headers();
  check(authorization === `Bearer ${accessToken}`, "the previous access token is not sent");
  await sees(page, "#done-title", `You're signed in as ${other}`);
  await tabTo(page, "#sign-out");
  await page.keyboard.press("Enter");
  await focused(page, "#email");

  const asked = page.waitForRequest((request) => request.postData()?.includes("login(input"));
  await page.keyboard.type(` ${email.toUpperCase()}`);
  await page.keyboard.press("Enter");
  const { deviceToken } = (await asked).postDataJSON().variables.input;
  check(device && deviceToken === device, "the first account's device token is lost");
  await focused(page, "#code");
});

/** Opens a part of the account and moves the focus to its first field or button. */
async function open(page, part) {
  await tabTo(page, `#part-${part} summary`);
  await page.keyboard.press("Enter");
  await page.locator(`#part-${part}[open]`).waitFor();
  await page.keyboard.press("Tab");
}

/** Changes the address of the signed-in user. */
async function changeAddress(page, email) {
  await open(page, "address");
  await focused(page, "#change");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, "#prove");
  await sees(page, "#prove-email", email);
  await page.keyboard.type(await codeFor(email));
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);
}

const tokensOf = (page) => page.evaluate(() => sessionStorage.getItem("doorcode.tokens"));

for (const [label, size, colorScheme] of [["phone", phone, "dark"], ["desk", desk, "light"]]) {
  test(`on a ${label}, an address change is undone by keyboard, which ends all sessions`, size, async (page, faults) => {
    await page.emulateMedia({ colorScheme });
    const email = `undo-${label}-${run}@example.com`;
    const thief = `thief-${label}-${run}@example.com`;
    await signIn(page, email);
    await changeAddress(page, thief);
    const elsewhere = await page.context().newPage();
    await signIn(elsewhere, thief, await codeFor(thief));
    const stranger = await page.context().newPage();
    await signIn(stranger, `stranger-${label}-${run}@example.com`);

    const calls = [];
    page.on("request", (request) => calls.push(request.postData() ?? ""));
    await page.goto(await undoFor(email));
    await sees(page, "h1", "Did someone else change your email address?");
    await focused(page, "#step-undo h1");
    check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
    await page.waitForTimeout(300);
    check(!calls.some((body) => body.includes("undoEmailChange")), "opening the link used it");
    await fits(page);
    await picture(page, `${label}-undo`);
    await tabTo(page, "#undo-confirm");
    await page.keyboard.press("Enter");
    await sees(page, "#status", "all of its sessions have ended");
    await focused(page, "#email");
    await fits(page);
    await picture(page, `${label}-undone`);
    check(!(await tokensOf(page)), "tokens of an ended session are kept");
    check(!(await page.locator("#step-done").isVisible()), "the account is still shown");
    await sees(elsewhere, "#status", "Your session has ended.");
    await sees(stranger, "#done-title", "You're signed in as stranger-");

    await page.keyboard.type(email);
    await page.keyboard.press("Enter");
    await focused(page, "#code");
    await page.keyboard.type(await codeFor(email));
    await page.keyboard.press("Enter");
    await sees(page, "#done-title", `You're signed in as ${email}`);
    expect401(faults);
  });
}

test("an invalid undo link shows an error and keeps the session", phone, async (page) => {
  const email = `kept-${run}@example.com`;
  await signIn(page, email);
  await page.goto(`${base}/#undo=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await focused(page, "#step-undo h1");
  await tabTo(page, "#undo-confirm");
  await page.keyboard.press("Enter");
  await sees(page, "#undo-error", "This link has expired or was already used.");
  check(!(await page.locator("#undo-confirm").isVisible()), "a used link can be tried again");
  await focused(page, "#undo-back");
  await fits(page);
  await picture(page, "phone-undo-expired");
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);
  // A user who opens the link but does not use it keeps the session, too.
  await page.goto(`${base}/#undo=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`);
  await focused(page, "#step-undo h1");
  await tabTo(page, "#undo-back");
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${email}`);
});

test("a user changes the name, which is shown as text", phone, async (page) => {
  await signIn(page, `name-${run}@example.com`);
  await open(page, "name");
  await focused(page, "#name");
  await page.keyboard.type("Ada <b>Lovelace</b>");
  await page.keyboard.press("Enter");
  await sees(page, "#status", "Name saved: Ada <b>Lovelace</b>");
  await sees(page, "#name-now", "Ada <b>Lovelace</b>");
  await fits(page);
  await picture(page, "phone-name");
  await page.locator("#name").selectText();
  await page.keyboard.type("é".repeat(101));
  await page.keyboard.press("Enter");
  await sees(page, "#name-error", "A name can have at most 100 characters.");
  check((await page.locator("#name").getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
  await picture(page, "phone-name-too-long");
  await page.reload();
  await sees(page, "#name-now", "Ada <b>Lovelace</b>");
  await open(page, "name");
  await page.locator("#name").selectText();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Enter");
  await sees(page, "#status", "Name removed.");
  check((await page.locator("#name-now").textContent()) === "", "the name is still shown");
});

test("a user changes the address with a code sent to the new one", phone, async (page) => {
  const email = `before-${run}@example.com`;
  const next = `after-${run}@example.com`;
  await signIn(page, email);
  const devicesOf = () => page.evaluate(() => JSON.parse(localStorage.getItem("doorcode.devices")));
  const [[, device]] = await devicesOf();
  await open(page, "address");
  await focused(page, "#change");
  await picture(page, "phone-address-change");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await sees(page, "#change-error", "This is already your address.");
  await focused(page, "#change");
  await page.locator("#change").selectText();
  await page.keyboard.type(next);
  await page.keyboard.press("Enter");
  await focused(page, "#prove");
  const code = await codeFor(next);
  await page.keyboard.type("12");
  await page.keyboard.press("Enter");
  await sees(page, "#prove-error", "The code has 8 digits.");
  await page.locator("#prove").selectText();
  await page.keyboard.type(code.replace(/.$/, (last) => String((Number(last) + 1) % 10)));
  await page.keyboard.press("Enter");
  await sees(page, "#prove-tries", "2 attempts left.");
  await sees(page, "#prove-error", "That code isn't right.");
  await fits(page);
  await picture(page, "phone-address-code");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", `You're signed in as ${next}`);
  await focused(page, "#done-title");
  await sees(page, "#status", "Your email address is changed.");
  check(await page.locator("#change-form").isHidden(), "the email address form is still open");
  await picture(page, "phone-address-changed");
  await undoFor(email);
  check(JSON.stringify(await devicesOf()) === JSON.stringify([[next, device]]), "the device token is lost");
  await page.reload();
  await sees(page, "#done-title", `You're signed in as ${next}`);
});

test("a taken address and an expired code lead back", desk, async (page) => {
  await signIn(page, `late-${run}@example.com`);
  let outcome = { __typename: "EmailTaken", message: "This address is already in use." };
  await alter(page, "confirmEmail", (data) => (data.confirmEmail = outcome));
  await open(page, "address");
  await page.keyboard.type(`wanted-${run}@example.com`);
  await page.keyboard.press("Enter");
  await focused(page, "#prove");
  await page.keyboard.type("12345678");
  await page.keyboard.press("Enter");
  await sees(page, "#change-error", "This address is already in use.");
  await focused(page, "#change");
  outcome = { __typename: "CodeExpired", message: "That code no longer works." };
  await page.keyboard.press("Enter");
  await focused(page, "#prove");
  await page.keyboard.type("12345678");
  await page.keyboard.press("Enter");
  await sees(page, "#prove-error", "That code no longer works.");
  await focused(page, "#prove-back");
  await picture(page, "desk-address-code-dead");
  await page.keyboard.press("Enter");
  await focused(page, "#change");
  await alter(page, "changeEmail", (data) => {
    data.changeEmail = { __typename: "RateLimited", message: "Too many attempts.", retryAt: soon(30) };
  });
  await page.keyboard.press("Enter");
  await sees(page, "#change-error", "Too many attempts.");
  await sees(page, "#change-submit", " in ");
});

test("an action that needs a recent sign-in asks for one and continues", phone, async (page) => {
  const email = `again-${run}@example.com`;
  await signIn(page, email);
  const first = await codeFor(email);
  let long = true;
  await page.route("**/graphql", (route) => {
    if (!long || !route.request().postData()?.includes("changeEmail(input")) return route.fallback();
    const extensions = { code: "REAUTHENTICATION_REQUIRED", requestId: "r" };
    const message = "Sign in again first. This needs a sign-in within the last ten minutes.";
    return route.fulfill({ json: { data: null, errors: [{ message, extensions }] } });
  });
  await open(page, "address");
  await page.keyboard.type(`new-${run}@example.com`);
  await page.keyboard.press("Enter");
  await sees(page, "#step-again", "This needs a sign-in within the last ten minutes");
  await sees(page, "#again-email", email);
  await focused(page, "#step-again h1");
  await fits(page);
  await picture(page, "phone-again");
  await tabTo(page, "#again-back");
  await page.keyboard.press("Enter");
  await focused(page, "#change-submit");
  await page.keyboard.press("Enter");
  await tabTo(page, "#again-submit");
  await page.keyboard.press("Enter");
  await focused(page, "#code");
  long = false;
  await page.keyboard.type(await codeFor(email, first));
  await page.keyboard.press("Enter");
  await sees(page, "#status", "You can continue where you left off.");
  await focused(page, "#change-submit");
  await picture(page, "phone-again-back");
  await page.keyboard.press("Enter");
  await focused(page, "#prove");
  await sees(page, "#prove-email", `new-${run}@example.com`);
});

test("a user downloads their data", desk, async (page) => {
  const email = `export-${run}@example.com`;
  await signIn(page, email);
  await open(page, "export");
  await focused(page, "#export-submit");
  const download = page.waitForEvent("download");
  await page.keyboard.press("Enter");
  const file = await download;
  check(/^account-\d{4}-\d\d-\d\d\.json$/.test(file.suggestedFilename()), file.suggestedFilename());
  const copy = JSON.parse(await readFile(await file.path(), "utf8"));
  check(copy.user.email === email && copy.sessions.length === 1, "the exported data is not that of this user");
  await sees(page, "#status", "Your data was downloaded as account-");
  await focused(page, "#export-submit");
  await picture(page, "desk-export");
});

test("a user deletes the account after typing the address", phone, async (page) => {
  const email = `gone-${run}@example.com`;
  await signIn(page, email);
  await open(page, "delete");
  await focused(page, "#delete");
  await page.keyboard.press("Enter");
  await sees(page, "#delete-error", "Enter your email address to delete your account.");
  await page.keyboard.type(`someone-${run}@example.com`);
  await page.keyboard.press("Enter");
  await page.locator("#delete[aria-invalid=true]").waitFor();
  await sees(page, "#delete-error", "Type your own address to delete your account.");
  await fits(page);
  await picture(page, "phone-delete");
  await page.locator("#delete").selectText();
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await sees(page, "#status", "Your account is deleted.");
  await focused(page, "#email");
  await picture(page, "phone-deleted");
  const left = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));
  check(!left.includes(email) && !left.includes("Token"), "data of the account is left in the browser");
  check((await page.locator("#email").inputValue()) === "", "the address is left in the field");
  await page.reload();
  await focused(page, "#email");
});

test("form input is not kept for the next user", desk, async (page) => {
  const email = `typed-${run}@example.com`;
  await signIn(page, email);
  await open(page, "address");
  await page.keyboard.type(`secret-${run}@example.com`);
  await tabTo(page, "#part-delete summary");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("half");
  await picture(page, "desk-parts-open");
  await page.locator("#sign-out").focus();
  await page.keyboard.press("Enter");
  await focused(page, "#email");
  const values = await page.locator("#step-done input").evaluateAll((all) => all.map((input) => input.value).join(""));
  check(values === "", `left in the fields: ${values}`);
  check((await page.locator("#step-done details[open]").count()) === 0, "a part is still open");
});

test("GraphiQL loads the schema and runs the walk-through's login", desk, async (page) => {
  await page.goto(`${base}/graphiql`);
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  // GraphiQL's documentation panel lists the root types once the introspection has succeeded.
  await page.locator('button[aria-label="Show Documentation Explorer"]').click();
  await sees(page, ".graphiql-doc-explorer", "Mutation");
  await page.locator('button[aria-label="Hide Documentation Explorer"]').click();
  // Use a unique address, because that of the walk-through may have reached its rate limit on this server.
  const variables = page.locator('.graphiql-editor-tool .CodeMirror:visible');
  await variables.evaluate((element, email) => {
    const given = JSON.parse(element.CodeMirror.getValue());
    element.CodeMirror.setValue(JSON.stringify({ ...given, email }));
  }, `graphiql-${run}@example.com`);
  const editor = page.locator(".graphiql-query-editor .CodeMirror");
  await editor.evaluate((element) => {
    element.CodeMirror.focus();
    const line = element.CodeMirror.getValue().split("\n").findIndex((text) => text.startsWith("mutation Login"));
    element.CodeMirror.setCursor(line, 5);
  });
  await page.keyboard.press("Control+Enter");
  await sees(page, ".result-window", "CodeSent");
  await page.waitForTimeout(700);
  check((await page.locator(".graphiql-query-editor .CodeMirror-lint-mark-error").count()) === 0, "the walk-through does not match the schema");
  await picture(page, "desk-graphiql");
  await page.reload();
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  check((await page.locator(".graphiql-tab").count()) === 1, "a reload opens another tab");
  check((await page.evaluate(() => localStorage.length)) === 0, "GraphiQL stores data in localStorage");
});

testOfInbox("the inbox shows emails, their code and their HTML without scripts", phone, async (page) => {
  const email = `reader-${run}@example.com`;
  await ask("mutation Login($input: LoginInput!) { login(input: $input) { __typename } }", { input: { email } });
  const code = await codeFor(email);
  await page.goto(`${base}/inbox`);
  await tabTo(page, "#filter");
  await page.keyboard.type(email);
  await sees(page, ".messages .digits", code);
  await sees(page, "#count", "1 email.");
  await fits(page);
  await picture(page, "phone-inbox");
  const item = page.locator(".messages > li:visible");
  await item.locator(".html summary").focus();
  await page.keyboard.press("Enter");
  const frame = item.locator("iframe");
  check((await frame.getAttribute("sandbox")) === "", "the frame's sandbox allows an action");
  check((await frame.getAttribute("src")) === null, "the frame has a URL");
  await item.locator(".text summary").focus();
  await page.keyboard.press("Enter");
  await sees(page, ".messages pre", code.slice(0, 4));
  // A new email must not close open parts.
  await ask("mutation Login($input: LoginInput!) { login(input: $input) { __typename } }", { input: { email } });
  await sees(page, "#count", "2 emails.");
  check(await item.locator(".text[open]").isVisible(), "a new email closed an open part");
  await item.last().locator("iframe").scrollIntoViewIfNeeded();
  await picture(page, "phone-inbox-open");
});

/** Removes expected 401 responses from the faults. The browser logs an error for each of them. */
function expect401(faults) {
  for (const fault of faults.splice(0)) if (!/\b401\b/.test(fault)) faults.push(fault);
}

/** Modifies the server's responses to one operation. */
async function alter(page, operation, change) {
  await page.route("**/graphql", async (route) => {
    if (!route.request().postData()?.includes(`${operation}(input`)) return route.fallback();
    const response = await route.fetch();
    const json = await response.json();
    change(json.data);
    return route.fulfill({ response, json });
  });
}

const soon = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

test("a code can be resent after the wait, and the old one still works", phone, async (page) => {
  const email = `resend-${run}@example.com`;
  await alter(page, "login", (data) => (data.login.resendAt = soon(3)));
  await typeAddress(page, email);
  const first = await codeFor(email);
  await tabTo(page, "#code-resend");
  await page.keyboard.press("Enter");
  check((await page.locator("#code-resend").getAttribute("aria-disabled")) === "true", "the button does not wait");
  await page.locator("#code-resend[aria-disabled=false]").waitFor();
  await focused(page, "#code-resend");
  await page.keyboard.press("Enter");
  await sees(page, "#status", `Check ${email} for a new code.`);
  await focused(page, "#code");
  await codeFor(email, first);
  await page.keyboard.type(first);
  await page.keyboard.press("Enter");
  await sees(page, "#done-title", email);
});

test("a rate limit counts down and can then be retried", phone, async (page) => {
  let refuse = true;
  await alter(page, "login", (data) => {
    if (refuse) data.login = { __typename: "RateLimited", message: "Too many codes were asked for.", retryAt: soon(4) };
    refuse = false;
  });
  await page.goto(`${base}/`);
  await focused(page, "#email");
  await page.keyboard.type(`refused-${run}@example.com`);
  await page.keyboard.press("Enter");
  await sees(page, "#email-error", "Too many codes were asked for.");
  await sees(page, "#email-error", "If you got an email with a sign-in link, use that.");
  await sees(page, "#email-submit", " in ");
  await picture(page, "phone-refused");
  await page.locator("#email-submit[aria-disabled=false]").waitFor();
  await focused(page, "#email");
  await page.keyboard.press("Enter");
  await focused(page, "#code");
});

test("an access token is renewed before it ends, and when the server refuses it", desk, async (page, faults) => {
  await alter(page, "verify", (data) => (data.verify.tokens.expiresAt = soon(14)));
  await signIn(page, `renewed-${run}@example.com`);
  // Wait until the page has stored its tokens, because it would overwrite those below.
  const renewedEarly = () => Date.parse(JSON.parse(sessionStorage.getItem("doorcode.tokens")).expiresAt) > Date.now() + 60_000;
  await page.waitForFunction(renewedEarly, null, { timeout: 20_000 });
  await page.evaluate(() => {
    const tokens = JSON.parse(sessionStorage.getItem("doorcode.tokens"));
    sessionStorage.setItem("doorcode.tokens", JSON.stringify({ ...tokens, accessToken: `${tokens.accessToken}x` }));
  });
  const renewed = page.waitForResponse((response) => response.request().postData()?.includes("refresh(input"));
  await page.reload();
  await renewed;
  await sees(page, "#done-title", "You're signed in as");
  // With both tokens invalid, the user must sign in again.
  await page.evaluate(() => {
    const tokens = JSON.parse(sessionStorage.getItem("doorcode.tokens"));
    sessionStorage.setItem("doorcode.tokens", JSON.stringify({ ...tokens, accessToken: "x", refreshToken: "x" }));
  });
  await page.reload();
  await sees(page, "#status", "Your session has ended.");
  await focused(page, "#email");
  expect401(faults);
});

test("two tabs with one session renew it together, and sign out together", desk, async (page) => {
  const email = `tabs-${run}@example.com`;
  await signIn(page, email);
  const tokens = await page.evaluate(() => sessionStorage.getItem("doorcode.tokens"));
  const twin = await page.context().newPage();
  await twin.addInitScript((copy) => {
    if (!sessionStorage.getItem("seen")) sessionStorage.setItem("doorcode.tokens", copy);
    sessionStorage.setItem("seen", "yes");
  }, tokens);
  await twin.goto(`${base}/`);
  await sees(twin, "#done-title", email);
  await tabTo(twin, "#sign-out");
  await twin.keyboard.press("Enter");
  await sees(twin, "#status", "You're signed out.");
  await sees(page, "#status", "Your session has ended.");
});

passwordTests({
  ...{ test, check, ask, base, run, phone, desk },
  ...{ codeFor, disownFor, expect401, fits, focused, open, picture, sees, signIn, tabTo, tokensOf },
});

test("the sign-in page works in dark mode on a desktop", desk, async (page) => {
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await signIn(page, `dark-${run}@example.com`);
  await open(page, "delete");
  await picture(page, "desk-dark-signed-in");
});

testOfInbox("the inbox works in dark mode on a desktop", desk, async (page) => {
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  await page.goto(`${base}/inbox`);
  await page.locator(".messages > li").first().waitFor();
  await picture(page, "desk-dark-inbox");
});

// The path of the page that sends the operations of each script.
const pageOf = { "graphiql.js": "/graphiql", "inbox.js": "/inbox" };
const pageOfOperation = (name) => (name.startsWith("Inbox") ? "/inbox" : "/");
const answered = new Set();
const operations = (text) => [...text.matchAll(/\b(?:query|mutation) ([A-Z]\w*)/g)].map(([, name]) => name);

/** Records the operations that the server accepted. */
function note(response) {
  const request = response.request();
  if (request.url() !== `${base}/graphql` || response.status() !== 200) return;
  const { pathname } = new URL(request.frame().url());
  for (const name of operations(request.postDataJSON().query)) answered.add(`${pathname} ${name}`);
}

// This test must be the last one, because it checks which operations the earlier tests have sent.
test("every operation in the pages' scripts was answered by the server", desk, async () => {
  const web = new URL("../../web/", import.meta.url);
  const written = [];
  for (const script of (await readdir(web)).filter((name) => name.endsWith(".js"))) {
    const names = operations(await readFile(new URL(script, web), "utf8"));
    written.push(...names.map((name) => `${pageOf[script] ?? pageOfOperation(name)} ${name}`));
  }
  check(written.length > 10, `only ${written.length} operations were found in web/*.js`);
  // GraphiQL only sends the chosen operation. Send the other operations of its walk-through here, to validate them.
  const walk = await readFile(new URL("graphiql.js", web), "utf8");
  for (const [query] of walk.matchAll(/^(?:query|mutation) [A-Z][^]*?^}$/gm)) {
    const body = JSON.stringify({ query });
    const answer = await fetch(`${base}/graphql`, { method: "POST", headers: { "content-type": "application/json" }, body });
    const code = (await answer.json()).errors?.[0].extensions.code;
    const fits = !["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"].includes(code);
    if (fits) operations(query).forEach((name) => answered.add(`/graphiql ${name}`));
  }
  const asked = written.filter((operation) => !(mailbox && operation.split(" ")[1].startsWith("Inbox")));
  const never = asked.filter((operation) => !answered.has(operation));
  check(never.length === 0, `never answered: ${never.join(", ")}`);
});

/** Records everything that a page must not do: errors, and requests to other hosts. */
function watch(page, faults) {
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== base && !["data:", "about:", "blob:"].includes(protocol)) faults.push(`request to ${request.url()}`);
  });
  page.on("response", (response) => {
    note(response);
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  page.on("console", (message) => {
    const text = message.text();
    const policy = /content security policy|permissions-policy|trusted/i.test(text);
    if (message.type() === "error" || policy) faults.push(`console: ${text} (${message.location().url})`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
}

if (values.screenshots) await mkdir(values.screenshots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: switches,
});
let passed = 0;
let skipped = 0;
for (const { name, size, body } of tests) {
  if (!body) {
    skipped += 1;
    console.log(`skip   ${name}: this server has no inbox`);
    continue;
  }
  const context = await browser.newContext({ viewport: size, locale: "en-GB" });
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
const failed = tests.length - passed - skipped;
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;
