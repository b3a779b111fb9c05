// Tests of passwords on the sign-in page, called by sign-in.mjs with its helpers.

import { accountPasswordTests } from "./account-password.mjs";

const GOOD = "correct horse battery";
const BETTER = "staple battery horse";
const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ... on CodeSent { challenge } } }`;
const VERIFY = `mutation Verify($input: VerifyInput!) { verify(input: $input) { __typename } }`;
const LOGIN = `mutation Login($input: LoginInput!) { login(input: $input) { __typename } }`;

export function passwordTests({ test, check, ask, base, run, phone, desk, ...kit }) {
  const { codeFor, expect401, fits, focused, picture, sees, signIn, tabTo, tokensOf } = kit;
  const address = (name) => `${name}-${run}@example.com`;
  const valueOf = (page, selector) => page.locator(selector).inputValue();

  /** Creates an account with a password, through the API. */
  async function register(email, password = GOOD) {
    const { register: sent } = await ask(REGISTER, { input: { email, password } });
    const { verify } = await ask(VERIFY, { input: { challenge: sent.challenge, code: await codeFor(email) } });
    check(verify.__typename === "SignedIn", `${verify.__typename} instead of a new account`);
  }

  const loginWith = async (email, password) => (await ask(LOGIN, { input: { email, password } })).login.__typename;

  async function press(page, selector) {
    await tabTo(page, selector);
    await page.keyboard.press("Enter");
  }

  /** Opens the form for the password and types the address. */
  async function typePasswordAddress(page, email) {
    await page.goto(`${base}/`);
    await focused(page, "#email");
    await page.keyboard.type(email);
    await press(page, "#email-password");
    await focused(page, "#password");
  }

  async function signInWithPassword(page, email, password = GOOD) {
    await typePasswordAddress(page, email);
    await page.keyboard.type(password);
    await page.keyboard.press("Enter");
    await sees(page, "#done-title", `You're signed in as ${email}`);
  }

  async function enterCode(page, code) {
    await page.keyboard.type(code);
    await page.keyboard.press("Enter");
  }

  for (const [label, size] of [["phone", phone], ["desk", desk]]) {
    test(`on a ${label}, a person registers, proves the address and signs in with the password`, size, async (page) => {
      const email = address(`new-${label}`);
      await page.goto(`${base}/`);
      await focused(page, "#email");
      await fits(page);
      await picture(page, `${label}-choice`);
      await press(page, "#email-register");
      await focused(page, "#register-email");
      await page.keyboard.press("Enter");
      await sees(page, "#register-email-error", "Enter your email address.");
      await page.keyboard.type(email);
      await tabTo(page, "#register-password");
      await page.keyboard.type(GOOD);
      await tabTo(page, "#register-name");
      await page.keyboard.type("Ada");
      await fits(page);
      await picture(page, `${label}-register`);
      await page.keyboard.press("Enter");
      await focused(page, "#code");
      await sees(page, "#code-email", email);
      await picture(page, `${label}-register-code`);
      await enterCode(page, await codeFor(email));
      await sees(page, "#done-welcome", "Your account is ready.");
      await sees(page, "#name-now", "Ada");
      check(!(await page.locator("#done-caution").isVisible()), "a new user is cautioned");
      await press(page, "#sign-out");
      // The password form comes first from now on, with the address.
      await focused(page, "#password");
      check((await valueOf(page, "#password-email")) === email, "the address is not kept");
      check((await valueOf(page, "#password")) === "", "the password is kept");
      await fits(page);
      await picture(page, `${label}-password`);
      await enterCode(page, GOOD);
      await sees(page, "#done-title", `You're signed in as ${email}`);
      await focused(page, "#done-title");
      await press(page, "#sign-out");
      await press(page, "#password-code");
      await focused(page, "#code");
      await sees(page, "#code-email", email);
    });
  }

  test("a wrong password shows an error, keeps what was typed and can be corrected", phone, async (page) => {
    const email = address("wrong-password");
    await register(email);
    await typePasswordAddress(page, email);
    await page.keyboard.press("Enter");
    await sees(page, "#password-error", "Enter your password, or get a code by email.");
    await focused(page, "#password");
    await page.keyboard.type("not my password");
    await page.keyboard.press("Enter");
    await sees(page, "#password-error", "The email address or the password isn't right.");
    await focused(page, "#password");
    check((await page.locator("#password").getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
    check((await valueOf(page, "#password")) === "not my password", "the password was cleared");
    check((await valueOf(page, "#password-email")) === email, "the address was cleared");
    await fits(page);
    await picture(page, "phone-wrong-password");
    await page.keyboard.type(GOOD);
    await page.keyboard.press("Enter");
    await sees(page, "#done-title", `You're signed in as ${email}`);
    await press(page, "#sign-out");
    await focused(page, "#password");
    await page.locator("#password-email").fill("not an address");
    await page.locator("#password").fill(GOOD);
    await page.keyboard.press("Enter");
    await page.locator("#password-email[aria-invalid=true]").waitFor();
    await focused(page, "#password-email");
  });

  test("a weak password shows every reason and keeps the form", phone, async (page) => {
    const email = address("weak");
    await page.goto(`${base}/`);
    await focused(page, "#email");
    await page.keyboard.type(email);
    await press(page, "#email-register");
    await focused(page, "#register-password");
    await page.keyboard.type("qwerty");
    await page.keyboard.press("Enter");
    await sees(page, "#register-password-error", "Use at least 8 characters. Too many people use this password.");
    await focused(page, "#register-password");
    check((await valueOf(page, "#register-password")) === "qwerty", "the password was cleared");
    check((await valueOf(page, "#register-email")) === email, "the address was cleared");
    await fits(page);
    await picture(page, "phone-weak-password");
    await page.keyboard.type(email);
    await page.keyboard.press("Enter");
    await sees(page, "#register-password-error", "Leave your email address");
    await page.keyboard.type(GOOD);
    await page.keyboard.press("Enter");
    await focused(page, "#code");
    await press(page, "#code-back");
    await sees(page, "h1", "Create your account");
    check((await valueOf(page, "#register-password")) === GOOD, "going back cleared the form");
  });

  test("registering an existing address signs in and says that the password isn't saved", desk, async (page) => {
    const email = address("existing");
    await signIn(page, email);
    const first = await codeFor(email);
    await press(page, "#sign-out");
    await press(page, "#email-register");
    await page.locator("#register-email").fill(email);
    await page.locator("#register-password").fill(GOOD);
    await page.keyboard.press("Enter");
    await focused(page, "#code");
    await enterCode(page, await codeFor(email, first));
    await sees(page, "#done-caution", "The password you typed isn't saved.");
    await sees(page, "#password-now", "Not set");
    await picture(page, "desk-existing");
    check((await loginWith(email, GOOD)) === "InvalidCredentials", "the password was saved");
  });

  test("a forgotten password is reset with a code, which ends the other sessions", phone, async (page, faults) => {
    const email = address("forgot");
    await register(email);
    const before = await codeFor(email);
    const elsewhere = await page.context().newPage();
    await signInWithPassword(elsewhere, email);
    await page.goto(`${base}/`);
    await focused(page, "#password-email");
    await page.keyboard.type(email);
    await press(page, "#password-forgot");
    await focused(page, "#step-forgot h1");
    await fits(page);
    await picture(page, "phone-forgot");
    await press(page, "#forgot-submit");
    await focused(page, "#reset");
    check((await valueOf(page, "#reset-username")) === email, "password managers find no username");
    const code = await codeFor(email, before);
    await page.keyboard.type(code);
    await tabTo(page, "#reset-password");
    await page.keyboard.type("1234");
    await page.keyboard.press("Enter");
    await sees(page, "#reset-password-error", "Use at least 8 characters.");
    await sees(page, "#reset-tries", "3 attempts left.");
    await focused(page, "#reset-password");
    check((await valueOf(page, "#reset")).replace(" ", "") === code, "the code was cleared");
    await fits(page);
    await picture(page, "phone-reset");
    await page.locator("#reset").fill(code.replace(/.$/, (last) => String((Number(last) + 1) % 10)));
    await page.locator("#reset-password").fill(BETTER);
    await page.keyboard.press("Enter");
    await sees(page, "#reset-error", "That code isn't right.");
    await sees(page, "#reset-tries", "2 attempts left.");
    await focused(page, "#reset");
    check((await valueOf(page, "#reset-password")) === BETTER, "the password was cleared");
    await enterCode(page, code);
    await sees(page, "#done-title", `You're signed in as ${email}`);
    check((await loginWith(email, GOOD)) === "InvalidCredentials", "the old password still works");
    check((await loginWith(email, BETTER)) === "SignedIn", "the new password doesn't work");
    await elsewhere.reload();
    await sees(elsewhere, "#status", "Your session has ended.");
    expect401(faults);
  });

  /** Answers `signInOptions` instead of the server. */
  const withOptions = (page, options) =>
    page.route("**/graphql", (route) => {
      if (!route.request().postData()?.includes("signInOptions")) return route.fallback();
      const passwordPolicy = options.methods.includes("PASSWORD") ? { minLength: 8 } : null;
      return route.fulfill({ json: { data: { signInOptions: { ...options, passwordPolicy } } } });
    });

  test("a server without passwords shows nothing about them", phone, async (page) => {
    await withOptions(page, { methods: ["EMAIL_CODE"], signUp: "OPEN" });
    await page.goto(`${base}/#change-password`);
    await focused(page, "#email");
    const body = await page.locator("body").innerText();
    check(!/password/i.test(body.replace("No password needed.", "")), `passwords are mentioned: ${body}`);
    await fits(page);
    await picture(page, "phone-codes-only");
    await signIn(page, address("codes-only"));
    check(!(await page.locator("#part-password").isVisible()), "the account has a part for the password");
  });

  test("passwords disappear when the server turns them off meanwhile", desk, async (page) => {
    await typePasswordAddress(page, address("turned-off"));
    await page.route("**/graphql", (route) => {
      const errors = [{ message: "Passwords are turned off here.", extensions: { code: "METHOD_DISABLED", requestId: "r" } }];
      return route.fulfill({ json: { data: null, errors } });
    });
    await enterCode(page, GOOD);
    await focused(page, "#email");
    await sees(page, "#status", "Passwords are turned off here.");
    check(!(await page.locator("#email-password").isVisible()), "passwords are still offered");
  });

  test("closed sign-up offers no registration", desk, async (page) => {
    await withOptions(page, { methods: ["EMAIL_CODE", "PASSWORD"], signUp: "CLOSED" });
    await page.goto(`${base}/`);
    await focused(page, "#email");
    check(!(await page.locator("#email-register").isVisible()), "registration is offered");
    await press(page, "#email-password");
    await focused(page, "#password-email");
    check(!(await page.locator("#password-register").isVisible()), "registration is offered with a password");
  });

  test("an unreachable server is reported, and can be retried", phone, async (page, faults) => {
    let down = true;
    await page.route("**/graphql", (route) => (down ? route.abort() : route.fallback()));
    await page.goto(`${base}/`);
    await sees(page, "#status", "Can't reach the server.");
    down = false;
    await press(page, "#wait-retry");
    await focused(page, "#email");
    faults.length = 0;
  });

  test("password managers find their fields, and nothing blocks pasting", desk, async (page) => {
    await page.goto(`${base}/`);
    await focused(page, "#email");
    const forms = await page.evaluate(() =>
      Object.fromEntries(
        [...document.forms].map((form) => [
          form.id,
          [...form.querySelectorAll("input:not([type=checkbox])")].map((input) => input.autocomplete).join(" "),
        ]),
      ),
    );
    const expected = {
      "email-form": "email",
      "password-form": "username current-password",
      "register-form": "username new-password name",
      "forgot-form": "username",
      "reset-form": "username one-time-code new-password",
      "code-form": "one-time-code",
      "password-change-form": "username current-password new-password",
    };
    for (const [form, fields] of Object.entries(expected)) check(forms[form] === fields, `${form}: ${forms[form]}`);
    const blocked = await page.locator("input[type=password]").evaluateAll((inputs) =>
      inputs.filter((input) => !input.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, cancelable: true }))),
    );
    check(blocked.length === 0, "pasting is blocked");
  });

  test("a password can be shown and hidden by keyboard, and is hidden when sent", phone, async (page) => {
    await typePasswordAddress(page, address("shown"));
    await page.keyboard.type("some password");
    const button = page.locator("button[aria-controls=password]");
    await press(page, "button[aria-controls=password]");
    check((await page.locator("#password").getAttribute("type")) === "text", "the password is not shown");
    check((await button.getAttribute("aria-label")) === "Hide password", "the button has the wrong name");
    await sees(page, "#status", "Your password is visible.");
    await fits(page);
    await picture(page, "phone-password-shown");
    await page.keyboard.press("Enter");
    check((await page.locator("#password").getAttribute("type")) === "password", "the password is not hidden");
    await page.keyboard.press("Enter");
    await page.locator("#password").focus();
    await page.keyboard.press("Enter");
    await sees(page, "#password-error", "The email address or the password isn't right.");
    check((await page.locator("#password").getAttribute("type")) === "password", "the password was sent while visible");
    check((await button.getAttribute("aria-label")) === "Show password", "the button has the wrong name");
  });

  test("without “Stay signed in”, the session ends after a day", desk, async (page) => {
    const email = address("shared-device");
    await page.goto(`${base}/`);
    await focused(page, "#email");
    await page.keyboard.type(email);
    await page.keyboard.press("Tab");
    await focused(page, "#step-email .remember");
    await page.keyboard.press("Space");
    await press(page, "#email-submit");
    await focused(page, "#code");
    await enterCode(page, await codeFor(email));
    await sees(page, "#done-session", "for a day at most");
    const { refreshExpiresAt } = JSON.parse(await tokensOf(page));
    check(Date.parse(refreshExpiresAt) < Date.now() + 25 * 3_600_000, `the session lasts until ${refreshExpiresAt}`);
    check(!(await page.locator("#step-password .remember").isChecked()), "the forms disagree");
  });

  test("a reset code can be sent again", desk, async (page) => {
    const email = address("resent");
    await register(email);
    const before = await codeFor(email);
    await page.route("**/graphql", async (route) => {
      if (!route.request().postData()?.includes("requestPasswordReset(input")) return route.fallback();
      const response = await route.fetch();
      const json = await response.json();
      json.data.requestPasswordReset.resendAt = new Date(Date.now()).toISOString();
      return route.fulfill({ response, json });
    });
    await typePasswordAddress(page, email);
    await press(page, "#password-forgot");
    await press(page, "#forgot-submit");
    await focused(page, "#reset");
    const first = await codeFor(email, before);
    await page.locator("#reset-password").fill(BETTER);
    await press(page, "#reset-resend");
    await sees(page, "#status", `Check ${email} for a new code.`);
    await focused(page, "#reset");
    await codeFor(email, first);
    await enterCode(page, first);
    await sees(page, "#done-title", email);
  });

  accountPasswordTests({
    ...{ test, check, base, phone, GOOD, BETTER },
    ...{ address, enterCode, loginWith, press, register, signInWithPassword, valueOf },
    ...kit,
  });
}
