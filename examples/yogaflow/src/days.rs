//! Days in a person's time zone: parsing, streaks and weeks.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use doorcode::error::{Error, Result};

/// Parses the name of a time zone, such as `Europe/Berlin`.
pub(crate) fn zone(name: &str) -> Result<Tz> {
    let unknown = || Error::invalid("timeZone", "`timeZone` must be a name such as `Europe/Berlin`.");
    name.parse().map_err(|_| unknown())
}

/// The day on which a time falls.
pub(crate) fn day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The Monday of a day's week.
pub(crate) fn monday(day: NaiveDate) -> NaiveDate {
    day - Days::new(day.weekday().num_days_from_monday().into())
}

/// Days in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Streaks {
    /// Up to today, or up to yesterday while today is still open.
    pub current: i32,
    /// The longest ever.
    pub longest: i32,
}

impl Streaks {
    pub(crate) fn of(days: &BTreeSet<NaiveDate>, today: NaiveDate) -> Self {
        let (mut run, mut longest, mut last) = (0, 0, None);
        for day in days {
            run = if last == day.pred_opt() && last.is_some() { run + 1 } else { 1 };
            longest = longest.max(run);
            last = Some(*day);
        }
        let is_open = last.is_some_and(|last| last == today || Some(last) == today.pred_opt());
        Self { current: if is_open { run } else { 0 }, longest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_survives_until_the_end_of_the_next_day() {
        let day = |number| NaiveDate::from_ymd_opt(2026, 3, number).unwrap();
        let days = BTreeSet::from([1, 2, 3, 7, 8].map(day));
        assert_eq!(Streaks::of(&days, day(8)), Streaks { current: 2, longest: 3 });
        assert_eq!(Streaks::of(&days, day(9)), Streaks { current: 2, longest: 3 });
        assert_eq!(Streaks::of(&days, day(10)), Streaks { current: 0, longest: 3 });
        assert_eq!(Streaks::of(&BTreeSet::new(), day(1)), Streaks::default());
    }

    #[test]
    fn a_day_begins_at_midnight_of_the_time_zone() {
        let at = "2026-03-08T23:30:00Z".parse().unwrap();
        assert_eq!(day(at, zone("Europe/Berlin").unwrap()).to_string(), "2026-03-09");
        assert_eq!(day(at, zone("America/New_York").unwrap()).to_string(), "2026-03-08");
        assert_eq!(monday(day(at, Tz::UTC)).to_string(), "2026-03-02");
        assert!(zone("Mars/Olympus").is_err() && zone("").is_err());
    }
}
