//! What a sign-in with a password costs beside its hash: pairs of such a sign-in and of argon2 alone.

use std::time::Duration;

use anyhow::{Context as _, Result};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{
    api::PASSWORD,
    flow::Flow,
    load::{Plan, Samples, Worker},
    measure::{self, Comparison},
    prepare::{self, WARM_UP},
    record::Raw,
    stack::Stack,
    system::System,
    usage::Processes,
};

/// Doorcode's default, `DOORCODE_PASSWORD_COST`.
const MEMORY: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes a password, one at a time.
struct Hashes(Argon2<'static>);

impl Worker for Hashes {
    async fn step(&mut self, _: &mut Samples) -> Result<()> {
        let argon2 = self.0.clone();
        let hash = tokio::task::spawn_blocking(move || {
            let mut hash = [0; 32];
            argon2.hash_password_into(PASSWORD.as_bytes(), &[7; 16], &mut hash).map(|()| hash)
        });
        hash.await?.ok().context("cannot hash a password")?;
        Ok(())
    }
}

/// Measures one client that signs in with a password, and one thread that only hashes, in turn.
pub(crate) async fn measure(stack: &Stack, system: &System, time: Duration, pairs: u8, raw: &mut Raw) -> Result<()> {
    let params = Params::new(MEMORY, PASSES, LANES, None).ok().context("the cost is out of range")?;
    let mut hashes = vec![Hashes(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))];
    let mut browsers = prepare::browsers(stack, system, Flow::Password, 1, WARM_UP).await?;
    let own = Processes { server: vec![std::process::id()], ..system.processes.clone() };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        let run;
        (run, browsers) = measure::run(stack, system, "password", browsers, Plan::closed(time)).await?;
        run.print();
        ours.push(run);
        let run;
        (run, hashes) = measure::run_of(stack, ("argon2", "password"), &own, hashes, Plan::closed(time)).await?;
        run.print();
        theirs.push(run);
    }
    println!("password over argon2: {:.3}", Comparison::of("password", &ours, &theirs).ratio);
    raw.runs(ours)?;
    raw.runs(theirs)
}
