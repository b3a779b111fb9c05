// The session of a browser.

import {
  address, stored, base, check, codeFor, desk, enterCode, expectStatus, field, focused, press, sees, signedInAs, signIn, soon,
  tabTo, test,
} from "./kit.mjs";

/** Counts the open sessions of the signed-in user. */
async function sessionsOf(page) {
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, ".items li", "active now");
  return page.locator("section", { has: page.getByRole("heading", { name: "Sessions" }) }).locator("li").count();
}

test("an access token is renewed before it ends, and when the server refuses it", desk, async (page, faults) => {
  const email = address("renewed");
  let first = true;
  await page.route("**/pages/session", async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    if (first) json.expiresAt = soon(14);
    first = false;
    return route.fulfill({ response, json });
  });
  const renewed = page.waitForResponse((response) => response.request().postData() === "{}");
  await signIn(page, email);
  await renewed;
  // A refused token is renewed, and the operation runs again.
  let refuse = true;
  await page.route("**/graphql", (route) => {
    if (!refuse || !route.request().postData()?.includes("query Security")) return route.fallback();
    refuse = false;
    const errors = [{ message: "The access token is invalid.", extensions: { code: "UNAUTHENTICATED", requestId: "r" } }];
    return route.fulfill({ status: 401, json: { data: null, errors } });
  });
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, "section", "Known devices");
  check(!refuse, "the token was not refused");
  expectStatus(faults, 401);
});

test("all tabs of a browser share one session, and sign out together", desk, async (page) => {
  const email = address("tabs");
  await signIn(page, email);
  const twin = await page.context().newPage();
  await twin.goto(`${base}/`);
  await signedInAs(twin, email);
  const sessions = await sessionsOf(page);
  check(sessions === 1, `${sessions} sessions instead of one`);
  check((await page.evaluate(() => document.cookie)) === "", "scripts can read the cookie");
  check(!/eyJ|refresh/i.test(await stored(page)), "a token is stored where scripts can read it");
  const [cookie] = await page.context().cookies();
  check(cookie.httpOnly && cookie.sameSite === "Lax", JSON.stringify(cookie));
  check(cookie.expires > Date.now() / 1000 + 86_400, "the cookie does not last");
  await press(twin, "Sign out");
  await sees(twin, ".status", "You’re signed out.");
  await sees(page, ".status", "Your session has ended.");
  check((await page.context().cookies()).length === 0, "the cookie is kept after signing out");
});

test("a sign-in in one tab is noticed by the others", desk, async (page) => {
  const email = address("both");
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  const twin = await page.context().newPage();
  await signIn(twin, email);
  await signedInAs(page, email);
});

test("a session that ended elsewhere is noticed by all tabs", desk, async (page, faults) => {
  const email = address("ended");
  await signIn(page, email);
  const twin = await page.context().newPage();
  await twin.goto(`${base}/account`);
  await signedInAs(twin, email);
  const other = await (await page.context().browser().newContext({ locale: "en-GB" })).newPage();
  await signIn(other, email, await codeFor(email));
  await press(other, other.getByRole("link", { name: "Security" }));
  await press(other, "Sign out everywhere else");
  await sees(other, ".status", "Signed out of 1 other session.");
  await other.context().close();
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, ".status", "Your session has ended.");
  await sees(twin, ".status", "Your session has ended.");
  await page.reload();
  await focused(page, field("email"));
  expectStatus(faults, 401);
});

test("without “Stay signed in”, the session ends after a day", desk, async (page) => {
  const email = address("shared-device");
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await tabTo(page, field("remember"));
  await page.keyboard.press("Space");
  await sees(page, ".check", "You’re signed out after a day.");
  await press(page, "Email me a code");
  await focused(page, field("code"));
  const answer = page.waitForResponse(`${base}/pages/session`);
  await enterCode(page, await codeFor(email));
  const { refreshExpiresAt } = await (await answer).json();
  check(Date.parse(refreshExpiresAt) < Date.now() + 25 * 3_600_000, `the session lasts until ${refreshExpiresAt}`);
  await signedInAs(page, email);
  const [cookie] = await page.context().cookies();
  check(cookie.expires === -1, "the cookie outlives the browser");
  check(!(await page.evaluate(() => JSON.stringify({ ...localStorage }))).includes(email), "the address is kept");
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, ".items li", "for a day at most");
});
