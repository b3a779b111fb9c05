//! The only module that reads the system clock and the system's randomness. It also changes two process settings:
//! memory protection and the open file limit.

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

/// Open file limit to request: several times the maximum number of connections (10,000).
#[cfg(unix)]
const ENOUGH_FILES: u64 = 65_536;

/// Raises the soft limit for open files to 65,536, or to the hard limit if that is lower. Many systems start a process
/// with a soft limit of 1,024.
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

/// Keeps this process's memory, which contains secrets, out of core dumps, and stops the user's other processes from
/// reading it. If the system does not support this, the process starts anyway.
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
    fn new_sources_return_different_bytes_and_all_bytes_are_equally_likely() {
        let mut drawn = BTreeSet::new();
        let mut counts = [0_u32; 256];
        // Create each source as a new process would, many of them within one clock tick.
        for _ in 0..20_000 {
            let mut bytes = [0; 32];
            SystemEntropy.fill(&mut bytes);
            for byte in &bytes {
                counts[usize::from(*byte)] += 1;
            }
            assert!(drawn.insert(bytes), "the same bytes twice");
        }
        // Each of the 256 byte values is expected 2,500 times. This chi-squared statistic has a mean of 255 and a
        // standard deviation of 23.
        let squares = counts.iter().map(|count| (f64::from(*count) - 2_500.0).powi(2) / 2_500.0);
        let sum: f64 = squares.sum();
        assert!((100.0..450.0).contains(&sum), "{sum}");
    }
}
