//! A finding of `doorcode doctor`: the check, its state, what was seen and what to do. Never contains secrets.

/// State of a check, in order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Correct.
    Ok,
    /// Not checked; `seen` says why.
    Skipped,
    /// Works, but should be changed.
    Warning,
    /// Does not work, or is unsafe.
    Problem,
}

impl State {
    /// The name in the output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// The result of one check.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Name of the check. Stable across versions.
    pub check: &'static str,
    /// Result.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What to do. Present for warnings and problems.
    pub advice: Option<String>,
}

impl Finding {
    /// The check passed.
    pub fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, state: State::Ok, seen: seen.into(), advice: None }
    }

    /// Not checked, and why.
    pub fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { state: State::Skipped, ..Self::ok(check, why) }
    }

    /// Works, but should be changed.
    pub fn warning(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warning, advice: Some(advice.into()), ..Self::ok(check, seen) }
    }

    /// Does not work, or is unsafe.
    pub fn problem(check: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Problem, advice: Some(advice.into()), ..Self::ok(check, seen) }
    }
}

/// Builds a finding: the first condition that holds, or else `ok`.
macro_rules! finding {
    ($check:expr, ok $seen:literal $(, $state:ident if $is_so:expr => $wrong:literal => $advice:literal)* $(,)?) => {
        $(if $is_so {
            Finding::$state($check, format_args!($wrong).to_string(), format_args!($advice).to_string())
        } else)* {
            Finding::ok($check, format_args!($seen).to_string())
        }
    };
}
