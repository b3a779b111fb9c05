// Takes the screenshots of the documentation: `tests/run --pictures`. Usage: node pictures.mjs BASE_URL FOLDER

import { join } from "node:path";
import { chromium } from "playwright-core";

const [base, folder] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function call(query, variables) {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${base}/graphql`, { method: "POST", headers: { "content-type": "application/json" }, body });
  return (await response.json()).data;
}

async function codeFor(to) {
  for (;;) {
    const { inbox } = await call("query Newest($to: String!) { inbox(to: $to, first: 1) { code } }", { to });
    if (inbox[0]?.code) return inbox[0].code;
    await new Promise((done) => setTimeout(done, 200));
  }
}

async function take(colorScheme) {
  const suffix = colorScheme === "dark" ? "-dark" : "";
  const email = `ada${suffix}@example.com`;
  const context = await browser.newContext({ viewport: { width: 720, height: 660 }, deviceScaleFactor: 1.5, locale: "en-US", colorScheme });
  const page = await context.newPage();
  const picture = async (name) => {
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `${name}${suffix}.png`) });
  };
  await page.goto(`${base}/`);
  await page.locator("input[name=email]").fill(email);
  await picture("sign-in");
  await page.keyboard.press("Enter");
  await page.locator("input[name=code]").waitFor();
  const code = await codeFor(email);
  await page.locator("input[name=code]").fill(code.slice(0, 5));
  await page.locator(".developer .button").waitFor();
  await picture("code");
  await page.locator("input[name=code]").fill(code);
  await page.locator(".account h1").waitFor();
  await page.getByRole("button", { name: "Edit: Name" }).click();
  await page.locator("input[name=name]").fill("Ada Lovelace");
  await page.keyboard.press("Enter");
  await page.locator(".person-name", { hasText: "Ada" }).waitFor();
  await page.setViewportSize({ width: 1080, height: 720 });
  await page.goto(`${base}/account#security`);
  await page.reload();
  await page.locator(".events li").first().waitFor();
  await picture("account");
  await context.close();
}

await take("light");
await take("dark");
await browser.close();
