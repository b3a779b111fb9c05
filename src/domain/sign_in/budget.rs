//! The guessing budget of an email address or a known device: the maximum number of units for wrong attempts within a
//! day and within 30 days. This file only computes; `challenge` reads and writes under locks.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::limits::{DEVICE_WRONG_TRIES, Limits, Rule};

pub(in crate::domain) const DAY: TimeDelta = TimeDelta::days(1);
pub(in crate::domain) const MONTH: TimeDelta = TimeDelta::days(30);

/// The shorter window of an address's budget.
pub(in crate::domain) fn day(limits: &Limits) -> TimeDelta {
    TimeDelta::from_std(limits.quota(Rule::GuessAccount).window).unwrap_or(DAY)
}

/// The longer window of an address's budget.
pub(in crate::domain) fn month(limits: &Limits) -> TimeDelta {
    TimeDelta::from_std(limits.quota(Rule::GuessAccountMonth).window).unwrap_or(MONTH)
}

/// Maximum number of units in each window.
#[derive(Clone, Copy)]
pub(in crate::domain) struct Budget(pub [(u32, TimeDelta); 2]);

/// The units that one challenge cost, and the time of its last attempt.
pub(in crate::domain) struct Spent {
    pub at: DateTime<Utc>,
    pub units: i32,
}

impl Budget {
    /// The budget for a challenge. A known device has a separate one, which only that device can spend.
    pub(in crate::domain) fn of(limits: &Limits, device: Option<Uuid>) -> Self {
        if device.is_some() {
            return Self([(DEVICE_WRONG_TRIES, MONTH); 2]);
        }
        Self([
            (limits.quota(Rule::GuessAccount).count, day(limits)),
            (limits.quota(Rule::GuessAccountMonth).count, month(limits)),
        ])
    }

    /// The budget for passwords of an account, or of one of its known devices.
    pub(in crate::domain) fn of_passwords(limits: &Limits, device: Option<Uuid>) -> Self {
        let part = |rule, default| {
            let quota = limits.quota(rule);
            (quota.count, TimeDelta::from_std(quota.window).unwrap_or(default))
        };
        match device {
            Some(_) => Self([(DEVICE_WRONG_TRIES, MONTH); 2]),
            None => Self([part(Rule::GuessPassword, DAY), part(Rule::GuessPasswordMonth, MONTH)]),
        }
    }

    /// The longer of both windows.
    pub(in crate::domain) fn longest(self) -> TimeDelta {
        let [(_, one), (_, other)] = self.0;
        one.max(other)
    }

    /// The time from which `cost` more units fit; `None` if they fit now.
    pub(in crate::domain) fn spent_until(
        self,
        ledger: &[Spent],
        cost: i32,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        self.0.iter().filter_map(|(most, window)| full_until(ledger, *most, *window, cost, now)).max()
    }
}

fn full_until(ledger: &[Spent], most: u32, window: TimeDelta, cost: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut spent: Vec<_> = ledger
        .iter()
        .map(|entry| (entry.at + window, i64::from(entry.units)))
        .filter(|(until, units)| *until > now && *units > 0)
        .collect();
    spent.sort_unstable();
    let mut over = spent.iter().map(|(_, units)| units).sum::<i64>() + i64::from(cost) - i64::from(most);
    if over <= 0 {
        return None;
    }
    // Units leave the window oldest first. The budget has room once enough of them have left.
    let free_at = spent.iter().find(|(_, units)| {
        over -= units;
        over <= 0
    });
    Some(free_at.map_or(now + window, |(until, _)| *until))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn entry(now: DateTime<Utc>, minutes_ago: i64, units: i32) -> Spent {
        Spent { at: now - TimeDelta::minutes(minutes_ago), units }
    }

    #[test]
    fn a_spent_budget_opens_when_enough_units_have_left_the_window() {
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let ledger = [entry(now, 60, 2), entry(now, 30, 3), entry(now, 10, 3)];
        assert_eq!(full_until(&ledger, 9, DAY, 1, now), None);
        assert_eq!(full_until(&ledger, 8, DAY, 1, now), Some(now - TimeDelta::minutes(60) + DAY));
        assert_eq!(full_until(&ledger, 6, DAY, 1, now), Some(now - TimeDelta::minutes(30) + DAY));
        assert_eq!(full_until(&ledger, 8, TimeDelta::minutes(20), 1, now), None);
    }

    #[test]
    fn a_try_against_two_live_codes_needs_two_units() {
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let ledger = [entry(now, 60, 19)];
        assert!(full_until(&ledger, 20, DAY, 1, now).is_none());
        assert!(full_until(&ledger, 20, DAY, 2, now).is_some());
    }
}
