//! Figures of Doorcode alone: starts, idle memory, and every flow at several numbers of connections and at half of
//! saturation.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    flow::{Browser, Flow},
    load::Plan,
    measure::{self, Run},
    prepare::{self, WARM_UP},
    record::{Raw, Record, Start},
    stack::Stack,
    system::{Store, System},
};

const CONNECTIONS: [usize; 4] = [1, 8, 64, 512];
/// Passwords are hashed on all cores but one, and a request that would wait too long is refused.
const PASSWORD_CONNECTIONS: [usize; 3] = [1, 2, 4];
/// Connections of the open loop: enough that an operation that is due seldom waits for one.
const OPEN: usize = 64;
const STARTS: usize = 5;
/// How long a service rests before its idle memory is read.
const REST: Duration = Duration::from_secs(2);

/// Measures all figures on one database.
pub(crate) async fn measure(
    stack: &Stack,
    program: &std::path::Path,
    store: Store,
    seconds: u64,
    raw: &mut Raw,
) -> Result<()> {
    let system = starts(stack, program, store, raw).await?;
    for flow in Flow::ALL {
        if let Err(error) = measure_flow(stack, &system, flow, Duration::from_secs(seconds), raw).await {
            // The other flows still can be measured.
            println!("{} {}: {error:#}", system.name, flow.name());
            raw.write(&Record::Refused { flow: flow.name().to_owned(), connections: 0, why: format!("{error:#}") })?;
        }
    }
    Ok(())
}

/// Starts the service several times and returns the last one.
async fn starts(stack: &Stack, program: &std::path::Path, store: Store, raw: &mut Raw) -> Result<System> {
    let mut running: Option<System> = None;
    for _ in 0..STARTS {
        let system = match running.take() {
            None => System::doorcode(stack, program, store, "doorcode").await?,
            Some(before) => {
                let settings = before.settings.clone();
                // Two processes at a time would share the data folder.
                drop(before);
                System::start_doorcode(stack, program, "doorcode", settings).await?
            }
        };
        sleep(REST).await;
        let idle = system.processes.memory()?.0 as f64 / 1_024.0;
        let ms = system.started_in.as_secs_f64() * 1e3;
        println!("doorcode started in {ms:.0} ms, {idle:.1} MiB");
        raw.write(&Record::Start(Start { ms, idle }))?;
        running = Some(system);
    }
    running.context("nothing was started")
}

async fn measure_flow(stack: &Stack, system: &System, flow: Flow, time: Duration, raw: &mut Raw) -> Result<()> {
    let numbers: &[usize] = if flow == Flow::Password { &PASSWORD_CONNECTIONS } else { &CONNECTIONS };
    let most = numbers.iter().copied().max().unwrap_or(1);
    let mut browsers = prepare::browsers(stack, system, flow, most, WARM_UP).await?;
    let mut saturation: f64 = 0.0;
    for number in numbers {
        let run = run_some(stack, system, flow, (&mut browsers, *number), Plan::closed(time)).await?;
        // With more connections than that, an open loop cannot reach the rate.
        if *number <= OPEN {
            saturation = saturation.max(run.per_second);
        }
        raw.write(&Record::Run(run))?;
    }
    let plan = Plan { rate: Some(saturation / 2.0), ..Plan::closed(time) };
    let number = OPEN.min(most);
    raw.write(&Record::Run(run_some(stack, system, flow, (&mut browsers, number), plan).await?))
}

/// Runs the load on some of the browsers, which come back.
async fn run_some(
    stack: &Stack,
    system: &System,
    flow: Flow,
    (browsers, number): (&mut Vec<Browser>, usize),
    plan: Plan,
) -> Result<Run> {
    let some = browsers.split_off(browsers.len().saturating_sub(number));
    let (run, some) = measure::run(stack, system, flow.name(), some, plan).await?;
    browsers.extend(some);
    run.print();
    Ok(run)
}
