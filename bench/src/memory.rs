//! Memory over time: a mix of flows at a share of saturation, and the memory of the service every second.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    flow::{Browser, Flow},
    load::Plan,
    measure,
    prepare::{self, WARM_UP},
    record::{Raw, Record, Sample},
    stack::Stack,
    system::System,
};

/// Browsers of each flow. A browser that is faster takes more of the operations that are due.
const MIX: [(Flow, usize); 3] = [(Flow::Me, 24), (Flow::SignIn, 24), (Flow::Refresh, 16)];
const SATURATE: Duration = Duration::from_secs(10);

/// Samples memory while operations start at a share of the rate that the service reaches.
pub(crate) async fn measure(stack: &Stack, system: &System, time: Duration, share: f64, raw: &mut Raw) -> Result<()> {
    let mut browsers: Vec<Browser> = Vec::new();
    for (flow, number) in MIX {
        browsers.extend(prepare::browsers(stack, system, flow, number, WARM_UP).await?);
    }
    let (saturation, browsers) = measure::run(stack, system, "mix", browsers, Plan::closed(SATURATE)).await?;
    saturation.print();
    let plan = Plan { rate: Some(saturation.per_second * share), ..Plan::closed(time) };
    raw.write(&Record::Run(saturation))?;
    let started = Instant::now();
    let mut samples = Vec::new();
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let load = measure::run(stack, system, "mix", browsers, plan);
    tokio::pin!(load);
    let (run, _) = loop {
        tokio::select! {
            ended = &mut load => break ended?,
            _ = second.tick() => samples.push(Sample {
                at: started.elapsed().as_secs_f64(),
                memory: system.processes.memory()?.0 as f64 / 1_024.0,
            }),
        }
    };
    run.print();
    raw.write(&Record::Run(run))?;
    println!("{} grew by {:.1} % from the second fifth of the time to the last", system.name, growth(&samples) * 100.0);
    samples.into_iter().try_for_each(|sample| raw.write(&Record::Memory(sample)))
}

/// By which share memory grew from the second fifth of the time, when all buffers and caches exist, to the last.
pub(crate) fn growth(samples: &[Sample]) -> f64 {
    let fifth = samples.len() / 5;
    let middle = |part: &[Sample]| measure::median(&part.iter().map(|sample| sample.memory).collect::<Vec<_>>());
    let (early, late) = (&samples[fifth..fifth * 2], &samples[samples.len() - fifth..]);
    middle(late) / middle(early) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(memory: impl Fn(f64) -> f64) -> Vec<Sample> {
        (0..100).map(|at| Sample { at: f64::from(at), memory: memory(f64::from(at)) }).collect()
    }

    #[test]
    fn memory_that_settles_after_the_start_does_not_grow() {
        assert!(growth(&samples(|at| if at < 15.0 { 20.0 } else { 40.0 })).abs() < 1e-9);
    }

    #[test]
    fn a_leak_is_growth() {
        assert!(growth(&samples(|at| 40.0 + at / 10.0)) > 0.1);
    }
}
