// The console for administrators. `promote` makes one, so most of these tests need the program of the server.

import { readFile } from "node:fs/promises";
import {
  accessible, address, base, button, check, codeFor, desk, enterCode, eventually, expectStatus, field, focused, phone, press,
  promote, refuseWith, retype, run, sees, signedInAs, signIn, signInByApi, tabTo, test, testOfProgram, typeAddress, valueOf,
} from "./kit.mjs";

const inDialog = (page, name) => page.locator("dialog").getByRole("button", { name, exact: true });
const row = (page, text) => page.locator(".table tbody tr").filter({ hasText: text });

/** Signs in and opens the console, at a view. */
export async function openConsole(page, email, role = "admin", view = "") {
  await signIn(page, email);
  await promote(email, role);
  await page.goto(`${base}/admin${view}`);
  await page.locator(".console main").waitFor();
}

/** Goes to a section by its link, which is before the focus and its long tables. */
async function section(page, name) {
  await page.locator(".sections").getByRole("link", { name, exact: true }).focus();
  await page.keyboard.press("Enter");
  await focused(page, "h1");
}

/** Finds a user by a part of the address, and opens their page. */
async function find(page, part, email) {
  await section(page, "Users");
  await tabTo(page, field("search"));
  await retype(page, part);
  await row(page, email).waitFor();
  await eventually("one row", async () => (await page.locator(".table tbody tr").count()) === 1);
  await press(page, page.locator(".row-link"));
  await sees(page, "h1", email);
}

/** The rows of the file that a button saves. */
async function saved(page, what) {
  const download = page.waitForEvent("download");
  await press(page, what);
  const text = await readFile(await (await download).path(), "utf8");
  return text.replace("\u{feff}", "").trimEnd().split("\r\n");
}

test("the console sends a browser without a session to sign in, and is closed to users", phone, async (page) => {
  const email = address("curious");
  await page.goto(`${base}/admin#audit`);
  await focused(page, field("email"));
  check(page.url() === `${base}/sign-in?to=console`, page.url());
  await sees(page, ".status", "Sign in to open the console.");
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email));
  await signedInAs(page, email);
  check((await page.getByRole("link", { name: "Console" }).count()) === 0, "a user is offered the console");
  await page.goto(`${base}/admin`);
  await sees(page, "h1", "The console is for administrators");
  await accessible(page, "phone-console-refused");
  await press(page, page.getByRole("link", { name: "Go to your account" }));
  await signedInAs(page, email);
});

testOfProgram("a manager returns to the view of the link after signing in, and is offered no change", desk, async (page) => {
  const [email, other] = [address("manager"), address("managed")];
  await signInByApi(other);
  await signInByApi(email);
  const first = await codeFor(email);
  await promote(email, "manager");
  await page.goto(`${base}/admin#people?search=managed-${run}`);
  await focused(page, field("email"));
  await page.keyboard.type(email);
  await page.keyboard.press("Enter");
  await focused(page, field("code"));
  await enterCode(page, await codeFor(email, first));
  await row(page, other).waitFor();
  check((await valueOf(page, field("search"))) === `managed-${run}`, "the search is lost");
  check((await button(page, "Invite a user").count()) === 0, "a manager is offered to invite");
  await accessible(page, "desk-console-users");
  await press(page, page.locator(".row-link"));
  await sees(page, "h1", other);
  await sees(page, ".items li", "active");
  check((await page.locator(".head-actions").count()) === 0, "a manager is offered changes");
  check((await button(page, "End the session: Unknown device").count()) === 0, "a manager is offered to end a session");
  check((await page.getByRole("heading", { name: "API keys" }).count()) === 0, "a manager sees a list of keys");
  await accessible(page, "desk-console-user-of-manager");
  await page.goto(`${base}/account`);
  await press(page, page.getByRole("link", { name: "Console" }));
  await sees(page, ".chart h2", "Sign-ins");
});

testOfProgram("an administrator finds someone by half a name, suspends them with a reason, and undoes it", desk, async (page) => {
  const other = address("halfname");
  await signInByApi(other);
  await openConsole(page, address("suspender"));
  await find(page, `lfname-${run}`, other);
  await press(page, "Suspend");
  await focused(page, field("reason"));
  await sees(page, "dialog", "They are signed out everywhere at once.");
  await accessible(page, "desk-console-suspend");
  await page.keyboard.press("Escape");
  await sees(page, ".head .tag", "Active");
  await press(page, "Suspend");
  await focused(page, field("reason"));
  await page.keyboard.type("Spam, ticket <b>4711</b>");
  await page.keyboard.press("Enter");
  await sees(page, ".status", `${other} is suspended.`);
  await sees(page, ".head .tag", "Suspended");
  await sees(page, ".events-table", "Status: Active → Suspended · Reason: Spam, ticket <b>4711</b>");
  await sees(page, ".part", "Not signed in anywhere.");
  await accessible(page, "desk-console-suspended");
  await page.locator(".more summary").first().focus();
  await page.keyboard.press("Enter");
  await sees(page, ".more li", "account suspended");
  await press(page, "Undo");
  await sees(page, ".status", `${other} can sign in again.`);
  await sees(page, ".head .tag", "Active");
  await sees(page, ".events-table", "User restored");
});

testOfProgram("an administrator invites a user, promotes them, deletes them and restores them", phone, async (page) => {
  const other = address("invited");
  await openConsole(page, address("inviter"), "admin", "#people");
  await press(page, "Invite a user");
  await focused(page, `dialog ${field("email")}`);
  await page.keyboard.press("Enter");
  await sees(page, "dialog .error", "Enter your email address.");
  await page.keyboard.type(other);
  await accessible(page, "phone-console-invite");
  await page.keyboard.press("Enter");
  await sees(page, ".status", `the invitation to ${other} is on its way.`);
  await sees(page, "h1", other);
  await press(page, "Edit");
  await focused(page, `dialog ${field("name")}`);
  await page.keyboard.type("Katherine Johnson");
  await page.locator("dialog select").selectOption("MANAGER");
  await sees(page, "dialog .hint", "Can read all users and the audit trail");
  await accessible(page, "phone-console-edit");
  await press(page, inDialog(page, "Save"));
  await sees(page, ".status", "The changes to Katherine Johnson are saved.");
  await sees(page, ".head .tag", "Manager");
  await sees(page, ".events-table", "Role: User → Manager");
  await press(page, "Delete");
  await sees(page, "dialog", "Until then you can restore it.");
  await focused(page, "dialog .quiet");
  await accessible(page, "phone-console-delete");
  await press(page, inDialog(page, "Delete"));
  await sees(page, ".head .tag", "Deleted");
  check((await button(page, "Edit").count()) === 0, "a deleted user can be edited");
  await press(page, "Restore");
  await sees(page, ".status", "Katherine Johnson can sign in again.");
});

testOfProgram("an administrator ends one session of a user, and then all", desk, async (page) => {
  const other = address("robbed");
  const thief = await page.context().browser().newContext({ viewport: phone });
  const stolen = await thief.newPage();
  await signIn(stolen, other);
  await signInByApi(other, await codeFor(other));
  await openConsole(page, address("guardian"));
  await find(page, `robbed-${run}`, other);
  await sees(page, ".part h2", "Sessions 2");
  const device = await page.locator(".items .item-title").filter({ hasText: "Chrome" }).first().textContent();
  await press(page, page.getByRole("button", { name: `End the session: ${device.trim()}` }).first());
  await sees(page, "dialog", "This device is signed out at once");
  await accessible(page, "desk-console-end-session");
  await press(page, inDialog(page, "End"));
  await sees(page, ".status", "The session is ended");
  await sees(page, ".part h2", "Sessions 1");
  await stolen.getByRole("link", { name: "Security" }).click();
  await sees(stolen, ".status", "Your session has ended.");
  await thief.close();
  await press(page, "Sign out everywhere");
  await press(page, inDialog(page, "Sign out everywhere"));
  await sees(page, ".status", "1 session is ended.");
});

testOfProgram("a change that needs a recent sign-in asks for a code in place, and a reset is emailed", phone, async (page) => {
  const [email, other] = [address("careful"), address("forgetful")];
  await signInByApi(other);
  await openConsole(page, email);
  await find(page, `forgetful-${run}`, other);
  let long = true;
  await refuseWith(page, "sendPasswordReset(input", "REAUTHENTICATION_REQUIRED", "Sign in again first.", () => long);
  await press(page, "Send password reset");
  await sees(page, "dialog", `We’ll email a link to ${other}`);
  await accessible(page, "phone-console-reset");
  await press(page, inDialog(page, "Send email"));
  await sees(page, "dialog", "Confirm it’s you");
  await press(page, inDialog(page, "Send code"));
  await focused(page, `dialog ${field("code")}`);
  long = false;
  await enterCode(page, await codeFor(email));
  await sees(page, ".status", `The email to ${other} is on its way.`);
  await sees(page, ".events-table", "Password reset sent");
});

testOfProgram("a change to an outdated version is not made, and says what someone else changed", desk, async (page) => {
  const other = address("contended");
  await signInByApi(other);
  await openConsole(page, address("slower"));
  await find(page, `contended-${run}`, other);
  await promote(other, "manager");
  await press(page, "Edit");
  await focused(page, `dialog ${field("name")}`);
  await page.keyboard.type("Too late");
  await page.keyboard.press("Enter");
  await sees(page, ".caution", "Someone else changed this user after you opened the page");
  await sees(page, ".caution li", "Role: User → Manager");
  await sees(page, "h1", other);
  await accessible(page, "desk-console-conflict");
  await press(page, "Edit");
  await focused(page, `dialog ${field("name")}`);
  await page.keyboard.type("In time");
  await page.keyboard.press("Enter");
  await sees(page, "h1", "In time");
});

testOfProgram("users are sorted, filtered and paged, and the file of them holds no formula", desk, async (page) => {
  const names = ["a", "b", "c"].map((letter) => `${run}-sorted-${letter}@example.com`);
  for (const name of names) await signInByApi(name);
  await openConsole(page, address("reader"), "admin", `#people?search=${run}-sorted-`);
  // Two to a page.
  await page.route("**/graphql", (route) => {
    const body = route.request().postDataJSON();
    if (!body?.query.startsWith("query People(")) return route.fallback();
    for (const name of ["first", "last"]) if (body.variables[name] === 50) body.variables[name] = 2;
    return route.fallback({ postData: JSON.stringify(body) });
  });
  await section(page, "Overview");
  await section(page, "Users");
  await tabTo(page, field("search"));
  await page.keyboard.type(run);
  // The field has not searched yet.
  await page.locator(".sort", { hasText: "User" }).evaluate((element) => element.click());
  await page.waitForURL(/search=/);
  await page.locator("th[aria-sort=ascending]").filter({ hasText: "User" }).waitFor();
  await tabTo(page, field("search"));
  await retype(page, `${run}-sorted-`);
  for (const name of names.slice(0, 2)) await row(page, name).waitFor();
  await press(page, "Next");
  await row(page, names[2]).waitFor();
  await page.reload();
  await row(page, names[2]).waitFor();
  await press(page, "Previous");
  await row(page, names[0]).waitFor();
  await page.goBack();
  await row(page, names[2]).waitFor();

  // Names that a spreadsheet would run.
  await find(page, `${run}-sorted-a`, names[0]);
  for (const [name, kept] of [['=HYPERLINK("//evil","x")', `'=HYPERLINK(""//evil"",'"`], ["x;=1+1", "x;'=1+1"], ["\uff0bcmd", "'\uff0bcmd"]]) {
    await press(page, "Edit");
    await focused(page, `dialog ${field("name")}`);
    await retype(page, name);
    await page.keyboard.press("Enter");
    await sees(page, "h1", name);
    await section(page, "Users");
    await tabTo(page, field("search"));
    await retype(page, `${run}-sorted-a`);
    await row(page, names[0]).waitFor();
    const [head, first] = await saved(page, "Save as CSV");
    check(head === '"Email address","Name","Role","Status","Last sign-in","Created","id"', head);
    check(first.startsWith(`"${names[0]}","${kept.slice(0, 12)}`), first);
    check(!/(^|[",;\t])[=+@\uff0b]/.test(first.replace(/^"|","/g, "\u0000").replaceAll("\u0000'", "")), first);
    await press(page, page.locator(".row-link"));
    await sees(page, "h1", name);
  }
});

testOfProgram("the audit trail is narrowed to a user, a network, a session and a kind", desk, async (page) => {
  const [email, other] = [address("auditor"), address("watched")];
  await openConsole(page, email, "admin", "#audit");
  await signInByApi(other);
  await sees(page, ".pill", "Sign-ins");
  await accessible(page, "desk-console-audit");
  await press(page, page.locator(".pill", { hasText: "Sign-ins" }));
  await sees(page, ".events-table", "Signed up");
  await press(page, page.locator(".minor .pill", { hasText: "Signed up" }));
  await page.locator(field("narrow")).focus();
  await page.keyboard.type(other);
  await page.keyboard.press("Enter");
  await sees(page, ".chips li", other);
  await eventually("one event", async () => (await page.locator(".events-table tbody tr").count()) === 1);
  await press(page, page.locator(".row-link"));
  await sees(page, "dialog", "code by email");
  await accessible(page, "desk-console-event");
  await press(page, page.locator("dialog").getByRole("link", { name: "Only this session" }));
  await sees(page, ".chips li", "Session");
  await sees(page, ".events-table", other);
  await press(page, page.locator(".row-link"));
  await press(page, page.locator("dialog").getByRole("link", { name: "Only this IP address" }));
  await sees(page, ".chips li", "From ");
  await press(page, "Remove the filter: network");
  await eventually("no filter", async () => (await page.locator(".chips").count()) === 0);
  await page.locator(field("narrow")).focus();
  await page.keyboard.type(address("nobody-at-all"));
  await page.keyboard.press("Enter");
  await sees(page, ".chips li", "Address without an account");
  await sees(page, ".nothing", "No event matches these filters.");
  await press(page, "Remove the filter: address");
  await page.getByRole("combobox", { name: "Time range" }).selectOption("night");
  await page.getByRole("combobox", { name: "Time range" }).selectOption("custom");
  await page.locator(field("from")).fill("2026-01-01T00:00");
  await page.locator(".events-table, .nothing").first().waitFor();
  const [head] = await saved(page, "Save as CSV");
  check(head.startsWith('"Time","Event","Number","User","By"'), head);
});

testOfProgram("live events appear, wait while paused, and can be filtered", phone, async (page) => {
  const [email, first, second] = [address("watcher"), address("live-one"), address("live-two")];
  await openConsole(page, email, "admin", "#audit");
  await press(page, "Follow live");
  await sees(page, ".live", "Live");
  await signInByApi(first);
  await sees(page, ".events-table", first);
  await accessible(page, "phone-console-live");
  await press(page, "Pause");
  await signInByApi(second);
  await sees(page, ".live", /Paused, with [1-9]\d* new events/);
  check(!(await page.locator(".events-table").textContent()).includes(second), "a paused table changes");
  await press(page, "Continue");
  await sees(page, ".events-table", second);
  await press(page, page.locator(".pill", { hasText: "Administration" }));
  await sees(page, ".nothing", "New events appear here.");
  await sees(page, ".live", "Live");
  await promote(first, "guest").catch(() => {});
  await press(page, "Stop");
  await sees(page, ".tools", "Follow live");
});

testOfProgram("the overview counts sign-ins in charts with tables", desk, async (page) => {
  await openConsole(page, address("overseer"));
  await sees(page, ".chart .total", /[1-9]/);
  await accessible(page, "desk-console-overview");
  const label = await page.locator(".plot svg").first().getAttribute("aria-label");
  check(/^Sign-ins: [\d,]+ in total, most at /.test(label), label);
  await press(page, page.locator(".chart .more summary").first());
  await sees(page, ".chart-table", "(so far)");
  await accessible(page, "desk-console-chart-table");
  await sees(page, ".mail", /No emails are waiting|Emails waiting/);
  await press(page, page.locator(".chart-table a").first());
  await sees(page, ".pill[aria-pressed=true]", "Sign-ins");
  await sees(page, ".events-table", /Signed (in|up)/);
});

testOfProgram("the overview shows the range that was chosen last, however late the answers are", desk, async (page) => {
  await openConsole(page, address("hasty"));
  await sees(page, ".chart .total", /[1-9]/);
  let asked = 0;
  await page.route("**/graphql", async (route) => {
    const isOverview = /query Overview\b/.test(route.request().postDataJSON()?.query ?? "");
    if (isOverview && (asked += 1) === 1) await new Promise((done) => setTimeout(done, 1500));
    return route.fallback();
  });
  const range = page.getByRole("combobox", { name: "Time range" });
  await range.selectOption("week");
  await range.selectOption("month");
  await press(page, page.locator(".chart .more summary").first());
  await sees(page, ".chart-table", "Day (UTC)");
  await eventually("second question", () => asked === 2, () => String(asked));
  await page.waitForTimeout(2000);
  await sees(page, ".chart-table", "Day (UTC)");
});

testOfProgram("the console says when the server is down, and recovers", desk, async (page, faults) => {
  await openConsole(page, address("outage-admin"), "admin", "#people");
  let down = true;
  await page.route("**/graphql", (route) =>
    down ? route.fulfill({ status: 503, json: { errors: [{ message: "Try again in a few seconds.", extensions: { code: "UNAVAILABLE" } }] } }) : route.fallback(),
  );
  await section(page, "Audit trail");
  await sees(page, ".error", "Try again in a few seconds.");
  await accessible(page, "desk-console-outage");
  down = false;
  await press(page, "Try again");
  await page.locator(".events-table").waitFor();
  expectStatus(faults, 503);
});

/** Answers the subscription with a stream of this many events a second. */
export const flood = (page, rate) =>
  page.addInitScript((rate) => {
    const send = window.fetch;
    const kinds = ["SIGNED_IN", "WRONG_CODE", "LIMIT_REFUSED", "CODE_REQUESTED", "USER_CHANGED"];
    const none = { changes: [], reason: null, method: null, rule: null, field: null, attempt: null, addressHash: null, apiKeyName: null, scopes: [], clientId: null, erased: false };
    window.flooded = 0;
    window.fetch = (resource, init) => {
      if (!String(init?.body).includes("subscription AuditTail")) return send(resource, init);
      const event = () => {
        const n = (window.flooded += 1);
        const user = { id: `u${n % 9}`, email: `user${n % 9}@example.com`, name: null };
        return {
          id: `e${n}`, at: new Date().toISOString(), kind: kinds[n % kinds.length], count: 1, ipAddress: `198.51.100.${n % 250}`,
          userAgent: navigator.userAgent, requestId: `r${n}`, sessionId: null, actor: null, subject: user,
          details: { ...none, rule: n % 5 === 2 ? "send.pair" : null },
        };
      };
      const start = performance.now();
      const body = new ReadableStream({
        start(stream) {
          const timer = setInterval(() => {
            const due = Math.floor(((performance.now() - start) * rate) / 1000);
            let text = "";
            while (window.flooded < due) text += `event: next\ndata: ${JSON.stringify({ data: { auditEventAdded: event() } })}\n\n`;
            if (text) stream.enqueue(new TextEncoder().encode(text));
          }, 10);
          init.signal.addEventListener("abort", () => clearInterval(timer));
        },
      });
      return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    };
  }, rate);

testOfProgram("two hundred live events a second keep the newest fifty in the table", desk, async (page) => {
  await flood(page, 200);
  await openConsole(page, address("flooded"), "admin", "#audit?live=1");
  await eventually("full table", async () => (await page.locator(".events-table tbody tr").count()) === 50);
  await eventually("rate", async () => /\d a second/.test(await page.locator(".frame-head").first().textContent()));
  await press(page, "Pause");
  await sees(page, ".live", "Paused, with 50+ new events");
  const shown = await page.locator(".events-table tbody tr").first().textContent();
  await page.waitForTimeout(300);
  check((await page.locator(".events-table tbody tr").first().textContent()) === shown, "a paused table changes");
  await press(page, page.locator(".row-link"));
  await sees(page, "dialog", "198.51.100.");
});
