//! Faulty application code: an application adds fields to Doorcode's schema that panic, hang or recurse. The server
//! runs in a separate process: these tests start the test binary again, with the ignored test that runs the server.

use std::{process::Command, time::Duration};

use async_graphql::{
    ContextSelectionSet, Object, OutputType, Positioned, ServerResult, Subscription, parser::types::Field,
    registry::Registry,
};
use clap::Parser;
use doorcode::{
    app::{App, Overrides},
    cli,
    graphql::Api,
    observability,
    settings::ServeFlags,
};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::timeout};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

use super::{
    Allowed::{Harmless, Refused},
    Attack, JSON, Table, call, shape_problem,
    target::{Target, http, text},
};
use crate::{harness::eventually, program::Home};

/// The panic message. No response may contain it.
const SAID: &str = "the canary of a panic";

fn break_down() -> i32 {
    panic!("{SAID}")
}

#[derive(Default)]
struct FaultyQuery;

#[Object]
impl FaultyQuery {
    async fn panics(&self) -> i32 {
        break_down()
    }

    async fn panics_later(&self) -> i32 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        break_down()
    }

    async fn panics_when_written(&self) -> Unwritable {
        Unwritable
    }

    async fn never(&self) -> i32 {
        std::future::pending().await
    }

    async fn again(&self) -> Again {
        Again
    }
}

#[derive(Default)]
struct FaultyMutation;

#[Object]
impl FaultyMutation {
    async fn panic_in_change(&self) -> i32 {
        break_down()
    }
}

#[derive(Default)]
struct FaultySubscription;

#[Subscription]
impl FaultySubscription {
    async fn panics_at_once(&self) -> impl Stream<Item = i32> + use<> {
        break_down();
        stream::empty()
    }

    async fn panics_at_the_second(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter([1, 2]).map(|n| if n == 1 { n } else { break_down() })
    }

    async fn tells_what_cannot_be_written(&self) -> impl Stream<Item = Unwritable> + use<> {
        stream::once(async { Unwritable })
    }

    async fn tells(&self) -> impl Stream<Item = i32> + use<> {
        stream::iter([7])
    }
}

/// A type whose value panics when it is written to the response.
struct Unwritable;

impl OutputType for Unwritable {
    fn type_name() -> std::borrow::Cow<'static, str> {
        i32::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        i32::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<async_graphql::Value> {
        Ok(break_down().into())
    }
}

/// A type with fields of its own type.
struct Again;

#[Object]
impl Again {
    async fn again(&self) -> Again {
        Again
    }

    async fn all(&self) -> Vec<Again> {
        (0..100).map(|_| Again).collect()
    }

    async fn n(&self) -> i32 {
        1
    }
}

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: ServeFlags,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs a server; the tests of this file start it"]
async fn runs_the_faulty_application() {
    let settings = doorcode::app::load(Cli::parse_from(["faulty"]).settings).unwrap();
    let collector = observability::start(&settings.log, None).await.unwrap();
    let (public, ops) = (settings.listen, settings.ops_listen);
    let app = App::build(settings, Overrides::default()).await.unwrap();
    app.prepare().await.unwrap();
    let api = Api::merged(FaultyQuery, FaultyMutation, FaultySubscription, &app.ctx);
    let (public, ops) = (TcpListener::bind(public).await.unwrap(), TcpListener::bind(ops).await.unwrap());
    app.serve_api(api, public, ops, cli::stop_signal().unwrap()).await.unwrap();
    collector.finish().await;
}

async fn faulty() -> Target {
    let home = Home::new().await;
    let mut command: Command = home.command_of(std::env::current_exe().unwrap());
    command.args(["--exact", "attacks::faults::runs_the_faulty_application", "--ignored", "--nocapture"]);
    command.env("DOORCODE_LOG_FORMAT", "text");
    let program = Home::start_and_wait(command).await;
    Target::over(program, Some(home)).await
}

/// The number of log lines about one request, and how many of them are errors.
fn log_lines(target: &Target, id: &str) -> (usize, usize) {
    let log = text(&target.program().printed_bytes());
    let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
    (lines.len(), lines.iter().filter(|line| line.contains("ERROR")).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_resolver_is_logged_and_reveals_nothing() {
    let target = faulty().await;
    let internal = || Refused(500, "INTERNAL");
    let attacks = [
        ("a field that panics", "{ panics }", internal()),
        ("a field that panics later", "{ panicsLater }", internal()),
        ("a value that panics when it is written", "{ panicsWhenWritten }", internal()),
        ("a field that panics next to others", "{ __typename panicsLater me { id } a: panics }", internal()),
        ("a mutation that panics", "mutation { panicInChange }", internal()),
    ];
    let attacks = attacks.map(|(name, document, allowed)| Attack::new(name, call(document), allowed));
    let mut table = Table::default();
    let mut wire = target.connect().await;
    for attack in &attacks {
        table.row(&target, "fault", attack).await;
        let reply = wire.ask(&attack.bytes).await.expect("a response on the same connection");
        assert_eq!(attack.complaint(Some(&reply)), None);
        assert!(!reply.text.contains(SAID), "{}", reply.text);
        let id = reply.header("x-request-id").unwrap();
        // The thread that reads the log may lag behind.
        eventually("one log line for the error, one for the request", async || log_lines(&target, id) == (2, 1)).await;
    }
    let after = wire.ask(&call("{ __typename }")).await.expect("the connection stays open");
    assert_eq!((after.status, shape_problem(&after)), (200, None));
    assert!(target.sign_in("after@example.com").await["accessToken"].is_string(), "other operations work");
    table.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_resolvers_time_out_and_recursive_types_are_bounded() {
    let target = faulty().await;
    let circle = |levels: usize| format!("{} n {}", "again { ".repeat(levels), "} ".repeat(levels));
    let wide = |levels: usize| format!("{{ again {{ {} n {} }} }}", "all { ".repeat(levels), "} ".repeat(levels));
    let large = Refused(422, "DOCUMENT_TOO_LARGE");
    let mut table = Table::default();
    for attack in [
        Attack::new(
            "recursive fields over the limit",
            call(&format!("{{ {} }}", circle(31).replacen(" n ", "{ n }", 0))),
            large.clone(),
        ),
        Attack::new("deeper recursive fields", call(&format!("{{ {} }}", circle(40))), large),
        Attack::new("a few recursive fields", call(&format!("{{ {} }}", circle(3))), Harmless(200, "\"n\":1")),
        Attack::new("a list of a hundred recursive values", call(&wide(1)), Harmless(200, "\"n\":1")),
    ] {
        table.row(&target, "fault", &attack).await;
    }
    let start = std::time::Instant::now();
    let (endless, quick) = (call("{ never }"), call("{ __typename }"));
    let ((reply, took), (other, _), alive) =
        tokio::join!(target.send(&endless), target.send(&endless), target.send(&quick));
    let reply = reply.expect("a response");
    assert_eq!(Attack::new("endless", endless.clone(), Refused(503, "UNAVAILABLE")).complaint(Some(&reply)), None);
    assert_eq!(reply.header("retry-after"), Some("2"));
    assert!((1_900..3_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(other.unwrap().status, 503);
    assert!(
        alive.0.is_some_and(|reply| reply.status == 200) && alive.1 < Duration::from_secs(1),
        "other requests are served"
    );
    let id = reply.header("x-request-id").unwrap();
    eventually("one log line for the error", async || log_lines(&target, id).1 == 1).await;
    assert!(start.elapsed() < Duration::from_secs(5));
    table.close();
}

/// Opens a WebSocket as a signed-in user.
async fn socket(target: &Target) -> impl SinkExt<Message, Error: std::fmt::Debug> + StreamExt<Item = WsResult> + Unpin {
    let tokens = target.sign_in("ada@example.com").await;
    let url = format!("ws://127.0.0.1:{}/graphql", target.program().port);
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let payload = json!({ "Authorization": format!("Bearer {}", tokens["accessToken"].as_str().unwrap()) });
    let init = json!({ "type": "connection_init", "payload": payload });
    socket.send(Message::text(init.to_string())).await.unwrap();
    assert_eq!(next_data(&mut socket).await["type"], "connection_ack");
    socket
}

type WsResult = Result<Message, tokio_tungstenite::tungstenite::Error>;

/// Returns the next text message.
async fn next_data(socket: &mut (impl StreamExt<Item = WsResult> + Unpin)) -> Value {
    loop {
        let message = timeout(Duration::from_secs(5), socket.next())
            .await
            .expect("a message within five seconds")
            .expect("an open socket")
            .unwrap();
        if let Message::Text(text) = message {
            return serde_json::from_str(&text).unwrap();
        }
        assert!(!message.is_close(), "{message:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_subscription_only_ends_that_subscription() {
    let target = faulty().await;
    let mut socket = socket(&target).await;
    for (id, field) in ["panicsAtOnce", "panicsAtTheSecond", "tellsWhatCannotBeWritten", "tells"].iter().enumerate() {
        let subscribe = json!({
            "type": "subscribe", "id": id.to_string(), "payload": { "query": format!("subscription {{ {field} }}") },
        });
        socket.send(Message::text(subscribe.to_string())).await.unwrap();
        let mut said = vec![next_data(&mut socket).await];
        while said.last().unwrap()["type"] == "next" {
            said.push(next_data(&mut socket).await);
        }
        let all = json!(said).to_string();
        assert!(!all.contains(SAID), "{all}");
        if *field == "tells" {
            assert_eq!(said[0]["payload"]["data"]["tells"], 7, "the socket stays open: {all}");
        } else {
            assert!(all.contains("\"INTERNAL\"") && all.contains("requestId"), "{field}: {all}");
        }
    }
    let tokens = target.sign_in("bob@example.com").await;
    let bearer = format!("Bearer {}", tokens["accessToken"].as_str().unwrap());
    for field in ["panicsAtOnce", "panicsAtTheSecond", "tellsWhatCannotBeWritten"] {
        let body = json!({ "query": format!("subscription {{ {field} }}") }).to_string();
        let headers = [JSON, ("accept", "text/event-stream"), ("authorization", &bearer), ("connection", "close")];
        let (reply, _) = target.send(&http("POST", "/graphql", &headers, body)).await;
        let reply = reply.expect("a stream");
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert!(reply.text.contains("\"INTERNAL\"") && !reply.text.contains(SAID), "{field}: {}", reply.text);
        let id = reply.header("x-request-id").unwrap();
        eventually(field, async || log_lines(&target, id).1 == 1).await;
    }
    assert!(target.is_alive().await);
}
