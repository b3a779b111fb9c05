//! What `doorcode doctor` finds: a check, its state, what was seen, and what to do. A finding never holds a secret, nor a
//! part of a URL that may.

/// State of a check; the order is the order of severity.
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
#[must_use]
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
        Self { state: State::Skipped, ..Self::ok(check, why) }
    }

    /// It works, and may hurt one day.
    pub fn warning(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(check, seen) }
    }

    /// It does not work, or it must not be left like this.
    pub fn problem(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Problem, advice: Some(advice.into()), ..Self::ok(check, seen) }
    }
}

/// Writes a finding: as it should be, unless a condition holds. Of several conditions the first that holds counts.
macro_rules! finding {
    ($check:expr, ok $seen:literal $(, $state:ident if $is_so:expr => $wrong:literal => $advice:literal)* $(,)?) => {
        $(if $is_so {
            Finding::$state($check, format_args!($wrong).to_string(), format_args!($advice).to_string())
        } else)* {
            Finding::ok($check, format_args!($seen).to_string())
        }
    };
}
