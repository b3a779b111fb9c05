// The look that an operator sets: logo, colours and links. The server of these tests has the settings of tests/run.

import {
  accessible, address, base, check, codeFor, desk, field, focused, mailbox, openTab, phone, sees, signIn, test, typeAddress, ask,
} from "./kit.mjs";

const logoIsShown = (page) =>
  page.waitForFunction(() => {
    const logo = document.querySelector("img.logo");
    return logo?.complete && logo.naturalWidth > 0 && logo.getAttribute("src").startsWith("/theme/logo?");
  });
const colourOf = (page, selector, property) =>
  page.locator(selector).first().evaluate((element, name) => getComputedStyle(element)[name], property);
const links = (page) => page.locator(".footer a").evaluateAll((all) => all.map(({ href, textContent }) => `${textContent} ${href}`));

for (const [label, size, colorScheme, accent, text] of [
  ["phone", phone, "light", "rgb(15, 118, 110)", "rgb(255, 255, 255)"],
  ["desk", desk, "dark", "rgb(45, 212, 191)", "rgb(0, 0, 0)"],
]) {
  test(`the pages have the operator's look: ${label}, ${colorScheme}`, size, async (page) => {
    await page.goto(`${base}/`);
    await focused(page, field("email"));
    await logoIsShown(page);
    check((await colourOf(page, ".button.primary", "backgroundColor")) === accent, "the button has another colour");
    check((await colourOf(page, ".button.primary", "color")) === text, "the text of the button has another colour");
    const shown = await links(page);
    const wanted = ["Help mailto:help@orchard.example", "Terms https://orchard.example/terms", "Privacy https://orchard.example/privacy"];
    check(shown.join() === wanted.join(), shown.join());
    check((await page.locator("link[rel=icon]").getAttribute("href")).startsWith("/theme/logo?"), "the icon is another one");
    await accessible(page, `${label}-theme-start`);
    await page.goto(`${base}/register`);
    await focused(page, field("email"));
    await sees(page, ".agreement", "By continuing, you agree to the Terms and the Privacy");
    await accessible(page, `${label}-theme-register`);
    const email = address(`theme-${label}`);
    await typeAddress(page, email);
    await accessible(page, `${label}-theme-code`);
    // Otherwise the page still waits for the first code.
    await page.evaluate(() => sessionStorage.clear());
    await signIn(page, address(`look-${label}`));
    await logoIsShown(page);
    await accessible(page, `${label}-theme-account`);
    await openTab(page, "Security");
    await accessible(page, `${label}-theme-security`);
  }, { colorScheme });
}

test("a logo that is opened in a tab of its own runs no script", desk, async (page, faults) => {
  const response = await page.goto(`${base}/theme/logo`);
  const headers = response.headers();
  check(headers["x-content-type-options"] === "nosniff", "the type can be guessed");
  check(/(^|; )sandbox(;|$)/.test(headers["content-security-policy"]), headers["content-security-policy"]);
  check((await page.locator("svg").getAttribute("data-ran")) === null, "the script ran");
  check((await page.evaluate(() => origin)) === "null", "the logo has the origin of the pages");
  // The browser reports the blocked script.
  check(faults.length > 0 && faults.every((fault) => /script/i.test(fault)), faults.join());
  faults.length = 0;
});

test("an email has the operator's colour and address, and loads nothing", phone, async (page) => {
  const email = address("theme-mail");
  await typeAddress(page, email);
  await codeFor(email);
  const { inbox } = await ask("query Mail($to: String!) { inbox(to: $to, first: 1) { text html } }", { to: email }, { from: mailbox });
  const [{ text, html }] = inbox;
  check(text.includes("help@orchard.example"), "the text does not say where help is");
  // Links have the colour with more contrast.
  const look = ["mailto:help@orchard.example", "#0d6861", "#2dd4bf"];
  check(look.every((part) => html.includes(part)), "the HTML has another look");
  check(!/<img|url\(|<link/.test(html), "the email loads something");
});
