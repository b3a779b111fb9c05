//! The reference of all settings in Markdown, for `doorcode settings`.

use std::fmt::Write;

use super::table::rows;

const INTRODUCTION: &str = "# Settings

Every setting is an environment variable and a flag of `doorcode serve`. Write durations as `90s`, `5m`, `12h` or `7d`,
and quotas as a count and a window: `3/15m`. Separate list items with commas. An empty value counts as not set.

`doorcode serve --help` shows the same text. In development, the server also reads a `.env` file in the current folder;
in production only if the file contains `DOORCODE_MODE=production`. The server does not start if it finds an unknown
variable whose name begins with `DOORCODE_`, because it is probably a typo.

Secrets (marked with *) can be files instead: set `DOORCODE_SECRETS_FOLDER` to their folder, and name each file like its
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
