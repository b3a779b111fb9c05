//! Allocations of one operation. jemalloc counts them in a build of its own, and prints them when the service ends: the
//! difference of a long and of a short life is what the operations between them allocated.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{
    flow::Flow,
    load::Plan,
    measure, prepare,
    record::{Allocations, Raw, Record},
    stack::Stack,
    system::{Store, System},
};

const FLOWS: [Flow; 6] = [Flow::Me, Flow::SignIn, Flow::Password, Flow::Refresh, Flow::Users, Flow::Audit];
const NAME: &str = "counted";

/// Counts the allocations of every flow.
pub(crate) async fn measure(stack: &Stack, raw: &mut Raw) -> Result<()> {
    let program = stack.folder().join(NAME);
    fs::copy(build()?, &program).context("cannot copy the build that counts")?;
    for flow in FLOWS {
        // Those that hash or send mail take longer, and vary less.
        let (few, many) = if matches!(flow, Flow::SignIn | Flow::Password) { (50, 350) } else { (200, 2_200) };
        let (short, few) = life(stack, &program, flow, few).await?;
        let (long, many) = life(stack, &program, flow, many).await?;
        let each = long.saturating_sub(short) as f64 / (many - few) as f64;
        println!("{}: {each:.0} allocations", flow.name());
        raw.write(&Record::Allocations(Allocations { flow: flow.name().to_owned(), each }))?;
    }
    Ok(())
}

/// Builds Doorcode with the counters of jemalloc, which the release does not have. Without optimization, because
/// that hardly changes what is allocated, and is built in a fraction of the time.
fn build() -> Result<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root).args(["build", "--locked", "--package", "doorcode", "--bin", "doorcode"]);
    let built = cargo.args(["--features", "tikv-jemallocator/stats"]).status().context("cannot run cargo")?;
    ensure!(built.success(), "the build that counts failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    Ok(target.join("debug/doorcode"))
}

/// Runs the service for some operations. Returns the allocations of its life, and how many operations there were.
async fn life(stack: &Stack, program: &Path, flow: Flow, operations: u64) -> Result<(u64, u64)> {
    let mut system = System::doorcode(stack, program, Store::Servers, NAME).await?;
    let conf = ("_RJEM_MALLOC_CONF".to_owned(), "stats_print:true,stats_print_opts:Jdablxeh".to_owned());
    let settings = [system.settings.clone(), vec![conf]].concat();
    drop(system);
    system = System::start_doorcode(stack, program, NAME, settings).await?;
    let once = Plan { most: 1, ..Plan::closed(std::time::Duration::from_mins(1)) };
    let browsers = prepare::browsers_with(stack, &system, flow, 1, once).await?;
    let plan = Plan { most: operations, ..once };
    let (run, browsers) = measure::run(stack, &system, flow.name(), browsers, plan).await?;
    drop((browsers, system));
    let log = fs::read_to_string(stack.folder().join(format!("{NAME}.log")))?;
    let requests = requests(&log).context("the service did not print what it allocated")?;
    Ok((requests, run.operations))
}

/// The number of allocations in the log of the service.
fn requests(log: &str) -> Option<u64> {
    let start = log[..log.find("\"jemalloc\"")?].rfind('{')?;
    let json: Value = serde_json::Deserializer::from_str(&log[start..]).into_iter().next()?.ok()?;
    let merged = json.pointer("/jemalloc/stats.arenas/merged")?;
    let number = |pointer: &str| merged.pointer(pointer)?.as_u64();
    Some(number("/small/nrequests")? + number("/large/nrequests")?)
}

#[cfg(test)]
mod tests {
    use super::requests;

    #[test]
    fn the_allocations_are_read_from_the_end_of_a_log() {
        let log = "{\"level\":\"INFO\"}\n{\n\"jemalloc\": {\"stats\": {}, \"stats.arenas\": {\"merged\": \
                   {\"small\": {\"nrequests\": 40}, \"large\": {\"nrequests\": 2}}}}}\n";
        assert_eq!(requests(log), Some(42));
        assert_eq!(requests("started"), None);
    }
}
