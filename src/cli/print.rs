//! How the command line prints: lines for people, aligned, with nothing in them that moves a cursor or hides, and one
//! JSON object a line for programs. Nothing here knows what it prints.

use std::{
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;
use tokio::{io::Interest, net::unix::pipe};

use crate::{domain::user::name, error::Error};

/// Why a command ends before its end.
pub(super) enum CommandError {
    /// Nobody reads what it prints any more.
    HungUp,
    /// It could not be done: what to tell.
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
            Error::Conflict => "somebody else changed this at the same moment: try again".into(),
            Error::Unavailable(why) => {
                format!(
                    "{why}: see whether DATABASE_URL names a server that runs, or a file that nobody else holds on a disk \
                     with room, and try again"
                )
            }
            Error::Internal(why) => format!("a fault of the program or of the database: {why}"),
            other => other.to_string(),
        })
    }
}

/// Prints lines to standard output as they are.
pub(super) fn say(text: &str) -> Result<(), CommandError> {
    writeln!(io::stdout(), "{text}").map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CommandError::HungUp,
        _ => CommandError::Failed(format!("standard output takes no more: {error}")),
    })
}

/// Prints a line for people.
pub(super) fn line(text: &str) -> Result<(), CommandError> {
    say(&visible(text))
}

/// Prints an object for programs. What a terminal might take for a command is written as an escape, which JSON reads as
/// the same.
pub(super) fn json(value: &Json) -> Result<(), CommandError> {
    let mut text = String::new();
    for char in value.to_string().chars() {
        // Beyond ASCII, and DEL, such a character can only stand inside a string.
        if name::hides_or_turns(char) {
            text.extend(char.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(char);
        }
    }
    say(&text)
}

/// Prints rows with their columns aligned, below a heading where there is one.
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

/// Tells standard error. When even that fails there is nobody left to tell.
pub fn complain(text: &str) {
    drop(writeln!(io::stderr(), "doorcode: {text}"));
}

/// A text in which every character shows: what would move the cursor, turn the line around or hide is written out.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if name::hides_or_turns(char) { shown.extend(char.escape_default()) } else { shown.push(char) }
    }
    shown
}

/// A moment for people.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.format("%F %TZ").to_string()
}

/// Ends when nobody reads standard output any more. Never where that cannot be known before the next line, as for a
/// file.
pub(super) async fn hung_up() {
    let output = io::stdout().as_fd().try_clone_to_owned();
    // Watched and never written to, so that it may stay as blocking as everybody who shares it expects.
    if let Ok(watched) = output.and_then(pipe::Sender::from_owned_fd_unchecked)
        && watched.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn nothing_that_is_printed_moves_the_cursor_or_hides() {
        assert_eq!(visible("Ada 李 é"), "Ada 李 é");
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{9b}c\u{7f}"), "a\\u{1b}[2Jb\\r\\n\\u{9b}c\\u{7f}");
        assert_eq!(visible("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
    }
}
