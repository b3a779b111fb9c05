//! The Redis limiter while Redis is down, silent, flushed, replaced or refusing connections. The limiter must not admit
//! calls, must fail quickly, and must recover without a restart.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use doorcode::{
    adapter::limiter::redis::RedisLimiter,
    ports::{Charge, Limiter, LimiterUnavailable, Verdict},
};

use super::{MINUTE, admits, after, charge, cooling, key, own_redis::OwnRedis, start, take};

/// Calls the limiter, and checks that it responds within the time limit.
async fn promptly(limiter: &RedisLimiter, charge: &Charge) -> Result<Verdict, LimiterUnavailable> {
    let asked = Instant::now();
    let answer = limiter.take(std::slice::from_ref(charge), after(0)).await;
    assert!(asked.elapsed() < Duration::from_millis(1_500), "the limiter took {:?}", asked.elapsed());
    answer
}

/// Retries until Redis responds again.
async fn recovers(limiter: &RedisLimiter, charge: &Charge, within: Duration) {
    let patience = Instant::now() + within;
    while let Err(error) = promptly(limiter, charge).await {
        assert!(Instant::now() < patience, "still {error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limiter_is_unavailable_while_redis_is_down() {
    let Some(mut redis) = OwnRedis::start(&[]) else { return };
    redis.stop();
    let limiter = RedisLimiter::new(&redis.url()).expect("creating the limiter does not wait for Redis");
    let charge = charge(&key(), 1_000, MINUTE);
    promptly(&limiter, &charge).await.expect_err("the limiter is unavailable from the start");
    assert!(limiter.ping().await.is_err());
    redis.run();
    recovers(&limiter, &charge, Duration::from_secs(5)).await;

    redis.stop();
    for _ in 0..3 {
        promptly(&limiter, &charge).await.expect_err("stopped");
    }
    redis.run();
    recovers(&limiter, &charge, Duration::from_secs(5)).await;

    redis.signal("-STOP");
    for _ in 0..3 {
        promptly(&limiter, &charge).await.expect_err("stalled");
    }
    redis.signal("-CONT");
    recovers(&limiter, &charge, Duration::from_secs(5)).await;

    redis.stop();
    redis.run();
    promptly(&limiter, &charge).await.expect("a Redis restart between two calls has no effect");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_calls_to_a_stalled_redis_fail_as_fast_as_one() {
    let Some(redis) = OwnRedis::start(&[]) else { return };
    let limiter = Arc::new(RedisLimiter::new(&redis.url()).unwrap());
    redis.signal("-STOP");
    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { promptly(&limiter, &charge(&key(), 1_000, MINUTE)).await.is_err() })
        })
        .collect();
    for person in crowd {
        assert!(person.await.unwrap(), "no call is admitted");
    }
    redis.signal("-CONT");
    recovers(&limiter, &charge(&key(), 1_000, MINUTE), Duration::from_secs(5)).await;
}

/// Starts a listener that accepts connections and never responds. Returns its port, and the number of connections so
/// far.
fn silent_port() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept() {
            counter.fetch_add(1, Ordering::Relaxed);
            held.push(stream);
        }
    });
    (port, taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_answers_is_unavailable_in_time_in_every_form() {
    for form in [
        "redis://127.0.0.1:{}",
        "rediss://127.0.0.1:{}",
        "redis+cluster://127.0.0.1:{}",
        "redis+sentinel://127.0.0.1:{}/door",
    ] {
        let (port, _) = silent_port();
        let limiter = RedisLimiter::new(&form.replace("{}", &port.to_string()).into()).unwrap();
        for _ in 0..3 {
            let error = promptly(&limiter, &charge(&key(), 1, MINUTE)).await.expect_err("no call is admitted");
            assert!(!error.to_string().contains("interrupted"), "{form} panics: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_calls_share_one_connection_attempt_and_its_failure() {
    let (port, taken) = silent_port();
    let limiter = Arc::new(RedisLimiter::new(&format!("redis://127.0.0.1:{port}").into()).unwrap());
    let crowd: Vec<_> = (0..100)
        .map(|_| {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move { promptly(&limiter, &charge(&key(), 1, MINUTE)).await.is_err() })
        })
        .collect();
    for person in crowd {
        assert!(person.await.unwrap(), "no call is admitted");
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let taken = taken.load(Ordering::Relaxed);
    assert!((1..=2).contains(&taken), "{taken} connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_script_is_loaded_again_and_no_count_is_lost() {
    let Some(redis) = OwnRedis::start(&[]) else { return };
    let limiter = RedisLimiter::new(&redis.url()).unwrap();
    let charges = [charge(&key(), 3, MINUTE), charge(&key(), 9, MINUTE)];
    for second in 0..3 {
        redis.command(&["SCRIPT", "FLUSH"]).await;
        assert!(matches!(take(&limiter, &charges, after(second)).await, Verdict::Admitted { .. }));
    }
    redis.command(&["SCRIPT", "FLUSH"]).await;
    assert!(matches!(take(&limiter, &charges, after(3)).await, Verdict::Refused { charge: 0, .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_key_stays_small_and_expires() {
    let Some(redis) = OwnRedis::start(&[]) else { return };
    let limiter = RedisLimiter::new(&redis.url()).unwrap();
    let charge = cooling("somebody", 10_000, MINUTE, Duration::from_secs(30));
    for step in 0..9_000 {
        let now = start() + TimeDelta::milliseconds(step * 7);
        assert!(admits(&limiter, &charge, now).await);
    }
    let name = "doorcode:limit:{test.rule:somebody}";
    let redis::Value::Int(length) = redis.command(&["LLEN", name]).await else { panic!("the key is not a list") };
    assert!((200..=258).contains(&length), "{length} entries, including the head");
    let redis::Value::Int(life) = redis.command(&["PTTL", name]).await else { panic!("no expiry") };
    assert!((90_000..=600_000).contains(&life), "{life} ms: at most the window, the cooldown and a margin");

    let full = [Charge { limit: 1, ..charge.clone() }, Charge { key: "free".to_owned(), ..charge }];
    assert!(matches!(take(&limiter, &full, after(63)).await, Verdict::Refused { charge: 0, .. }));
    assert_eq!(redis.command(&["EXISTS", "doorcode:limit:{test.rule:free}"]).await, redis::Value::Int(0));
    let asks = Charge { key: "free".to_owned(), counts: false, ..full[0].clone() };
    assert!(admits(&limiter, &asks, after(63)).await);
    assert_eq!(redis.command(&["EXISTS", "doorcode:limit:{test.rule:free}"]).await, redis::Value::Int(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_by_sentinel_is_followed_to_the_new_master() {
    let Some(mut master) = OwnRedis::start(&[]) else { return };
    let port = master.port.to_string();
    let Some(_replica) = OwnRedis::start(&["--replicaof", "127.0.0.1", &port]) else {
        return;
    };
    let lines = format!(
        "sentinel monitor door 127.0.0.1 {port} 1\nsentinel down-after-milliseconds door 500\n\
         sentinel failover-timeout door 3000\n"
    );
    let Some(sentinel) = OwnRedis::start(&[&lines]) else {
        return;
    };
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("redis+sentinel://127.0.0.1:{dead},127.0.0.1:{}/door", sentinel.port);
    let limiter = RedisLimiter::new(&url.into()).unwrap();
    let charge = charge(&key(), 1_000, MINUTE);
    recovers(&limiter, &charge, Duration::from_secs(5)).await;
    // Sentinel reads the list of replicas from the master at its start, and then every ten seconds.
    let patience = Instant::now() + Duration::from_secs(15);
    while sentinel.command(&["SENTINEL", "REPLICAS", "door"]).await == redis::Value::Array(Vec::new()) {
        assert!(Instant::now() < patience, "the sentinel knows no replica");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    master.stop();
    promptly(&limiter, &charge).await.expect_err("no master yet");
    recovers(&limiter, &charge, Duration::from_secs(20)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_never_repeats_the_password() {
    let Some(redis) = OwnRedis::start(&["--requirepass", "right-horse"]) else {
        return;
    };
    let urls = [
        format!("redis://:wrong-horse@127.0.0.1:{}", redis.port),
        "redis://door:wrong-horse@127.0.0.1:1".to_owned(),
        "redis+cluster://door:wrong-horse@127.0.0.1:1,127.0.0.1:2".to_owned(),
        "redis+sentinel://door:wrong-horse@127.0.0.1:1/door?sentinel_password=wrong-horse".to_owned(),
        "rediss://door:wrong-horse@127.0.0.1:1".to_owned(),
    ];
    for url in urls {
        let limiter = RedisLimiter::new(&url.clone().into()).unwrap();
        let error = promptly(&limiter, &charge(&key(), 1, MINUTE)).await.expect_err("no call is admitted");
        assert!(!format!("{error} {error:?}").contains("wrong-horse"), "{error}");
    }
    let limiter = RedisLimiter::new(&format!("redis://:right-horse@127.0.0.1:{}/3", redis.port).into()).unwrap();
    promptly(&limiter, &charge(&key(), 1, MINUTE)).await.expect("the right password and a database");
}

#[test]
fn an_unusable_url_is_refused_without_being_repeated() {
    for url in [
        "wrong-horse",
        "http://door:wrong-horse@h",
        "redis://door:wrong-horse@h:port",
        "redis://door:wrong/horse@h",
        "redis://door:wrong-horse@h/database",
        "redis+cluster://door:wrong-horse@h1:1,h2:two",
        "redis+sentinel://door:wrong-horse@h1:1,h2:2",
        "redis+ring://door:wrong-horse@h1:1",
        "rediss+cluster://",
    ] {
        let error = RedisLimiter::new(&url.to_owned().into()).err().unwrap_or_else(|| panic!("{url} was accepted"));
        assert!(!error.contains("horse") && error.contains("REDIS_URL"), "{error}");
    }
    for url in ["rediss+cluster://door:horse@h1:1,h2:2", "rediss+sentinel://:horse@h1:1,h2:2/door/3", "redis://h"] {
        RedisLimiter::new(&url.to_owned().into()).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}
