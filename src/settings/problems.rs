//! Problems with the settings, and the reader that collects them. A problem names the variable, what is wrong and what
//! to write instead. It never repeats a value, because a secret may be pasted into the wrong variable.

use std::fmt;

/// An error or a warning about one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The environment variable.
    pub variable: String,
    /// What is wrong: the rest of a sentence that starts with the variable.
    pub wrong: String,
    /// What to write instead, with an example.
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

/// All errors that prevent the start. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn and(mut self, problem: Problem) -> Self {
        self.0.push(problem);
        self
    }

    /// The problems, in the order of the settings.
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

/// Reads settings and collects problems and warnings.
#[derive(Default)]
pub(super) struct Reader {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reader {
    /// Parses a value. `None` if it is missing or blank, because compose files pass missing variables as empty ones. An
    /// invalid value is recorded as a problem and counts as missing.
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

    pub(super) fn refuse(&mut self, variable: &str, wrong: impl Into<String>, instead: impl Into<String>) {
        self.problems.push(Problem::new(variable, wrong, instead));
    }

    pub(super) fn warn(&mut self, variable: &str, odd: impl Into<String>, instead: impl Into<String>) {
        self.warnings.push(Problem::new(variable, odd, instead));
    }

    /// Whether a variable has no errors so far. Rules that compare settings skip invalid ones.
    pub(super) fn is_fine(&self, variable: &str) -> bool {
        self.problems.iter().all(|problem| problem.variable != variable)
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// The warnings, or all errors if there are any.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        #[cfg(test)]
        super::tests::assert_nothing_is_repeated(self.problems.iter().chain(&self.warnings));
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }
}

/// Whether there is a value. A blank one counts as missing.
pub(super) fn is_given(raw: Option<&str>) -> bool {
    raw.is_some_and(|text| !text.trim().is_empty())
}
