//! The operations that are repeated.

use std::{net::SocketAddr, time::Instant};

use anyhow::Result;
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use crate::{
    api::{Api, Person, expect},
    http::Client,
    load::{Samples, Worker},
    mailbox::Mailbox,
};

/// What a client repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Flow {
    /// Read one's own id, address and role.
    Me,
    /// Request a code, take it from the mail, enter it.
    SignIn,
    /// Sign in with a password, from a known device.
    Password,
    /// Exchange a refresh token.
    Refresh,
    /// Read the newest 50 users, as a manager.
    Users,
    /// Read the newest 50 audit events, as a manager.
    Audit,
    /// The readiness check.
    Health,
}

impl Flow {
    pub(crate) const ALL: [Self; 7] =
        [Self::Me, Self::SignIn, Self::Password, Self::Refresh, Self::Users, Self::Audit, Self::Health];

    /// Whether a service can do this.
    pub(crate) fn suits(self, api: Api) -> bool {
        match api {
            Api::Doorcode => true,
            Api::Plain => matches!(self, Self::Me | Self::SignIn | Self::Refresh),
            Api::BetterAuth => matches!(self, Self::Me | Self::SignIn | Self::Password),
            Api::Allauth => matches!(self, Self::Me | Self::SignIn),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Me => "me",
            Self::SignIn => "sign-in",
            Self::Password => "password",
            Self::Refresh => "refresh",
            Self::Users => "users",
            Self::Audit => "audit",
            Self::Health => "health",
        }
    }
}

/// Concurrent sign-ins while a run is prepared.
const SIGN_INS: usize = 16;

const USERS: &str = r#"{"query":"{ users(first: 50) { nodes { id email name role status createdAt } pageInfo { hasNextPage endCursor } } }"}"#;
const AUDIT: &str =
    r#"{"query":"{ auditEvents(first: 50) { nodes { id at kind } pageInfo { hasNextPage endCursor } } }"}"#;

/// The service that clients talk to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) api: Api,
    pub(crate) address: SocketAddr,
    /// The port for health checks.
    pub(crate) ops: SocketAddr,
    pub(crate) mailbox: Mailbox,
}

/// A client that repeats one flow for the people it has, in turn.
pub(crate) struct Browser {
    target: Target,
    flow: Flow,
    http: Client,
    pub(crate) people: Vec<Person>,
    next: usize,
    /// Whether the next sign-ins create accounts with a password.
    registers: bool,
}

impl Browser {
    pub(crate) fn new(target: &Target, flow: Flow, people: Vec<Person>) -> Self {
        let address = if flow == Flow::Health { target.ops } else { target.address };
        let http = Client::new(address);
        Self { target: target.clone(), flow, http, people, next: 0, registers: false }
    }

    async fn sign_in(&mut self, at: usize, samples: &mut Samples) -> Result<()> {
        let Self { target: Target { api, mailbox, .. }, http, people, registers, .. } = self;
        let person = &mut people[at];
        mailbox.expect(&person.email);
        let started = Instant::now();
        let challenge = if *registers {
            let Some(challenge) = api.register(http, person).await? else { return Ok(()) };
            challenge
        } else {
            api.request_code(http, person).await?
        };
        samples.part("login", started)?;
        let code = mailbox.code(&person.email).await?;
        samples.part("login and mail", started)?;
        let entered = Instant::now();
        api.enter_code(http, person, &challenge, &code).await?;
        samples.part("verify", entered)
    }
}

impl Worker for Browser {
    async fn step(&mut self, samples: &mut Samples) -> Result<()> {
        let at = self.next % self.people.len().max(1);
        self.next += 1;
        let api = self.target.api;
        match self.flow {
            Flow::SignIn => self.sign_in(at, samples).await,
            Flow::Me => api.me(&mut self.http, &self.people[at].session).await,
            Flow::Refresh => api.refresh(&mut self.http, &mut self.people[at].session).await,
            Flow::Password => api.sign_in_by_password(&mut self.http, &mut self.people[at]).await,
            Flow::Users => {
                let headers = &self.people[at].session.headers;
                expect(&self.http.post("/graphql", headers, USERS).await?, r#""nodes":[{"#)
            }
            Flow::Audit => {
                let headers = &self.people[at].session.headers;
                expect(&self.http.post("/graphql", headers, AUDIT).await?, r#""nodes":[{"#)
            }
            Flow::Health => expect(&self.http.get("/ready", "").await?, ""),
        }
    }
}

/// Signs everybody in once, over some connections. Creates their accounts if they have none.
pub(crate) async fn sign_in_all(
    target: &Target,
    people: Vec<Person>,
    with_password: bool,
    bar: &ProgressBar,
) -> Result<Vec<Person>> {
    let total = people.len().max(1);
    let mut tasks = JoinSet::new();
    // Doorcode hashes few passwords at once, and refuses more than it can hash in time.
    let at_once = if with_password { 2 } else { SIGN_INS };
    for people in people.chunks(total.div_ceil(at_once)) {
        let mut browser = Browser::new(target, Flow::SignIn, people.to_vec());
        browser.registers = with_password;
        tasks.spawn(async move {
            let mut samples = Samples::new()?;
            for at in 0..browser.people.len() {
                browser.sign_in(at, &mut samples).await?;
            }
            Ok::<_, anyhow::Error>(browser.people)
        });
    }
    let mut signed_in = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        signed_in.extend(ended??);
        bar.set_position((signed_in.len() * 100 / total) as u64);
    }
    Ok(signed_in)
}
