//! `bench listeners`: events to many WebSocket subscriptions while users sign in.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use futures_util::{SinkExt as _, StreamExt as _};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

use crate::{
    flow::{Flow, sign_in_all},
    load::Plan,
    measure::{self, Latency, Run, bar},
    pairs::Sides,
    prepare,
    stack::Stack,
    system::System,
};

/// What Doorcode allows: sockets for a session, for a user and for a network.
const OF_SESSION: usize = 5;
const OF_USER: usize = 20;
const OF_NETWORK: usize = 50;
/// Sockets that authenticate at the same time: fewer than a network may have.
const OPENING: usize = 4;
/// Most browsers that sign users in. Each does at least one sign-in a second.
const BROWSERS: f64 = 16.0;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Number of subscriptions, each on a socket of its own; Doorcode allows 1000
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    listeners: u16,
    /// Sign-ins per second. Each causes two events
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Seconds of sign-ins
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    seconds: u64,
    #[command(flatten)]
    sides: Sides,
}

/// What the listeners received.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) listeners: usize,
    pub(crate) events: u64,
    pub(crate) deliveries: u64,
    /// From the time in the event, which is that of its request, to its arrival.
    pub(crate) latency: Latency,
    pub(crate) run: Run,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let stack = Stack::start().await?;
    let systems = arguments.sides.start(&stack).await?;
    let Some(system) = systems.first() else { bail!("nothing was started") };
    let (rate, time) = (arguments.rate, Duration::from_secs(arguments.seconds));
    let heard = hear(&stack, system, usize::from(arguments.listeners), rate, time).await?;
    heard.print();
    Ok(())
}

impl Heard {
    pub(crate) fn print(&self) {
        let Self { listeners, events, deliveries, latency, run } = self;
        println!(
            "{listeners} listeners got {deliveries} of {} events: p50 {:.2}, p99 {:.2}, max {:.2} ms",
            events * *listeners as u64,
            latency.p50,
            latency.p99,
            latency.max
        );
        run.print();
    }
}

type Arrivals = Arc<Mutex<Histogram<u64>>>;

/// Opens the subscriptions, signs users in at a fixed rate, and waits for the last events.
pub(crate) async fn hear(stack: &Stack, system: &System, listeners: usize, rate: f64, time: Duration) -> Result<Heard> {
    let connections = rate.clamp(1.0, BROWSERS) as usize;
    let browsers = prepare::browsers(stack, system, Flow::SignIn, connections, Duration::from_secs(1)).await?;
    let tokens = manager_tokens(stack, system, listeners).await?;
    let arrivals: Arrivals = Arc::new(Mutex::new(Histogram::new_with_bounds(1, 60_000_000, 3)?));
    let mut sockets = JoinSet::new();
    let bar = bar("listeners")?;
    for first in (0..listeners).step_by(OPENING) {
        let mut opened = JoinSet::new();
        for number in first..listeners.min(first + OPENING) {
            opened.spawn(subscribe(system.target.address, number, tokens[number / OF_SESSION].clone()));
        }
        while let Some(socket) = opened.join_next().await {
            sockets.spawn(listen(socket??, Arc::clone(&arrivals)));
        }
        bar.set_position((first * 100 / listeners) as u64);
    }
    bar.finish_and_clear();
    let plan = Plan { rate: Some(rate), ..Plan::closed(time) };
    let (run, _) = measure::run(stack, system, "sign-in", browsers, plan).await?;
    sleep(Duration::from_secs(2)).await;
    sockets.abort_all();
    let arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Heard {
        listeners,
        events: 2 * run.operations,
        deliveries: arrivals.len(),
        latency: Latency::of(&arrivals),
        run,
    })
}

/// An access token for every `OF_SESSION` listeners.
async fn manager_tokens(stack: &Stack, system: &System, listeners: usize) -> Result<Vec<String>> {
    let managers = prepare::managers(stack, system, listeners.div_ceil(OF_USER)).await?;
    let mut tokens = Vec::new();
    for _ in 0..OF_USER / OF_SESSION {
        for manager in sign_in_all(&system.target, managers.clone(), false, &bar("managers")?).await? {
            let token = manager.session.headers.split("Bearer ").nth(1).context("no token")?;
            tokens.push(token.trim_end().to_owned());
        }
    }
    Ok(tokens)
}

type Socket = WebSocketStream<TcpStream>;

/// Opens a subscription from an address of loopback that `OF_NETWORK` listeners share.
async fn subscribe(address: SocketAddr, number: usize, token: String) -> Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    // Sockets in a row come from different networks, because they authenticate together.
    let networks = number % (1_000 / OF_NETWORK);
    socket.bind((Ipv4Addr::new(127, 1 + u8::try_from(networks)?, 0, 1), 0).into())?;
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let (mut socket, _) = client_async(request, socket.connect(address).await?).await?;
    let payload = json!({ "authorization": format!("Bearer {token}") });
    say(&mut socket, json!({ "type": "connection_init", "payload": payload })).await?;
    expect(&mut socket, "connection_ack").await?;
    let query = json!({ "query": "subscription { auditEventAdded { id at kind } }" });
    say(&mut socket, json!({ "id": "1", "type": "subscribe", "payload": query })).await?;
    Ok(socket)
}

async fn say(socket: &mut Socket, message: Value) -> Result<()> {
    Ok(socket.send(Message::text(message.to_string())).await?)
}

async fn expect(socket: &mut Socket, kind: &str) -> Result<()> {
    let wait = timeout(Duration::from_secs(10), socket.next()).await?;
    let text = wait.context("the socket was closed")??.into_text()?;
    let message: Value = serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))?;
    if message["type"] != kind {
        bail!("not {kind}, but {message}");
    }
    Ok(())
}

/// Records the age of every event.
async fn listen(mut socket: Socket, arrivals: Arrivals) -> Result<()> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let message: Value = serde_json::from_str(&text)?;
        match message["type"].as_str() {
            Some("ping") => say(&mut socket, json!({ "type": "pong" })).await?,
            Some("next") => {
                let at = message.pointer("/payload/data/auditEventAdded/at").and_then(Value::as_str);
                let at: DateTime<Utc> = at.with_context(|| format!("no time in {message}"))?.parse()?;
                let age = (Utc::now() - at).num_microseconds().unwrap_or(i64::MAX);
                let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                arrivals.saturating_record(u64::try_from(age).unwrap_or_default());
            }
            _ => bail!("a listener got {message}"),
        }
    }
    Ok(())
}
