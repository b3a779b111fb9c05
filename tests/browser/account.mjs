// The account page.

import { readFile } from "node:fs/promises";
import {
  accessible, address, alter, base, BETTER, button, check, codeFor, desk, deviceOf, enterCode, expectStatus, field, focused, GOOD,
  loginWith, openTab, phone, press, refuseWith, retype, sees, signedInAs, signIn, signInWithPassword, soon, stored, tabTo, test,
  undoFor, valueOf, wrong, register,
} from "./kit.mjs";

const editName = "Edit: Name";
const changeEmail = "Change: Email address";

/** Changes the address of the signed-in user. */
export async function changeAddress(page, email) {
  await press(page, changeEmail);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await sees(page, ".inner", email);
  await enterCode(page, await codeFor(email));
  await signedInAs(page, email);
}

test("a user changes the name, which is shown as text", phone, async (page) => {
  await signIn(page, address("name"));
  await press(page, editName);
  await focused(page, field("name"));
  await page.keyboard.type("Ada <b>Lovelace</b>");
  await accessible(page, "phone-name");
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Name saved: Ada <b>Lovelace</b>");
  await sees(page, ".person-name", "Ada <b>Lovelace</b>");
  await sees(page, ".person .avatar", "A<");
  await press(page, editName);
  await focused(page, field("name"));
  await retype(page, "é".repeat(101));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "A name can have at most 100 characters.");
  check((await page.locator(field("name")).getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
  await page.reload();
  await sees(page, ".person-name", "Ada <b>Lovelace</b>");
  await press(page, editName);
  await focused(page, field("name"));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Name removed.");
  check(!(await page.locator(".person").textContent()).includes("Lovelace"), "the name is still shown");
});

test("a user chooses the language of emails", desk, async (page) => {
  const email = address("locale");
  await signIn(page, email);
  await page.getByRole("combobox", { name: "Language of emails" }).selectOption("fr");
  await sees(page, ".status", "Language saved.");
  await page.reload();
  await signedInAs(page, email);
  check((await page.getByRole("combobox", { name: "Language of emails" }).inputValue()) === "fr", "the language is not saved");
});

test("a user changes the address with a code sent to the new one", phone, async (page) => {
  const email = address("before");
  const next = address("after");
  await signIn(page, email);
  const device = await deviceOf(page, email);
  await press(page, changeEmail);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await sees(page, ".error", "This is already your address.");
  await focused(page, field("email"));
  await page.keyboard.type(next);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  const code = await codeFor(next);
  await page.keyboard.type("12");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "The code has 8 digits.");
  await page.keyboard.type(wrong(code));
  await sees(page, ".facts", "2 attempts left.");
  await sees(page, ".error", "That code isn't right.");
  await accessible(page, "phone-address-code");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await signedInAs(page, next);
  await sees(page, ".status", "Your email address is changed.");
  check(!(await page.locator(field("email")).isVisible()), "the form is still open");
  await undoFor(email);
  check((await deviceOf(page, next)) === device && !(await deviceOf(page, email)), "the device token is lost");
  await page.reload();
  await signedInAs(page, next);
});

test("a taken address and an expired code lead back", desk, async (page) => {
  await signIn(page, address("late"));
  let outcome = { __typename: "EmailTaken", message: "This address is already in use." };
  await alter(page, "confirmEmail", (data) => (data.confirmEmail = outcome));
  await press(page, changeEmail);
  await focused(page, field("email"));
  await page.keyboard.type(address("wanted"));
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await page.keyboard.type("12345678");
  await sees(page, ".error", "This address is already in use.");
  await focused(page, field("email"));
  outcome = { __typename: "CodeExpired", message: "That code no longer works." };
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await page.keyboard.type("12345678");
  await sees(page, ".error", "That code no longer works.");
  await press(page, "Start over");
  await focused(page, field("email"));
  check((await valueOf(page, field("email"))) === address("wanted"), "the address was cleared");
  await alter(page, "changeEmail", (data) => {
    data.changeEmail = { __typename: "RateLimited", message: "Too many attempts.", retryAt: soon(30) };
  });
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Too many attempts.");
  await page.getByRole("button", { name: /^Send code in 0:/ }).waitFor();
});

test("an action that needs a recent sign-in asks for a code in place and continues", phone, async (page) => {
  const email = address("again");
  await signIn(page, email);
  const first = await codeFor(email);
  let long = true;
  const message = "This needs a sign-in by email within the last ten minutes. Sign in with a code, then try again.";
  await refuseWith(page, "changeEmail(input", "REAUTHENTICATION_REQUIRED", message, () => long);
  await press(page, changeEmail);
  await focused(page, field("email"));
  await page.keyboard.type(address("new"));
  await page.keyboard.press("Enter");
  await sees(page, "dialog", "Confirm it’s you");
  await sees(page, "dialog", email);
  await accessible(page, "phone-step-up");
  await page.keyboard.press("Escape");
  check(!(await page.locator("dialog").isVisible()), "Escape does not close the dialog");
  check((await valueOf(page, field("email"))) === address("new"), "the address was cleared");
  await press(page, "Send code");
  await sees(page, "dialog", "Confirm it’s you");
  await press(page, page.locator("dialog").getByRole("button", { name: "Send code" }));
  await focused(page, `dialog ${field("code")}`);
  await accessible(page, "phone-step-up-code");
  long = false;
  await enterCode(page, await codeFor(email, first));
  await sees(page, ".inner", `If no other account uses ${address("new")}`);
  await focused(page, field("code"));
});

test("a user downloads their data", desk, async (page) => {
  const email = address("export");
  await signIn(page, email);
  await openTab(page, "Data");
  await accessible(page, "desk-data");
  const download = page.waitForEvent("download");
  await press(page, "Download my data");
  const file = await download;
  check(/^account-\d{4}-\d\d-\d\d\.json$/.test(file.suggestedFilename()), file.suggestedFilename());
  const copy = JSON.parse(await readFile(await file.path(), "utf8"));
  check(copy.user.email === email && copy.sessions.length === 1, "the exported data is not that of this user");
  await sees(page, ".status", "Your data was downloaded as account-");
});

test("a user deletes the account after typing the address", phone, async (page) => {
  const email = address("gone");
  await signIn(page, email);
  await openTab(page, "Data");
  await press(page, "Delete account: Delete account");
  await focused(page, field("email"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Enter your email address to delete your account.");
  await page.keyboard.type(address("someone"));
  await page.keyboard.press("Enter");
  await page.locator(`${field("email")}[aria-invalid=true]`).waitFor();
  await sees(page, ".error", "Type your own address to delete your account.");
  await accessible(page, "phone-delete");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Your account is deleted.");
  await focused(page, field("email"));
  const left = await stored(page);
  check(!left.includes(email) && !/eyJ|refresh/i.test(left), "data of the account is left in the browser");
  check((await valueOf(page, field("email"))) === "", "the address is left in the field");
  await page.reload();
  await focused(page, field("email"));
});

test("form input is not kept for the next user", desk, async (page) => {
  await signIn(page, address("typed"));
  await press(page, changeEmail);
  await focused(page, field("email"));
  await page.keyboard.type(address("secret"));
  await button(page, "Sign out").focus();
  await page.keyboard.press("Enter");
  await focused(page, field("email"));
  check((await valueOf(page, field("email"))) === "", "an address is left in the field");
  await page.keyboard.type(address("next"));
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(address("next")));
  await signedInAs(page, address("next"));
  check(!(await page.locator(field("email")).isVisible()), "a form is still open");
});

test("a user sets a password, changes it with the current one, and removes it after a new sign-in", phone, async (page) => {
  const email = address("own-password");
  await signIn(page, email);
  const before = await codeFor(email);
  await openTab(page, "Security");
  await sees(page, ".part", "You sign in with codes by email.");
  await press(page, "Set password: Password");
  await focused(page, field("new-password"));
  check(!(await page.locator(field("current-password")).isVisible()), "there is no current password");
  await page.keyboard.type("12345678");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Too many people use this password.");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Your password is saved.");
  await sees(page, ".part", "Set ");
  await press(page, "Sign out");
  await focused(page, field("password"));
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);

  await openTab(page, "Security");
  await press(page, "Change: Password");
  await focused(page, field("current-password"));
  await page.keyboard.type("not my password");
  await tabTo(page, field("new-password"));
  await page.keyboard.type(BETTER);
  await page.keyboard.press("Enter");
  await page.locator(`${field("current-password")}[aria-invalid=true]`).waitFor();
  await focused(page, field("current-password"));
  check((await valueOf(page, field("new-password"))) === BETTER, "the new password was cleared");
  await accessible(page, "phone-change-password");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Your password is saved.");
  check((await loginWith(email, BETTER)) === "SignedIn", "the new password doesn't work");

  await press(page, "Change: Password");
  await press(page, "Remove password");
  await press(page, page.locator("dialog").getByRole("button", { name: "Send code" }));
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email, before));
  await sees(page, ".status", "Your password is removed.");
  await sees(page, ".part", "You sign in with codes by email.");
  check((await loginWith(email, BETTER)) === "InvalidCredentials", "the removed password still works");
});

test("a user sees and ends sessions, and forgets a device", desk, async (page, faults) => {
  const email = address("sessions");
  await register(email);
  const other = await (await page.context().browser().newContext({ locale: "en-GB" })).newPage();
  await signInWithPassword(other, email);
  await signInWithPassword(page, email);
  await openTab(page, "Security");
  const sessions = page.locator("section", { has: page.getByRole("heading", { name: "Sessions" }) });
  await sees(sessions, "li", "This browser");
  await sees(sessions, "li", "active now");
  await sees(sessions, "li", "Chrome on Linux");
  await accessible(page, "desk-security");
  const count = await sessions.locator("li").count();
  check(count >= 3, `${count} sessions instead of three`);
  await press(page, sessions.getByRole("button", { name: "End the session: Chrome on Linux" }));
  await sees(page, ".status", "The session is ended.");
  check((await sessions.locator("li").count()) === count - 1, "the session is still listed");
  await press(page, "Sign out everywhere else");
  await sees(page, ".status", "Signed out of");
  check((await sessions.locator("li").count()) === 1, "other sessions are still listed");
  await other.reload();
  await sees(other, ".status", "Your session has ended.");
  await other.context().close();

  const devices = page.locator("section", { has: page.getByRole("heading", { name: "Known devices" }) });
  const known = await devices.locator("li").count();
  await press(page, devices.getByRole("button", { name: /^Forget the device/ }));
  await sees(page, ".status", "The device is forgotten.");
  check((await devices.locator("li").count()) === known - 1, "the device is still listed");
  await sees(page, "section", "Recent activity");
  await sees(page, ".events li", "Signed in");
  expectStatus(faults, 401);
});

test("recent activity can be continued", phone, async (page) => {
  const email = address("activity");
  await signIn(page, email);
  for (let name = 0; name < 12; name += 1) {
    await press(page, editName);
    await focused(page, field("name"));
    await retype(page, `Ada ${name}`);
    await page.keyboard.press("Enter");
    await sees(page, ".person-name", `Ada ${name}`);
  }
  await openTab(page, "Security");
  await press(page, "Show more");
  await sees(page, ".events li", "Account created");
});

test("a tab of the account has an address of its own", desk, async (page) => {
  const email = address("tab");
  await signIn(page, email);
  await page.goto(`${base}/account#security`);
  await sees(page, "main h1", "Security");
  await page.reload();
  await sees(page, "main h1", "Security");
});
