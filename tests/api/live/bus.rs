//! The event bus, which carries events between replicas: the contract of the in-process bus and the Redis bus, and the
//! Redis bus during outages, silence and forged messages.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doorcode::{
    adapter::{
        bus::{memory::MemoryBus, redis::RedisBus},
        system::SystemEntropy,
    },
    db::entity::Role,
    ports::{Bus, BusMessage},
};
use futures_util::{StreamExt, stream::BoxStream};
use secrecy::SecretString;
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    EVENTS, event_of,
    wire::{Served, SocketEvent},
};
use crate::{
    harness::{TestApp, eventually, on_servers},
    limiter_contract::own_redis::OwnRedis,
};

fn over(url: &SecretString, name: &str) -> Arc<dyn Bus> {
    Arc::new(RedisBus::new(url, name, &SystemEntropy).unwrap())
}

/// The next message, or `None` after this time. Skips gaps.
async fn next(stream: &mut BoxStream<'static, BusMessage>, patience: Duration) -> Option<Bytes> {
    let message = async {
        loop {
            match stream.next().await {
                Some(BusMessage::Message(message)) => return message,
                Some(BusMessage::Gap) => {}
                None => panic!("the stream of a bus never ends"),
            }
        }
    };
    timeout(patience, message).await.ok()
}

const SOON: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_millis(300);

/// Whether messages from this bus reach the stream. Publishes until one arrives, because the connection may have to
/// open first, then reads the remaining messages.
async fn reaches(from: &Arc<dyn Bus>, stream: &mut BoxStream<'static, BusMessage>) -> bool {
    for _ in 0..100 {
        drop(from.publish(Bytes::from_static(b"hello?")).await);
        if next(stream, Duration::from_millis(50)).await.is_some() {
            while next(stream, QUIET).await.is_some() {}
            return true;
        }
    }
    false
}

/// Checks the contract: each message reaches every listener once, and never a listener on a bus with another name.
async fn keeps_the_contract(one: Arc<dyn Bus>, two: Arc<dyn Bus>, stranger: Arc<dyn Bus>) {
    let (mut here, mut there, mut elsewhere) = (one.subscribe(), two.subscribe(), stranger.subscribe());
    assert!(reaches(&one, &mut there).await && reaches(&two, &mut here).await);
    assert!(reaches(&stranger, &mut elsewhere).await);
    while next(&mut here, QUIET).await.is_some() {}
    while next(&mut there, QUIET).await.is_some() {}
    for number in 0..50_u8 {
        one.publish(Bytes::from(vec![number; 1_024])).await.unwrap();
    }
    for number in 0..50_u8 {
        for stream in [&mut here, &mut there] {
            assert_eq!(next(stream, SOON).await, Some(Bytes::from(vec![number; 1_024])));
        }
    }
    for stream in [&mut here, &mut there, &mut elsewhere] {
        assert_eq!(next(stream, QUIET).await, None, "each message arrives once, and only at its listeners");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_in_process_bus_keeps_the_contract_and_reports_gaps() {
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::default());
    keeps_the_contract(Arc::clone(&bus), Arc::clone(&bus), Arc::new(MemoryBus::default())).await;
    let mut slow = bus.subscribe();
    for _ in 0..10_000 {
        bus.publish(Bytes::from_static(b"x")).await.unwrap();
    }
    assert_eq!(slow.next().await, Some(BusMessage::Gap));
    let mut kept = 0;
    while next(&mut slow, Duration::from_millis(20)).await.is_some() {
        kept += 1;
    }
    assert!(kept <= 1_024, "{kept}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redis_bus_keeps_the_contract_on_one_server_and_a_cluster() {
    if !on_servers() && std::env::var("DOORCODE_TEST_REDIS_URL").is_err() {
        eprintln!("skipped: no Redis");
        return;
    }
    let cluster = std::env::var("DOORCODE_TEST_REDIS_CLUSTER_URL").unwrap();
    for url in [std::env::var("DOORCODE_TEST_REDIS_URL").unwrap(), cluster] {
        let url = SecretString::from(url);
        let name = Uuid::now_v7().to_string();
        keeps_the_contract(over(&url, &name), over(&url, &name), over(&url, "another")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_restart_ends_no_subscription() {
    let Some(mut redis) = OwnRedis::start(&[]) else { return };
    let (one, two) = (over(&redis.url(), "a"), over(&redis.url(), "a"));
    let (mut here, mut there) = (one.subscribe(), two.subscribe());
    assert!(reaches(&one, &mut there).await);
    while next(&mut here, QUIET).await.is_some() {}
    for signal in ["-KILL", "-STOP"] {
        if signal == "-KILL" {
            redis.stop();
        } else {
            redis.signal(signal);
        }
        let message = Bytes::from_static(b"alone");
        one.publish(message.clone()).await.expect_err("away");
        assert_eq!(next(&mut here, SOON).await, Some(message), "listeners in the same process do not need Redis");
        if signal == "-KILL" {
            redis.run();
        } else {
            // Longer than the response timeout of the listening connection.
            tokio::time::sleep(Duration::from_secs(8)).await;
            redis.signal("-CONT");
        }
        eventually("the other replica receives events again", async || reaches(&one, &mut there).await).await;
        while next(&mut here, QUIET).await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_redis_messages_are_not_events() {
    let Some(redis) = OwnRedis::start(&[]) else { return };
    let app = TestApp::on_bus(over(&redis.url(), "a")).await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.socket(&manager.signed_in.access).await;
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    let other = over(&redis.url(), "a");
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", redis.port)).unwrap();
    let mut wire = client.get_multiplexed_async_connection().await.unwrap();
    eventually("the bus is open", async || {
        let listeners: Vec<(String, usize)> =
            redis::cmd("PUBSUB").arg("NUMSUB").arg("doorcode:live:a").query_async(&mut wire).await.unwrap();
        listeners[0].1 == 1
    })
    .await;
    let say = |bytes: Vec<u8>| redis::cmd("PUBLISH").arg("doorcode:live:a").arg(bytes).to_owned();
    for length in [0, 1, 15, 16, 17, 32, 48, 5_000, 1 << 20] {
        say(vec![7; length]).query_async::<()>(&mut wire).await.unwrap();
    }
    // The id of an event that does not exist, and the id of an old event.
    other.publish(Bytes::copy_from_slice(Uuid::now_v7().as_bytes())).await.unwrap();
    app.clock.pass(3_600.0);
    let old = first_event(&app).await;
    other.publish(Bytes::copy_from_slice(old.as_bytes())).await.unwrap();
    socket.hears_nothing().await;
    app.guest().login("somebody@example.com").await;
    event_of(&mut socket, "CODE_REQUESTED").await;
    assert_ne!(socket.hear_within(QUIET).await, SocketEvent::Gone);
}

async fn first_event(app: &TestApp) -> Uuid {
    use sea_orm::ConnectionTrait;
    let ctx = app.ctx();
    let sql = "SELECT id FROM audit_events ORDER BY id LIMIT 1";
    let row = ctx.db.read().query_one_raw(doorcode::db::statement(ctx.db.backend(), sql, [])).await.unwrap();
    row.unwrap().try_get("", "id").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redis_bus_carries_only_ids() {
    let Some(redis) = OwnRedis::start(&[]) else { return };
    let app = TestApp::on_bus(over(&redis.url(), "a")).await;
    let _served = Served::new(&app.app.ctx).await;
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", redis.port)).unwrap();
    let mut spy = client.get_async_pubsub().await.unwrap();
    spy.psubscribe("*").await.unwrap();
    let person = app.person("person@example.com", Role::User).await;
    person.logout().await.field("logout");
    let mut heard = spy.on_message();
    let mut events = 0;
    while let Ok(Some(message)) = timeout(QUIET, heard.next()).await {
        let bytes = message.get_payload_bytes();
        assert!(bytes.len() > 16 && bytes.len().is_multiple_of(16), "a tag and ids");
        for id in bytes[16..].as_chunks::<16>().0 {
            assert_eq!(Uuid::from_bytes(*id).get_version_num(), 7, "an id and nothing else");
            events += 1;
        }
    }
    // The event of the first signing key does not count: it may be older than the spy's subscription.
    let recorded = app.count("audit_events", "kind <> 'KEY_ROTATED'").await;
    assert!((recorded..=recorded + 1).contains(&events), "{events} of {recorded}");
    assert_eq!(redis.command(&["DBSIZE"]).await, redis::Value::Int(0), "nothing is stored in Redis");
}
