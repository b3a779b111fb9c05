//! Output: aligned text with control characters escaped, or one JSON object per line.

use std::{
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
};

use chrono::{DateTime, Utc};
use indicatif::ProgressStyle;
use serde_json::Value as Json;
use tokio::{io::Interest, net::unix::pipe};

use crate::{domain::user::name, error::Error};

/// Why a command stops early.
pub(super) enum CommandError {
    /// The reader closed standard output.
    HungUp,
    /// It failed, with this message.
    Failed(String),
}

impl From<String> for CommandError {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        Self::Failed(match error {
            Error::Conflict => "this was changed by someone else at the same time: try again".into(),
            Error::Unavailable(why) => {
                format!(
                    "{why}: check that DATABASE_URL names a running server, or a file that no other process locks, on a \
                     disk with free space, and try again"
                )
            }
            Error::Internal(why) => format!("internal error: {why}"),
            other => other.to_string(),
        })
    }
}

/// Prints text to standard output unchanged.
pub(super) fn say(text: &str) -> Result<(), CommandError> {
    writeln!(io::stdout(), "{text}").map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CommandError::HungUp,
        _ => CommandError::Failed(format!("cannot write to standard output: {error}")),
    })
}

/// Prints a line with control characters escaped.
pub(super) fn line(text: &str) -> Result<(), CommandError> {
    say(&visible(text))
}

/// Prints a JSON object on one line. Characters that a terminal might interpret are written as JSON escapes.
pub(super) fn json(value: &Json) -> Result<(), CommandError> {
    let mut text = String::new();
    for char in value.to_string().chars() {
        // `serde_json` escapes those below U+0020; the others can only occur inside strings.
        if name::hides_or_turns(char) {
            text.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(char);
        }
    }
    say(&text)
}

/// Prints rows with aligned columns below an optional heading.
pub(super) fn table<const N: usize>(heading: Option<[&str; N]>, rows: &[[String; N]]) -> Result<(), CommandError> {
    let rows: Vec<[String; N]> = heading
        .map(|heading| heading.map(str::to_owned))
        .into_iter()
        .chain(rows.iter().map(|row| row.each_ref().map(|cell| visible(cell))))
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        say(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Prints a message to standard error. Ignores failures.
pub fn complain(text: &str) {
    drop(writeln!(io::stderr(), "doorcode: {text}"));
}

/// Escapes characters that move the cursor, reverse the text direction or are invisible.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if name::hides_or_turns(char) { shown.extend(char.escape_default()) } else { shown.push(char) }
    }
    shown
}

pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%F %TZ").to_string()
}

/// Completes when the reader closes standard output. Never completes if standard output is not a pipe.
pub(super) async fn hung_up() {
    let output = io::stdout().as_fd().try_clone_to_owned();
    // We only watch it, so it can stay in blocking mode, which other processes that share it expect.
    if let Ok(watched) = output.and_then(pipe::Sender::from_owned_fd_unchecked)
        && watched.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// The style of a progress bar.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn control_and_invisible_characters_are_escaped() {
        assert_eq!(visible("Ada 李 é"), "Ada 李 é");
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{9b}c\u{7f}"), "a\\u{1b}[2Jb\\r\\n\\u{9b}c\\u{7f}");
        assert_eq!(visible("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
    }
}
