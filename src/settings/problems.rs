//! What is wrong with the settings, all of it at once, and the reader that collects it.
//! No value of any setting is ever repeated here, secret or not: a secret pasted into the wrong variable is a secret
//! still. A problem names the variable, says what is wrong with its value and what to write instead.

use std::fmt;

/// One setting that keeps the process from starting, or that is odd and only warned about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: String,
    /// What is wrong, as the rest of a sentence that begins with the variable, which it does not name again.
    pub wrong: String,
    /// What to do instead, with an example.
    pub instead: String,
}

impl Problem {
    pub(super) fn new(variable: &str, wrong: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { variable: variable.to_owned(), wrong: wrong.into(), instead: instead.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, wrong, instead } = self;
        write!(formatter, "{variable} {wrong}. {instead}")
    }
}

/// Everything that keeps the process from starting; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// With one more.
    pub(super) fn and(mut self, problem: Problem) -> Self {
        self.0.push(problem);
        self
    }

    /// One by one, in the order of the settings.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(formatter, "1 setting is wrong:")?,
            several => write!(formatter, "{several} settings are wrong:")?,
        }
        for Problem { variable, wrong, instead } in &self.0 {
            write!(formatter, "\n  {variable} {wrong}.\n      {instead}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Reads one setting after the other and remembers what was wrong, so that the first problem does not hide the rest.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader {
    /// The value as given, or nothing when it is absent or blank (compose files pass absent variables as empty ones).
    /// A bad value becomes a problem and counts as absent.
    pub(super) fn optional<T>(
        &mut self,
        variable: &str,
        raw: Option<&str>,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = raw.map(str::trim).filter(|text| !text.is_empty())?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.refuse(variable, wrong, format!("Write, for example, {variable}={example}"));
                None
            }
        }
    }

    /// Notes a problem.
    pub(super) fn refuse(&mut self, variable: &str, wrong: impl Into<String>, instead: impl Into<String>) {
        self.problems.push(Problem::new(variable, wrong, instead));
    }

    /// Notes something odd that is not wrong.
    pub(super) fn warn(&mut self, variable: &str, odd: impl Into<String>, instead: impl Into<String>) {
        self.warnings.push(Problem::new(variable, odd, instead));
    }

    /// Whether nothing is wrong with a variable so far; rules that compare settings skip those that are.
    pub(super) fn is_fine(&self, variable: &str) -> bool {
        self.problems.iter().all(|problem| problem.variable != variable)
    }

    /// Whether nothing is wrong at all so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// The warnings, or all the problems.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        #[cfg(test)]
        super::tests::assert_nothing_is_repeated(self.problems.iter().chain(&self.warnings));
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }
}

/// Whether there is a value: an empty one counts as none, here as in the reader.
pub(super) fn is_given(raw: Option<&str>) -> bool {
    raw.is_some_and(|text| !text.trim().is_empty())
}
