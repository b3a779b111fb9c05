//! Code guesses by signed-in users. A wrong code for an email change counts in two guessing budgets, that of the user
//! and that of the new address. Neither budget can be exceeded.

use doorcode::db::entity::Role;
use doorcode::limits::Rule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{attack, generous_sends, kind};
use crate::harness::{Actor, Client, TestApp};

const WRONG: &str = "00000000";

async fn ask_for(person: &Client<'_>, email: &str) -> String {
    let selection = "__typename ... on CodeSent { challenge } ... on Problem { message }";
    let sent = person.change("changeEmail", json!({ "email": email }), selection).await;
    let sent = sent.field("changeEmail");
    sent["challenge"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
}

async fn confirm(person: &Client<'_>, challenge: &str) -> Value {
    let input = json!({ "challenge": challenge, "code": WRONG });
    person.change("confirmEmail", input, "__typename ... on Problem { message }").await.field("confirmEmail").clone()
}

async fn people<'a>(app: &'a TestApp, name: &str, count: usize) -> Vec<Actor<'a>> {
    let mut people = Vec::new();
    for number in 0..count {
        people.push(app.person(&format!("{name}{number}@example.com"), Role::User).await);
    }
    people
}

/// Tries up to three wrong codes for an email change to this address. Returns how many were compared before a limit
/// refused.
async fn guess(person: &Client<'_>, email: &str) -> usize {
    let challenge = ask_for(person, email).await;
    let mut compared = 0;
    for _ in 0..3 {
        compared += usize::from(kind(&confirm(person, &challenge).await) == "InvalidCode");
    }
    compared
}

#[tokio::test(flavor = "multi_thread")]
async fn many_users_get_no_more_guesses_at_an_address_than_one_user() {
    let app = TestApp::with(generous_sends).await;
    let mut compared = 0;
    for person in people(&app, "person", 12).await {
        compared += guess(&person, "free@example.com").await;
    }
    assert_eq!(compared, 20, "twenty guesses a day");
    assert_eq!(attack(&app, "free@example.com", 1).await, 0, "no guess is left for a sign-in");
    app.clock.pass(86_401.0);
    assert_eq!(attack(&app, "free@example.com", 7).await, 9, "three codes per challenge");
    let mut more = 0;
    for person in people(&app, "later", 12).await {
        more += guess(&person, "free@example.com").await;
    }
    assert_eq!(more, 11, "sign-in and email change share one budget");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_gets_no_more_guesses_at_many_addresses_than_at_one_address() {
    let app = TestApp::with(generous_sends).await;
    let person = app.person("person@example.com", Role::User).await;
    let mut compared = 0;
    for number in 0..9 {
        compared += guess(&person, &format!("free{number}@example.com")).await;
    }
    assert_eq!(compared, 20);
    assert_eq!(attack(&app, "free8@example.com", 1_000).await, 20, "an address without guesses has its full budget");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_guesses_by_users_never_exceed_a_budget() {
    let app = TestApp::with(|flags| {
        generous_sends(flags);
        flags.limits.insert(Rule::GuessAccount, "5/1d".into());
    })
    .await;
    let people = people(&app, "person", 8).await;
    let mut one = Vec::new();
    for person in &people {
        one.push((person, ask_for(person, "free@example.com").await));
    }
    let tries = one.iter().flat_map(|(person, challenge)| (0..3).map(|_| confirm(person, challenge)));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| kind(answer) == "InvalidCode").count(), 5, "the budget of the address");

    let person = app.person("busy@example.com", Role::User).await;
    let mut many = Vec::new();
    for number in 0..8 {
        many.push(ask_for(&person, &format!("free{number}@example.com")).await);
    }
    let tries = many.iter().flat_map(|challenge| (0..3).map(|_| confirm(&person, challenge)));
    let answers = join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| kind(answer) == "InvalidCode").count(), 5, "the budget of the user");
}
