// Tables as CSV files. A spreadsheet runs a cell that looks like a formula, and users choose their names, so no cell may
// look like one.

/** Characters that start a formula, also in full width, which some spreadsheets treat alike. */
const FORMULA = "=+\\-@\\0\\t\\r＝＋－＠";

/**
 * A cell in quotes. Each place where a formula could start gets an apostrophe, which makes it text: the start of the
 * cell, and the text after a separator, because a spreadsheet with other separators splits the cell there.
 */
function cell(value: string): string {
  const harmless = value.replace(new RegExp(`(^|[\\n\\r;,\\t|])([\\s"']*)(?=[${FORMULA}])`, "g"), "$1$2'");
  return `"${harmless.replaceAll('"', '""')}"`;
}

/** A CSV file of RFC 4180. The mark at its start tells spreadsheets that it is UTF-8. */
export function csv(rows: (string | number | null)[][]): string {
  return `\u{feff}${rows.map((row) => row.map((value) => cell(String(value ?? ""))).join(",")).join("\r\n")}\r\n`;
}
