// Tests `examples/redirect` and `withRedirect` in Chromium against a live server: from an application to Doorcode's
// pages and back.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readCode } from "@doorcode/client/testing";
import { launch, servePage, watch } from "./browser.mjs";
import { Doorcode, freePort } from "./support.mjs";

const FOLDER = new URL("../../examples/redirect/", import.meta.url).pathname;

let server, browser, application, base, spa, sample;

/** The sample for applications that sign users in on Doorcode's pages. */
async function sampleOf(url, id, redirectUri) {
  const readme = await readFile(new URL("../../clients/typescript/README.md", import.meta.url), "utf8");
  const [, code] = /\n## On Doorcode's pages\n\n```js\n(.*?)```/s.exec(readme);
  const own = code.replace("http://localhost:4000", url).replace('"notes"', `"${id}"`).replace("http://localhost:5173/", redirectUri);
  return `import { createDoorcode } from "@doorcode/client";\n${own}`;
}

before(async () => {
  base = `http://localhost:${await freePort()}`;
  const file = join(tmpdir(), "clients.json");
  const [spaPort, samplePort] = [await freePort(), await freePort()];
  const clients = [
    { id: "redirect-example", name: "Notes", redirectUris: [`${base}/callback`] },
    { id: "spa", name: "Single page", redirectUris: [`http://localhost:${spaPort}/`] },
    { id: "sample", name: "Sample", redirectUris: [`http://localhost:${samplePort}/`] },
  ];
  writeFileSync(file, JSON.stringify(clients));
  [server, browser] = await Promise.all([Doorcode.start({ DOORCODE_CLIENTS: file, DOORCODE_ACCESS_TTL: "1m" }), launch()]);
  process.env.DOORCODE_URL = server.url;
  const env = { PATH: process.env.PATH, DOORCODE_URL: server.url, BASE_URL: base };
  application = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, "server.mjs"], { cwd: FOLDER, env, stdio: ["ignore", "pipe", "inherit"] });
  await once(application.stdout, "data");
  spa = await servePage(server.url, "spa", spaPort);
  sample = await servePage(server.url, "", samplePort, await sampleOf(server.url, "sample", `http://localhost:${samplePort}/`));
});
after(async () => {
  application.kill("SIGKILL");
  spa.close();
  sample.close();
  await browser.close();
  await server.remove();
});

async function visit(t, url) {
  const context = await browser.newContext();
  context.setDefaultTimeout(10_000);
  t.after(() => context.close());
  const wrong = watch(context);
  const page = await context.newPage();
  await page.goto(url);
  return { context, page, wrong };
}

/** Signs in on Doorcode's pages with a code. */
async function signIn(page, email) {
  await page.locator("input[name=email]").fill(email);
  await page.keyboard.press("Enter");
  await page.locator("input[name=code]").waitFor();
  await page.locator("input[name=code]").fill(await readCode(email));
}

const approve = (page, email) => page.getByRole("button", { name: `Continue as ${email}` }).click();

test("examples/redirect signs a user in on Doorcode's pages, keeps the session on its server, and signs out", async (t) => {
  const email = "redirect@example.com";
  const { context, page, wrong } = await visit(t, base);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/authorize?**`);
  const [{ value: before }] = await context.cookies(base);
  await signIn(page, email);
  await approve(page, email);
  await page.getByText(`Welcome, ${email}.`).waitFor();
  assert.equal(page.url(), `${base}/`);
  const cookie = (await context.cookies(base)).find(({ name }) => name === "session");
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Lax"]);
  assert.notEqual(cookie.value, before, "the session has the id from before the sign-in");
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await context.addCookies([cookie]);
  await page.reload();
  assert.equal(await page.getByText("Welcome").count(), 0, "the old cookie still works");
  // The user is still signed in on Doorcode's pages, and is asked again.
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Don’t sign in" }).click();
  await page.getByText("You did not sign in.").waitFor();
  assert.deepEqual(wrong, []);
});

test("examples/redirect refuses a response that another browser asked for", async (t) => {
  const email = "victim@example.com";
  const { page } = await visit(t, base);
  await page.getByRole("button", { name: "Sign in" }).click();
  await signIn(page, email);
  let stolen;
  await page.route(`${base}/callback?**`, (route) => {
    stolen = route.request().url();
    return route.abort();
  });
  await approve(page, email);
  while (!stolen) await page.waitForTimeout(50);
  const other = await visit(t, base);
  await other.page.getByRole("button", { name: "Sign in" }).click();
  await other.page.waitForURL(`${server.url}/authorize?**`);
  await other.page.goto(stolen);
  await other.page.getByText("This sign-in has expired.").waitFor();
  await other.page.goto(base);
  assert.equal(await other.page.getByText("Welcome").count(), 0);
});

test("examples/redirect keeps users signed in while Doorcode is down, and signs them out when their session ended", async (t) => {
  const email = "outage@example.com";
  const { page } = await visit(t, base);
  await page.getByRole("button", { name: "Sign in" }).click();
  await signIn(page, email);
  await approve(page, email);
  await page.getByText(`Welcome, ${email}.`).waitFor();
  await server.stop();
  await page.reload();
  await page.getByText("Something went wrong.").waitFor();
  await server.start();
  await page.reload();
  await page.getByText(`Welcome, ${email}.`).waitFor();
  server.command("user", "suspend", email);
  await page.reload();
  await page.getByText("You are signed out.").waitFor();
});

test("the sample in the README does not send a user back who cancelled", async (t) => {
  const { page } = await visit(t, sample.url);
  await page.waitForURL(`${server.url}/authorize?**`);
  await signIn(page, "cancels@example.com");
  await page.getByRole("button", { name: "Don’t sign in" }).click();
  await page.getByText("The sign-in was cancelled.").waitFor();
  assert.equal(page.url(), `${sample.url}/`);
});

test("withRedirect signs in on Doorcode's pages, and the session is refreshed and ended on the server", async (t) => {
  const email = "spa-redirect@example.com";
  const { page, wrong } = await visit(t, `${spa.url}/?page=7`);
  await page.evaluate(() => void doorcode.signIn.withRedirect({ loginHint: "spa-redirect@example.com" }));
  await page.waitForURL(`${server.url}/authorize?**`);
  await signIn(page, email);
  await approve(page, email);
  await page.locator("#who").getByText(email).waitFor();
  assert.equal(page.url(), `${spa.url}/?page=7`);
  const session = () => page.evaluate(async () => [doorcode.session()?.methods, await doorcode.getAccessToken()]);
  const [methods, first] = await session();
  assert.deepEqual(methods, ["otp"]);
  const claims = JSON.parse(Buffer.from(first.split(".")[1], "base64url").toString());
  assert.equal(claims.client_id, "spa");

  const rename = (document) => page.evaluate((document) => doorcode.query(document), document);
  assert.deepEqual((await rename("{ me { email } }")).data, { me: { email } });
  const refused = await rename('mutation Rename { updateProfile(input: { name: "Eve" }) { __typename } }');
  assert.deepEqual([refused.ok, refused.problem.code], [false, "INSUFFICIENT_SCOPE"]);

  // Makes the token look older than it is.
  await page.evaluate(() => {
    const [key, value] = Object.entries(localStorage).find(([, value]) => value.includes('"refresh"'));
    const kept = JSON.parse(value);
    localStorage.setItem(key, JSON.stringify({ ...kept, at: kept.at - kept.life + 20_000 }));
  });
  await page.reload();
  await page.locator("#who").waitFor();
  const [, second] = await session();
  assert.notEqual(second, first);
  await page.evaluate(() => doorcode.signOut());
  await page.locator("#who").waitFor({ state: "detached" });
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${second}` },
    body: JSON.stringify({ query: "{ me { id } }" }),
  });
  assert.equal((await response.json()).errors[0].extensions.code, "UNAUTHENTICATED");
  assert.deepEqual(wrong, []);
});

test("withRedirect says that the user did not want to sign in", async (t) => {
  const { page } = await visit(t, spa.url);
  await page.evaluate(() => void doorcode.signIn.withRedirect());
  await page.waitForURL(`${server.url}/authorize?**`);
  await signIn(page, "unwilling@example.com");
  await page.getByRole("button", { name: "Don’t sign in" }).click();
  await page.waitForURL(`${spa.url}/`);
  await page.waitForFunction(() => document.title === "ACCESS_DENIED");
  assert.deepEqual(await page.evaluate(() => globalThis.problems), ["ACCESS_DENIED"]);
});
