//! Rotation of the server secret while the service is in use. Processes first have only the old secret, then both with
//! the new one first, then only the new one. Pending sign-ins and sessions must survive, and used tokens must stay
//! invalid.

use doorcode::domain::vault::{Purpose, Vault};
use doorcode::limits::Rule;
use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use crate::{
    harness::{Client, Replica, SignedIn, TestApp, other_than},
    tokens::rotation::{last_code_at, process_with},
};

/// A new secret for each test, because rate limit keys in the shared Redis depend on it.
fn new_secret() -> SecretString {
    SecretString::from(format!("new secret {} {}", Uuid::new_v4(), Uuid::new_v4()))
}

/// Two processes on the same database: one with both secrets, and one with only the new secret.
async fn later_processes(app: &TestApp, new: &SecretString) -> [Replica; 2] {
    let old = &app.ctx().settings.secrets[0];
    [process_with(app, &[new, old]).await, process_with(app, &[new]).await]
}

async fn refreshed(client: &Client<'_>, token: &str) -> String {
    let answer = client.refresh(token).await;
    answer["tokens"]["refreshToken"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_sign_ins_and_sessions_survive_a_secret_rotation() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "2/1d".into()))).await;
    let guest = app.guest();
    let (before, idle) = (guest.sign_in("before@example.com").await, guest.sign_in("idle@example.com").await);
    let asked = guest.challenge("code@example.com").await;
    let code = app.last_code_for("code@example.com").await;
    let waiting = guest.challenge("waiting@example.com").await;
    for _ in 0..2 {
        app.guest().challenge("link@example.com").await;
    }
    let link = app.last_link_for("link@example.com").await;
    // Reading the link delivered all queued letters, so only now queue the one that has to wait.
    let waiting = {
        assert!(!waiting.is_empty());
        app.guest().challenge("letter@example.com").await
    };

    let [both, newest] = later_processes(&app, &new_secret()).await;
    let at = |process: &Replica| guest.via(process);
    assert_eq!(at(&both).verify(&asked, &code).await["__typename"], "SignedIn", "a code under the old secret");
    let letter = last_code_at(&both, "letter@example.com").await;
    assert_eq!(
        at(&both).verify(&waiting, &letter).await["__typename"],
        "SignedIn",
        "a code from a letter that waited in the outbox"
    );
    assert_eq!(
        at(&newest).verify_link(&link).await["__typename"],
        "CodeExpired",
        "a link does not work without the secret it was created with"
    );
    assert_eq!(
        at(&both).verify_link(&link).await["__typename"],
        "SignedIn",
        "the link works while both secrets are set"
    );
    assert!(at(&both).with_bearer(&before.access).me().await.field("me")["id"].is_string());
    let refresh = refreshed(&at(&both), &before.refresh).await;

    // From here on, the old secret is removed.
    assert!(
        at(&newest).with_bearer(&before.access).me().await.field("me")["id"].is_string(),
        "the signing key was resealed under the new secret"
    );
    refreshed(&at(&newest), &refresh).await;
    let challenge = at(&newest).with_device(&before.device).challenge("before@example.com").await;
    assert!(!challenge.is_empty());
    assert_eq!(app.count("email_codes", "device_id IS NOT NULL").await, 1, "the device is still known");

    // A session that was not used while both secrets were set ends. But its refresh token does not count as stolen.
    assert_eq!(at(&newest).refresh(&idle.refresh).await["__typename"], "SessionEnded");
    assert_eq!(app.count("audit_events", "kind = 'REFRESH_TOKEN_REUSED'").await, 0);
    refreshed(&at(&both), &idle.refresh).await;
    let late = guest.challenge("late@example.com").await;
    let code = app.last_code_for("late@example.com").await;
    assert_eq!(
        at(&newest).verify(&late, &code).await["__typename"],
        "InvalidCode",
        "a code under the old secret does not work"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_starting_at_once_reseal_the_keys() {
    let app = TestApp::new().await;
    let SignedIn { access, .. } = app.guest().sign_in("ada@example.com").await;
    let sealed = doorcode::domain::keys::list(app.ctx()).await.unwrap().remove(0);
    let secret = new_secret();
    let new = Vault::new(std::slice::from_ref(&secret)).unwrap();
    let open = |vault: &Vault, sealed: &[u8]| vault.open(Purpose::SigningKey, sealed_id(&access).as_bytes(), sealed);
    assert!(open(&new, &sealed.sealed).is_none());
    let (first, second) = tokio::join!(later_processes(&app, &secret), later_processes(&app, &secret));
    let after = doorcode::domain::keys::list(app.ctx()).await.unwrap();
    assert_eq!(after.len(), 1, "no new key was needed");
    assert_eq!(
        open(&new, &after[0].sealed),
        open(&app.ctx().vault, &sealed.sealed),
        "the same key under the new secret"
    );
    assert!(open(&app.ctx().vault, &after[0].sealed).is_none());
    for process in first.iter().chain(&second) {
        assert!(app.guest().via(process).with_bearer(&access).me().await.field("me")["id"].is_string());
    }
}

fn sealed_id(access: &str) -> Uuid {
    jsonwebtoken::decode_header(access).unwrap().kid.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guessing_budget_survives_a_secret_rotation() {
    let app = TestApp::with(|flags| {
        for rule in [Rule::SendPair, Rule::SendAddress, Rule::SendAddressDay] {
            flags.limits.insert(rule, "1000/1d".into());
        }
    })
    .await;
    let email = "ada@example.com";
    let guest = app.guest();
    let wrong = async |client: &Client<'_>, challenge: &str, code: &str| {
        client.verify(challenge, &other_than(code)).await["__typename"].as_str().unwrap().to_owned()
    };
    for _ in 0..6 {
        let challenge = guest.challenge(email).await;
        let code = app.last_code_for(email).await;
        for _ in 0..3 {
            assert_eq!(wrong(&guest, &challenge, &code).await, "InvalidCode");
        }
    }
    let held_back = guest.challenge(email).await;
    let held_code = app.last_code_for(email).await;
    let [both, newest] = later_processes(&app, &new_secret()).await;
    let elsewhere = guest.via(&both);
    let challenge = elsewhere.challenge(email).await;
    let code = last_code_at(&both, email).await;
    for _ in 0..2 {
        assert_eq!(
            wrong(&elsewhere, &challenge, &code).await,
            "InvalidCode",
            "eighteen of twenty guesses were used before the rotation"
        );
    }
    assert_eq!(elsewhere.verify(&challenge, &code).await["__typename"], "RateLimited");
    assert_eq!(
        elsewhere.verify(&held_back, &held_code).await["__typename"],
        "RateLimited",
        "an earlier challenge is refused as well"
    );
    assert_eq!(
        guest.via(&newest).verify(&challenge, &code).await["__typename"],
        "RateLimited",
        "a process without the old secret refuses as well"
    );
    assert_eq!(app.count("email_codes", "1 = 1").await, 8);
    // The next email contains a link instead of a code, as before the rotation.
    guest.via(&newest).challenge(email).await;
    assert_eq!(app.count("sign_in_links", "1 = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_with_different_newest_secrets_share_a_budget_without_deadlock() {
    let app = TestApp::with(|flags| {
        for rule in [Rule::SendAddress, Rule::SendAddressDay] {
            flags.limits.insert(rule, "1000/1d".into());
        }
        flags.limits.insert(Rule::GuessAccount, "6/1d".into());
    })
    .await;
    let (old, new) = (app.ctx().settings.secrets[0].clone(), new_secret());
    let processes = [process_with(&app, &[&old, &new]).await, process_with(&app, &[&new, &old]).await];
    // Each login copies the used budget from one secret's key to the other's. The direction alternates, with tries in
    // between.
    let round = async |process: &Replica| {
        let client = app.guest().via(process);
        let challenge = client.challenge("ada@example.com").await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(client.verify(&challenge, "48302957").await["__typename"].as_str().unwrap().to_owned());
        }
        answers
    };
    let rounds = (0..24).map(|number| round(&processes[number % 2]));
    let answers: Vec<_> = join_all(rounds).await.into_iter().flatten().collect();
    // A try gets `CodeExpired` if concurrent tries use up the budget while it is counted.
    let expected = ["InvalidCode", "RateLimited", "CodeExpired"];
    assert!(answers.iter().all(|answer| expected.contains(&answer.as_str())), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| *answer == "InvalidCode").count(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn send_limits_survive_a_secret_rotation_in_one_limiter_call() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddress, "2/15m".into()))).await;
    let [both, newest] = later_processes(&app, &new_secret()).await;
    let ask = async |process: Option<&Replica>| {
        let guest = app.guest();
        let client = process.map_or_else(|| guest.clone(), |process| guest.via(process));
        client.login_with(json!({ "email": "ada@example.com" })).await.field("login")["__typename"].clone()
    };
    assert_eq!(ask(None).await, "CodeSent");
    app.limiter.calls.store(0, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(ask(Some(&both)).await, "CodeSent");
    assert_eq!(app.limiter.calls.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(ask(Some(&both)).await, "RateLimited", "two emails are counted under the old secret's key");
    assert_eq!(ask(None).await, "RateLimited", "processes with only the old secret count the same emails");
    assert_eq!(ask(Some(&newest)).await, "CodeSent", "only one email is counted under the new secret's key");
    assert_eq!(ask(Some(&newest)).await, "RateLimited");
}
