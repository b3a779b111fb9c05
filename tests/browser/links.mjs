// Links in emails: signing in, undoing an address change and “This wasn't me”.

import {
  accessible, address, base, button, check, codeFor, deviceOf, disownFor, enterCode, expectStatus, field, focused, GOOD,
  linkFor, loginWith, phone, desk, press, register, requestCode, sees, signedInAs, signIn, signInWithPassword, spendBudget,
  stored, test, undoFor,
} from "./kit.mjs";
import { changeAddress } from "./account.mjs";

const UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Records the bodies of all requests of a page. */
function calls(page) {
  const bodies = [];
  page.on("request", (request) => bodies.push(request.postData() ?? ""));
  return (name) => bodies.some((body) => body.includes(name));
}

test("a sign-in link is taken from the address bar and used only by its button", phone, async (page) => {
  const called = calls(page);
  await page.goto(`${base}/#link=${UNKNOWN}`);
  await sees(page, "h1", "Sign in on this device?");
  check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
  await page.waitForTimeout(300);
  check(!called("verifyLink"), "opening the link used it");
  await accessible(page, "phone-link");
  await press(page, "Sign in on this device");
  await page.locator(".error:not(:empty)").waitFor();
  check(called("verifyLink"), "the button did nothing");
  await button(page, "Get a code instead").waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === "Get a code instead");
});

test("after too many guesses, the link in the email signs in", phone, async (page) => {
  const email = address("narrow");
  await spendBudget(email);
  await requestCode(email);
  await page.goto(await linkFor(email));
  await sees(page, "h1", "Sign in on this device?");
  check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
  check(!(await page.locator(".notice").isVisible()), "a session is shown");
  await press(page, "Sign in on this device");
  await signedInAs(page, email);
  await sees(page, ".notice.caution", "Not your address?");
  await accessible(page, "phone-link-signed-in");
});

test("another account's link in a signed-in browser warns first and keeps the device token", phone, async (page) => {
  const email = address("mine");
  const other = address("other");
  await spendBudget(other);
  await requestCode(other);
  const link = await linkFor(other);
  await signIn(page, email);
  check(!(await page.locator(".caution").isVisible()), "the caution about links is shown after a code");
  const device = await deviceOf(page, email);

  await page.goto(link);
  await sees(page, ".notice", `You’re signed in as ${email}.`);
  await focused(page, "h1");
  await accessible(page, "phone-link-while-signed-in");
  await press(page, "Stay signed in");
  await signedInAs(page, email);

  await page.goto(link);
  await sees(page, ".notice", `You’re signed in as ${email}.`);
  const used = page.waitForRequest((request) => request.postData()?.includes("verifyLink(input"));
  await press(page, "Sign in on this device");
  const { authorization } = (await used).headers();
  check(/^Bearer ey/.test(authorization), "the previous access token is not sent");
  await signedInAs(page, other);
  await press(page, "Sign out");
  await focused(page, field("email"));

  const asked = page.waitForRequest((request) => request.postData()?.includes("login(input"));
  await page.keyboard.type(` ${email.toUpperCase()}`);
  await page.keyboard.press("Enter");
  const { deviceToken } = (await asked).postDataJSON().variables.input;
  check(device && deviceToken === device, "the first account's device token is lost");
  await focused(page, field("code"));
});

for (const [label, size, colorScheme] of [["phone", phone, "dark"], ["desk", desk, "light"]]) {
  test(`on a ${label}, an address change is undone by keyboard, which ends all sessions`, size, async (page, faults) => {
    const email = address(`undo-${label}`);
    const thief = address(`thief-${label}`);
    const open = async () => (await page.context().browser().newContext({ locale: "en-GB" })).newPage();
    await signIn(page, email);
    await changeAddress(page, thief);
    const elsewhere = await open();
    await signIn(elsewhere, thief, await codeFor(thief));

    const called = calls(page);
    await page.goto(await undoFor(email));
    await sees(page, "h1", "Did someone else change your email address?");
    await focused(page, "h1");
    check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
    await page.waitForTimeout(300);
    check(!called("undoEmailChange"), "opening the link used it");
    await accessible(page, `${label}-undo`);
    await press(page, "Restore my address");
    await sees(page, ".status", "all of its sessions have ended");
    await focused(page, field("email"));
    await accessible(page, `${label}-undone`);
    check(!(await page.locator(".account").isVisible()), "the account is still shown");
    await elsewhere.reload();
    await sees(elsewhere, ".status", "Your session has ended.");
    await elsewhere.context().close();

    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type(email);
    await page.keyboard.press("Enter");
    await focused(page, field("code"));
    await enterCode(page, await codeFor(email));
    await signedInAs(page, email);
    expectStatus(faults, 401);
  }, { colorScheme });
}

test("an invalid undo link shows an error and keeps the session", phone, async (page) => {
  const email = address("kept");
  await signIn(page, email);
  const twin = await page.context().newPage();
  await twin.goto(`${base}/account`);
  await signedInAs(twin, email);
  const checked = twin.waitForResponse((response) => response.request().postData()?.includes("CheckSession"));
  await page.goto(`${base}/#undo=${UNKNOWN}`);
  await focused(page, "h1");
  await press(page, "Restore my address");
  await checked;
  check(await twin.locator(".person").isVisible(), "another tab lost its session");
  await sees(page, ".error", "This link has expired or was already used.");
  check(!(await button(page, "Restore my address").isVisible()), "a used link can be tried again");
  await accessible(page, "phone-undo-expired");
  await press(page, "Go to the sign-in page");
  await signedInAs(page, email);
  // A user who opens the link but does not use it keeps the session, too.
  await page.goto(`${base}/#undo=${UNKNOWN}`);
  await focused(page, "h1");
  await press(page, "Keep everything as it is");
  await signedInAs(page, email);
});

test("“This wasn't me” is used only by its button, takes the account back and offers a new password", phone, async (page, faults) => {
  const email = address("disown");
  await register(email);
  await signInWithPassword(page, email);
  const link = await disownFor(email);
  const twin = await page.context().newPage();
  await twin.goto(`${base}/account`);
  await signedInAs(twin, email);
  const called = calls(page);
  await page.goto(link);
  await focused(page, "h1");
  check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
  await page.waitForTimeout(300);
  check(!called("disownSession"), "the link was used by opening it");
  await sees(page, ".effects li", "Revoke its API keys.");
  await accessible(page, "phone-disown");
  await press(page, "This wasn’t me");
  await sees(page, "h1", "Your account is safe again");
  await sees(twin, ".status", "Your session has ended.");
  await accessible(page, "phone-disowned");
  check((await loginWith(email, GOOD)) === "InvalidCredentials", "the password still works");
  await press(page, "Choose a new password");
  await sees(page, "h1", "Reset your password");
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  check(!/eyJ|refresh/i.test(await stored(page)), "tokens of an ended session are kept");
  await page.goto(link);
  await press(page, "This wasn’t me");
  await sees(page, ".error", "This link has expired or was already used.");
  expectStatus(faults, 401);
});
