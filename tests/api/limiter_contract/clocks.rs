//! Clocks that jump, and replicas whose clocks differ. Limits must stay exact, and no caller may be locked out for
//! longer than a window.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use doorcode::ports::Limiter;

use super::{MINUTE, QUARTER, admits, after, charge, cooling, key, refused_until, start};

pub(super) async fn a_clock_jump_back_does_not_reset_limits(limiter: Arc<dyn Limiter>) {
    for jump in [1, 59, 121, 600, 86_400] {
        let charge = charge(&key(), 3, QUARTER);
        for second in [0, 100, 200] {
            assert!(admits(&*limiter, &charge, after(second)).await);
        }
        let back = 200 - jump;
        assert!(!admits(&*limiter, &charge, after(back)).await, "{jump} seconds back");
        assert!(!admits(&*limiter, &charge, after(back + 600)).await);
        assert!(admits(&*limiter, &charge, after(back + 60_000)).await || jump > 60_000);
    }
}

pub(super) async fn a_clock_jump_forward_locks_callers_out_for_at_most_one_window(limiter: Arc<dyn Limiter>) {
    for (limit, window) in [(3, QUARTER), (3, MINUTE), (300, QUARTER)] {
        let charge = cooling(&key(), limit, window, Duration::from_secs(20));
        let ahead = after(600);
        for _ in 0..limit {
            assert!(admits(&*limiter, &charge, ahead).await);
        }
        assert!(!admits(&*limiter, &charge, ahead).await);
        // The clock now shows the correct time again.
        let retry_at = refused_until(&*limiter, &charge, after(0)).await;
        assert_eq!(retry_at, start() + TimeDelta::from_std(window).unwrap(), "one window from the corrected time");
        assert!(!admits(&*limiter, &charge, retry_at - TimeDelta::microseconds(1)).await, "no earlier than one window");
        assert!(admits(&*limiter, &charge, retry_at).await);
    }
}

pub(super) async fn two_replicas_a_minute_apart_share_one_count(limiter: Arc<dyn Limiter>) {
    let charge = charge(&key(), 5, MINUTE);
    let mut admitted = 0;
    for second in 0..600 {
        // Two calls per second: one from a replica with the correct time, one from a replica that is a minute ahead.
        for ahead in [0, 60] {
            admitted += u32::from(admits(&*limiter, &charge, after(second + ahead)).await);
        }
    }
    // Five per minute for ten minutes. One more, because the first unit expired early for the replica that is ahead.
    assert!((50..=51).contains(&admitted), "{admitted}");

    let pair = cooling(&key(), 1, MINUTE, Duration::from_mins(5));
    assert!(admits(&*limiter, &pair, after(60)).await);
    assert_eq!(
        refused_until(&*limiter, &pair, after(0)).await,
        after(360),
        "the limiter's time is never before that of the last unit"
    );
}
