//! A circuit breaker: after several failures in a row, nothing is sent for a while. Then one question is let through. Its
//! answer closes the breaker, and its failure opens it for longer.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The number of failures in a row that opens the breaker.
const MAX_FAILURES: u32 = 5;
/// The first pause. Each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(2);
/// How long the one question may take before another is let through.
const PROBE: Duration = Duration::from_secs(10);

#[derive(Default)]
struct State {
    failures: u32,
    /// Nothing is sent until then.
    paused_until: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Breaker(Mutex<State>);

impl Breaker {
    /// Whether a question may be sent. If not, the time to wait.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.paused_until {
            Some(until) if now < until => Err(until - now),
            Some(_) if state.failures >= MAX_FAILURES => {
                state.paused_until = Some(now + PROBE);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// An answer came, whatever is in it.
    pub(super) fn succeeded(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// No answer came. `after` is the pause that the server asked for.
    pub(super) fn failed(&self, after: Option<Duration>, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        let doublings = state.failures.saturating_sub(MAX_FAILURES).min(10);
        let own = (state.failures >= MAX_FAILURES).then(|| (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE));
        if let Some(pause) = own.max(after) {
            if state.failures == MAX_FAILURES {
                tracing::warn!(?pause, "the provider failed several times in a row; no question is sent for a while");
            }
            state.paused_until = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_failures_one_question_at_a_time_is_let_through() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 1..MAX_FAILURES {
            breaker.failed(None, now);
            assert!(breaker.admit(now).is_ok());
        }
        breaker.failed(None, now);
        assert_eq!(breaker.admit(now), Err(FIRST_PAUSE));
        let now = now + FIRST_PAUSE;
        assert!(breaker.admit(now).is_ok() && breaker.admit(now).is_err(), "only one");
        breaker.failed(None, now);
        assert_eq!(breaker.admit(now), Err(2 * FIRST_PAUSE));
        let now = now + 2 * FIRST_PAUSE;
        assert!(breaker.admit(now).is_ok());
        breaker.succeeded();
        assert!(breaker.admit(now).is_ok() && breaker.admit(now).is_ok());
    }

    #[test]
    fn a_pause_that_the_server_asks_for_is_kept() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        breaker.failed(Some(Duration::from_secs(7)), now);
        assert_eq!(breaker.admit(now), Err(Duration::from_secs(7)));
        assert!(breaker.admit(now + Duration::from_secs(7)).is_ok());
    }
}
