//! One run of a flow against a service, and pairs of runs in turn.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::{
    flow::Browser,
    load::{self, Plan, Worker},
    stack::Stack,
    system::System,
    usage::{Cpu, Processes},
};

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Self { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999), max: histogram.max() as f64 / 1_000.0 }
    }
}

/// The result of one run. CPU times are microseconds of one core for each operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) system: String,
    pub(crate) flow: String,
    pub(crate) connections: usize,
    /// Operations a second that an open loop started.
    pub(crate) rate: Option<f64>,
    pub(crate) seconds: f64,
    pub(crate) operations: u64,
    pub(crate) failed: u64,
    pub(crate) per_second: f64,
    pub(crate) latency: Latency,
    pub(crate) parts: BTreeMap<String, Latency>,
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    pub(crate) redis_us: f64,
    pub(crate) driver_us: f64,
    /// Share of all cores that the driver used.
    pub(crate) driver_share: f64,
    /// Resident memory of the service after the run, and its maximum so far, in MiB.
    pub(crate) memory: f64,
    pub(crate) memory_max: f64,
}

/// A bar that says what is under way; hidden if standard error is no terminal.
pub(crate) fn bar(title: &str) -> Result<ProgressBar> {
    let bar = ProgressBar::new(100);
    bar.set_style(ProgressStyle::with_template("{msg:36} [{bar:30}] {prefix}")?);
    bar.set_message(title.to_owned());
    Ok(bar)
}

/// Runs the load once. The browsers come back for the next run.
pub(crate) async fn run(
    stack: &Stack,
    system: &System,
    flow: &str,
    browsers: Vec<Browser>,
    plan: Plan,
) -> Result<(Run, Vec<Browser>)> {
    run_of(stack, (&system.name, flow), &system.processes, browsers, plan).await
}

/// Runs any workers once, under the name of what they use and of what they do.
pub(crate) async fn run_of<W: Worker>(
    stack: &Stack,
    (name, flow): (&str, &str),
    processes: &Processes,
    workers: Vec<W>,
    plan: Plan,
) -> Result<(Run, Vec<W>)> {
    let connections = workers.len();
    stack.settle().await?;
    let bar = bar(&format!("{name} {flow}, {connections} connections"))?;
    let before = processes.cpu()?;
    let measured = load::run(workers, plan, &bar).await?;
    let cpu = processes.cpu()?.since(before);
    bar.finish_and_clear();
    let (now, most) = processes.memory()?;
    let samples = &measured.samples;
    let cores = std::thread::available_parallelism()?.get() as f64;
    let run = Run {
        system: name.to_owned(),
        flow: flow.to_owned(),
        connections,
        rate: plan.rate,
        seconds: measured.elapsed.as_secs_f64(),
        operations: measured.operations(),
        failed: samples.failed,
        per_second: measured.per_second(),
        latency: Latency::of(&samples.whole),
        parts: samples.parts.iter().map(|(name, part)| ((*name).to_owned(), Latency::of(part))).collect(),
        server_us: each(cpu.server, measured.operations()),
        postgres_us: each(cpu.postgres, measured.operations()),
        redis_us: each(cpu.redis, measured.operations()),
        driver_us: each(cpu.driver, measured.operations()),
        driver_share: share(cpu, measured.elapsed, cores),
        memory: now as f64 / 1_024.0,
        memory_max: most as f64 / 1_024.0,
    };
    Ok((run, measured.workers))
}

fn each(time: Duration, operations: u64) -> f64 {
    time.as_secs_f64() * 1e6 / operations.max(1) as f64
}

fn share(cpu: Cpu, elapsed: Duration, cores: f64) -> f64 {
    cpu.driver.as_secs_f64() / elapsed.as_secs_f64() / cores
}

impl Run {
    /// One line for people.
    pub(crate) fn print(&self) {
        println!(
            "{:<16} {:<9} {:>4} conn {:>9.0}/s  p50 {:>8.2}  p99 {:>8.2}  p99.9 {:>8.2} ms  CPU us: server {:>6.0}  \
             postgres {:>5.0}  redis {:>4.0}  driver {:>4.0} ({:.0} %)  {:.0} MiB{}",
            self.system,
            self.flow,
            self.connections,
            self.per_second,
            self.latency.p50,
            self.latency.p99,
            self.latency.p999,
            self.server_us,
            self.postgres_us,
            self.redis_us,
            self.driver_us,
            self.driver_share * 100.0,
            self.memory,
            if self.failed > 0 { format!("  {} failed", self.failed) } else { String::new() },
        );
        if !self.parts.is_empty() {
            let parts = self.parts.iter().map(|(name, part)| format!("{name} {:.2}", part.p50));
            println!("{:<16} p50 of parts, ms: {}", "", parts.collect::<Vec<_>>().join(", "));
        }
    }
}

/// Two services in turn: the throughput of each pair, ours over theirs, and the median.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) flow: String,
    pub(crate) ratios: Vec<f64>,
    pub(crate) ratio: f64,
}

impl Comparison {
    pub(crate) fn of(flow: &str, ours: &[Run], theirs: &[Run]) -> Self {
        let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(own, other)| own.per_second / other.per_second).collect();
        Self { flow: flow.to_owned(), ratio: median(&ratios), ratios }
    }
}

/// The middle value, or the mean of the two middle values.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-9
    }

    fn runs(rates: &[f64]) -> Vec<Run> {
        let json = |rate: &f64| {
            serde_json::json!({ "system": "a", "flow": "me", "connections": 1, "rate": null, "seconds": 1.0,
                "operations": 1, "failed": 0, "per_second": rate,
                "latency": { "p50": 1.0, "p99": 1.0, "p999": 1.0, "max": 1.0 }, "parts": {}, "server_us": 0.0,
                "postgres_us": 0.0, "redis_us": 0.0, "driver_us": 0.0, "driver_share": 0.0, "memory": 0.0,
                "memory_max": 0.0 })
        };
        rates.iter().map(|rate| serde_json::from_value(json(rate)).unwrap()).collect()
    }

    #[test]
    fn the_median_is_the_middle_value_in_any_order() {
        assert!(is(median(&[3.0, 1.0, 2.0]), 2.0) && is(median(&[4.0, 1.0, 2.0, 3.0]), 2.5));
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_comparison_is_the_median_of_the_ratios_of_its_pairs() {
        // A machine that slows down halfway changes both runs of a pair, not their ratio.
        let compared = Comparison::of("me", &runs(&[80.0, 20.0, 45.0]), &runs(&[100.0, 40.0, 50.0]));
        assert_eq!(compared.ratios, [0.8, 0.5, 0.9]);
        assert!(is(compared.ratio, 0.8));
    }
}
