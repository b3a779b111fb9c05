//! Reads lines of bounded length.

use std::io::{BufRead, Read as _};

use super::Problem;
use crate::error::{Error, Result};

/// Maximum length of a line in bytes.
const MAX_LINE: u64 = 16 * 1_024;

pub(super) struct Lines<R> {
    file: R,
    line: Vec<u8>,
    number: u64,
}

/// A line, or what is wrong with it.
type Line<'a> = std::result::Result<&'a str, Vec<Problem>>;

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(file: R) -> Self {
        Self { file, line: Vec::new(), number: 0 }
    }

    /// The next line that is not empty, and its number.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Line<'_>)>> {
        loop {
            self.line.clear();
            self.number += 1;
            let length = self.file.by_ref().take(MAX_LINE + 1).read_until(b'\n', &mut self.line).map_err(unreadable)?;
            if length == 0 {
                return Ok(None);
            }
            if length as u64 > MAX_LINE && !self.line.ends_with(b"\n") {
                self.skip()?;
                let what = "is longer than 16 KiB: write one JSON object a line".to_owned();
                return Ok(Some((self.number, Err(vec![self.problem(what)]))));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        // A byte order mark may be in front of the file.
        let mark = if self.number == 1 { "\u{feff}".as_bytes() } else { b"" };
        let line = self.line.strip_prefix(mark).unwrap_or(&self.line);
        let text = std::str::from_utf8(line).map_err(|error| {
            let at = error.valid_up_to() + 1;
            vec![self.problem(format!("is not UTF-8 from byte {at} on: convert the file to UTF-8"))]
        });
        Ok(Some((self.number, text)))
    }

    /// Reads up to the end of the line without keeping it.
    fn skip(&mut self) -> Result<()> {
        loop {
            let buffer = self.file.fill_buf().map_err(unreadable)?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buffer.len(), |end| end + 1);
            self.file.consume(length);
            if end.is_some() || length == 0 {
                return Ok(());
            }
        }
    }

    const fn problem(&self, what: String) -> Problem {
        Problem { line: self.number, field: None, what }
    }
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Startup(format!("cannot read the file: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use super::*;

    #[test]
    fn a_line_of_a_hundred_megabytes_is_refused_in_little_memory() {
        let long = io::repeat(b'a').take(100 * 1_024 * 1_024).chain(&b"\nnext"[..]);
        let mut lines = Lines::new(BufReader::new(long));
        let (number, line) = lines.next().unwrap().unwrap();
        assert!(number == 1 && line.unwrap_err()[0].what.contains("16 KiB"));
        assert!(lines.line.capacity() < 64 * 1_024, "{}", lines.line.capacity());
        let (number, line) = lines.next().unwrap().unwrap();
        assert_eq!((number, line.unwrap()), (2, "next"));
        assert!(lines.next().unwrap().is_none());
    }

    #[test]
    fn empty_lines_count_and_broken_ones_have_their_number() {
        let mut lines = Lines::new(&b"\xef\xbb\xbf{}\n\n  \r\na\xffb\nlast"[..]);
        assert_eq!(lines.next().unwrap().unwrap().1.unwrap(), "{}\n");
        let (number, line) = lines.next().unwrap().unwrap();
        assert_eq!(
            line.unwrap_err(),
            [Problem { line: 4, field: None, what: "is not UTF-8 from byte 2 on: convert the file to UTF-8".into() }]
        );
        assert_eq!(number, 4);
        let (number, line) = lines.next().unwrap().unwrap();
        assert_eq!((number, line.unwrap()), (5, "last"));
    }
}
