//! The reference of all settings, as Markdown.

use std::fmt::Write;

use super::table::rows;

const INTRODUCTION: &str = "# Settings

Every setting is an environment variable and a flag of `doorcode serve`. Durations are written `90s`, `5m`, `12h` or `7d`,
quotas `3/15m`: a count and a window. Lists are separated by commas. An empty value counts as none.

`doorcode serve --help` shows the same text. In development, a `.env` file in the current folder is read too; in production
only if it contains `DOORCODE_MODE=production`. Variables that begin with `DOORCODE_` and are no setting stop the start,
because they are probably typos.

A secret (marked with *) can be a file instead: name its folder in `DOORCODE_SECRETS_FOLDER`, and the file like the
variable.

This page is generated: `doorcode settings > docs/operate/settings.md`.
";

/// The page `docs/operate/settings.md`.
pub fn reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut group = "";
    for row in rows() {
        if row.group != group {
            group = row.group;
            // Writing to a string cannot fail.
            let _ = write!(
                page,
                "\n## {group}\n\n| variable | what it is | default | example |\n| --- | --- | --- | --- |\n"
            );
        }
        let mark = if row.is_secret { " *" } else { "" };
        let (help, default, example) = (row.paragraph(), row.default_text(), row.example_text());
        let _ = writeln!(page, "| `{}`{mark} | {help} | {default} | {example} |", row.variable);
    }
    page
}
