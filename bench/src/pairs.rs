//! `bench run`: one flow, alone or in pairs against another service.

use std::{path::PathBuf, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    flow::{Browser, Flow},
    load::Plan,
    measure::{self, Comparison, Run},
    prepare,
    stack::Stack,
    system::{self, Store, System},
};

/// What Doorcode is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Against {
    /// A hand-written server with the same SQL statements.
    Floor,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The flow to repeat
    flow: Flow,
    /// The service to compare with, in turn
    #[arg(long)]
    against: Option<Against>,
    /// Number of connections, each with a client that waits for its response
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    connections: u16,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    seconds: u64,
    /// Number of measurements, or of pairs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    pairs: u8,
    /// Start this many operations a second (open loop), and count latency from the intended start
    #[arg(long)]
    rate: Option<f64>,
    /// What Doorcode stores its data and limits in
    #[arg(long, value_enum, default_value_t = Store::Servers)]
    store: Store,
    /// A binary to measure instead of building this tree
    #[arg(long)]
    doorcode: Option<PathBuf>,
    /// A second binary, to compare with instead of another service
    #[arg(long, conflicts_with = "against")]
    than: Option<PathBuf>,
}

/// A service with its browsers.
struct Side {
    system: System,
    browsers: Vec<Browser>,
    runs: Vec<Run>,
}

impl Side {
    async fn new(stack: &Stack, system: System, flow: Flow, connections: usize) -> Result<Self> {
        let browsers = prepare::browsers(stack, &system, flow, connections).await?;
        Ok(Self { system, browsers, runs: Vec::new() })
    }

    async fn measure(&mut self, stack: &Stack, flow: Flow, plan: Plan) -> Result<()> {
        let browsers = std::mem::take(&mut self.browsers);
        let (run, browsers) = measure::run(stack, &self.system, flow.name(), browsers, plan).await?;
        run.print();
        self.browsers = browsers;
        self.runs.push(run);
        Ok(())
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { flow, against, connections, seconds, pairs, rate, store, doorcode, than } = arguments;
    ensure!(rate.is_none_or(|rate| rate > 0.0 && rate <= 1e6), "--rate must be above 0 and at most 1000000");
    let (program, connections) = (system::program(doorcode)?, usize::from(connections));
    let stack = Stack::start().await?;
    let ours = System::doorcode(&stack, &program, store, "doorcode").await?;
    println!("doorcode started in {:.0} ms", ours.started_in.as_secs_f64() * 1e3);
    let mut ours = Side::new(&stack, ours, flow, connections).await?;
    let theirs = match (against, than) {
        (Some(Against::Floor), _) => Some(System::floor(&stack, &program).await?),
        (None, Some(other)) => Some(System::doorcode(&stack, &system::program(Some(other))?, store, "other").await?),
        (None, None) => None,
    };
    let mut theirs = match theirs {
        Some(system) => Some(Side::new(&stack, system, flow, connections).await?),
        None => None,
    };
    let plan = Plan { rate, ..Plan::closed(Duration::from_secs(seconds)) };
    for pair in 0..pairs {
        match &mut theirs {
            // Every second pair in the other order, so that neither side is always the first.
            Some(theirs) if pair % 2 == 1 => {
                theirs.measure(&stack, flow, plan).await?;
                ours.measure(&stack, flow, plan).await?;
            }
            Some(theirs) => {
                ours.measure(&stack, flow, plan).await?;
                theirs.measure(&stack, flow, plan).await?;
            }
            None => ours.measure(&stack, flow, plan).await?,
        }
    }
    if let Some(theirs) = theirs {
        let compared = Comparison::of(flow.name(), ours.runs, theirs.runs);
        let each: Vec<_> = compared.ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        println!("{} over {}: {:.3} (median of {})", flow.name(), theirs.system.name, compared.ratio, each.join(" "));
    }
    Ok(())
}
