//! Races: what must happen once happens once, and what a reset ended stays ended, whatever the interleaving.

use doorcode::limits::Rule;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, call, guess, kind, login, many_mails, owner, register, request_reset, reset};
use crate::{
    harness::{SignedIn, TestApp},
    people::email_change,
};

const ROUNDS: usize = 6;
const THIRD: &str = "nine herons on a wire";

async fn open_app() -> TestApp {
    TestApp::with(|flags| {
        many_mails(flags);
        for rule in [Rule::GuessPassword, Rule::GuessPasswordMonth] {
            flags.limits.insert(rule, "100000/1d".into());
        }
    })
    .await
}

fn count(answers: &[Value], name: &str) -> usize {
    answers.iter().filter(|answer| kind(answer) == name).count()
}

/// A challenge and its digits for a reset.
async fn reset_code(app: &TestApp, email: &str) -> (String, String) {
    let challenge = request_reset(&app.guest(), email).await;
    (challenge, app.last_code_for(email).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_registrations_of_an_address_at_once_make_one_account_with_the_winners_password() {
    let app = open_app().await;
    for round in 0..ROUNDS {
        let email = format!("new{round}@example.com");
        let mut codes = Vec::new();
        for password in [PASSWORD, OTHER] {
            let challenge = register(&app.guest(), &email, password).await;
            codes.push((challenge, app.last_code_for(&email).await, password));
        }
        let guest = app.guest();
        let answers = join_all(codes.iter().map(|(challenge, code, _)| guest.verify(challenge, code))).await;
        let winner = answers.iter().position(|answer| answer["isNewUser"] == true).expect("one made the account");
        assert_eq!(answers.iter().filter(|answer| answer["isNewUser"] == true).count(), 1);
        assert_eq!(guess(&app, &email, codes[winner].2).await, "SignedIn");
        assert_eq!(guess(&app, &email, codes[1 - winner].2).await, "InvalidCredentials");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_and_its_owners_sign_in_at_once_never_leave_a_planted_password_on_an_owned_account() {
    let app = open_app().await;
    for round in 0..ROUNDS {
        let email = format!("new{round}@example.com");
        let planted = register(&app.guest(), &email, OTHER).await;
        let planted_code = app.last_code_for(&email).await;
        let own = app.guest().challenge(&email).await;
        let own_code = app.last_code_for(&email).await;
        let guest = app.guest();
        let (register, owner) = join(guest.verify(&planted, &planted_code), guest.verify(&own, &own_code)).await;
        let (register, owner) = (SignedIn::read(&register), SignedIn::read(&owner));
        assert!(register.is_new != owner.is_new);
        let expected = if register.is_new { "SignedIn" } else { "InvalidCredentials" };
        assert_eq!(guess(&app, &email, OTHER).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_resets_once() {
    let app = open_app().await;
    owner(&app, "ada@example.com").await;
    let (challenge, code) = reset_code(&app, "ada@example.com").await;
    let replicas = [app.replica().await, app.replica().await];
    let guests: Vec<_> = (0..3).map(|number| app.guest().via(&replicas[number % 2])).collect();
    let answers = join_all(guests.iter().map(|guest| reset(guest, &challenge, &code, OTHER))).await;
    assert_eq!(count(&answers, "SignedIn"), 1, "{answers:?}");
    assert_eq!(count(&answers, "CodeExpired"), 2);
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
    assert_eq!(app.count("audit_events", "kind = 'PASSWORD_RESET'").await, 1);
    assert_eq!(app.count("passwords", "version = 2").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_resets_at_once_only_the_later_leaves_a_session_and_a_password() {
    let app = open_app().await;
    owner(&app, "ada@example.com").await;
    for _ in 0..ROUNDS {
        let (one, two) = (reset_code(&app, "ada@example.com").await, reset_code(&app, "ada@example.com").await);
        let guests = [app.guest(), app.guest()];
        let answers = join(reset(&guests[0], &one.0, &one.1, OTHER), reset(&guests[1], &two.0, &two.1, THIRD)).await;
        let answers = [answers.0, answers.1];
        assert!(count(&answers, "SignedIn") >= 1, "{answers:?}");
        assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
        let alive = async |answer: &Value| match answer["tokens"]["accessToken"].as_str() {
            Some(access) => app.guest().with_bearer(access).me().await.json["errors"].is_null(),
            None => false,
        };
        let (by_one, by_two) = (alive(&answers[0]).await, alive(&answers[1]).await);
        assert!(by_one != by_two);
        let (right, wrong) = if by_one { (OTHER, THIRD) } else { (THIRD, OTHER) };
        assert_eq!(guess(&app, "ada@example.com", wrong).await, "InvalidCredentials");
        assert_eq!(guess(&app, "ada@example.com", right).await, "SignedIn");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_the_old_password_survives_a_reset_that_races_with_its_logins() {
    let app = open_app().await;
    owner(&app, "ada@example.com").await;
    let (mut old, mut new) = (PASSWORD, OTHER);
    let replica = app.replica().await;
    for _ in 0..ROUNDS {
        let (challenge, code) = reset_code(&app, "ada@example.com").await;
        let guest = app.guest().via(&replica);
        let thieves: Vec<_> = (0..8).map(|_| app.guest()).collect();
        let logins = join_all(thieves.iter().map(|thief| login(thief, "ada@example.com", old)));
        let (logins, by_reset) = join(logins, reset(&guest, &challenge, &code, new)).await;
        let owner = SignedIn::read(&by_reset);
        for stolen in logins.iter().filter(|answer| kind(answer) == "SignedIn") {
            let stolen = SignedIn::read(stolen);
            assert_eq!(app.guest().with_bearer(&stolen.access).me().await.code(), "UNAUTHENTICATED");
        }
        assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
        assert_eq!(app.count("devices", "1 = 1").await, 1, "and none of their devices");
        app.guest().with_bearer(&owner.access).me().await.field("me");
        std::mem::swap(&mut old, &mut new);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_wins_against_a_rehash_of_the_old_password() {
    let app = open_app().await;
    owner(&app, "ada@example.com").await;
    // A replica with other parameters hashes the password again at each login.
    let other = app.replica_with(|flags| flags.password_cost = Some("m=2048,t=1,p=1".into())).await;
    let (mut old, mut new) = (PASSWORD, OTHER);
    for round in 0..ROUNDS {
        let version = i64::try_from(round).unwrap() + 1;
        let (challenge, code) = reset_code(&app, "ada@example.com").await;
        let (guest, there) = (app.guest(), app.guest().via(&other));
        join(login(&there, "ada@example.com", old), reset(&guest, &challenge, &code, new)).await;
        assert_eq!(app.count("passwords", &format!("version = {}", version + 1)).await, 1);
        assert_eq!(kind(&login(&app.guest().via(&other), "ada@example.com", old).await), "InvalidCredentials");
        assert_eq!(kind(&login(&app.guest().via(&other), "ada@example.com", new).await), "SignedIn");
        assert_eq!(guess(&app, "ada@example.com", new).await, "SignedIn", "after a rehash");
        std::mem::swap(&mut old, &mut new);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_and_a_change_of_address_at_once_leave_one_of_them() {
    let app = open_app().await;
    for round in 0..ROUNDS {
        let (email, new_email) = (format!("old{round}@example.com"), format!("new{round}@example.com"));
        let person = owner(&app, &email).await;
        let thief = app.guest().with_bearer(&person.access);
        let change = email_change::challenge(&thief, &new_email).await;
        let change_code = app.last_code_for(&new_email).await;
        let (challenge, code) = reset_code(&app, &email).await;
        let guest = app.guest();
        let input = json!({ "challenge": change, "code": change_code });
        let confirm = thief.change("confirmEmail", input, "__typename");
        let (changed, by_reset) = join(confirm, reset(&guest, &challenge, &code, OTHER)).await;
        let is_changed = changed.json["data"]["confirmEmail"]["__typename"] == "EmailChanged";
        let is_reset = kind(&by_reset) == "SignedIn";
        if is_reset {
            assert_eq!(thief.me().await.code(), "UNAUTHENTICATED");
            assert_eq!(guess(&app, &email, OTHER).await == "SignedIn", !is_changed);
        } else {
            assert!(is_changed, "{by_reset} {}", changed.text);
            assert_eq!(guess(&app, &new_email, OTHER).await, "InvalidCredentials", "no reset by the old mailbox");
        }
        assert!(is_reset != is_changed, "{by_reset} {}", changed.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disowned_session_cannot_set_a_password_at_the_same_moment() {
    let app = open_app().await;
    for round in 0..ROUNDS {
        let email = format!("user{round}@example.com");
        owner(&app, &email).await;
        let thief = app.guest().sign_in(&email).await;
        let token = super::token_in_mail(&app, &email, "disown").await;
        let (there, guest) = (app.guest().with_bearer(&thief.access), app.guest());
        let set = super::answer(&there, "setPassword", json!({ "newPassword": OTHER }));
        let (_, disowned) = join(set, call(&guest, "disownSession", json!({ "token": token }))).await;
        assert_eq!(kind(&disowned), "SessionDisowned");
        assert_eq!(guess(&app, &email, OTHER).await, "InvalidCredentials");
        assert_eq!(there.me().await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
}
