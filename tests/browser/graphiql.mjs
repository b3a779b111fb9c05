// GraphiQL: the bar that signs in, and the tabs.

import { accessible, address, ask, base, BETTER, check, codeFor, desk, eventually, GOOD, mailbox, picture, promote, register, requestCode, sees, signInByApi, test, testOfInbox, testOfProgram } from "./kit.mjs";
import { execute, read, write } from "../lib/graphiql.mjs";

const TABS = ["SignIn", "Me", "People", "Audit", "Live"];
const editor = (page) => page.locator(".graphiql-query-editor .monaco-editor").first();
const result = (page) => read(page, "response.json");
const chip = (page) => page.locator(".bar .chip");

async function open(page, path = "/graphiql") {
  await page.goto(`${base}${path}`);
  await editor(page).waitFor();
}

/** Runs an operation, and waits for a part of its result. */
async function runs(page, operation, expected) {
  await execute(page, operation);
  await eventually(`${expected} in the result of ${operation}`, async () => (await result(page)).includes(expected), () => result(page));
}

/** Opens the tab whose latest operation has this name. */
async function openTab(page, name) {
  await page.locator(".graphiql-tab-button", { hasText: new RegExp(`^${name}$`) }).click();
  await eventually(`the tab ${name}`, async () => {
    const models = await page.evaluate(() => globalThis.__MONACO.editor.getModels().filter(({ uri }) => uri.path.endsWith("operation.graphql")).map((model) => model.getValue()));
    return models.some((text) => text.includes(` ${name}`));
  });
}

async function signInByBar(page, email) {
  await page.getByLabel("Sign in as").fill(email);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Code for ${email}`).waitFor();
  if (mailbox) {
    await page.getByLabel(`Code for ${email}`).fill(await codeFor(email));
    await page.keyboard.press("Enter");
  } else {
    await page.locator(".bar .offer").click();
  }
  await sees(page, ".bar .chip", email);
}

test("GraphiQL opens from /graphql with five tabs that match the schema, and keeps nothing after the tab", desk, async (page) => {
  await open(page, mailbox ? "/graphiql" : "/graphql");
  check(new URL(page.url()).pathname === "/graphiql", `/graphql leads to ${page.url()}`);
  // GraphiQL's documentation panel lists the root types once the introspection has succeeded.
  await page.locator('button[aria-label="Show Documentation Explorer"]').click();
  await sees(page, ".graphiql-doc-explorer", "Mutation");
  await page.locator('button[aria-label="Hide Documentation Explorer"]').click();
  for (const name of TABS) {
    await openTab(page, name);
    await page.waitForTimeout(700);
    const faults = await page.evaluate(() => globalThis.__MONACO.editor.getModelMarkers({}).map(({ message }) => message));
    check(faults.length === 0, `${name} does not match the schema: ${faults.join("; ")}`);
  }
  const workers = page.workers().map((worker) => new URL(worker.url()).pathname.split("/").at(-1));
  for (const name of ["editor.worker.js", "json.worker.js", "graphql.worker.js"]) check(workers.includes(name), `${name} does not run, only ${workers}`);
  await page.reload();
  await editor(page).waitFor();
  check((await page.locator(".graphiql-tab").count()) === TABS.length, "a reload opens another tab");
  check((await page.evaluate(() => localStorage.length)) === 0, "GraphiQL stores data in localStorage");
});

test("the bar signs in with a code, survives a reload, refreshes its token and signs out", desk, async (page) => {
  const email = address("bar");
  await open(page);
  await accessible(page, "desk-graphiql-bar", "#bar");
  await page.getByLabel("Sign in as").fill(email);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Code for ${email}`).waitFor();
  await page.getByLabel(`Code for ${email}`).fill("00000000");
  await page.keyboard.press("Enter");
  await sees(page, ".bar [role=alert]", /.+/);
  await accessible(page, "desk-graphiql-code", "#bar");
  await page.reload();
  await page.getByLabel(`Code for ${email}`).fill(await codeFor(email));
  await page.keyboard.press("Enter");
  await sees(page, ".bar .chip", email);
  await sees(page, ".bar .role", "USER");
  await sees(page, ".bar .left", /^1[0-5]:\d\d left$/);
  await accessible(page, "desk-graphiql", "#bar");
  const kept = () => page.evaluate(() => JSON.parse(sessionStorage.getItem("doorcode:graphiql")));
  const { access } = await kept();
  // Makes the token look older than it is.
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("doorcode:graphiql"));
    sessionStorage.setItem("doorcode:graphiql", JSON.stringify({ ...kept, at: kept.at - kept.life + 40_000 }));
  });
  await page.reload();
  await eventually("a new token", async () => (await kept()).access !== access);
  await sees(page, ".bar .left", /^1[0-5]:\d\d left$/);
  await editor(page).waitFor();
  await openTab(page, "Me");
  await runs(page, "Me", email);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Sign in as").waitFor();
  check((await kept()) === null, "the tokens are still there");
  await runs(page, "Me", '"me": null');
});

const kept = (page) => page.evaluate(() => JSON.parse(sessionStorage.getItem("doorcode:graphiql")));
const REFRESH = "mutation Refresh($input: RefreshInput!) { refresh(input: $input) { __typename } }";

test("the bar ends its session even if its access token no longer works", desk, async (page) => {
  const email = address("bar-expired");
  await open(page);
  await signInByBar(page, email);
  const { refresh } = await kept(page);
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("doorcode:graphiql"));
    sessionStorage.setItem("doorcode:graphiql", JSON.stringify({ ...kept, access: `${kept.access}x` }));
  });
  await page.reload();
  await sees(page, ".bar .chip", email);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Sign in as").waitFor();
  const { refresh: outcome } = await ask(REFRESH, { input: { refreshToken: refresh } });
  check(outcome.__typename === "SessionEnded", `${outcome.__typename} for the session that the bar ended`);
});

test("a tab with a token of its own ends another session than that of the bar", desk, async (page) => {
  const [email, other] = [address("bar-owner"), address("own-header")];
  await open(page);
  await signInByBar(page, email);
  const tokens = await signInByApi(other);
  await page.getByRole("button", { name: "Headers" }).click();
  await write(page, "request-headers.json", JSON.stringify({ Authorization: `Bearer ${tokens.accessToken}` }));
  await runs(page, "SignOut", "LoggedOut");
  await sees(page, ".bar .chip", email);
  await write(page, "request-headers.json", "{}");
  await openTab(page, "Me");
  await runs(page, "Me", email);
});

testOfInbox("the bar offers no code of an earlier sign-in, and leaves the focus where it is", desk, async (page) => {
  const email = address("bar-twice");
  await requestCode(email);
  const old = await codeFor(email);
  await open(page);
  // Until the new email arrives, the old one is the newest.
  let late = true;
  await page.route("**/graphql", (route) => {
    if (!late || !route.request().postData()?.includes("query NewestCode")) return route.fallback();
    return route.fulfill({ json: { data: { inbox: [{ at: "2026-01-01T00:00:00Z", code: old }] } } });
  });
  await page.getByLabel("Sign in as").fill(email);
  await page.keyboard.press("Enter");
  await page.getByLabel(`Code for ${email}`).waitFor();
  const next = await codeFor(email, old);
  await page.waitForTimeout(1500);
  check(!(await page.locator(".bar .offer").isVisible()), "the old code is offered");
  await page.getByRole("link", { name: "Inbox" }).focus();
  late = false;
  await sees(page, ".bar .offer", next);
  check(await page.getByRole("link", { name: "Inbox" }).evaluate((link) => link === document.activeElement), "the bar takes the focus");
  await page.locator(".bar .offer").click();
  await sees(page, ".bar .chip", email);
});

test("the bar signs in with a password", desk, async (page) => {
  const email = address("bar-password");
  await register(email, GOOD);
  await open(page);
  await page.getByLabel("Sign in as").fill(email);
  await page.getByRole("button", { name: "Use a password" }).click();
  await page.getByLabel("Password").fill(BETTER);
  await page.keyboard.press("Enter");
  await sees(page, ".bar [role=alert]", /.+/);
  await page.getByLabel("Password").fill(GOOD);
  await page.keyboard.press("Enter");
  await sees(page, ".bar .chip", email);
});

test("tokens in a response of the editor go to the bar", desk, async (page) => {
  const email = address("captured");
  await open(page);
  await write(page, "variables.json", JSON.stringify({ email }));
  await runs(page, "SignIn", "CodeSent");
  const { challenge } = JSON.parse(await result(page)).data.login;
  await write(page, "variables.json", JSON.stringify({ challenge, code: await codeFor(email) }));
  await runs(page, "Verify", "SignedIn");
  await sees(page, ".bar .chip", email);
  const { refreshToken } = JSON.parse(await result(page)).data.verify.tokens;
  await write(page, "variables.json", JSON.stringify({ refreshToken }));
  await runs(page, "Refresh", "Refreshed");
  await openTab(page, "Me");
  await runs(page, "Me", email);
  await openTab(page, "Refresh"); // The tab has the name of the latest operation.
  await runs(page, "SignOut", "LoggedOut");
  await page.getByLabel("Sign in as").waitFor();
});

testOfInbox("the tab of the walk shows the emails of the inbox", desk, async (page) => {
  const email = address("walk");
  await requestCode(email);
  const code = await codeFor(email);
  await open(page);
  await write(page, "variables.json", JSON.stringify({ email }));
  await runs(page, "Inbox", code);
});

testOfProgram("an administrator queries every tab, and sees events live over a socket", desk, async (page) => {
  const email = address("boss");
  await signInByApi(email);
  await promote(email, "admin");
  const sockets = [];
  page.on("websocket", (socket) => sockets.push(socket));
  await open(page);
  await signInByBar(page, email);
  await sees(page, ".bar .role", "ADMIN");
  for (const [name, expected] of [["Me", email], ["People", email], ["Audit", '"kind"']]) {
    await openTab(page, name);
    await runs(page, name, expected);
  }
  await openTab(page, "Live");
  await execute(page, "Live");
  await eventually("a socket", () => sockets.length === 1);
  await eventually("a live event", async () => {
    await requestCode(address("witness"));
    return (await result(page)).includes("auditEventAdded");
  }, () => result(page));
  await picture(page, "desk-graphiql-live");
  await page.getByRole("button", { name: /Stop/ }).click();
  await eventually("the end of the socket", () => sockets[0].isClosed());
});
