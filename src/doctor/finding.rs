//! What `doorcode doctor` finds: a check, how it went, what was seen, and what to do. Whoever examines something knows
//! what is right for it and says so in these words. A finding never holds a secret, nor a part of a URL that may.

/// How a check went; the order is the order of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Ok,
    /// Not looked at; `seen` says why.
    Skipped,
    /// It works, and may hurt one day.
    Warning,
    /// It does not work, or it must not be left like this.
    Problem,
}

impl State {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at; stays the same from version to version.
    pub check: &'static str,
    /// How it went.
    pub state: State,
    /// What was seen, in a few words.
    pub seen: String,
    /// What to do about it; always there for warnings and problems.
    pub advice: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, state: State::Ok, seen: seen.into(), advice: None }
    }

    /// Not looked at, and why.
    pub fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, state: State::Skipped, seen: why.into(), advice: None }
    }

    /// It works, and may hurt one day.
    pub fn warning(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Warning, seen: seen.into(), advice: Some(advice.into()) }
    }

    /// It does not work, or it must not be left like this.
    pub fn problem(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Problem, seen: seen.into(), advice: Some(advice.into()) }
    }
}
