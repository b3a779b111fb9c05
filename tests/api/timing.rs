//! Timing side channels: do response times reveal that an address has an account, or that a token was ever issued? Each
//! test sends kinds of the same request in turn, so that a slow moment of the machine affects all kinds. The first kind
//! is measured twice, and the difference between its two series is the noise.
//!
//! By default, the tests take a thousand samples of each kind and print the medians, with a limit for a busy machine. On a quiet machine,
//! `DOORCODE_TEST_TIMING_SAMPLES` sets a higher number with a tighter limit: `DOORCODE_TEST_TIMING_SAMPLES=20000 cargo
//! nextest run --release timing::`.
//!
//! Some times may differ, because the responses differ as well: a right code and a wrong code, a wrong code and an
//! expired or unknown challenge (only a wrong code is counted and recorded), a valid token and an invalid one.

use std::{fmt, time::Instant};

use base64::Engine as _;
use doorcode::{
    adapter::system::SystemEntropy,
    db::entity::{Role, UserStatus},
    domain::vault,
    limits::Rule,
};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

pub(crate) const SAMPLES: usize = 1_000;
const WARM_UP: usize = 50;

/// The number of samples of each kind, unless a run asks for more.
pub(crate) fn samples(usual: usize) -> usize {
    std::env::var("DOORCODE_TEST_TIMING_SAMPLES").map_or(usual, |samples| samples.parse().unwrap())
}

/// The largest allowed difference between medians in microseconds. A higher noise raises the limit.
fn bound() -> f64 {
    // 150 µs is far below the jitter of a network.
    if std::env::var_os("DOORCODE_TEST_TIMING_SAMPLES").is_some() { 25.0 } else { 150.0 }
}

/// Samples in ascending order.
struct Sorted(Vec<f64>);

impl Sorted {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    /// The standard error of the median. Valid for any distribution: it is calculated from the two samples that form
    /// the 95 % confidence interval.
    fn error(&self) -> f64 {
        let count = self.0.len();
        let far = count.isqrt() * 98 / 100 + 1;
        (self.0[(count / 2 + far).min(count - 1)] - self.0[(count / 2).saturating_sub(far)]) / (2.0 * 1.96)
    }
}

impl fmt::Display for Sorted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ± {:.1} µs", self.median(), self.error())
    }
}

/// Describes the difference between `kind` and `other`, or returns `None` if there is none. Compares samples of the
/// same round, so slow changes of the machine cancel out. A difference counts if its median is above the bound, above
/// three times the noise, and above four standard errors.
fn difference(kind: &[f64], same: &[f64], other: &[f64], bound: f64) -> Option<String> {
    let Apart { least, limit, story } = Apart::of(kind, same, other, bound);
    (least > limit).then_some(story)
}

/// The difference between two kinds of request in microseconds, its limit, and a description.
pub(crate) struct Apart {
    pub(crate) least: f64,
    pub(crate) limit: f64,
    pub(crate) story: String,
}

impl Apart {
    #[expect(clippy::print_stdout, reason = "measurements for runs with more samples")]
    pub(crate) fn of(kind: &[f64], same: &[f64], other: &[f64], bound: f64) -> Self {
        let noise = Sorted::of(kind.iter().zip(same).map(|(one, two)| one - two));
        let [by_kind, by_same] = [kind, same].map(|own| Sorted::of(other.iter().zip(own).map(|(one, two)| one - two)));
        let least = by_kind.median().abs().min(by_same.median().abs());
        let limit = bound.max(3.0 * noise.median().abs()).max(4.0 * by_kind.error());
        let story = format!("difference {by_kind} and {by_same}, noise {noise}, limit {limit:.1}");
        println!("{story}");
        Self { least, limit, story }
    }
}

/// Sends every kind of request in turn, the first kind twice per round. Fails if the time of another kind differs from
/// that of the first.
#[expect(clippy::print_stdout, reason = "measurements for runs with more samples")]
pub(crate) async fn assert_equal_times<const N: usize>(
    samples: usize,
    names: [&str; N],
    mut ask: impl AsyncFnMut(usize),
) {
    let bound = bound();
    let mut times = vec![Vec::with_capacity(samples); N + 1];
    for round in 0..samples + WARM_UP {
        // The order changes each round, so that no kind always follows the same other kind.
        for place in 0..=N {
            let slot = (place + round) % (N + 1);
            let start = Instant::now();
            ask(slot % N).await;
            if round >= WARM_UP {
                times[slot].push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    for (name, times) in names.iter().zip(&times) {
        println!("{name}: {}", Sorted::of(times.iter().copied()));
    }
    let differences: Vec<_> = (1..N)
        .filter_map(|kind| Some((names[kind], difference(&times[0], &times[N], &times[kind], bound)?)))
        .map(|(name, story)| format!("{name} differs from {}: {story}", names[0]))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

pub(crate) async fn unlimited(signup: &str) -> TestApp {
    TestApp::alone(|flags| {
        flags.signup = Some(signup.into());
        let send = [Rule::SendPair, Rule::SendAddress, Rule::SendAddressDay, Rule::SendNetwork, Rule::SendInstance];
        let passwords = [Rule::GuessPassword, Rule::GuessPasswordMonth, Rule::PasswordNetwork];
        let others = [Rule::PasswordNetworkDay, Rule::PasswordInstance, Rule::ApiCaller, Rule::VerifyNetwork];
        for rule in send.into_iter().chain(passwords).chain(others) {
            flags.limits.insert(rule, "10000000/1h".into());
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_does_not_reveal_whether_an_address_has_an_account() {
    let app = unlimited("closed").await;
    for email in ["known@example.com", "suspended@example.com"] {
        app.make(email, Role::User).await;
    }
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    let guest = app.guest();
    let names = ["known@example.com", "stranger@example.com", "suspended@example.com"];
    assert_equal_times(samples(SAMPLES), names, async |kind| {
        let answer = guest.login_with(json!({ "email": names[kind] })).await;
        assert_eq!(answer.field("login")["__typename"], "CodeSent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_of_a_wrong_code_reveals_neither_account_nor_challenge() {
    let app = unlimited("open").await;
    app.make("known@example.com", Role::User).await;
    app.make("admin@example.com", Role::Admin).await;
    let guest = app.guest();
    // Use enough challenges that no try is refused by a limit: this test measures tries against live challenges.
    let mut challenges = Vec::new();
    for email in ["known@example.com", "stranger@example.com", "admin@example.com"] {
        challenges.push(guest.challenge(email).await);
    }
    let answers = async |challenge: &str, name: &str| {
        assert_eq!(guest.verify(challenge, "00000000").await["__typename"], name);
    };
    let calls = std::sync::atomic::AtomicU32::new(0);
    assert_equal_times(samples(SAMPLES), ["known", "stranger", "admin"], async |kind| {
        if calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(4) {
            app.sql("UPDATE email_codes SET attempts = 0, units = 0, attempted_at = NULL").await;
        }
        answers(&challenges[kind], "InvalidCode").await;
    })
    .await;

    app.clock.pass(301.0);
    let unknown = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let dead = [challenges[0].clone(), challenges[1].clone(), unknown];
    assert_equal_times(samples(SAMPLES), ["expired, known", "expired, stranger", "never there"], async |kind| {
        answers(&dead[kind], "CodeExpired").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_does_not_reveal_whether_a_new_address_is_taken() {
    let app = unlimited("open").await;
    let person = app.person("ada@example.com", Role::User).await;
    app.make("taken@example.com", Role::User).await;
    let names = ["free@example.com", "taken@example.com"];
    assert_equal_times(samples(SAMPLES), names, async |kind| {
        let answer = person.change("changeEmail", json!({ "email": names[kind] }), "__typename").await;
        assert_eq!(answer.field("changeEmail")["__typename"], "CodeSent");
    })
    .await;
}

/// A refresh token of the right length: the session's id, then random bytes.
fn invented(session: uuid::Uuid) -> String {
    let random = vault::random::<48>(&SystemEntropy);
    vault::encode(&[session.as_bytes(), &random[..]].concat())
}

async fn ended(guest: &Client<'_>, token: &str) {
    let answer: Value = guest.refresh(token).await;
    assert_eq!(answer["__typename"], "SessionEnded");
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_does_not_reveal_whether_an_invented_token_names_a_session() {
    use sea_orm::EntityTrait;
    let app = unlimited("open").await;
    let guest = app.guest();
    guest.sign_in("ada@example.com").await;
    let sessions = doorcode::db::entity::sessions::Entity::find().all(app.ctx().db.read()).await.unwrap();
    let tokens = [invented(sessions[0].id), invented(uuid::Uuid::now_v7()), invented(uuid::Uuid::nil())];
    assert_equal_times(samples(SAMPLES), ["an existing session", "an unknown session", "zeros"], async |kind| {
        ended(&guest, &tokens[kind]).await;
    })
    .await;
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1, "no session ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_does_not_reveal_whether_an_id_exists() {
    let app = unlimited("open").await;
    let other = app.person("other@example.com", Role::User).await;
    let person = app.person("ada@example.com", Role::User).await;
    let other = other.query("{ me { devices { id } auditEvents(first: 1) { nodes { id } } } }", json!({})).await;
    let session = app.guest().sign_in("third@example.com").await.session;
    let text = |path: &str| other.field("me").pointer(path).unwrap().as_str().unwrap().to_owned();
    let ids = [session, text("/devices/0/id"), text("/auditEvents/nodes/0/id")];
    for id in ids {
        // An id with the same type and timestamp, of an object that does not exist.
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&id).unwrap();
        let ids = [vault::encode(&[&bytes[..13], &[7; 4]].concat()), id];
        assert_equal_times(samples(SAMPLES), ["nobody's", "somebody's"], async |kind| {
            let answer = person.query("query($id: ID!) { node(id: $id) { id } }", json!({ "id": ids[kind] })).await;
            assert_eq!(answer.code(), "NOT_FOUND");
        })
        .await;
    }
}

#[test]
fn a_real_time_difference_is_detected_and_noise_is_not() {
    // A skewed distribution: most calls are short, and some wait for other calls.
    let times = |seed: u64, extra: f64| {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        // Simulates a machine that becomes slower for a while.
        let drift = |round: usize| if (round / 100).is_multiple_of(2) { 0.0 } else { 900.0 };
        let one = |round| 600.0 + extra + drift(round) + 80.0 * draw() - 200.0 * (1.0 - 0.999 * draw()).ln();
        (0..SAMPLES).map(one).collect::<Vec<f64>>()
    };
    let (kind, same) = (times(1, 0.0), times(2, 0.0));
    assert!(difference(&kind, &same, &times(3, 0.0), 25.0).is_none());
    assert!(difference(&kind, &same, &times(3, 300.0), 150.0).is_some());
    assert!(difference(&kind, &same, &times(3, -300.0), 150.0).is_some());
    assert!(difference(&kind, &same, &times(3, 80.0), 25.0).is_some());
}
