//! `bench run`: one flow, alone or in pairs against another service.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{
    flow::{Browser, Flow},
    load::Plan,
    measure::{self, Comparison, Run},
    peers::Peer,
    prepare::{self, WARM_UP},
    stack::Stack,
    system::{self, Store, System},
};

/// What Doorcode is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Against {
    /// A hand-written server with the same SQL statements
    Floor,
    /// better-auth with its plugin for email codes, in Node.js
    BetterAuth,
    /// `FastAPI`, `SQLAlchemy` and asyncpg, without counted tries and outbox
    FastapiPlain,
    /// The same with tries that are counted before a comparison, and with an outbox
    #[value(alias = "fastapi")]
    FastapiCareful,
    /// django-allauth with login by code
    DjangoAllauth,
}

impl Against {
    pub(crate) async fn start(self, stack: &Stack, program: &Path) -> Result<System> {
        match self {
            Self::Floor => System::floor(stack, program).await,
            Self::BetterAuth => Peer::BetterAuth.start(stack).await,
            Self::FastapiPlain => Peer::FastapiPlain.start(stack).await,
            Self::FastapiCareful => Peer::FastapiCareful.start(stack).await,
            Self::DjangoAllauth => Peer::Allauth.start(stack).await,
        }
    }
}

/// Which services take part.
#[derive(Clone, clap::Args)]
pub(crate) struct Sides {
    /// The service to compare with, in turn
    #[arg(long)]
    against: Option<Against>,
    /// What Doorcode stores its data and limits in
    #[arg(long, value_enum, default_value_t = Store::Servers)]
    store: Store,
    /// A binary to measure instead of building this tree
    #[arg(long)]
    doorcode: Option<PathBuf>,
    /// A second binary of Doorcode, to compare with instead of another service
    #[arg(long, conflicts_with = "against")]
    than: Option<PathBuf>,
}

impl Sides {
    /// Starts Doorcode, and then what it is compared with.
    pub(crate) async fn start(self, stack: &Stack) -> Result<Vec<System>> {
        let Self { against, store, doorcode, than } = self;
        let program = system::program(doorcode)?;
        let mut systems = vec![System::doorcode(stack, &program, store, "doorcode").await?];
        if let Some(against) = against {
            systems.push(against.start(stack, &program).await?);
        } else if let Some(other) = than {
            systems.push(System::doorcode(stack, &system::program(Some(other))?, store, "other").await?);
        }
        Ok(systems)
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The flow to repeat
    flow: Flow,
    #[command(flatten)]
    sides: Sides,
    #[command(flatten)]
    amount: Amount,
}

/// How much is measured.
#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Amount {
    /// Number of connections, each with a client that waits for its response
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=2_000))]
    pub(crate) connections: u16,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) seconds: u64,
    /// Number of measurements, or of pairs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(crate) pairs: u8,
    /// Start this many operations a second (open loop), and count latency from the intended start
    #[arg(long)]
    pub(crate) rate: Option<f64>,
}

/// A service with its browsers.
struct Side<'a> {
    system: &'a System,
    browsers: Vec<Browser>,
    runs: Vec<Run>,
}

impl Side<'_> {
    async fn measure(&mut self, stack: &Stack, flow: Flow, plan: Plan) -> Result<()> {
        let browsers = std::mem::take(&mut self.browsers);
        let (run, browsers) = measure::run(stack, self.system, flow.name(), browsers, plan).await?;
        run.print();
        self.browsers = browsers;
        self.runs.push(run);
        Ok(())
    }
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { flow, sides, amount } = arguments;
    let stack = Stack::start().await?;
    let systems = sides.start(&stack).await?;
    for system in &systems {
        println!("{} started in {:.0} ms", system.name, system.started_in.as_secs_f64() * 1e3);
    }
    let systems: Vec<&System> = systems.iter().collect();
    measure_in_turn(&stack, &systems, flow, amount).await?;
    Ok(())
}

/// Measures the services in turn, every second time in the other order, so that none of them is always the first.
/// Returns the runs of each service.
pub(crate) async fn measure_in_turn(
    stack: &Stack,
    systems: &[&System],
    flow: Flow,
    amount: Amount,
) -> Result<Vec<Vec<Run>>> {
    let Amount { connections, seconds, pairs, rate } = amount;
    ensure!(rate.is_none_or(|rate| rate > 0.0 && rate <= 1e6), "--rate must be above 0 and at most 1000000");
    let mut all = Vec::new();
    for system in systems {
        let warm_up = WARM_UP.min(Duration::from_secs(seconds));
        let browsers = prepare::browsers(stack, system, flow, usize::from(connections), warm_up).await?;
        all.push(Side { system, browsers, runs: Vec::new() });
    }
    let plan = Plan { rate, ..Plan::closed(Duration::from_secs(seconds)) };
    for pair in 0..usize::from(pairs) {
        for at in 0..all.len() {
            let at = if pair % 2 == 0 { at } else { all.len() - 1 - at };
            all[at].measure(stack, flow, plan).await?;
        }
    }
    let runs: Vec<_> = all.into_iter().map(|side| side.runs).collect();
    for (system, theirs) in systems.iter().zip(&runs).skip(1) {
        let compared = Comparison::of(flow.name(), &runs[0], theirs);
        let each: Vec<_> = compared.ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        println!("{} over {}: {:.3} (median of {})", flow.name(), system.name, compared.ratio, each.join(" "));
    }
    Ok(runs)
}
