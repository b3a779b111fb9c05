//! `bench measure` and `bench all`: the parts of the measurements, and where their raw data goes.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};

use crate::{
    allocations, counts, figures,
    flow::Flow,
    growth, hashing, listeners, memory,
    pairs::{self, Against, Amount},
    prepare::WARM_UP,
    record::{About, Raw, Record},
    report,
    stack::Stack,
    system::{self, Store, System},
};

/// A part of the measurements, with a file of raw data of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// Pairs with a hand-written server that sends the same SQL statements
    Floor,
    /// Pairs with better-auth
    BetterAuth,
    /// Pairs with `FastAPI` without counted tries and outbox
    FastapiPlain,
    /// Pairs with `FastAPI` with both
    FastapiCareful,
    /// Pairs with django-allauth
    DjangoAllauth,
    /// Pairs of a password sign-in and argon2 alone
    Argon2,
    /// Figures on PostgreSQL and Redis
    Servers,
    /// Figures on SQLite, without Redis
    Embedded,
    /// Statements, transactions and Redis calls of each operation
    Counts,
    /// Allocations of each operation, in a build of its own
    Allocations,
    /// Every operation with few and with many rows
    Growth,
    /// Memory over time at a share of saturation
    Memory,
    /// Events to many subscriptions
    Listeners,
}

impl Part {
    pub(crate) const ALL: [Self; 13] = [
        Self::Floor,
        Self::BetterAuth,
        Self::FastapiPlain,
        Self::FastapiCareful,
        Self::DjangoAllauth,
        Self::Argon2,
        Self::Servers,
        Self::Embedded,
        Self::Counts,
        Self::Allocations,
        Self::Growth,
        Self::Memory,
        Self::Listeners,
    ];

    /// Name of its file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::BetterAuth => "better-auth",
            Self::FastapiPlain => "fastapi-plain",
            Self::FastapiCareful => "fastapi-careful",
            Self::DjangoAllauth => "django-allauth",
            Self::Argon2 => "argon2",
            Self::Servers => "servers",
            Self::Embedded => "embedded",
            Self::Counts => "counts",
            Self::Allocations => "allocations",
            Self::Growth => "growth",
            Self::Memory => "memory",
            Self::Listeners => "listeners",
        }
    }

    fn against(self) -> Option<Against> {
        match self {
            Self::Floor => Some(Against::Floor),
            Self::BetterAuth => Some(Against::BetterAuth),
            Self::FastapiPlain => Some(Against::FastapiPlain),
            Self::FastapiCareful => Some(Against::FastapiCareful),
            Self::DjangoAllauth => Some(Against::DjangoAllauth),
            _ => None,
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure
    #[arg(required = true)]
    parts: Vec<Part>,
    #[command(flatten)]
    plan: Plan,
}

/// How much is measured.
#[derive(Clone, clap::Args)]
pub(crate) struct Plan {
    /// A binary to measure instead of building this tree
    #[arg(long)]
    doorcode: Option<PathBuf>,
    /// Folder of the raw data
    #[arg(long, default_value_os_t = report::folder())]
    pub(crate) folder: PathBuf,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=300))]
    seconds: u64,
    /// Number of pairs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    pairs: u8,
    /// Connections of pairs
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512))]
    connections: u16,
    /// Rows of each table whose growth is measured, beginning with the size to compare with
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000],
          value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    people: Vec<u64>,
    /// Measure growth also with ten million rows, which take about 20 GB and an hour
    #[arg(long)]
    huge: bool,
    /// Minutes of the memory curve
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    minutes: u64,
}

/// Connections of pairs of password sign-ins: more would be refused, because passwords are hashed on one core less.
const PASSWORD_CONNECTIONS: u16 = 2;
/// Share of saturation at which memory is sampled.
const SHARE: f64 = 0.8;

/// Measures some parts.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let program = system::program(arguments.plan.doorcode.clone())?;
    let mut failed = Vec::new();
    for part in arguments.parts {
        if let Err(error) = measure(part, &program, &arguments.plan).await {
            eprintln!("{}: {error:#}", part.name());
            failed.push(part.name());
        }
    }
    ensure!(failed.is_empty(), "not measured, so the raw data of an earlier run stays: {}", failed.join(", "));
    Ok(())
}

/// Measures everything and writes the report, also if a part failed.
pub(crate) async fn all(plan: Plan) -> Result<()> {
    let folder = plan.folder.clone();
    let measured = run(Arguments { parts: Part::ALL.to_vec(), plan }).await;
    report::write(&folder)?;
    measured
}

/// Measures a part on servers of its own.
async fn measure(part: Part, program: &Path, plan: &Plan) -> Result<()> {
    println!("\n{}", part.name());
    let stack = Stack::start().await?;
    let about = About::now(&stack, program, plan.seconds, plan.pairs).await?;
    let mut raw = Raw::create(&plan.folder, part.name(), about)?;
    let time = Duration::from_secs(plan.seconds);
    let amount = Amount { connections: plan.connections, seconds: plan.seconds, pairs: plan.pairs, rate: None };
    match part {
        Part::Servers => figures::measure(&stack, program, Store::Servers, plan.seconds, &mut raw).await?,
        Part::Embedded => figures::measure(&stack, program, Store::Embedded, plan.seconds, &mut raw).await?,
        Part::Allocations => allocations::measure(&stack, &mut raw).await?,
        Part::Growth => {
            let mut sizes = plan.people.clone();
            sizes.extend(plan.huge.then_some(10_000_000));
            growth::measure(&stack, program, &sizes, amount, &mut raw).await?;
        }
        _ => {
            let system = System::doorcode(&stack, program, Store::Servers, "doorcode").await?;
            match (part, part.against()) {
                (_, Some(against)) => {
                    let other = against.start(&stack, program).await?;
                    in_turn(&stack, &[&system, &other], amount, &mut raw).await?;
                }
                (Part::Argon2, _) => hashing::measure(&stack, &system, time, plan.pairs, &mut raw).await?,
                (Part::Memory, _) => {
                    memory::measure(&stack, &system, Duration::from_mins(plan.minutes), SHARE, &mut raw).await?;
                }
                (Part::Listeners, _) => {
                    let heard = listeners::hear(&stack, &system, 1_000, 20.0, time).await?;
                    heard.print();
                    raw.write(&Record::Heard(heard))?;
                }
                _ => count(&stack, &system, &mut raw).await?,
            }
        }
    }
    raw.finish()
}

/// Measures in turn every flow that both services have.
async fn in_turn(stack: &Stack, systems: &[&System], amount: Amount, raw: &mut Raw) -> Result<()> {
    // A page of users or events and health checks are the service's own.
    for flow in [Flow::Me, Flow::SignIn, Flow::Refresh, Flow::Password] {
        if systems.iter().all(|system| flow.suits(system.target.api)) {
            let connections = if flow == Flow::Password { PASSWORD_CONNECTIONS } else { amount.connections };
            for runs in pairs::measure_in_turn(stack, systems, flow, Amount { connections, ..amount }).await? {
                raw.runs(runs)?;
            }
        }
    }
    Ok(())
}

async fn count(stack: &Stack, system: &System, raw: &mut Raw) -> Result<()> {
    for flow in Flow::ALL.into_iter().filter(|flow| *flow != Flow::Health) {
        let counts = counts::count(stack, system, flow, WARM_UP, counts::OPERATIONS).await?;
        counts.print();
        raw.write(&Record::Counts(counts))?;
    }
    Ok(())
}
