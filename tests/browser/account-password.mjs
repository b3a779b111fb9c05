// Tests of the signed-in user's password and of taking an account back, called by passwords.mjs with its helpers.

export function accountPasswordTests({ test, check, base, phone, GOOD, BETTER, ...kit }) {
  const { address, codeFor, disownFor, enterCode, expect401, fits, focused, loginWith, open } = kit;
  const { picture, press, register, sees, signIn, signInWithPassword, tabTo, tokensOf, valueOf } = kit;

  test("a user sets a password, changes it with the current one, and removes it after a new sign-in", phone, async (page) => {
    const email = address("own-password");
    await signIn(page, email);
    const before = await codeFor(email);
    await sees(page, "#password-now", "Not set");
    await open(page, "password");
    await focused(page, "#new-password");
    check(!(await page.locator("#current-password, #password-remove").first().isVisible()), "there is no current password");
    await fits(page);
    await picture(page, "phone-set-password");
    await page.keyboard.type("12345678");
    await page.keyboard.press("Enter");
    await sees(page, "#new-password-error", "Too many people use this password.");
    await page.keyboard.type(GOOD);
    await page.keyboard.press("Enter");
    await sees(page, "#status", "Your password is saved.");
    await focused(page, "#done-title");
    check((await page.locator("#password-now").textContent()) === "", "the password is still shown as not set");
    check((await valueOf(page, "#new-password")) === "", "the password is left in the field");
    await press(page, "#sign-out");
    await focused(page, "#password");
    await enterCode(page, GOOD);
    await sees(page, "#done-title", email);

    await open(page, "password");
    await focused(page, "#current-password");
    await page.keyboard.type("not my password");
    await tabTo(page, "#new-password");
    await page.keyboard.type(BETTER);
    await page.keyboard.press("Enter");
    await page.locator("#current-password[aria-invalid=true]").waitFor();
    await focused(page, "#current-password");
    check((await valueOf(page, "#new-password")) === BETTER, "the new password was cleared");
    await fits(page);
    await picture(page, "phone-change-password");
    await page.keyboard.type(GOOD);
    await page.keyboard.press("Enter");
    await sees(page, "#status", "Your password is saved.");
    check((await loginWith(email, BETTER)) === "SignedIn", "the new password doesn't work");

    await open(page, "password");
    await press(page, "#password-remove");
    await focused(page, "#step-again h1");
    await sees(page, "#again-email", email);
    await press(page, "#again-submit");
    await focused(page, "#code");
    await enterCode(page, await codeFor(email, before));
    await focused(page, "#password-remove");
    await page.keyboard.press("Enter");
    await sees(page, "#status", "Your password is removed.");
    await sees(page, "#password-now", "Not set");
    check((await loginWith(email, BETTER)) === "InvalidCredentials", "the removed password still works");
  });

  test("“This wasn't me” is used only by its button, and takes the account back", phone, async (page, faults) => {
    const email = address("disown");
    await register(email);
    await signInWithPassword(page, email);
    const link = await disownFor(email);
    const calls = [];
    page.on("request", (request) => calls.push(request.postData() ?? ""));
    await page.goto(link);
    await focused(page, "#step-disown h1");
    check(page.url() === `${base}/`, `the token is still in the address bar: ${page.url()}`);
    await page.waitForTimeout(300);
    check(!calls.some((body) => body.includes("disownSession")), "the link was used by opening it");
    await fits(page);
    await picture(page, "phone-disown");
    await press(page, "#disown-confirm");
    await sees(page, "#status", "the account has no password now");
    await focused(page, "#email");
    await picture(page, "phone-disowned");
    check(!(await tokensOf(page)), "tokens of an ended session are kept");
    check((await loginWith(email, GOOD)) === "InvalidCredentials", "the password still works");
    await page.goto(link);
    await press(page, "#disown-confirm");
    await sees(page, "#disown-error", "This link has expired or was already used.");
    await focused(page, "#disown-back");
    expect401(faults);
  });

  test("/.well-known/change-password opens the form, after sign-in if needed", phone, async (page) => {
    const email = address("well-known");
    await page.goto(`${base}/.well-known/change-password`);
    await focused(page, "#email");
    await sees(page, "#status", "Sign in to change your password.");
    check(page.url() === `${base}/`, page.url());
    await page.keyboard.type(email);
    await page.keyboard.press("Enter");
    await focused(page, "#code");
    await enterCode(page, await codeFor(email));
    await focused(page, "#new-password");
    await picture(page, "phone-well-known");
    await page.goto(`${base}/.well-known/change-password`);
    await focused(page, "#new-password");
    await page.reload();
    await focused(page, "#done-title");
  });
}
