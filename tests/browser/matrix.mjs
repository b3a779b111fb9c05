// Every screen at two widths, in light and dark, in five languages; offline and with a server that is down; and the
// time until the first paint. Only with --all.

import {
  accessible, address, base, check, codeFor, desk, enterCode, expectStatus, field, fits, focused, phone, press,
  refuseWith, sees, signedInAs, signIn, signInByApi, test, testOfProgram, typeAddress, valueOf, wrong,
} from "./kit.mjs";
import { flood, openConsole } from "./console.mjs";

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

async function keyScreens(page, size, name) {
  await page.locator(".part-head .button").click();
  await page.locator(field("name")).fill(name);
  await page.locator("[type=checkbox]").first().check();
  await screen(page, size, `${name}-key-form`);
  await page.locator("form .primary").click();
  await page.locator("code.key").waitFor();
  await screen(page, size, `${name}-key-created`);
  for (const question of [0, 1]) {
    await page.locator(".item-actions .button").nth(question).click();
    await screen(page, size, `${name}-key-question-${question}`);
    await page.keyboard.press("Escape");
  }
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
    if (page.url().endsWith("#keys")) await keyScreens(page, size, name);
  }
  await refuseWith(page, "exportData", "REAUTHENTICATION_REQUIRED", "Sign in again first.");
  await page.locator(".part-head .button").first().click();
  await page.locator("dialog").waitFor();
  await screen(page, size, `${name}-step-up`);
}

/** Goes to a view of the console by its address. */
async function view(page, hash, shown) {
  await page.evaluate((hash) => (location.hash = hash), hash);
  await page.locator(shown).first().waitFor();
  await page.waitForTimeout(300);
}

async function consoleScreens(page, size, name) {
  const other = address(`${name}-user`);
  await signInByApi(other);
  await openConsole(page, address(`${name}-admin`));
  await page.locator(".plot svg").nth(2).waitFor();
  await screen(page, size, `${name}-console-overview`);
  await page.locator(".chart .more summary").first().click();
  await screen(page, size, `${name}-console-table`);
  await view(page, `#people?search=${encodeURIComponent(other)}`, ".table tbody tr");
  await screen(page, size, `${name}-console-users`);
  await page.locator(".tools .primary").click();
  await screen(page, size, `${name}-console-invite`);
  await page.keyboard.press("Escape");
  await page.locator(".row-link").click();
  await page.locator(".events-table tbody tr").first().waitFor();
  await page.locator(".more summary").click();
  await screen(page, size, `${name}-console-user`);
  for (const question of await page.locator(".head-actions .button").all()) {
    await question.click();
    await screen(page, size, `${name}-console-question`);
    await page.keyboard.press("Escape");
  }
  await view(page, "#audit?group=signIns&network=127.0.0.1&range=custom", ".chips");
  await screen(page, size, `${name}-console-audit`);
  await view(page, "#audit", ".events-table");
  await page.locator(".row-link").first().click();
  await screen(page, size, `${name}-console-event`);
  await page.keyboard.press("Escape");
  await view(page, "#audit?live=1", ".live");
  await screen(page, size, `${name}-console-live`);
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
      testOfProgram(`every screen of the console is accessible: ${name}`, size, (page) => consoleScreens(page, size, name), { locale, colorScheme });
    }
  }
}

testOfProgram("with two hundred live events a second, the table drops no frames", desk, async (page) => {
  await flood(page, 200);
  await openConsole(page, address("frames"), "admin", "#audit?live=1");
  await page.locator(".events-table tbody tr").nth(49).waitFor();
  const gaps = await page.evaluate(() => new Promise((done) => {
    const gaps = [];
    const end = performance.now() + 10_000;
    let last = performance.now();
    const frame = (now) => {
      gaps.push(now - last);
      last = now;
      if (now < end) requestAnimationFrame(frame);
      else done(gaps.slice(1).sort((a, b) => a - b));
    };
    requestAnimationFrame(frame);
  }));
  const late = gaps.filter((gap) => gap > 25).length;
  console.log(`       ${gaps.length} frames in ten seconds, ${late} of them late; the longest took ${Math.round(gaps.at(-1))} ms`);
  check(late <= gaps.length / 50, `${late} of ${gaps.length} frames are late`);
});

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

test("a sign-in page without its server says so, keeps what was typed, and continues", phone, async (page, faults) => {
  await page.goto(`${base}/`);
  await focused(page, field("email"));
  let down = true;
  await page.route("**/graphql", (route) => (down ? route.abort("connectionrefused") : route.fallback()));
  await page.keyboard.type(address("no-server"));
  await page.keyboard.press("Enter");
  await sees(page, ".error", "Can’t reach the server.");
  await accessible(page, "phone-no-server");
  check((await valueOf(page, field("email"))) === address("no-server"), "the address was cleared");
  down = false;
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

test("with a cold cache and a CPU four times slower, the first paint takes less than 300 ms, and nothing moves", phone, async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(() => {
    window.seen = { shift: 0, paint: 0 };
    const observe = (type, note) => new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
    observe("layout-shift", (entry) => (window.seen.shift += entry.value));
    observe("paint", (entry) => entry.name === "first-contentful-paint" && (window.seen.paint = entry.startTime));
  });
  const visits = [];
  for (let visit = 0; visit < 9; visit += 1) {
    await session.send("Network.clearBrowserCache");
    await page.goto(`${base}/`);
    await focused(page, field("email"));
    const ready = await page.evaluate(() => performance.now());
    await page.waitForTimeout(300);
    const { shift, paint } = await page.evaluate(() => window.seen);
    const scripts = await page.evaluate(() => performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js")).map((one) => one.transferSize));
    check(scripts.length > 2 && scripts.every((size) => size > 0), "the cache is not cold");
    check(shift === 0, `the layout moves by ${shift}`);
    visits.push({ paint, ready });
    await page.goto("about:blank");
  }
  const middle = (name) => visits.map((one) => Math.round(one[name])).sort((a, b) => a - b);
  const paints = middle("paint");
  console.log(`       first contentful paint: median ${paints[4]} ms, worst ${paints[8]} ms; ready for typing: median ${middle("ready")[4]} ms`);
  check(paints[4] < 300, `the first paint takes ${paints[4]} ms`);
});
