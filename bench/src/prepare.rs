//! What a flow needs before it is measured: accounts, sessions, browsers.

use std::{sync::atomic::Ordering, time::Duration};

use anyhow::{Result, ensure};

use crate::{
    api::Person,
    flow::{Browser, Flow, sign_in_all},
    growth,
    load::Plan,
    measure::{self, bar},
    stack::Stack,
    system::System,
};

/// Sign-ins of one address leave rows behind, so that they are spread over this many addresses a connection.
const PEOPLE_PER_CONNECTION: usize = 8;
/// Load before the first measurement: caches fill, connections open, memory grows.
pub(crate) const WARM_UP: Duration = Duration::from_secs(2);

/// Creates the accounts and sessions of a flow and returns one browser for each connection, warmed up.
pub(crate) async fn browsers(
    stack: &Stack,
    system: &System,
    flow: Flow,
    connections: usize,
    warm_up: Duration,
) -> Result<Vec<Browser>> {
    browsers_with(stack, system, flow, connections, Plan::closed(warm_up)).await
}

/// The same with a load of one's own to warm up.
pub(crate) async fn browsers_with(
    stack: &Stack,
    system: &System,
    flow: Flow,
    connections: usize,
    warm_up: Plan,
) -> Result<Vec<Browser>> {
    ensure!(flow.suits(system.target.api), "{} has no {}", system.name, flow.name());
    let people = people(stack, system, flow, connections).await?;
    let per_connection = people.len() / connections.max(1);
    let browsers: Vec<_> = match flow {
        Flow::Health => (0..connections).map(|_| Browser::new(&system.target, flow, Vec::new())).collect(),
        Flow::Users | Flow::Audit => {
            (0..connections).map(|_| Browser::new(&system.target, flow, people.clone())).collect()
        }
        _ => people.chunks(per_connection).map(|own| Browser::new(&system.target, flow, own.to_vec())).collect(),
    };
    let (_, browsers) = measure::run(stack, system, flow.name(), browsers, warm_up).await?;
    Ok(browsers)
}

async fn people(stack: &Stack, system: &System, flow: Flow, connections: usize) -> Result<Vec<Person>> {
    // Every call gets accounts of its own.
    let name = format!("{}{}x", flow.name().replace('-', ""), stack.mailbox.received());
    let count = match flow {
        Flow::Health => return Ok(Vec::new()),
        Flow::SignIn => connections * PEOPLE_PER_CONNECTION,
        Flow::Users | Flow::Audit => connections.min(4),
        Flow::Me | Flow::Password | Flow::Refresh => connections,
    };
    let people = match flow {
        Flow::Users | Flow::Audit => managers(stack, system, count).await?,
        Flow::Password => (0..count).map(|number| Person::new(&name, number)).collect(),
        _ if system.crowd > 0 => from_crowd(system, count),
        _ => (0..count).map(|number| Person::new(&name, number)).collect(),
    };
    let bar = bar(&format!("{}: accounts and sessions", system.name))?;
    let people = sign_in_all(&system.target, people, flow == Flow::Password, &bar).await?;
    bar.finish_and_clear();
    Ok(people)
}

/// People who have accounts already, spread over the whole crowd, because neighbours share pages of the database. Every
/// call gets other people, except from a small crowd.
fn from_crowd(system: &System, count: usize) -> Vec<Person> {
    let step = (system.crowd / count as u64).max(1);
    let first = system.picked.fetch_add(1, Ordering::Relaxed) % step;
    let number = |at: usize| 1 + (first + at as u64 * step) % system.crowd;
    (0..count).map(|at| Person::with_address(growth::address(number(at)))).collect()
}

/// Creates managers, who have not signed in yet.
pub(crate) async fn managers(stack: &Stack, system: &System, count: usize) -> Result<Vec<Person>> {
    let name = format!("manager{}x", stack.mailbox.received());
    let managers: Vec<_> = (0..count).map(|number| Person::new(&name, number)).collect();
    for manager in &managers {
        system.command(stack.folder(), &["user", "create", &manager.email, "--role", "manager"]).await?;
    }
    Ok(managers)
}
