//! `bench` measures Doorcode, and states speed as ratios that anyone can measure again: against a hand-written server
//! that sends the same SQL statements (the floor), and against other sign-in services, in turn and in one run.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the command line, whose results go to standard output"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the rules for time and randomness hold for the product; the floor reads the system clock"
)]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times become ratios and figures of three digits"
)]

mod allocations;
mod api;
mod certificate;
mod counts;
mod figures;
mod floor;
mod flow;
mod growth;
mod hashing;
mod http;
mod listeners;
mod load;
mod mailbox;
mod measure;
mod memory;
mod pairs;
mod parts;
mod peers;
mod prepare;
mod record;
mod report;
mod smoke;
mod stack;
mod system;
mod usage;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The allocator of Doorcode, so that the floor differs only in its code.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures Doorcode on this machine, with servers of its own on loopback.
///
/// PostgreSQL, Redis, openssl and setpriv must be installed. The machine must be otherwise idle. Ratios of one run can
/// be compared; figures of different machines or days cannot.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Repeat one flow, alone or in pairs against another service
    Run(pairs::Arguments),
    /// Count the statements, transactions and Redis calls of one operation
    Count(counts::Arguments),
    /// Send events to many WebSocket subscriptions while users sign in
    Listeners(listeners::Arguments),
    /// Measure parts of the report, and keep the raw data
    Measure(parts::Arguments),
    /// Write the report from the raw data
    Report(report::Arguments),
    /// Measure every part, and write the report; takes about an hour
    All(parts::Plan),
    /// Do every operation for a moment, to see that all of them work
    Smoke(smoke::Arguments),
    /// Serve the floor; `bench run` starts it
    #[command(hide = true)]
    Floor(floor::Settings),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // The floor is a server and gets every core. The driver gets one thread, to leave the cores to what it measures.
    let mut runtime = match command {
        Command::Floor(_) => tokio::runtime::Builder::new_multi_thread(),
        _ => tokio::runtime::Builder::new_current_thread(),
    };
    let ended = runtime.enable_all().build().map_err(Into::into).and_then(|runtime| runtime.block_on(run(command)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    let work = async {
        match command {
            Command::Run(arguments) => pairs::run(arguments).await,
            Command::Listeners(arguments) => listeners::run(arguments).await,
            Command::Count(arguments) => counts::run(arguments).await,
            Command::Measure(arguments) => parts::run(arguments).await,
            Command::Report(arguments) => report::run(&arguments),
            Command::All(plan) => parts::all(plan).await,
            Command::Smoke(arguments) => smoke::run(arguments).await,
            Command::Floor(settings) => floor::serve(settings).await,
        }
    };
    // Leaves through the destructors, which stop the servers and remove the folder.
    tokio::select! {
        ended = work => ended,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
    }
}
