//! The system clock and randomness, used only here, and process settings: memory protection and the limit of open
//! files.

use chrono::{DateTime, SubsecRound, Utc};

use crate::ports::{Clock, Entropy};

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
        Utc::now().trunc_subsecs(6)
    }
}

/// The operating system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is where randomness comes from")]
        let filled = aws_lc_rs::rand::fill(buffer);
        // Without randomness, codes would be predictable. Abort.
        if filled.is_err() {
            tracing::error!("the operating system provides no randomness");
            std::process::abort();
        }
    }
}

/// Wanted limit of open files: twice what all connections need.
#[cfg(unix)]
const ENOUGH_FILES: u64 = 65_536;

/// Raises the soft limit of open files up to the hard limit. Many systems start a process with 1,024 and allow more.
pub fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(ENOUGH_FILES).min(ENOUGH_FILES);
        if current.is_some_and(|current| current < wanted) {
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}

/// Protects memory, which may hold secrets, from core dumps and the user's other processes. Best effort: unsupported
/// systems start without it.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sources_made_at_one_moment_give_different_bytes_and_all_are_as_likely() {
        let mut drawn = BTreeSet::new();
        let mut counts = [0_u32; 256];
        // Each source as a new process would create it, many within one clock tick.
        for _ in 0..20_000 {
            let mut bytes = [0; 32];
            SystemEntropy.fill(&mut bytes);
            for byte in &bytes {
                counts[usize::from(*byte)] += 1;
            }
            assert!(drawn.insert(bytes), "the same bytes twice");
        }
        // 2,500 of each: the sum of squares over the expectation has a mean of 255 and a deviation of 23.
        let squares = counts.iter().map(|count| (f64::from(*count) - 2_500.0).powi(2) / 2_500.0);
        let sum: f64 = squares.sum();
        assert!((100.0..450.0).contains(&sum), "{sum}");
    }
}
