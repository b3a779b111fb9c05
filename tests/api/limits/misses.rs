//! Misses: codes, links and undo tokens that have expired or never existed. They count only against the network that
//! sends them.

use doorcode::db::entity::Role;
use doorcode::limits::Rule;
use serde_json::{Value, json};

use super::{kind, retry_at};
use crate::harness::{Actor, Client, SignedIn, TestApp};

const HANDLE: &str = "AAAAAAAAAAAAAAAAAAAAAA";
const PROBLEM: &str = "__typename ... on Problem { message } ... on RateLimited { retryAt }";

/// The operations that accept a code or token.
#[derive(Clone, Copy, Debug)]
enum Way {
    Code,
    Link,
    Undo,
    NewAddress,
}

const WAYS: [Way; 4] = [Way::Code, Way::Link, Way::Undo, Way::NewAddress];

async fn present(who: &Client<'_>, way: Way, token: &str, code: &str) -> Value {
    match way {
        Way::Code => who.verify(token, code).await,
        Way::Link => who.verify_link(token).await,
        Way::Undo => {
            let answer = who.change("undoEmailChange", json!({ "token": token }), PROBLEM).await;
            answer.field("undoEmailChange").clone()
        }
        Way::NewAddress => {
            let input = json!({ "challenge": token, "code": code });
            who.change("confirmEmail", input, PROBLEM).await.field("confirmEmail").clone()
        }
    }
}

/// Calls the operation with a value that never existed. `shapely` chooses between a well-formed and a malformed value.
async fn invent(who: &Client<'_>, way: Way, shapely: bool) -> Value {
    let long = "A".repeat(43);
    let token = match way {
        _ if !shapely => "x",
        Way::Code | Way::NewAddress => HANDLE,
        Way::Link | Way::Undo => &long,
    };
    present(who, way, token, "12345678").await
}

fn change_of<'a>(person: &Actor<'a>, ip: &str) -> Client<'a> {
    person.at_ip(ip)
}

async fn ask_for(app: &TestApp, person: &Client<'_>, email: &str) -> (String, String) {
    let sent =
        person.change("changeEmail", json!({ "email": email }), "__typename ... on CodeSent { challenge }").await;
    let challenge = sent.field("changeEmail")["challenge"].as_str().unwrap().to_owned();
    (challenge, app.last_code_for(email).await)
}

async fn undo_token(app: &TestApp, email: &str) -> String {
    let mails = app.mails_for(email).await;
    let rest = mails.iter().find_map(|mail| mail.text.split_once("#undo=")).expect("a notice with an undo link").1;
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_codes_and_tokens_are_charged_to_the_network() {
    let app = TestApp::new().await;
    let person = app.person("person@example.com", Role::User).await;
    for way in WAYS {
        let here = change_of(&person, &app.guest().ip.to_string());
        for number in 0..30 {
            let answer = invent(&here, way, number % 2 == 0).await;
            assert_eq!(kind(&answer), "CodeExpired", "{way:?} {number}");
        }
        for other in WAYS {
            assert_eq!(kind(&invent(&here, other, true).await), "RateLimited", "{other:?} after {way:?}");
            assert_eq!(kind(&invent(&here, other, false).await), "RateLimited", "{other:?} after {way:?}");
        }
        let refused = invent(&here, way, true).await;
        app.clock.set(retry_at(&refused) + chrono::TimeDelta::seconds(1));
        assert_eq!(kind(&invent(&here, way, true).await), "CodeExpired", "the returned retry time is exact: {way:?}");
        assert_eq!(
            kind(&invent(&app.guest(), Way::Code, true).await),
            "CodeExpired",
            "another network has a separate limit"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_tokens_do_not_block_valid_ones_from_the_same_network() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "4/1d".into()))).await;
    let person = app.person("old@example.com", Role::User).await;
    let (challenge, code) = ask_for(&app, &person, "new@example.com").await;
    assert_eq!(kind(&present(&person, Way::NewAddress, &challenge, &code).await), "EmailChanged");
    let undo = undo_token(&app, "old@example.com").await;
    let (newer, newer_code) = ask_for(&app, &person, "newer@example.com").await;
    let owner = app.guest();
    for _ in 0..4 {
        app.guest().login("link@example.com").await;
    }
    let link = app.last_link_for("link@example.com").await;
    let challenge = owner.challenge("code@example.com").await;
    let code = app.last_code_for("code@example.com").await;

    let (here, ip) = (&owner, owner.ip.to_string());
    for _ in 0..200 {
        invent(here, Way::Code, true).await;
    }
    assert_eq!(kind(&invent(here, Way::Link, true).await), "RateLimited");
    assert_eq!(kind(&here.verify(&challenge, &crate::harness::other_than(&code)).await), "InvalidCode");
    SignedIn::read(&here.verify(&challenge, &code).await);
    SignedIn::read(&here.verify_link(&link).await);
    let person = change_of(&person, &ip);
    assert_eq!(kind(&present(&person, Way::NewAddress, &newer, &newer_code).await), "EmailChanged");
    assert_eq!(kind(&present(here, Way::Undo, &undo, "").await), "EmailChangeUndone");
    for (way, token) in [(Way::Code, &challenge), (Way::Link, &link), (Way::Undo, &undo)] {
        assert_eq!(
            kind(&present(here, way, token, &code).await),
            "RateLimited",
            "{way:?}: a used token counts as a miss"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn database_lookups_of_invented_tokens_are_limited_per_network() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::VerifyNetwork, "2/1m".into()))).await;
    let guest = app.guest();
    app.take_statements();
    for _ in 0..60 {
        invent(&guest, Way::Code, true).await;
    }
    let looked = |statement: &&String| statement.contains("FROM email_codes");
    assert_eq!(
        app.take_statements().iter().filter(looked).count(),
        40,
        "a network gets twenty lookups per allowed miss"
    );
    assert_eq!(kind(&invent(&guest, Way::Link, true).await), "RateLimited");
    assert_eq!(app.take_statements().iter().filter(|statement| statement.contains("sign_in_links")).count(), 0);
    assert_eq!(
        kind(&invent(&app.guest(), Way::Link, true).await),
        "CodeExpired",
        "another network has a separate limit"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_ipv6_network_does_not_multiply_its_misses() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::VerifyNetwork, "2/1m".into()))).await;
    let (guest, prefix) = (app.guest(), app.v6_prefix());
    let mut misses = 0;
    for subnet in 0..40 {
        // Sends from eight /64s in each of five /56s. The limits are 2 misses per /64, 8 per /56 and 32 per /48.
        let here = guest.at_ip(&format!("{prefix}:{:x}::1", ((subnet / 8) << 8) | (subnet % 8)));
        for _ in 0..3 {
            misses += usize::from(kind(&invent(&here, Way::Code, true).await) == "CodeExpired");
        }
        if subnet == 7 {
            assert_eq!(misses, 8, "a /56");
        }
    }
    assert_eq!(misses, 32, "a /48");
}
