//! Timing side channels: whether response times reveal that an address has an account, or that a token was ever issued.
//! Kinds of the same question are asked in turn, so that a slow moment of the machine hits all of them. The first kind
//! is measured twice: its distance from itself is the noise.
//!
//! Every commit takes a thousand samples of each kind, with a bound for a busy machine. On a quiet machine
//! `DOORCODE_TEST_TIMING_SAMPLES=20000` takes more samples with a tighter bound, as in
//! `DOORCODE_TEST_TIMING_SAMPLES=20000 cargo nextest run --release timing::`.
//!
//! Some times may differ because the responses differ as well: a right code and a wrong one; a wrong code and an
//! expired or unknown challenge, because only the former is counted and recorded; a valid token and an invalid one.

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

const SAMPLES: usize = 1_000;
const WARM_UP: usize = 50;

/// The number of samples of each kind, unless a run asks for more.
pub(crate) fn samples(usual: usize) -> usize {
    std::env::var("DOORCODE_TEST_TIMING_SAMPLES").map_or(usual, |samples| samples.parse().unwrap())
}

/// The largest difference between medians in microseconds, noise aside.
fn bound() -> f64 {
    // The second is far below the jitter of a network.
    if std::env::var_os("DOORCODE_TEST_TIMING_SAMPLES").is_some() { 25.0 } else { 150.0 }
}

/// Sorted numbers.
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

    /// The standard error of the median, from the two order statistics that enclose it in 95 of 100 cases, for any
    /// distribution.
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

/// Why a kind differs from another, if it does. Samples of one round are compared with each other, so drift of the
/// machine cancels out. The median of the differences counts when it is above the bound, above three times the noise,
/// and above four standard errors.
fn difference(kind: &[f64], same: &[f64], other: &[f64], bound: f64) -> Option<String> {
    let Apart { least, limit, story } = Apart::of(kind, same, other, bound);
    (least > limit).then_some(story)
}

/// The distance between two kinds, and its bound.
pub(crate) struct Apart {
    pub(crate) least: f64,
    pub(crate) limit: f64,
    pub(crate) story: String,
}

impl Apart {
    #[expect(clippy::print_stdout, reason = "figures for runs with more samples")]
    pub(crate) fn of(kind: &[f64], same: &[f64], other: &[f64], bound: f64) -> Self {
        let noise = Sorted::of(kind.iter().zip(same).map(|(one, two)| one - two));
        let [by_kind, by_same] = [kind, same].map(|own| Sorted::of(other.iter().zip(own).map(|(one, two)| one - two)));
        let least = by_kind.median().abs().min(by_same.median().abs());
        let limit = bound.max(3.0 * noise.median().abs()).max(4.0 * by_kind.error());
        let story = format!("apart {by_kind} and {by_same}, against itself {noise}, limit {limit:.1}");
        println!("{story}");
        Self { least, limit, story }
    }
}

/// Asks every kind in turn, the first of them twice, and fails if time distinguishes another from the first.
pub(crate) async fn assert_equal_times<const N: usize>(
    samples: usize,
    names: [&str; N],
    mut ask: impl AsyncFnMut(usize),
) {
    let bound = bound();
    let mut times = vec![Vec::with_capacity(samples); N + 1];
    for round in 0..samples + WARM_UP {
        // The order changes with the round, so that no kind always follows the same other.
        for place in 0..=N {
            let slot = (place + round) % (N + 1);
            let start = Instant::now();
            ask(slot % N).await;
            if round >= WARM_UP {
                times[slot].push(start.elapsed().as_secs_f64() * 1e6);
            }
        }
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
    // Enough tries that none is refused: this measures one try against a live challenge, not the limit.
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

/// A token of the right length with a session's id and random bytes for the rest.
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
    assert_equal_times(samples(SAMPLES), ["a session that is", "one that is not", "zeros"], async |kind| {
        ended(&guest, &tokens[kind]).await;
    })
    .await;
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1, "and ends none");
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
        // The same kind and time, but an id that does not exist.
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
    // A skewed distribution: most calls are short, some wait for others.
    let times = |seed: u64, extra: f64| {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31)
        };
        // A machine that slows down and recovers meanwhile.
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
