//! Compares the limiters with a naive model, and with each other, over long sequences of seeded random calls. The model
//! uses other arithmetic than the limiters.

use std::{collections::HashMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    adapter::limiter::{memory::MemoryLimiter, redis::RedisLimiter},
    ports::{Charge, Limiter, Verdict},
};

use super::{Dice, MINUTE, QUARTER, admits, charge, key, refused_until, start, take, url_from};

pub(super) async fn a_refusal_returns_the_exact_time_of_the_next_admission(limiter: Arc<dyn Limiter>) {
    let mut dice = Dice(7);
    for round in 0..12 {
        let key = key();
        let limit = u32::try_from(1 + dice.below(6)).unwrap();
        let cooldown = (round % 2 == 0).then(|| Duration::from_secs(dice.below(90)));
        let charge = Charge { cooldown, ..charge(&key, limit, MINUTE) };
        let mut now = start();
        for _ in 0..40 {
            now += TimeDelta::microseconds(i64::try_from(dice.below(20_000_000)).unwrap());
            let call = [charge.clone()];
            if let Verdict::Refused { retry_at, .. } = take(&*limiter, &call, now).await {
                assert!(retry_at > now);
                let before = retry_at - TimeDelta::microseconds(1);
                assert_eq!(
                    refused_until(&*limiter, &charge, before).await,
                    retry_at,
                    "the retry time is the same for every refused call"
                );
                assert!(admits(&*limiter, &charge, retry_at).await, "the retry time is exact to the microsecond");
                now = retry_at;
            }
        }
    }
}

/// The limiter contract as simply as possible: stores every unit ever taken, and scans all of them.
#[derive(Clone, Default)]
struct Model {
    units: Vec<DateTime<Utc>>,
    refused: bool,
    shut_until: Option<DateTime<Utc>>,
}

impl Model {
    fn admits(&self, charge: &Charge, now: DateTime<Utc>) -> bool {
        let live = self.units.iter().filter(|unit| **unit + charge.window > now).count();
        live < charge.limit as usize && self.shut_until.is_none_or(|until| now >= until)
    }

    /// The first moment at which the charge is admitted. Tries every moment at which the result can change.
    fn retry_at(&self, charge: &Charge, now: DateTime<Utc>) -> DateTime<Utc> {
        let moments = self.units.iter().map(|unit| *unit + charge.window).chain(self.shut_until);
        moments
            .filter(|moment| *moment > now && self.admits(charge, *moment))
            .min()
            .expect("the charge is admitted at some moment")
    }
}

fn model_verdict(models: &mut HashMap<String, Model>, charges: &[Charge], now: DateTime<Utc>) -> Verdict {
    let mut longest: Option<(usize, DateTime<Utc>)> = None;
    for (position, charge) in charges.iter().enumerate() {
        let model = models.entry(charge.key.clone()).or_default();
        if !model.admits(charge, now) {
            if !model.refused
                && let Some(cooldown) = charge.cooldown
            {
                model.refused = true;
                model.shut_until = Some(now + cooldown);
            }
            let retry_at = model.retry_at(charge, now);
            if longest.is_none_or(|(_, until)| retry_at > until) {
                longest = Some((position, retry_at));
            }
        }
    }
    if let Some((charge, retry_at)) = longest {
        return Verdict::Refused { charge, retry_at };
    }
    let mut last = 0;
    for (position, charge) in charges.iter().enumerate().filter(|(_, charge)| charge.counts) {
        let model = models.entry(charge.key.clone()).or_default();
        *model = Model { units: std::mem::take(&mut model.units), ..Model::default() };
        model.units.push(now);
        let live = model.units.iter().filter(|unit| **unit + charge.window > now).count();
        last |= u32::from(live >= charge.limit as usize) << position;
    }
    Verdict::Admitted { last }
}

/// The charges of a random call: one to three different keys. Some charges have a cooldown, some allow only a share of
/// the limit, and some only check.
fn random_charges(dice: &mut Dice, keys: &[String]) -> Vec<Charge> {
    let first = usize::try_from(dice.below(keys.len() as u64)).unwrap();
    let count = usize::try_from(1 + dice.below(3)).unwrap();
    (first..first + count)
        .map(|index| {
            let index = index % keys.len();
            let full = 2 + u32::try_from(index).unwrap() * 2;
            let limit = if dice.below(3) == 0 { full * 4 / 5 } else { full };
            let cooldown = index.is_multiple_of(2).then(|| Duration::from_secs(40));
            let counts = dice.below(5) > 0;
            Charge { cooldown, counts, ..charge(&keys[index], limit, MINUTE * (1 + u32::try_from(index % 3).unwrap())) }
        })
        .collect()
}

pub(super) async fn every_decision_agrees_with_a_naive_model(limiter: Arc<dyn Limiter>) {
    for seed in [1, 2, 3] {
        let mut dice = Dice(seed);
        let keys: Vec<String> = (0..6).map(|_| key()).collect();
        let mut models = HashMap::new();
        let mut now = start();
        let (mut admitted, mut refused) = (0, 0);
        for call in 0..400 {
            now += TimeDelta::microseconds(i64::try_from(dice.below(16_000_000)).unwrap());
            let charges = random_charges(&mut dice, &keys);
            let expected = model_verdict(&mut models, &charges, now);
            assert_eq!(take(&*limiter, &charges, now).await, expected, "seed {seed}, call {call}: {charges:?}");
            match expected {
                Verdict::Admitted { .. } => admitted += 1,
                Verdict::Refused { .. } => refused += 1,
            }
        }
        assert!(admitted > 60 && refused > 60, "admissions and refusals both happen often: {admitted}, {refused}");
    }
}

/// Makes two thousand random calls to both limiters, and compares the verdicts. The calls include shares, cooldowns,
/// large limits and clock jumps.
async fn memory_and_redis_agree(variable: &str) {
    let Some(url) = url_from(variable) else { return };
    let (memory, redis) = (MemoryLimiter::new(10_000), RedisLimiter::new(&url).unwrap());
    let mut dice = Dice(42);
    let mut keys: Vec<String> = (0..6).map(|_| key()).collect();
    let large = key();
    let mut now = start();
    for call in 0..2_000 {
        if call % 500 == 499 {
            keys = (0..6).map(|_| key()).collect();
        }
        now += TimeDelta::microseconds(i64::try_from(dice.below(6_000_000)).unwrap());
        if dice.below(100) == 0 {
            now += TimeDelta::seconds(i64::try_from(dice.below(1_200)).unwrap() - 600);
        }
        let mut charges = random_charges(&mut dice, &keys);
        charges.push(charge(&large, 257 + u32::try_from(dice.below(2)).unwrap() * 60, QUARTER));
        let (here, there) = (take(&memory, &charges, now).await, take(&redis, &charges, now).await);
        assert_eq!(here, there, "call {call} at {now}: {charges:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_one_redis_server_give_the_same_two_thousand_verdicts() {
    memory_and_redis_agree("DOORCODE_TEST_REDIS_URL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_a_redis_cluster_give_the_same_two_thousand_verdicts() {
    memory_and_redis_agree("DOORCODE_TEST_REDIS_CLUSTER_URL").await;
}
