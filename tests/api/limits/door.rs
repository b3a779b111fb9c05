//! The owner of an address can always sign in. When the daily mail limit of the address is used up and no valid link
//! was sent, one extra email with a sign-in link is allowed.

use std::collections::HashMap;

use doorcode::{
    db::entity::{Role, UserStatus},
    limits::Rule,
    settings::ServeFlags,
};
use futures_util::future::join_all;
use serde_json::json;

use super::kind;
use crate::harness::{SignedIn, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_concurrent_requests_send_the_extra_email_once() {
    let app = TestApp::new().await;
    for number in 0..11 {
        if number == 6 {
            app.drain_outbox().await;
            app.clock.pass(901.0);
        }
        assert_eq!(kind(&app.guest().login("flooded@example.com").await), "CodeSent");
    }
    let person = app.person("person@example.com", Role::User).await;
    // The last email within the daily limit is a code for an email change, so it contains no link.
    let sent = person.change("changeEmail", json!({ "email": "flooded@example.com" }), "__typename").await;
    assert_eq!(kind(sent.field("changeEmail")), "CodeSent");
    assert_eq!(app.count("sign_in_links", "1 = 1").await, 0);
    let challenges = app.count("email_codes", "1 = 1").await;

    let crowd: Vec<_> = (0..200).map(|_| app.guest()).collect();
    let answers = join_all(crowd.iter().map(|guest| guest.login_with(json!({ "email": "flooded@example.com" })))).await;
    let mut kinds = HashMap::new();
    for answer in &answers {
        let kind = answer.json["data"]["login"]["__typename"].as_str().unwrap_or_else(|| answer.code());
        *kinds.entry(kind.to_owned()).or_insert(0) += 1;
    }
    assert_eq!(kinds.get("CodeSent"), Some(&1), "{kinds:?}");
    assert!(kinds.get("RateLimited").is_some_and(|refused| *refused > 50), "{kinds:?}");
    assert_eq!(app.mails_for("flooded@example.com").await.len(), 13, "twelve emails a day, and one extra");
    assert_eq!(app.count("email_codes", "1 = 1").await, challenges + 1, "refused calls store no rows");
    app.last_link_for("flooded@example.com").await;
}

fn closed_and_short(flags: &mut ServeFlags) {
    flags.signup = Some("closed".into());
    flags.limits.insert(Rule::SendAddressDay, "3/1d".into());
}

/// A stranger uses up the daily mail limit of the address, and is then refused.
async fn spend_daily_mail(app: &TestApp, email: &str) {
    for _ in 0..3 {
        assert_eq!(kind(&app.guest().login(email).await), "CodeSent");
    }
    assert_eq!(kind(&app.guest().login(email).await), "RateLimited");
}

/// The owner signs in with the link in the extra email. No second extra email is sent.
async fn owner_signs_in(app: &TestApp, email: &str) {
    let owner = app.guest();
    assert_eq!(kind(&owner.login(email).await), "CodeSent");
    let link = app.last_link_for(email).await;
    assert_eq!(kind(&app.guest().login(email).await), "RateLimited", "a valid link was already sent");
    SignedIn::read(&owner.verify_link(&link).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_limit_used_up_before_sign_up_does_not_lock_the_owner_out() {
    let app = TestApp::with(closed_and_short).await;
    spend_daily_mail(&app, "new@example.com").await;
    assert_eq!(app.mails_for("new@example.com").await.len(), 0);
    app.make("new@example.com", Role::User).await;
    owner_signs_in(&app, "new@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_limit_used_up_during_a_suspension_does_not_lock_the_owner_out() {
    let app = TestApp::with(closed_and_short).await;
    app.make("back@example.com", Role::User).await;
    app.set_status("back@example.com", UserStatus::Suspended).await;
    spend_daily_mail(&app, "back@example.com").await;
    app.set_status("back@example.com", UserStatus::Active).await;
    owner_signs_in(&app, "back@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_neither_revokes_an_emailed_link_nor_shortens_its_life() {
    let app = TestApp::with(closed_and_short).await;
    app.make("held@example.com", Role::User).await;
    spend_daily_mail(&app, "held@example.com").await;
    let link = app.last_link_for("held@example.com").await;
    app.set_status("held@example.com", UserStatus::Suspended).await;
    for _ in 0..3 {
        assert_eq!(kind(&app.guest().login("held@example.com").await), "RateLimited");
    }
    app.set_status("held@example.com", UserStatus::Active).await;
    assert_eq!(kind(&app.guest().login("held@example.com").await), "RateLimited");
    app.clock.pass(86_000.0);
    SignedIn::read(&app.guest().verify_link(&link).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_daily_mail_limit_looks_and_costs_the_same_with_and_without_an_account() {
    let app = TestApp::with(closed_and_short).await;
    app.make("real@example.com", Role::User).await;
    let mut seen = Vec::new();
    for email in ["real@example.com", "none@example.com"] {
        app.take_statements();
        spend_daily_mail(&app, email).await;
        // Simulates a last request that was charged but then failed, so there is no link.
        app.sql("DELETE FROM sign_in_links").await;
        let answers =
            [kind(&app.guest().login(email).await).to_owned(), kind(&app.guest().login(email).await).to_owned()];
        assert_eq!(answers, ["CodeSent", "RateLimited"]);
        let calls = app.limiter.calls.swap(0, std::sync::atomic::Ordering::SeqCst);
        seen.push((app.take_statements(), calls));
    }
    assert_eq!(seen[0], seen[1], "statements and limiter calls are identical");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extra_email_does_not_reveal_that_a_link_was_used() {
    let app = TestApp::with(|flags| {
        closed_and_short(flags);
        flags.limits.insert(Rule::SendAddressDay, "1/1d".into());
        flags.limits.insert(Rule::SendPair, "9/1m".into());
    })
    .await;
    for number in 0..64 {
        assert_eq!(kind(&app.guest().login(&format!("none{number}@example.com")).await), "CodeSent");
    }
    app.clock.pass(0.75 * 86_400.0);
    let mut more = 0;
    for number in 0..64 {
        more += usize::from(kind(&app.guest().login(&format!("none{number}@example.com")).await) == "CodeSent");
    }
    // Decoy links expire at random times, as if they had been used: about three of eight by now, and half of them in
    // the end.
    assert!((6..=50).contains(&more), "{more}");
    assert_eq!(app.count("outbox", "state = 'SENT'").await, 0);
}
