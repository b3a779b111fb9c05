// Takes the screenshots of the documentation: `tests/run --pictures`. Usage: node pictures.mjs BASE_URL FOLDER
//
// DOORCODE_BIN and DOORCODE_DATA are the program and the data folder of the server, for the pictures of the console.

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { base, codeFor, positionals } from "./kit.mjs";

const [, folder] = positionals;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

const { PATH, DOORCODE_BIN, DOORCODE_DATA } = process.env;
const doorcode = (...words) => promisify(execFile)(DOORCODE_BIN, ["user", ...words], { env: { PATH, DOORCODE_DATA } });

const PEOPLE = {
  grace: "Grace Hopper", katherine: "Katherine Johnson", alan: "Alan Turing", barbara: "Barbara Liskov", edsger: "Edsger Dijkstra",
  margaret: "Margaret Hamilton", donald: "Donald Knuth", frances: "Frances Allen", linus: "Linus Pauling", radia: "Radia Perlman",
};

/** Signs in by the API as someone on this device, after a wrong code. */
async function signInByApi(email, userAgent) {
  const send = async (query, variables) => {
    const headers = { "content-type": "application/json", "user-agent": userAgent };
    return (await (await fetch(`${base}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json()).data;
  };
  const login = "mutation Login($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
  const verify = "mutation Verify($input: VerifyInput!) { verify(input: $input) { __typename } }";
  const { challenge } = (await send(login, { input: { email } })).login;
  for (const code of ["00000000", await codeFor(email)]) await send(verify, { input: { challenge, code } });
}

/** Replaces the numbers of a server that has just started by those of an ordinary day. */
const withNumbers = (page) =>
  page.route("**/graphql", async (route) => {
    const name = /query (Overview|KindTotals)\b/.exec(route.request().postDataJSON()?.query ?? "")?.[1];
    if (!name) return route.fallback();
    const response = await route.fetch();
    const json = await response.json();
    const { auditStatistics } = json.data;
    const day = (busy) => Array.from({ length: 25 }, (_, hour) => Math.round(busy * (0.15 + Math.sin((Math.PI * ((hour + 7) % 24)) / 24) ** 2 + ((hour * 7) % 5) / 15)));
    const series = { SIGNED_IN: day(130), SIGNED_UP: day(14), WRONG_CODE: day(9), WRONG_PASSWORD: day(5), LIMIT_REFUSED: day(2), CODE_REQUESTED: day(90), SESSION_ENDED: day(30), USER_CHANGED: day(1) };
    series.WRONG_PASSWORD[16] = 96;
    series.LIMIT_REFUSED[16] = 31;
    auditStatistics.series = Object.entries(series).map(([kind, counts]) => ({ kind, counts, total: counts.reduce((sum, one) => sum + one, 0) }));
    return route.fulfill({ response, json });
  });

async function takeConsole(page, picture) {
  await withNumbers(page);
  await page.setViewportSize({ width: 1280, height: 760 });
  await page.goto(`${base}/admin`);
  await page.locator(".plot svg").nth(2).waitFor();
  await picture("console-overview");
  await page.goto(`${base}/admin#people?search=hopper`);
  await page.locator(".row-link", { hasText: "Grace Hopper" }).click();
  await page.locator(".events-table tbody tr").first().waitFor();
  await picture("console-user");
  await page.goto(`${base}/admin#audit`);
  await page.locator(".pill-count").first().waitFor();
  await page.locator(".events-table tbody tr").first().waitFor();
  await picture("console-audit");
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
  await page.goto(`${base}/account#keys`);
  await page.getByRole("button", { name: "Create API key" }).click();
  await page.locator("input[name=name]").fill("Nightly report");
  await page.locator("[type=checkbox]").first().check();
  await page.locator("form .primary").click();
  await page.locator("code.key").waitFor();
  await picture("api-keys");
  await doorcode("role", email, "admin");
  await takeConsole(page, picture);
  await context.close();
}

for (const [name, whole] of Object.entries(PEOPLE)) await doorcode("create", `${name}@example.com`, "--role", "user", "--name", whole);
await doorcode("role", "grace@example.com", "manager");
await doorcode("suspend", "linus@example.com");
const devices = ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1", "Mozilla/5.0 (Windows NT 10.0) Firefox/142.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Safari/605.1"];
for (const [at, name] of ["alan", "barbara", "grace", "grace", "radia", "margaret"].entries()) await signInByApi(`${name}@example.com`, devices[at % 3]);
await take("light");
await take("dark");
await browser.close();
