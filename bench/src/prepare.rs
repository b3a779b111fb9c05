//! What a flow needs before it is measured: accounts, sessions, browsers.

use std::time::Duration;

use anyhow::Result;

use crate::{
    api::Person,
    flow::{Browser, Flow, sign_in_all},
    load::Plan,
    measure::{self, bar},
    stack::Stack,
    system::System,
};

/// Sign-ins of one address leave rows behind, so that they are spread over this many addresses a connection.
const PEOPLE_PER_CONNECTION: usize = 8;
/// Load before the first measurement: caches fill, connections open, memory grows.
const WARM_UP: Duration = Duration::from_secs(2);

/// Creates the accounts and sessions of a flow and returns one browser for each connection, warmed up.
pub(crate) async fn browsers(stack: &Stack, system: &System, flow: Flow, connections: usize) -> Result<Vec<Browser>> {
    let people = people(stack, system, flow, connections).await?;
    let per_connection = people.len() / connections.max(1);
    let browsers: Vec<_> = match flow {
        Flow::Health => (0..connections).map(|_| Browser::new(&system.target, flow, Vec::new())).collect(),
        Flow::Users | Flow::Audit => {
            (0..connections).map(|_| Browser::new(&system.target, flow, people.clone())).collect()
        }
        _ => people.chunks(per_connection).map(|own| Browser::new(&system.target, flow, own.to_vec())).collect(),
    };
    let (_, browsers) = measure::run(stack, system, flow.name(), browsers, Plan::closed(WARM_UP)).await?;
    Ok(browsers)
}

async fn people(stack: &Stack, system: &System, flow: Flow, connections: usize) -> Result<Vec<Person>> {
    // Every call gets accounts of its own.
    let name = format!("{}{}x", flow.name().replace('-', ""), stack.mailbox.received());
    let count = match flow {
        Flow::Health => return Ok(Vec::new()),
        Flow::SignIn => connections * PEOPLE_PER_CONNECTION,
        Flow::Users | Flow::Audit => 4,
        Flow::Me | Flow::Password | Flow::Refresh => connections,
    };
    let people = match flow {
        Flow::Users | Flow::Audit => managers(stack, system, count).await?,
        _ => (0..count).map(|number| Person::new(&name, number)).collect(),
    };
    let bar = bar(&format!("{}: accounts and sessions", system.name))?;
    let people = sign_in_all(&system.target, people, flow == Flow::Password, &bar).await?;
    bar.finish_and_clear();
    Ok(people)
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
