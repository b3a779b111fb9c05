// Reads, writes and runs operations in GraphiQL. An editor is the end of its file: `operation.graphql`, `variables.json`,
// `request-headers.json` or `response.json`.

export const read = (page, file) =>
  page.evaluate((file) => globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(file)).getValue(), file);

export const write = (page, file, text) =>
  page.evaluate(([file, text]) => globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith(file)).setValue(text), [file, text]);

/** Places the cursor in an operation and runs it. */
export async function execute(page, operation) {
  await page.evaluate((operation) => {
    const find = globalThis.__MONACO.editor.getEditors().find((each) => each.getModel()?.uri.path.endsWith("operation.graphql"));
    const line = find.getValue().split("\n").findIndex((text) => text.includes(` ${operation}`));
    find.focus();
    find.setPosition({ lineNumber: line + 1, column: 5 });
  }, operation);
  await page.waitForTimeout(1000); // GraphiQL notices the cursor a little later.
  await page.keyboard.press("Control+Enter");
}
