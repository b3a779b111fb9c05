// API keys on the account page.

import {
  accessible, address, alter, base, button, check, codeFor, desk, enterCode, expectStatus, field, fits, focused, openTab, phone, press,
  refuseWith, sees, signIn, soon, tabTo, test, valueOf,
} from "./kit.mjs";

const dialogButton = (page, name) => page.locator("dialog").getByRole("button", { name, exact: true });
const option = (page, name) => page.getByRole("checkbox", { name });

/** The status of a request with an API key. */
async function statusWith(key) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${key}` };
  return (await fetch(`${base}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: "{ me { id email } }" }) })).status;
}

/** Fills in the form for a new key, and sends it. */
async function create(page, name) {
  await press(page, "Create API key");
  await focused(page, field("name"));
  await page.keyboard.type(name);
  await tabTo(page, option(page, "Read your own profile"));
  await page.keyboard.press("Space");
  await press(page, page.locator("form").getByRole("button", { name: "Create API key" }));
}

const shownKey = (page) => page.locator("code.key").textContent();

test("a user creates an API key, copies it, rotates it and revokes it", phone, async (page) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await signIn(page, address("keys"));
  await openTab(page, "API keys");
  await sees(page, ".part", "No API keys yet.");
  await create(page, "Nightly <b>report</b>");
  await focused(page, "h2");
  await sees(page, ".new-secret", "“Nightly <b>report</b>” is ready. You won’t see it again.");
  await accessible(page, "phone-key-created");
  const key = await shownKey(page);
  check(/^dc_[0-9a-f]{32}_[0-9a-f]{72}$/.test(key), key);
  await press(page, "Copy");
  await sees(page, ".new-secret", "Copied");
  check((await page.evaluate(() => navigator.clipboard.readText())) === key, "another text was copied");
  check((await statusWith(key)) === 200, "the key does not work");
  await press(page, "Done");
  await focused(page, ".button");
  check(!(await page.content()).includes(key), "the key is still in the page");
  await sees(page, ".items li", "Read your own profile");
  await sees(page, ".items li", key.slice(0, "dc_".length + 32));
  await fits(page);

  await press(page, "Rotate the key: Nightly <b>report</b>");
  await sees(page, "dialog", "Put it into your programs while the old one still works.");
  await accessible(page, "phone-key-rotate");
  await page.locator("dialog select").selectOption("0");
  await press(page, dialogButton(page, "Rotate"));
  await sees(page, ".new-secret", "has a new key.");
  const next = await shownKey(page);
  check((await statusWith(key)) === 401 && (await statusWith(next)) === 200, "rotation without an overlap keeps the old key");
  await press(page, "Done");

  await press(page, "Revoke the key: Nightly <b>report</b>");
  await focused(page, "dialog .quiet");
  await accessible(page, "phone-key-revoke");
  await page.keyboard.press("Enter");
  check((await statusWith(next)) === 200, "the key is revoked without an answer");
  await press(page, "Revoke the key: Nightly <b>report</b>");
  await press(page, dialogButton(page, "Revoke"));
  await sees(page, ".status", "The key is revoked.");
  await sees(page, ".items li", "revoked");
  check((await statusWith(next)) === 401, "the revoked key works");
  check(!(await button(page, "Revoke the key: Nightly <b>report</b>").isVisible()), "a revoked key has buttons");
});

test("every new key stays until the user is done with it, and a second action waits for the first", desk, async (page) => {
  await signIn(page, address("many-keys"));
  await openTab(page, "API keys");
  await create(page, "First");
  await sees(page, ".new-secret", "“First” is ready.");
  await create(page, "Second");
  await sees(page, ".new-secret", "“Second” is ready.");
  let release;
  const held = new Promise((done) => (release = done));
  await page.route("**/graphql", async (route) => {
    if (route.request().postData()?.includes("rotateApiKey(input")) await held;
    return route.fallback();
  });
  await press(page, "Rotate the key: First");
  await press(page, dialogButton(page, "Rotate"));
  await page.locator('[aria-label="Revoke the key: Second"][aria-disabled="true"]').waitFor();
  release();
  await sees(page, ".new-secret", "“First” has a new key.");
  const keys = await page.locator("code.key").allTextContents();
  check(new Set(keys).size === 3, `${keys.length} keys are shown instead of three`);
  for (const key of keys) check((await statusWith(key)) === 200, "a key does not work");
  await press(page, "Done");
  check((await page.locator("code.key").count()) === 2, "another key is gone, too");
  await press(page, "Revoke the key: Second");
  await press(page, dialogButton(page, "Revoke"));
  await sees(page, ".status", "The key is revoked.");
});

test("a new API key needs a name, a permission and a recent sign-in, and nothing typed is lost", desk, async (page) => {
  const email = address("careful-keys");
  await signIn(page, email);
  const first = await codeFor(email);
  await openTab(page, "API keys");
  await press(page, "Create API key");
  await focused(page, field("name"));
  await accessible(page, "desk-key-form");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Enter a name for the key.");
  await page.keyboard.type("Backup");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Choose at least one permission.");
  await focused(page, "[type=checkbox]");
  check((await page.getByRole("checkbox").count()) === 2, "a user is offered permissions of managers");
  await page.keyboard.press("Space");
  let long = true;
  await refuseWith(page, "createApiKey(input", "REAUTHENTICATION_REQUIRED", "Sign in again first.", () => long);
  await press(page, page.locator("form").getByRole("button", { name: "Create API key" }));
  await press(page, dialogButton(page, "Send code"));
  await focused(page, `dialog ${field("code")}`);
  check((await valueOf(page, field("name"))) === "Backup", "the name was cleared");
  long = false;
  await enterCode(page, await codeFor(email, first));
  await sees(page, ".new-secret", "“Backup” is ready.");
  const lifetime = await page.locator(".items li").first().textContent();
  check(/expires/.test(lifetime), `the key never expires: ${lifetime}`);
});

test("an administrator is offered every permission, and a limit is shown at the name", phone, async (page) => {
  await page.route("**/graphql", async (route) => {
    if (!/query Me\b/.test(route.request().postData() ?? "")) return route.fallback();
    const response = await route.fetch();
    const json = await response.json();
    json.data.me.role = "ADMIN";
    return route.fulfill({ response, json });
  });
  await signIn(page, address("admin-keys"));
  await openTab(page, "API keys");
  await alter(page, "createApiKey", (data) => {
    data.createApiKey = { __typename: "RateLimited", message: "Too many attempts.", retryAt: soon(30) };
  });
  await create(page, "Console");
  await sees(page, ".error", "Too many attempts.");
  check((await page.getByRole("checkbox").count()) === 4, "a permission is missing");
  await accessible(page, "phone-key-limited");
  await press(page, "Cancel");
  await page.waitForFunction(() => document.activeElement?.textContent === "Create API key");
});

test("the list of API keys says when the server is down, and recovers", desk, async (page, faults) => {
  await signIn(page, address("lost-keys"));
  let down = true;
  await page.route("**/graphql", (route) =>
    down ? route.fulfill({ status: 503, json: { errors: [{ message: "Try again in a few seconds.", extensions: { code: "UNAVAILABLE" } }] } }) : route.fallback(),
  );
  await openTab(page, "API keys");
  await sees(page, ".error", "Try again in a few seconds.");
  down = false;
  await press(page, "Try again");
  await sees(page, ".part", "No API keys yet.");
  expectStatus(faults, 503);
});
