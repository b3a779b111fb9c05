//! The load: workers that repeat an operation, and what they measured.
//!
//! In a closed loop every worker starts the next operation when its last one ended. In an open loop operations start at
//! a fixed rate. Their latency counts from the intended start, so that a server that stalls is charged for the
//! operations that it kept waiting (coordinated omission).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use tokio::{sync::Semaphore, task::JoinSet};

/// Latencies in microseconds up to a minute, with three significant digits.
const LONGEST: u64 = 60_000_000;
/// A run ends when this share of its operations failed.
const FAILED_SHARE: f64 = 0.01;

/// One client that repeats an operation.
pub(crate) trait Worker: Send + 'static {
    /// Does one operation. Parts of it may be recorded under a name.
    fn step(&mut self, samples: &mut Samples) -> impl Future<Output = Result<()>> + Send;
}

/// How much load, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) time: Duration,
    /// Operations a second of an open loop. A closed loop has none.
    pub(crate) rate: Option<f64>,
    /// Maximum number of operations.
    pub(crate) most: u64,
}

impl Plan {
    pub(crate) fn closed(time: Duration) -> Self {
        Self { time, rate: None, most: u64::MAX }
    }
}

/// Latencies of whole operations and of their named parts.
#[derive(Clone)]
pub(crate) struct Samples {
    pub(crate) whole: Histogram<u64>,
    pub(crate) parts: BTreeMap<&'static str, Histogram<u64>>,
    pub(crate) failed: u64,
    /// The first failure, to show why.
    pub(crate) failure: Option<String>,
}

impl Samples {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { whole: histogram()?, parts: BTreeMap::new(), failed: 0, failure: None })
    }

    pub(crate) fn part(&mut self, name: &'static str, since: Instant) -> Result<()> {
        let histogram = match self.parts.entry(name) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(histogram()?),
        };
        histogram.saturating_record(micros(since.elapsed()));
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: &Self) -> Result<()> {
        self.whole.add(&other.whole)?;
        for (name, part) in &other.parts {
            match self.parts.get_mut(name) {
                Some(own) => own.add(part)?,
                None => drop(self.parts.insert(name, part.clone())),
            }
        }
        self.failed += other.failed;
        self.failure = self.failure.take().or_else(|| other.failure.clone());
        Ok(())
    }
}

fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, LONGEST, 3)?)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// When operation `number` of an open loop should start, after the start of the run.
fn intended(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate)
}

struct Shared {
    started: Instant,
    plan: Plan,
    next: AtomicU64,
    done: AtomicU64,
    stopped: AtomicBool,
    /// Permits to start, in an open loop.
    due: Semaphore,
    /// Number of operations that were due when the time of an open loop was over.
    last: AtomicU64,
}

/// The result of a run.
pub(crate) struct Measured<W> {
    pub(crate) samples: Samples,
    pub(crate) elapsed: Duration,
    /// The workers, for another run.
    pub(crate) workers: Vec<W>,
}

impl<W> Measured<W> {
    pub(crate) fn operations(&self) -> u64 {
        self.samples.whole.len()
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.operations() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Runs the load and shows its progress. Fails if more than a hundredth of the operations failed.
pub(crate) async fn run<W: Worker>(workers: Vec<W>, plan: Plan, bar: &ProgressBar) -> Result<Measured<W>> {
    let shared = Arc::new(Shared {
        started: Instant::now(),
        plan,
        next: AtomicU64::new(0),
        done: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        due: Semaphore::new(0),
        last: AtomicU64::new(u64::MAX),
    });
    let pacer = plan.rate.map(|rate| {
        let shared = Arc::clone(&shared);
        let workers = workers.len();
        std::thread::spawn(move || pace(&shared, rate, workers))
    });
    let mut tasks = JoinSet::new();
    for worker in workers {
        tasks.spawn(work(worker, Arc::clone(&shared)));
    }
    let (mut samples, mut workers) = (Samples::new()?, Vec::new());
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    loop {
        tokio::select! {
            ended = tasks.join_next() => {
                let Some(ended) = ended else { break };
                let (worker, own) = ended??;
                samples.merge(&own)?;
                workers.push(worker);
            }
            _ = tick.tick() => show(bar, &shared),
        }
    }
    let elapsed = shared.started.elapsed();
    shared.stopped.store(true, Ordering::Relaxed);
    if let Some(pacer) = pacer {
        drop(pacer.join());
    }
    let tried = samples.failed + samples.whole.len();
    if samples.failed as f64 > FAILED_SHARE * tried as f64 || samples.whole.is_empty() {
        let why = samples.failure.unwrap_or_else(|| "no operation was completed".to_owned());
        bail!("{} of {tried} operations failed, the first with: {why}", samples.failed);
    }
    Ok(Measured { samples, elapsed, workers })
}

fn show(bar: &ProgressBar, shared: &Shared) {
    let (elapsed, done) = (shared.started.elapsed(), shared.done.load(Ordering::Relaxed));
    let share = if shared.plan.most == u64::MAX {
        elapsed.as_secs_f64() / shared.plan.time.as_secs_f64()
    } else {
        done as f64 / shared.plan.most as f64
    };
    bar.set_position((share.min(1.0) * 100.0) as u64);
    bar.set_prefix(format!("{:.0}/s", done as f64 / elapsed.as_secs_f64().max(0.001)));
}

/// Gives permits at the intended times. A thread of its own, because the timers of tokio are a millisecond apart.
/// Afterwards the workers do what is still due, and each gets one permit more, to end.
fn pace(shared: &Shared, rate: f64, workers: usize) {
    let mut given = 0;
    while !shared.stopped.load(Ordering::Relaxed) {
        let elapsed = shared.started.elapsed();
        if elapsed >= shared.plan.time || given >= shared.plan.most {
            break;
        }
        let due = ((elapsed.as_secs_f64() * rate) as u64 + 1).min(shared.plan.most);
        if due > given {
            shared.due.add_permits(usize::try_from(due - given).unwrap_or(usize::MAX));
            given = due;
        }
        std::thread::sleep(intended(given, rate).saturating_sub(shared.started.elapsed()));
    }
    shared.last.store(given, Ordering::Relaxed);
    shared.due.add_permits(workers);
}

async fn work<W: Worker>(mut worker: W, shared: Arc<Shared>) -> Result<(W, Samples)> {
    let mut samples = Samples::new()?;
    loop {
        let start = match shared.plan.rate {
            None => {
                let now = Instant::now();
                if now - shared.started >= shared.plan.time
                    || shared.next.fetch_add(1, Ordering::Relaxed) >= shared.plan.most
                {
                    break;
                }
                now
            }
            Some(rate) => {
                shared.due.acquire().await?.forget();
                let number = shared.next.fetch_add(1, Ordering::Relaxed);
                if number >= shared.last.load(Ordering::Relaxed) {
                    break;
                }
                if shared.started.elapsed() > shared.plan.time * 2 {
                    bail!("the service is so far behind {rate}/s that it needs twice the time");
                }
                shared.started + intended(number, rate)
            }
        };
        match worker.step(&mut samples).await {
            Ok(()) => {
                samples.whole.saturating_record(micros(start.elapsed()));
                shared.done.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                samples.failed += 1;
                samples.failure.get_or_insert_with(|| format!("{error:#}"));
                if samples.failed > 100 {
                    break;
                }
            }
        }
    }
    Ok((worker, samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_samples_have_the_latencies_and_failures_of_both() {
        let (mut one, mut other) = (Samples::new().unwrap(), Samples::new().unwrap());
        for micros in 1..=50 {
            one.whole.record(micros).unwrap();
            other.whole.record(micros + 50).unwrap();
        }
        one.part("login", Instant::now()).unwrap();
        other.part("login", Instant::now()).unwrap();
        other.part("verify", Instant::now()).unwrap();
        (other.failed, other.failure) = (2, Some("refused".to_owned()));
        one.merge(&other).unwrap();
        assert_eq!((one.whole.len(), one.whole.value_at_quantile(0.5), one.whole.max()), (100, 50, 100));
        assert_eq!((one.parts["login"].len(), one.parts["verify"].len()), (2, 1));
        assert_eq!((one.failed, one.failure.as_deref()), (2, Some("refused")));
    }

    #[test]
    fn an_open_loop_spreads_its_starts_evenly() {
        assert_eq!(intended(0, 500.0), Duration::ZERO);
        assert_eq!(intended(1, 500.0), Duration::from_millis(2));
        assert_eq!(intended(1_000, 500.0), Duration::from_secs(2));
    }

    /// Answers at once, except for one stall.
    struct Stalls(bool);

    impl Worker for Stalls {
        async fn step(&mut self, _: &mut Samples) -> Result<()> {
            if std::mem::take(&mut self.0) {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn operations_that_a_stall_kept_waiting_are_late_in_an_open_loop() {
        let bar = ProgressBar::hidden();
        let time = Duration::from_millis(400);
        let closed = run(vec![Stalls(true)], Plan { most: 1_000, ..Plan::closed(time) }, &bar).await.unwrap();
        assert!(closed.samples.whole.value_at_quantile(0.9) < 50_000, "a closed loop sees the stall once");
        let open = run(vec![Stalls(true)], Plan { rate: Some(500.0), ..Plan::closed(time) }, &bar).await.unwrap();
        let late = open.samples.whole.len() - open.samples.whole.count_between(0, 50_000);
        assert!(late >= 50, "only {late} operations were late");
    }

    struct Fails;

    impl Worker for Fails {
        async fn step(&mut self, _: &mut Samples) -> Result<()> {
            bail!("refused")
        }
    }

    #[tokio::test]
    async fn a_run_whose_operations_fail_is_an_error() {
        let failed = run(vec![Fails], Plan::closed(Duration::from_millis(50)), &ProgressBar::hidden()).await;
        assert!(failed.is_err_and(|error| error.to_string().contains("refused")));
    }
}
