//! Which requests of strangers have a line in the log. A network has so many lines in ten seconds. Above that a few
//! samples are logged, and in the end one line says how many were not. Nothing is counted for longer.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;

use crate::http::networks::{Shares, networks};

const WINDOW: TimeDelta = TimeDelta::seconds(10);
/// Lines of one network in a window.
const OF_NETWORK: Shares = Shares { narrow: 50, middle: 100, wide: 200 };
/// Lines of all networks together, which also bounds how many are remembered.
const IN_ALL: usize = 2_000;

#[derive(Default)]
pub(crate) struct Sampler(Mutex<Window>);

#[derive(Default)]
struct Window {
    began: DateTime<Utc>,
    lines: HashMap<Whose, Lines>,
}

/// Whose lines are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    Everybody,
    Network(IpNet),
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everybody => f.write_str("all"),
            Self::Network(network) => network.fmt(f),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Lines {
    logged: usize,
    left_out: u64,
}

/// Requests that were not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeftOut {
    network: Whose,
    requests: u64,
}

impl LeftOut {
    pub(crate) fn log(self) {
        tracing::info!(network = %self.network, requests = self.requests, "requests not logged");
    }
}

impl Sampler {
    /// Whether a request has a line.
    pub(crate) fn has_line(&self, ip: IpAddr) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).has_line(ip)
    }

    /// Begins the next window when this one is over; what was left out of it.
    pub(crate) fn turn(&self, now: DateTime<Utc>) -> Vec<LeftOut> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back ends it, too.
        if window.began <= now && now - window.began < WINDOW {
            return Vec::new();
        }
        std::mem::replace(&mut *window, Window { began: now, lines: HashMap::new() }).left_out()
    }

    /// Ends the window; what was left out of it.
    pub(crate) fn end(&self) -> Vec<LeftOut> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).left_out()
    }
}

impl Window {
    fn has_line(&mut self, ip: IpAddr) -> bool {
        let full = self.full(ip);
        if let Some(whose) = full {
            let left_out = &mut self.lines.entry(whose).or_default().left_out;
            *left_out += 1;
            // The first, the second, the fourth and so on: more of them would be the flood again.
            return left_out.is_power_of_two();
        }
        for whose in networks(ip).map(|(_, network)| Whose::Network(network)).chain([Whose::Everybody]) {
            self.lines.entry(whose).or_default().logged += 1;
        }
        true
    }

    /// The narrowest network that has all its lines, or everybody, if there is one.
    fn full(&self, ip: IpAddr) -> Option<Whose> {
        let bounds = networks(ip).map(|(width, network)| (Whose::Network(network), OF_NETWORK.for_width(width)));
        let mut bounds = bounds.chain([(Whose::Everybody, IN_ALL)]);
        let is_full = |(whose, most): &(Whose, usize)| self.lines.get(whose).is_some_and(|lines| lines.logged >= *most);
        bounds.find(is_full).map(|(whose, _)| whose)
    }

    fn left_out(self) -> Vec<LeftOut> {
        let left_out = self.lines.into_iter().filter_map(|(network, lines)| {
            let samples = lines.left_out.checked_ilog2()? + 1;
            Some(LeftOut { network, requests: lines.left_out - u64::from(samples) })
        });
        left_out.filter(|left_out| left_out.requests > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many requests from each of these addresses have a line.
    fn lines(sampler: &Sampler, each: usize, ips: impl Iterator<Item = String>) -> usize {
        let ips = ips.flat_map(|ip| std::iter::repeat_n(ip.parse().unwrap(), each));
        ips.filter(|ip: &IpAddr| sampler.has_line(*ip)).count()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_network_has_its_lines_then_a_few_samples_and_a_count_of_the_rest() {
        let sampler = Sampler::default();
        assert_eq!(sampler.turn(now()), []);
        let one = || std::iter::once("192.0.2.1".to_owned());
        assert_eq!(lines(&sampler, 50, one()), 50);
        assert_eq!(lines(&sampler, 10_000, one()), 14, "1, 2, 4, … 8,192");
        assert_eq!(lines(&sampler, 50, std::iter::once("2001:db8::1".to_owned())), 50, "another network has its own");
        assert_eq!(sampler.turn(now() + TimeDelta::seconds(9)), []);
        let left_out = LeftOut { network: Whose::Network("192.0.2.1/32".parse().unwrap()), requests: 10_000 - 14 };
        assert_eq!(sampler.turn(now() + WINDOW), [left_out]);
        assert_eq!(sampler.turn(now() + WINDOW), []);
        assert_eq!(lines(&sampler, 60, one()), 50 + 4, "the next window begins anew");
        assert_eq!(sampler.end().len(), 1);
    }

    #[test]
    fn a_flood_of_addresses_makes_no_flood_of_lines_and_is_not_remembered() {
        let sampler = Sampler::default();
        sampler.turn(now());
        let of_56 = lines(&sampler, 100, (0..200).map(|n| format!("2001:db8:0:{n:x}::1")));
        assert!((100..130).contains(&of_56), "{of_56} lines of one /56");
        let elsewhere = lines(&sampler, 10, (1..=5_000).map(|n| format!("2001:db8:{n:x}::1")));
        assert!((1_800..2_000).contains(&elsewhere), "{elsewhere} lines of all");
        let remembered = sampler.0.lock().unwrap().lines.len();
        assert!(remembered < 3 * IN_ALL + 100, "{remembered} networks");
        let left_out = sampler.end();
        assert!(left_out.iter().map(|left_out| left_out.requests).sum::<u64>() > 60_000);
        assert!(left_out.iter().any(|left_out| left_out.network == Whose::Everybody));
    }

    #[test]
    fn a_clock_that_is_set_back_ends_the_window() {
        let sampler = Sampler::default();
        sampler.turn(now());
        lines(&sampler, 60, std::iter::once("192.0.2.1".to_owned()));
        assert_eq!(sampler.turn(now() - TimeDelta::hours(1)).len(), 1);
    }
}
