// Signing in to another application.

import { createHash, randomBytes } from "node:crypto";
import {
  accessible, address, ask, base, button, check, codeFor, desk, enterCode, expectStatus, field, fits, focused, phone, press,
  sees, signIn, test, typeAddressHere, withShell,
} from "./kit.mjs";

const callback = "http://127.0.0.1:8977/callback";

/** A request of the application `notes`. */
function request(more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const url = new URL("/authorize", base);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const pairs = { response_type: "code", client_id: "notes", redirect_uri: callback, state: "a state" };
  url.search = new URLSearchParams({ ...pairs, code_challenge: challenge, code_challenge_method: "S256", ...more });
  return { url: url.href, verifier };
}

/** Waits until the browser is sent back, without opening the application. Returns the URL. */
async function back(page, faults, action) {
  const answered = page.waitForRequest((sent) => sent.url().startsWith(callback));
  await page.route(`${callback}**`, (route) => route.fulfill({ body: "The application.", contentType: "text/plain" }));
  await action();
  const url = new URL((await answered).url());
  await page.waitForURL(`${callback}**`);
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.startsWith(`request to ${callback}`) && !fault.includes("/favicon.ico")));
  check(url.searchParams.get("state") === "a state" && url.searchParams.get("iss") === base, url.href);
  return url.searchParams;
}

/** Exchanges a code, and returns the address of the account. */
async function accountOf(code, verifier) {
  const form = { grant_type: "authorization_code", client_id: "notes", redirect_uri: callback, code, code_verifier: verifier };
  const response = await fetch(`${base}/token`, { method: "POST", body: new URLSearchParams(form) });
  const { access_token } = await response.json();
  return (await ask("{ me { email } }", {}, { token: access_token })).me.email;
}

test("a user signs in to an application, and next time only confirms", desk, async (page, faults) => {
  const email = address("notes");
  const first = request();
  await page.goto(first.url);
  await sees(page, ".lead", "Sign in to continue to Notes.");
  await typeAddressHere(page, email);
  await enterCode(page, await codeFor(email));
  await sees(page, "h1", "Sign in to Notes");
  await focused(page, "h1");
  await accessible(page, "consent");
  const given = await back(page, faults, () => press(page, button(page, `Continue as ${email}`)));
  check((await accountOf(given.get("code"), first.verifier)) === email, "the code is for another account");

  const second = request();
  await page.goto(second.url);
  await sees(page, "h1", "Sign in to Notes");
  check(page.url() === second.url, "the request is no longer in the address");
  await page.reload();
  await sees(page, ".asks", "Notes");
  const again = await back(page, faults, () => press(page, button(page, `Continue as ${email}`)));
  check((await accountOf(again.get("code"), second.verifier)) === email, "the second code is for another account");

  await page.goto(`${base}/account#security`);
  const shown = await page.locator(".items li", { hasText: "notes" }).first().textContent();
  check(shown.split("notes").length === 2, `the application is not named once: ${shown}`);
});

test("a server that is too busy to answer an application offers to try again", desk, async (page) => {
  await withShell(page, { authorize: { problem: "BUSY" } });
  await page.goto(request().url);
  await sees(page, "h1", "That didn’t work");
  await button(page, "Try again").waitFor();
});

test("a user refuses an application, or signs in to it with another account", phone, async (page, faults) => {
  const [email, other] = [address("refuses"), address("another")];
  await signIn(page, email);
  await page.goto(request().url);
  await sees(page, "h1", "Sign in to Notes");
  await fits(page);
  const refused = await back(page, faults, () => press(page, button(page, "Don’t sign in")));
  check(refused.get("error") === "access_denied" && !refused.has("code"), `${refused}`);

  const { url, verifier } = request();
  await page.goto(url);
  await press(page, button(page, "Use another account"));
  await typeAddressHere(page, other);
  await enterCode(page, await codeFor(other));
  const given = await back(page, faults, () => press(page, button(page, `Continue as ${other}`)));
  check((await accountOf(given.get("code"), verifier)) === other, "the code is for another account");
});

test("an application can ask for a new sign-in, with an address", desk, async (page, faults) => {
  const email = address("prompted");
  await signIn(page, email);
  const used = await codeFor(email);
  await page.waitForTimeout(1100); // `auth_time` is in whole seconds.
  await page.goto(request({ prompt: "login", login_hint: email, ui_locales: "de" }).url);
  await sees(page, ".lead", "Danach geht es weiter zu Notes.");
  check((await page.locator('input[name="email"]').inputValue()) === email, "the address is missing");
  await press(page, button(page, "Code per E-Mail schicken"));
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email, used));
  await sees(page, "h1", "Bei Notes anmelden");
  const given = await back(page, faults, () => press(page, button(page, `Weiter als ${email}`)));
  check(given.has("code"), `${given}`);
});

test("an unknown application gets a page, and nothing is sent to it", desk, async (page, faults) => {
  await page.goto(request({ client_id: "nobody" }).url);
  await sees(page, "h1", "This link doesn’t work");
  await accessible(page, "unknown application");
  check(new URL(page.url()).origin === base, page.url());
  expectStatus(faults, 400);
});
