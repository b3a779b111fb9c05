//! The odds of guessing a code, computed from the limits. `safety` decides which odds are acceptable.

use std::{fmt, time::Duration};

use crate::limits::{Limits, Quota, Rule};

const YEAR: Duration = Duration::from_hours(8_766);

/// What an attacker achieves by guessing for a year from any number of networks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Odds {
    /// Probability of opening one account under constant attack.
    pub account: f64,
    /// Expected number of accounts opened if every email of `send.instance` goes into the attack.
    pub instance: f64,
}

impl Odds {
    /// The odds under these limits.
    pub fn of(limits: &Limits) -> Self {
        let tries = f64::from(limits.code_tries);
        let digits = i32::try_from(limits.code_length).unwrap_or(i32::MAX);
        let one = 10_f64.powi(-digits);
        // A wrong attempt costs one unit per valid code, so a unit is one guess. Each code allows `tries` attempts.
        let guesses = [
            a_year(limits.quota(Rule::GuessAccount)),
            a_year(limits.quota(Rule::GuessAccountMonth)),
            tries * a_year(limits.quota(Rule::SendAddress)),
            tries * a_year(limits.quota(Rule::SendAddressDay)),
        ];
        let guesses = guesses.into_iter().fold(f64::INFINITY, f64::min);
        Self {
            account: -(guesses * (-one).ln_1p()).exp_m1(),
            instance: tries * a_year(limits.quota(Rule::SendInstance)) * one,
        }
    }
}

fn a_year(quota: Quota) -> f64 {
    f64::from(quota.count) * YEAR.as_secs_f64() / quota.window.as_secs_f64()
}

impl fmt::Display for Odds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, instance } = self;
        write!(formatter, "a year of guessing opens one account with odds of {}, ", one_in(*account))?;
        write!(formatter, "and about {} accounts if it uses every email that the instance may send", about(*instance))
    }
}

/// A probability as `1 in 82,000`.
pub(super) fn one_in(probability: f64) -> String {
    format!("1 in {}", about(probability.recip()))
}

/// A number with two significant digits.
pub(super) fn about(number: f64) -> String {
    if number < 10.0 {
        let tenths = format!("{:.1}", number.max(0.1));
        return tenths.strip_suffix(".0").unwrap_or(&tenths).to_owned();
    }
    let step = 10_f64.powf(number.log10().floor() - 1.0);
    grouped(&format!("{:.0}", (number / step).round() * step))
}

fn grouped(digits: &str) -> String {
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Limits)) -> Odds {
        let mut limits = Limits::default();
        change(&mut limits);
        Odds::of(&limits)
    }

    fn quota(count: u32, hours: u64) -> Quota {
        Quota { count, window: Duration::from_hours(hours) }
    }

    #[track_caller]
    fn assert_near(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 0.02, "{found}, expected {expected}");
    }

    #[test]
    fn the_tightest_limit_bounds_guesses_at_one_account() {
        // 100 in 30 days are 1,217.5 a year, of 10^8 codes.
        assert_near(Odds::of(&Limits::default()).account, 1_217.5e-8);
        assert_near(with(|limits| limits.code_length = 6).account, 1_217.5e-6);
        assert_near(with(|limits| limits.set(Rule::GuessAccountMonth, quota(u32::MAX, 1))).account, 20.0 * 365.25e-8);
        let unbounded = |limits: &mut Limits| {
            limits.set(Rule::GuessAccount, quota(1_000_000_000, 1));
            limits.set(Rule::GuessAccountMonth, quota(1_000_000_000, 1));
        };
        assert_near(with(unbounded).account, 3.0 * 12.0 * 365.25e-8);
        let longer = |limits: &mut Limits| {
            unbounded(limits);
            limits.set(Rule::SendAddressDay, quota(1_000_000_000, 1));
            limits.code_tries = 10;
        };
        assert_near(with(longer).account, 10.0 * 6.0 * 4.0 * 24.0 * 365.25e-8);
        let open = |limits: &mut Limits| {
            longer(limits);
            limits.set(Rule::SendAddress, quota(1_000_000_000, 1));
            limits.code_length = 6;
        };
        assert_near(with(open).account, 1.0);
    }

    #[test]
    fn the_email_limit_bounds_guesses_at_all_accounts() {
        assert_near(Odds::of(&Limits::default()).instance, 3.0 * 100_000.0 * 365.25e-8);
        assert_near(
            with(|limits| limits.set(Rule::SendInstance, quota(1_000, 24))).instance,
            3.0 * 1_000.0 * 365.25e-8,
        );
    }

    #[test]
    fn odds_have_two_significant_digits() {
        for (number, expected) in [
            (0.0123, "0.1"),
            (1.09, "1.1"),
            (9.96, "10"),
            (82_136.0, "82,000"),
            (999.9, "1,000"),
            (1e9, "1,000,000,000"),
        ] {
            assert_eq!(about(number), expected);
        }
        assert_eq!((one_in(1.0).as_str(), one_in(0.001_216_7).as_str()), ("1 in 1", "1 in 820"));
        let text = Odds::of(&Limits::default()).to_string();
        assert!(text.contains("odds of 1 in 82,000, and about 1.1 accounts"), "{text}");
    }
}
