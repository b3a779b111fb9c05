// Passwords before sign-in.

import {
  accessible, address, alter, BETTER, button, check, codeFor, desk, enterCode, expectStatus, field, focused, GOOD,
  loginWith, phone, press, refuseWith, register, retype, sees, signedInAs, signIn, signInWithPassword, soon, tabTo, test,
  typePasswordAddress, valueOf, base, withShell, wrong,
} from "./kit.mjs";

for (const [label, size] of [["phone", phone], ["desk", desk]]) {
  test(`on a ${label}, a person registers, proves the address and signs in with the password`, size, async (page) => {
    const email = address(`new-${label}`);
    await page.goto(`${base}/`);
    await focused(page, field("email"));
    await press(page, "Create an account");
    await focused(page, field("email"));
    await page.keyboard.press("Enter");
    await sees(page, ".error", "Enter your email address.");
    await page.keyboard.type(email);
    await tabTo(page, field("new-password"));
    await page.keyboard.type(GOOD);
    await tabTo(page, field("name"));
    await page.keyboard.type("Ada");
    await accessible(page, `${label}-register`);
    await page.keyboard.press("Enter");
    await focused(page, field("code"));
    await sees(page, ".lead", email);
    await enterCode(page, await codeFor(email));
    await sees(page, ".notice", "Your account is ready.");
    await sees(page, ".person", "Ada");
    await press(page, "Sign out");
    // The password form comes first from now on, with the address.
    await focused(page, field("password"));
    check((await valueOf(page, field("email"))) === email, "the address is not kept");
    check((await valueOf(page, field("password"))) === "", "the password is kept");
    await accessible(page, `${label}-password`);
    await page.keyboard.type(GOOD);
    await page.keyboard.press("Enter");
    await signedInAs(page, email);
    await focused(page, ".account h1");
    await press(page, "Sign out");
    await press(page, "Email me a code");
    await focused(page, field("code"));
    await sees(page, ".lead", email);
  });
}

test("a wrong password shows an error, keeps what was typed and can be corrected", phone, async (page) => {
  const email = address("wrong-password");
  await register(email);
  await typePasswordAddress(page, email);
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Enter your password, or get a code by email.");
  await focused(page, field("password"));
  await page.keyboard.type("not my password");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "The email address or the password isn't right.");
  await focused(page, field("password"));
  check((await page.locator(field("password")).getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
  check((await valueOf(page, field("password"))) === "not my password", "the password was cleared");
  check((await valueOf(page, field("email"))) === email, "the address was cleared");
  await accessible(page, "phone-wrong-password");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
  await press(page, "Sign out");
  await focused(page, field("password"));
  await page.locator(field("email")).fill("not an address");
  await page.locator(field("password")).fill(GOOD);
  await page.keyboard.press("Enter");
  await page.locator(`${field("email")}[aria-invalid=true]`).waitFor();
  await focused(page, field("email"));
});

test("a weak password shows every reason and keeps the form", phone, async (page) => {
  const email = address("weak");
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await press(page, "Create an account");
  await focused(page, field("new-password"));
  await page.keyboard.type("qwerty");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Use at least 8 characters. Too many people use this password.");
  await focused(page, field("new-password"));
  check((await valueOf(page, field("new-password"))) === "qwerty", "the password was cleared");
  check((await valueOf(page, field("email"))) === email, "the address was cleared");
  await accessible(page, "phone-weak-password");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Leave your email address");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await press(page, "Change what you typed");
  await sees(page, "h1", "Create your account");
  check((await valueOf(page, field("new-password"))) === GOOD, "going back cleared the form");
});

test("registering an existing address signs in and says that the password isn't saved", desk, async (page) => {
  const email = address("existing");
  await signIn(page, email);
  const first = await codeFor(email);
  await press(page, "Sign out");
  await press(page, "Create an account");
  await page.locator(field("email")).fill(email);
  await page.locator(field("new-password")).fill(GOOD);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email, first));
  await sees(page, ".notice.caution", "The password you typed isn’t saved.");
  await accessible(page, "desk-existing");
  check((await loginWith(email, GOOD)) === "InvalidCredentials", "the password was saved");
});

test("a forgotten password is reset with a code, which ends the other sessions", phone, async (page, faults) => {
  const email = address("forgot");
  await register(email);
  const before = await codeFor(email);
  const elsewhere = await (await page.context().browser().newContext()).newPage();
  await signInWithPassword(elsewhere, email);
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await press(page, "Use a password");
  await press(page, "Forgot your password?");
  await focused(page, field("email"));
  check(page.url() === `${base}/reset`, page.url());
  await accessible(page, "phone-forgot");
  await press(page, "Email me a code");
  await focused(page, field("code"));
  check((await valueOf(page, "input[autocomplete=username]")) === email, "password managers find no username");
  const code = await codeFor(email, before);
  await page.keyboard.type(code);
  await tabTo(page, field("new-password"));
  await page.keyboard.type("1234");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Use at least 8 characters.");
  await focused(page, field("new-password"));
  check((await valueOf(page, field("code"))) === code, "the code was cleared");
  await accessible(page, "phone-reset");
  await page.locator(field("code")).fill(wrong(code));
  await page.locator(field("new-password")).fill(BETTER);
  await page.keyboard.press("Enter");
  await sees(page, ".error", "That code isn't right.");
  await sees(page, ".facts", "2 attempts left.");
  await focused(page, field("code"));
  check((await valueOf(page, field("new-password"))) === BETTER, "the password was cleared");
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
  check((await loginWith(email, GOOD)) === "InvalidCredentials", "the old password still works");
  check((await loginWith(email, BETTER)) === "SignedIn", "the new password doesn't work");
  await elsewhere.reload();
  await sees(elsewhere, ".status", "Your session has ended.");
  await elsewhere.context().close();
  expectStatus(faults, 401);
});

test("a server without passwords shows nothing about them", phone, async (page) => {
  await withShell(page, { methods: ["EMAIL_CODE"], passwordMin: null });
  await page.goto(`${base}/account#change-password`);
  await focused(page, field("email"));
  const body = await page.locator("body").innerText();
  check(!/password/i.test(body.replace("No password needed.", "")), `passwords are mentioned: ${body}`);
  await accessible(page, "phone-codes-only");
  await signIn(page, address("codes-only"));
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, "h2", "Sessions");
  check(!(await page.getByRole("heading", { name: "Password" }).isVisible()), "the account has a part for the password");
});

test("passwords disappear when the server turns them off meanwhile", desk, async (page) => {
  await typePasswordAddress(page, address("turned-off"));
  await refuseWith(page, "login(input", "METHOD_DISABLED", "Passwords are turned off here.");
  await page.keyboard.type(GOOD);
  await page.keyboard.press("Enter");
  await sees(page, ".status", "Passwords are turned off here.");
  check(!(await button(page, "Use a password").isVisible()), "passwords are still offered");
  check(!(await page.locator(field("password")).isVisible()), "the field is still there");
});

test("closed sign-up offers no registration", desk, async (page) => {
  await withShell(page, { signUp: "CLOSED" });
  await page.goto(`${base}/register`);
  await focused(page, field("email"));
  await sees(page, "h1", "Sign in to");
  check(!(await button(page, "Create an account").isVisible()), "registration is offered");
  await press(page, "Use a password");
  check(!(await button(page, "Create an account").isVisible()), "registration is offered with a password");
});

test("the server's first method comes first", phone, async (page) => {
  await withShell(page, { methods: ["PASSWORD", "EMAIL_CODE"] });
  await page.goto(`${base}/`);
  await page.locator(field("password")).waitFor();
  await button(page, "Email me a code").waitFor();
});

test("an unreachable server is reported, and can be retried", phone, async (page, faults) => {
  let down = true;
  await page.route("**/graphql", (route) => (down ? route.abort() : route.fallback()));
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(address("down"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Can’t reach the server.");
  check((await valueOf(page, field("email"))) === address("down"), "the address was cleared");
  await accessible(page, "phone-unreachable");
  down = false;
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  faults.length = 0;
});

test("password managers find their fields, and nothing blocks pasting", desk, async (page) => {
  const fields = async () =>
    (await page.locator("form input:not([type=checkbox])").evaluateAll((all) => all.map((input) => input.autocomplete))).join(" ");
  const expect = async (wanted) => {
    const found = await fields();
    check(found === wanted, `${page.url()}: ${found} instead of ${wanted}`);
    const blocked = await page.locator("form input").evaluateAll((inputs) =>
      inputs.filter((input) => !input.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true }))),
    );
    check(blocked.length === 0, "pasting is blocked");
  };
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await expect("email");
  await press(page, "Use a password");
  await page.locator(field("password")).waitFor();
  await expect("username current-password");
  await page.goto(`${base}/register`);
  await focused(page, field("email"));
  await expect("username new-password name");
  await page.goto(`${base}/reset`);
  await focused(page, field("email"));
  await expect("username");
  await page.keyboard.type(address("fields"));
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await expect("username one-time-code new-password");
});

test("a password can be shown and hidden by keyboard, and is hidden when sent", phone, async (page) => {
  await typePasswordAddress(page, address("shown"));
  await page.keyboard.type("some password");
  await press(page, "Show password");
  check((await page.locator(field("password")).getAttribute("type")) === "text", "the password is not shown");
  await button(page, "Hide password").waitFor();
  await sees(page, ".sr-only", "Your password is visible.");
  await accessible(page, "phone-password-shown");
  await page.keyboard.press("Enter");
  check((await page.locator(field("password")).getAttribute("type")) === "password", "the password is not hidden");
  await page.keyboard.press("Enter");
  await page.locator(field("password")).focus();
  await page.keyboard.press("Enter");
  await sees(page, ".error", "The email address or the password isn't right.");
  check((await page.locator(field("password")).getAttribute("type")) === "password", "the password was sent while visible");
  await button(page, "Show password").waitFor();
});

test("a reset code can be sent again", desk, async (page) => {
  const email = address("resent");
  await register(email);
  const before = await codeFor(email);
  await alter(page, "requestPasswordReset", (data) => (data.requestPasswordReset.resendAt = soon(0)));
  await page.goto(`${base}/reset`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  const first = await codeFor(email, before);
  await page.locator(field("new-password")).fill(BETTER);
  await press(page, "Resend code");
  await sees(page, ".sr-only", `Check ${email} for a new code.`);
  await codeFor(email, first);
  await tabTo(page, field("code"));
  await retype(page, first);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
});

test("/.well-known/change-password opens the form, after sign-in if needed", phone, async (page) => {
  const email = address("well-known");
  await page.goto(`${base}/.well-known/change-password`);
  await focused(page, field("email"));
  await sees(page, ".status", "Sign in to change your password.");
  check(page.url() === `${base}/account`, page.url());
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email));
  await focused(page, field("new-password"));
  await accessible(page, "phone-set-password");
  await page.goto(`${base}/.well-known/change-password`);
  await focused(page, field("new-password"));
  await page.reload();
  await focused(page, ".account h1");
});
