//! The door never closes, and no wider than for one more mail: whose link counts, and who sends it.

use std::collections::HashMap;

use doorcode::db::entity::Role;
use futures_util::future::join_all;
use serde_json::json;

use super::kind;
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_who_ask_at_once_for_the_one_more_mail_one_gets_it() {
    let app = TestApp::new().await;
    for number in 0..11 {
        if number == 6 {
            app.drain_outbox().await;
            app.clock.pass(901.0);
        }
        assert_eq!(kind(&app.guest().login("flooded@example.com").await), "CodeSent");
    }
    let person = app.person("person@example.com", Role::User).await;
    // The day's last mail is a code for a change of address, and makes no link.
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
    assert!(kinds.get("RateLimited").is_some_and(|refused| *refused > 100), "{kinds:?}");
    assert_eq!(app.mails_for("flooded@example.com").await.len(), 13, "twelve a day, and one more");
    assert_eq!(app.count("email_codes", "1 = 1").await, challenges + 1, "who is refused leaves nothing");
    app.last_link_for("flooded@example.com").await;
}
