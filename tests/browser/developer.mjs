// The development inbox and GraphiQL.

import { accessible, address, check, codeFor, desk, phone, picture, requestCode, sees, tabTo, test, testOfInbox, base } from "./kit.mjs";

test("GraphiQL loads the schema and runs the walk-through's login", desk, async (page) => {
  await page.goto(`${base}/graphiql`);
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  // GraphiQL's documentation panel lists the root types once the introspection has succeeded.
  await page.locator('button[aria-label="Show Documentation Explorer"]').click();
  await sees(page, ".graphiql-doc-explorer", "Mutation");
  await page.locator('button[aria-label="Hide Documentation Explorer"]').click();
  // Use a unique address, because that of the walk-through may have reached its rate limit on this server.
  const variables = page.locator(".graphiql-editor-tool .CodeMirror:visible");
  await variables.evaluate((element, email) => {
    const given = JSON.parse(element.CodeMirror.getValue());
    element.CodeMirror.setValue(JSON.stringify({ ...given, email }));
  }, address("graphiql"));
  const editor = page.locator(".graphiql-query-editor .CodeMirror");
  await editor.evaluate((element) => {
    element.CodeMirror.focus();
    const line = element.CodeMirror.getValue().split("\n").findIndex((text) => text.startsWith("mutation Login"));
    element.CodeMirror.setCursor(line, 5);
  });
  await page.keyboard.press("Control+Enter");
  await sees(page, ".result-window", "CodeSent");
  await page.waitForTimeout(700);
  check((await page.locator(".graphiql-query-editor .CodeMirror-lint-mark-error").count()) === 0, "the walk-through does not match the schema");
  await picture(page, "desk-graphiql");
  await page.reload();
  await page.locator(".graphiql-query-editor .CodeMirror").waitFor();
  check((await page.locator(".graphiql-tab").count()) === 1, "a reload opens another tab");
  check((await page.evaluate(() => localStorage.length)) === 0, "GraphiQL stores data in localStorage");
});

testOfInbox("the inbox shows emails, their code and their HTML without scripts", phone, async (page) => {
  const email = address("reader");
  await requestCode(email);
  const code = await codeFor(email);
  await page.goto(`${base}/inbox`);
  await tabTo(page, "#filter");
  await page.keyboard.type(email);
  await sees(page, ".messages .digits", code);
  await sees(page, "#count", "1 email.");
  await accessible(page, "phone-inbox");
  const item = page.locator(".messages > li:visible");
  await item.locator(".html summary").focus();
  await page.keyboard.press("Enter");
  const frame = item.locator("iframe");
  check((await frame.getAttribute("sandbox")) === "", "the frame's sandbox allows an action");
  check((await frame.getAttribute("src")) === null, "the frame has a URL");
  await item.locator(".text summary").focus();
  await page.keyboard.press("Enter");
  await sees(page, ".messages pre", code.slice(0, 4));
  // A new email must not close open parts.
  await requestCode(email);
  await sees(page, "#count", "2 emails.");
  check(await item.locator(".text[open]").isVisible(), "a new email closed an open part");
  await item.last().locator("iframe").scrollIntoViewIfNeeded();
  await picture(page, "phone-inbox-open");
});
