// Every screen at two widths, in light and dark, in five languages; offline and with a server that is down; and the
// time until the first paint. Only with --all.

import {
  accessible, address, base, check, codeFor, desk, enterCode, expectStatus, field, fits, focused, phone, press,
  refuseWith, sees, signedInAs, signIn, test, typeAddress, valueOf, wrong,
} from "./kit.mjs";

const UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/** Checks a screen, and that it fits into the narrowest and the widest window. */
async function screen(page, size, name) {
  await accessible(page, name);
  for (const width of [320, 1440]) {
    await page.setViewportSize({ ...size, width });
    await fits(page);
  }
  await page.setViewportSize(size);
}

async function signInScreens(page, size, name) {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await screen(page, size, `${name}-start`);
  await page.keyboard.press("Enter");
  await page.locator("[aria-invalid=true]").waitFor();
  await screen(page, size, `${name}-start-error`);
  await page.locator(".choices .secondary").click();
  await page.locator(field("password")).fill("x");
  await screen(page, size, `${name}-start-password`);
  for (const path of ["register", "reset"]) {
    await page.goto(`${base}/${path}`);
    await focused(page, field("email"));
    await screen(page, size, `${name}-${path}`);
  }
  for (const kind of ["link", "undo", "disown"]) {
    await page.goto(`${base}/#${kind}=${UNKNOWN}`);
    await focused(page, "h1");
    await screen(page, size, `${name}-${kind}`);
    await page.goto("about:blank");
  }
}

async function codeScreens(page, size, name, email) {
  await typeAddress(page, email);
  await screen(page, size, `${name}-code`);
  const code = await codeFor(email);
  await enterCode(page, wrong(code));
  await page.locator("[aria-invalid=true]").waitFor();
  await screen(page, size, `${name}-code-wrong`);
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
  await signedInAs(page, email);
}

async function accountScreens(page, size, name) {
  const tabs = page.locator(".tabs a");
  await screen(page, size, `${name}-profile`);
  for (const row of await page.locator(".row-part .part-head .button").all()) await row.click();
  await screen(page, size, `${name}-profile-open`);
  for (let tab = 1; tab < (await tabs.count()); tab += 1) {
    await tabs.nth(tab).click();
    await page.locator(".tabs a[aria-current]").nth(0).waitFor();
    await page.waitForTimeout(400);
    for (const row of await page.locator(".row-part .part-head .button").all()) await row.click();
    await screen(page, size, `${name}-account-${tab}`);
  }
  await refuseWith(page, "exportData", "REAUTHENTICATION_REQUIRED", "Sign in again first.");
  await page.locator(".part-head .button").first().click();
  await page.locator("dialog").waitFor();
  await screen(page, size, `${name}-step-up`);
}

for (const locale of ["en", "de", "fr", "es", "ja"]) {
  for (const [label, size] of [["phone", phone], ["desk", desk]]) {
    for (const colorScheme of ["light", "dark"]) {
      const name = `${label}-${colorScheme}-${locale}`;
      test(`every screen is accessible: ${name}`, size, async (page) => {
        await signInScreens(page, size, name);
        await codeScreens(page, size, name, address(name));
        await accountScreens(page, size, name);
      }, { locale, colorScheme });
    }
  }
}

test("right-to-left text mirrors the pages", phone, async (page) => {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  await accessible(page, "phone-rtl");
  const [label, card] = await Promise.all([page.locator("label").first().boundingBox(), page.locator(".card").boundingBox()]);
  check(label.x > card.x + card.width / 2, "the label is at the left");
});

test("an offline browser says so, keeps what was typed, and continues", phone, async (page, faults) => {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  await page.context().setOffline(true);
  await page.keyboard.type(address("offline"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "You’re offline.");
  check((await valueOf(page, field("email"))) === address("offline"), "the address was cleared");
  await page.context().setOffline(false);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  faults.length = 0;
});

test("an account page without its server says so, and recovers", desk, async (page, faults) => {
  const email = address("outage");
  await signIn(page, email);
  let down = true;
  const refuse = (route) => (down ? route.fulfill({ status: 503, json: { errors: [{ message: "Try again in a few seconds.", extensions: { code: "UNAVAILABLE", requestId: "r" } }] } }) : route.fallback());
  await page.route("**/graphql", refuse);
  await page.route("**/pages/session", refuse);
  await press(page, page.getByRole("link", { name: "Security" }));
  await sees(page, ".error", "Try again in a few seconds.");
  await accessible(page, "desk-outage");
  await page.reload();
  await sees(page, ".error", "Try again in a few seconds.");
  await accessible(page, "desk-outage-reload");
  down = false;
  await press(page, "Try again");
  await sees(page, ".account h1", "Security");
  await press(page, page.getByRole("link", { name: "Profile" }));
  await signedInAs(page, email);
  expectStatus(faults, 503);
});

test("the first paint takes less than 300 ms with a CPU four times slower, and nothing moves", phone, async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  const paints = [];
  for (let visit = 0; visit < 7; visit += 1) {
    await page.goto(`${base}/`);
    await focused(page, field("email"));
    await page.waitForTimeout(200);
    const [paint, shift] = await page.evaluate(() => [performance.getEntriesByName("first-contentful-paint")[0].startTime, window.shift]);
    check(shift === 0, `the layout moves by ${shift}`);
    paints.push(paint);
  }
  paints.sort((a, b) => a - b);
  console.log(`       first contentful paint: median ${Math.round(paints[3])} ms, worst ${Math.round(paints[6])} ms`);
  check(paints[3] < 300, `the first paint takes ${paints[3]} ms`);
});
