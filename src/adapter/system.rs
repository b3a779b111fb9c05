//! The system's clock and randomness: the one place where either is asked.

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
