//! `bench smoke`: every flow for a moment, on both databases and on the floor, so that a change of the service that the
//! bench does not know is found by the tests. Its figures mean nothing.

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    counts,
    flow::Flow,
    listeners,
    load::Plan,
    measure::{self, Run},
    prepare,
    stack::Stack,
    system::{self, Store, System},
};

/// How long each flow runs, and the load before it. Nothing is measured, so little is enough.
const TIME: Duration = Duration::from_millis(300);
const WARM_UP: Duration = Duration::from_millis(100);
/// Operations that are counted.
const COUNTED: u64 = 20;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A binary to use instead of building this tree for release
    #[arg(long)]
    doorcode: Option<PathBuf>,
}

/// Outcomes, printed in the form that `tests/run` adds up.
#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    fn add<T>(&mut self, name: &str, outcome: Result<T>) -> Option<T> {
        match outcome {
            Ok(done) => {
                self.passed += 1;
                Some(done)
            }
            Err(error) => {
                println!("FAILED {name}: {error:#}");
                self.failed += 1;
                None
            }
        }
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let stack = Stack::start().await?;
    let program = system::program(arguments.doorcode)?;
    let (servers, embedded, floor) = tokio::try_join!(
        System::doorcode(&stack, &program, Store::Servers, "doorcode"),
        System::doorcode(&stack, &program, Store::Embedded, "embedded"),
        System::floor(&stack, &program),
    )?;
    let mut tally = Tally::default();
    for system in [&servers, &embedded, &floor] {
        for flow in Flow::ALL.into_iter().filter(|flow| flow.suits(system.target.api)) {
            let name = format!("{} {}", system.name, flow.name());
            if let Some(run) = tally.add(&name, once(&stack, system, flow).await) {
                run.print();
            }
        }
    }
    let heard = listeners::hear(&stack, &servers, 20, 2.0, Duration::from_secs(1)).await;
    if let Some(heard) = tally.add("listeners", heard) {
        heard.print();
    }
    for system in [&servers, &floor] {
        tally.add(&format!("{} counts", system.name), counts::count(&stack, system, Flow::Me, WARM_UP, COUNTED).await);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    ensure!(tally.failed == 0, "not everything works");
    Ok(())
}

async fn once(stack: &Stack, system: &System, flow: Flow) -> Result<Run> {
    let browsers = prepare::browsers(stack, system, flow, 1, WARM_UP).await?;
    let (run, _) = measure::run(stack, system, flow.name(), browsers, Plan::closed(TIME)).await?;
    ensure!(run.failed == 0, "{} operations failed", run.failed);
    Ok(run)
}
