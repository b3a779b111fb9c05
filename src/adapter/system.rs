//! The system's clock and randomness: the one place where either is asked. And what the system can do to keep our memory
//! to ourselves.

use chrono::{DateTime, SubsecRound, Utc};

use crate::ports::{Clock, Entropy};

/// The system's clock.
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
        // Going on without randomness would hand out predictable codes. There is nothing to go on with.
        if filled.is_err() {
            tracing::error!("the operating system gave no randomness");
            std::process::abort();
        }
    }
}

/// Keeps memory, which holds secrets while they are used, out of core dumps and out of sight of the user's other
/// processes. A system that does not know how is no reason not to start.
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
