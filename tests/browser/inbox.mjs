// The development inbox.

import { once } from "node:events";
import { createServer } from "node:http";
import { accessible, address, base, check, codeFor, desk, linkFor, phone, picture, press, requestCode, sees, spendBudget, tabTo, testOfInbox } from "./kit.mjs";

const items = (page) => page.locator(".mails .list button");

async function openInbox(page, email) {
  await page.goto(`${base}/inbox`);
  await tabTo(page, "#filter");
  await page.keyboard.type(email);
}

/** Reads what a button copied. */
async function copied(page, name) {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: base });
  await press(page, name);
  await sees(page, "#status", "Copied");
  return page.evaluate(() => navigator.clipboard.readText());
}

testOfInbox("a new email appears on top without a reload, and the newest is open until one is picked", desk, async (page) => {
  const email = address("live-inbox");
  await openInbox(page, email);
  await sees(page, "#count", "No emails.");
  await requestCode(email);
  const first = await codeFor(email);
  await sees(page, ".message .digits", first);
  await sees(page, "#count", "1 email.");
  await requestCode(email);
  const second = await codeFor(email, first);
  await sees(page, ".message .digits", second);
  await sees(page, "#count", "2 emails.");
  check((await items(page).first().getAttribute("aria-current")) === "true", "the newest email is not the first");
  await items(page).last().focus();
  await page.keyboard.press("Enter");
  await sees(page, ".message .digits", first);
  await requestCode(email);
  await sees(page, "#count", "3 emails.");
  await sees(page, ".message .digits", first);
  await accessible(page, "desk-inbox");
});

testOfInbox("the inbox shows the HTML of an email without scripts or other hosts, its text and its source", phone, async (page) => {
  const email = address("reader");
  await requestCode(email);
  const code = await codeFor(email);
  await openInbox(page, email);
  await sees(page, ".message .digits", code);
  await accessible(page, "phone-inbox");
  const frame = page.locator(".message iframe");
  check((await frame.getAttribute("sandbox")) === "", "the frame's sandbox allows an action");
  check((await frame.getAttribute("src")) === null, "the frame has a URL");
  await page.frameLocator(".message iframe").locator(".code").waitFor();
  check((await copied(page, "Copy code")) === code, "another text was copied");
  await press(page, "Text");
  await sees(page, ".message pre", code.slice(0, 4));
  await press(page, "Source");
  await sees(page, ".message pre", "<!doctype html>");
  await picture(page, "phone-inbox-source");
});

testOfInbox("the HTML of an email runs no script and loads nothing from another host", desk, async (page) => {
  const email = address("hostile");
  await requestCode(email);
  await codeFor(email);
  let loaded = 0;
  const other = createServer((_, response) => ((loaded += 1), response.end())).listen(0, "127.0.0.1");
  await once(other, "listening");
  const html = `<script>parent.document.title = "run"</script><img src="x" onerror="parent.document.title = 'run'">
    <img src="http://127.0.0.1:${other.address().port}/pixel"><p id="end">end</p>`;
  const forge = async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    for (const mail of json.data.inbox) if (mail.html) mail.html = html;
    await route.fulfill({ response, json });
  };
  // The page asks for new emails until the end of the test, which then drops the answer.
  await page.route("**/graphql", (route) => forge(route).catch(() => {}));
  await openInbox(page, email);
  await page.frameLocator(".message iframe").locator("#end").waitFor();
  await page.waitForTimeout(300);
  other.close();
  check((await page.title()) !== "run", "a script of the email ran");
  check(loaded === 0, "the email loaded a picture from another host");
}, { refuses: /sandboxed|Content Security Policy|ERR_|pixel/ });

testOfInbox("the link of an email can be copied", desk, async (page) => {
  const email = address("linked");
  await spendBudget(email);
  await requestCode(email);
  const link = await linkFor(email);
  await openInbox(page, email);
  await sees(page, ".message .link a", link);
  check((await copied(page, "Copy link")) === link, "another text was copied");
});
