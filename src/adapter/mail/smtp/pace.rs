//! Remembers how long recent SMTP conversations took and how they ended. A rehearsal pretends to deliver an email
//! without sending it, and imitates one of these conversations. They are kept in memory only, with the recipient's
//! domain but not the address.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::wire::SmtpError;

/// Maximum number of remembered conversations, over all domains. The oldest one is forgotten first.
const KEPT: usize = 128;
/// Maximum age of a conversation that a rehearsal for the same domain imitates. An older conversation may mislead,
/// because a slow or failing mail server may have recovered since.
const LATELY: Duration = Duration::from_mins(10);
/// A longer conversation is imitated for its own domain only. Otherwise one deliberately slow mail server would slow
/// down rehearsals for all domains.
const TYPICAL: Duration = Duration::from_secs(2);
/// Shortest and longest rehearsal, in milliseconds, while there is no conversation to imitate.
const AT_FIRST: (u64, u64) = (100, 400);

/// A conversation to imitate: how long it took and how it ended.
#[derive(Clone)]
pub(crate) struct Past {
    pub(crate) took: Duration,
    pub(crate) ended: Result<(), SmtpError>,
}

struct Entry {
    domain: String,
    at: Instant,
    past: Past,
}

/// Recent conversations, oldest first.
#[derive(Default)]
pub(crate) struct Pace(Mutex<VecDeque<Entry>>);

impl Pace {
    /// Remembers a conversation for a recipient in this domain that ended at `now`.
    pub(crate) fn remember(&self, domain: &str, took: Duration, ended: Result<(), SmtpError>, now: Instant) {
        let mut entries = self.lock();
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(Entry { domain: domain.to_owned(), at: now, past: Past { took, ended } });
    }

    /// Chooses a conversation to imitate: a recent one for this domain, or else a short and successful one for any
    /// domain, or else one of random duration. `draw` is a random number that makes the choice.
    pub(crate) fn recall(&self, domain: &str, draw: u64, now: Instant) -> Past {
        let entries = self.lock();
        let is_recent = |entry: &Entry| now.saturating_duration_since(entry.at) < LATELY;
        let own = entries.iter().filter(|entry| entry.domain == domain && is_recent(entry));
        let typical = entries.iter().filter(|entry| entry.past.ended.is_ok() && entry.past.took <= TYPICAL);
        pick(own, draw).or_else(|| pick(typical, draw)).unwrap_or_else(|| {
            let (shortest, longest) = AT_FIRST;
            Past { took: Duration::from_millis(shortest + draw % (longest - shortest + 1)), ended: Ok(()) }
        })
    }

    /// Ignores lock poisoning, because a panic cannot leave the list in a harmful state.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pick<'a>(entries: impl Iterator<Item = &'a Entry>, draw: u64) -> Option<Past> {
    let entries: Vec<_> = entries.collect();
    let index = draw.checked_rem(entries.len() as u64).and_then(|index| usize::try_from(index).ok())?;
    entries.get(index).map(|entry| entry.past.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn took(pace: &Pace, domain: &str, now: Instant) -> Vec<u128> {
        let mut seen: Vec<_> = (0..1_000).map(|draw| pace.recall(domain, draw, now).took.as_millis()).collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn a_rehearsal_imitates_only_recent_conversations_for_the_same_domain() {
        let (pace, now) = (Pace::default(), Instant::now());
        for (domain, took) in [("a.example", 210), ("b.example", 90), ("a.example", 190), ("a.example", 9_000)] {
            pace.remember(domain, ms(took), Ok(()), now);
        }
        assert_eq!(took(&pace, "a.example", now), [190, 210, 9_000]);
        assert_eq!(took(&pace, "b.example", now), [90]);
    }

    #[test]
    fn a_rehearsal_for_a_new_domain_imitates_a_typical_conversation_for_another_domain() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.remember("quick.example", ms(210), Ok(()), now);
        pace.remember("slow.example", ms(9_000), Ok(()), now);
        pace.remember("full.example", ms(50), Err(SmtpError::new("451 not now")), now);
        assert_eq!(
            took(&pace, "new.example", now),
            [210],
            "slow and refused conversations are imitated only for their own domain"
        );
        assert_eq!(pace.recall("full.example", 7, now).ended.unwrap_err().text, "451 not now");
    }

    #[test]
    fn before_the_first_email_a_rehearsal_takes_a_random_time_in_a_bounded_range() {
        let seen = took(&Pace::default(), "new.example", Instant::now());
        assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&100), Some(&400), 301));
    }

    #[test]
    fn a_rehearsal_for_the_same_domain_ignores_old_conversations() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.remember("a.example", ms(300), Err(SmtpError::new("451 not now")), now);
        pace.remember("b.example", ms(200), Ok(()), now);
        assert!(pace.recall("a.example", 0, now + LATELY - ms(1)).ended.is_err());
        assert_eq!(took(&pace, "a.example", now + LATELY), [200]);
    }

    #[test]
    fn the_oldest_conversations_are_forgotten() {
        let (pace, now) = (Pace::default(), Instant::now());
        for number in 0..300 {
            pace.remember("a.example", ms(number), Ok(()), now);
        }
        assert_eq!(took(&pace, "a.example", now), (172..300).collect::<Vec<u128>>());
    }
}
