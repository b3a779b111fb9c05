// Sign-in by code.

import {
  accessible, address, alter, button, check, codeFor, desk, enterCode, field, focused, phone, press, requestCode,
  retype, run, sees, signedInAs, signIn, soon, stored, tabTo, test, testOfInbox, typeAddress, valueOf, wrong, base, linkFor, spendBudget,
  withShell,
} from "./kit.mjs";

for (const [label, size] of [["phone", phone], ["desk", desk]]) {
  test(`on a ${label}, a person signs in, stays signed in and signs out`, size, async (page) => {
    const email = address(label);
    await page.goto(`${base}/`);
    await focused(page, field("email"));
    await accessible(page, `${label}-sign-in`);
    await typeAddress(page, email);
    await sees(page, ".lead", email);
    await accessible(page, `${label}-code`);
    await enterCode(page, await codeFor(email));
    await signedInAs(page, email);
    await focused(page, ".account h1");
    await sees(page, ".notice", "Your account is ready.");
    await accessible(page, `${label}-profile`);
    check(page.url() === `${base}/account`, page.url());
    await page.reload();
    await signedInAs(page, email);
    await press(page, "Sign out");
    await focused(page, field("email"));
    await sees(page, ".status", "You’re signed out.");
    check(!/eyJ|refresh/i.test(await stored(page)), "the browser still has a token after signing out");
    await page.reload();
    await focused(page, field("email"));
  });
}

test("a wrong code shows an error at its field and costs an attempt", phone, async (page) => {
  const email = address("wrong");
  await typeAddress(page, email);
  const code = await codeFor(email);
  check(!(await page.getByText("attempts left").isVisible()), "attempts are counted before an error");
  await page.keyboard.type("1234");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "The code has 8 digits.");
  await sees(page, ".facts", "3 attempts left.");
  await page.keyboard.type(wrong(code));
  await sees(page, ".facts", "2 attempts left.");
  await sees(page, ".error", "That code isn't right.");
  check((await page.locator(field("code")).getAttribute("aria-invalid")) === "true", "the field is not marked as invalid");
  const described = await page.locator(field("code")).getAttribute("aria-describedby");
  await page.locator(`[id="${described}"]`, { hasText: "isn't right" }).waitFor();
  await focused(page, field("code"));
  await accessible(page, "phone-wrong-code");
  await page.keyboard.type(code);
  await page.waitForTimeout(300);
  check(await page.locator(field("code")).isVisible(), "a second code was submitted by itself");
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
});

test("a code is taken from any text that is pasted", desk, async (page) => {
  const email = address("pasted");
  await typeAddress(page, email);
  const code = await codeFor(email);
  const fullWidth = [...code].map((digit) => String.fromCodePoint(digit.charCodeAt(0) + 0xfee0)).join("");
  const spaced = `${code.slice(0, 4)} ${code.slice(4)}`;
  let submitted = 0;
  await alter(page, "verify", (data) => {
    submitted += 1;
    data.verify = { __typename: "InvalidCode", message: "No.", attemptsLeft: 2 };
  });
  for (const text of [`Your code: ${spaced}`, fullWidth, `${spaced}\n`, `Doorcode 2: ${code}.`]) {
    await page.locator(field("code")).fill("");
    await page.evaluate((pasted) => document.execCommand("insertText", false, pasted), text);
    await page.waitForFunction(([wanted, selector]) => document.querySelector(selector).value === wanted, [code, field("code")]);
  }
  await sees(page, ".error", "No.");
  check(submitted === 1, `${submitted} codes were submitted by themselves`);
  check((await page.locator(".slot.filled").count()) === 8, "the slots don't show the code");
});

test("a code in progress survives a reload", phone, async (page) => {
  const email = address("reloaded");
  await typeAddress(page, email);
  const code = await codeFor(email);
  await page.reload();
  await focused(page, field("code"));
  await sees(page, ".lead", email);
  await enterCode(page, code);
  await signedInAs(page, email);
});

testOfInbox("a development server offers the code in place, and opens the inbox in a new tab", desk, async (page) => {
  const email = address("offered");
  await typeAddress(page, email);
  const code = await codeFor(email);
  const inbox = page.locator(".developer a");
  check((await inbox.getAttribute("target")) === "_blank", "the inbox replaces the page");
  await press(page, `Enter ${code.slice(0, 4)} ${code.slice(4)}`);
  await signedInAs(page, email);
});

test("a well-known mail provider is offered, another one isn't", phone, async (page) => {
  await typeAddress(page, `someone.${run}@gmail.com`);
  const link = page.getByRole("link", { name: "Open Gmail" });
  check((await link.getAttribute("href")).startsWith("https://mail.google.com/"), "the link leads elsewhere");
  check((await link.getAttribute("target")) === "_blank", "the link replaces the page");
  await press(page, "Change");
  await focused(page, field("email"));
  await retype(page, address("plain"));
  await page.keyboard.press("Enter");
  await sees(page, ".lead", address("plain"));
  check(!(await link.isVisible()), "a provider is offered for example.com");
});

test("the last used address is offered, and forgotten without “Stay signed in”", desk, async (page) => {
  const email = address("chip");
  await signIn(page, email);
  const before = await codeFor(email);
  await press(page, "Sign out");
  await focused(page, field("email"));
  check((await valueOf(page, field("email"))) === "", "the address is in the field");
  await press(page, button(page, `${email} Last used`));
  check((await valueOf(page, field("email"))) === email, "the address was not used");
  await tabTo(page, field("remember"));
  await page.keyboard.press("Space");
  await press(page, "Email me a code");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email, before));
  await signedInAs(page, email);
  await press(page, "Sign out");
  await focused(page, field("email"));
  check(!(await stored(page)).includes(email), "the address is kept");
});

test("an invalid address shows an error, and another can be used", desk, async (page) => {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Enter your email address.");
  await page.keyboard.type("not an address");
  await page.keyboard.press("Enter");
  await page.locator(`${field("email")}[aria-invalid=true]`).waitFor();
  await accessible(page, "desk-wrong-address");
  check((await valueOf(page, field("email"))) === "not an address", "the address was cleared");
  await retype(page, address("first"));
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await press(page, "Change");
  await focused(page, field("email"));
  check((await valueOf(page, field("email"))) === address("first"), "the address was cleared");
});

test("the back button leads from the code to the address", phone, async (page) => {
  await page.goto(`${base}/sign-in`);
  await focused(page, field("email"));
  await press(page, "Create an account");
  await sees(page, "h1", "Create your account");
  check(page.url() === `${base}/register`, page.url());
  await page.goBack();
  await sees(page, "h1", "Sign in to");
  check(page.url() === `${base}/sign-in`, page.url());
});

test("a code can be resent after the wait, and the old one still works", phone, async (page) => {
  const email = address("resend");
  await alter(page, "login", (data) => (data.login.resendAt = soon(3)));
  await typeAddress(page, email);
  const first = await codeFor(email);
  const resend = page.getByRole("button", { name: /^Resend/ });
  await press(page, resend);
  check((await resend.getAttribute("aria-disabled")) === "true", "the button does not wait");
  await sees(page, ".code-help", "Resend in 0:0");
  await button(page, "Resend code").waitFor();
  await page.keyboard.press("Enter");
  await sees(page, ".sr-only", `Check ${email} for a new code.`);
  await codeFor(email, first);
  await tabTo(page, field("code"));
  await enterCode(page, first);
  await signedInAs(page, email);
});

test("a rate limit counts down and can then be retried", phone, async (page) => {
  let refuse = true;
  await alter(page, "login", (data) => {
    if (refuse) data.login = { __typename: "RateLimited", message: "Too many codes were asked for.", retryAt: soon(4) };
    refuse = false;
  });
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(address("refused"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Too many codes were asked for.");
  await sees(page, ".error", "If you got an email with a sign-in link, use that.");
  await page.getByRole("button", { name: /^Email me a code in 0:0/ }).waitFor();
  await accessible(page, "phone-refused");
  await button(page, "Email me a code").waitFor();
  await focused(page, field("email"));
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
});

test("a waiting tab notices that the user signed in in another one", desk, async (page) => {
  const email = address("elsewhere");
  await spendBudget(email);
  await typeAddress(page, email);
  const other = await page.context().newPage();
  await other.goto(await linkFor(email));
  await press(other, "Sign in on this device");
  await signedInAs(other, email);
  await sees(page, "h1", "You’re signed in");
  await accessible(page, "desk-elsewhere");
});

test("with closed sign-up, the page does not say that a code was sent", phone, async (page) => {
  await withShell(page, { signUp: "CLOSED" });
  await typeAddress(page, address("unknown"));
  await sees(page, ".lead", `If ${address("unknown")} can sign in here, we emailed it a code.`);
});

test("the language can be switched without losing what was typed", phone, async (page) => {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type("ada@");
  await tabTo(page, "select");
  await page.locator("select").selectOption("de");
  await sees(page, "h1", "Bei Doorcode anmelden");
  check((await valueOf(page, field("email"))) === "ada@", "the address was cleared");
  check((await page.locator("html").getAttribute("lang")) === "de", "the language of the page is wrong");
  await page.reload();
  await sees(page, "h1", "Bei Doorcode anmelden");
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Geben Sie Ihre E-Mail-Adresse ein.");
});

test("the browser's language is used", phone, async (page) => {
  await page.goto(`${base}/`);
  await sees(page, "h1", "Se connecter à Doorcode");
  await page.locator(field("email")).fill("x");
  await page.keyboard.press("Enter");
  await page.locator(`${field("email")}[aria-invalid=true]`).waitFor();
  const error = await page.locator(".error:not(:empty)").textContent();
  check(/e-mail/i.test(error), `the server's message is in another language: ${error}`);
}, { locale: "fr-CA" });

test("two requests for codes from the API don't disturb the page", phone, async (page) => {
  const email = address("disturbed");
  await typeAddress(page, email);
  const code = await codeFor(email);
  await requestCode(email);
  await codeFor(email, code);
  await enterCode(page, code);
  await signedInAs(page, email);
});
