//! Whether the answer, its time or its work reveals that an address has an account or a password.

use std::sync::atomic::{AtomicU32, Ordering};

use doorcode::db::entity::UserStatus;
use serde_json::json;

use super::{OTHER, PASSWORD, answer, call, credentials, kind, login, owner};
use crate::{
    harness::TestApp,
    timing::{SAMPLES, assert_equal_times, samples, unlimited},
};

const PEOPLE: [(&str, &str); 5] =
    [("wrong", OTHER), ("stranger", PASSWORD), ("none", PASSWORD), ("suspended", PASSWORD), ("deleted", PASSWORD)];

async fn people(app: &TestApp) {
    for (name, _) in [PEOPLE[0], PEOPLE[3], PEOPLE[4]] {
        owner(app, &format!("{name}@example.com")).await;
    }
    app.guest().sign_in("none@example.com").await;
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    app.sql("UPDATE users SET status = 'DELETED', deleted_at = updated_at WHERE email = 'deleted@example.com'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_of_a_password_reveals_no_account() {
    let app = unlimited("open").await;
    people(&app).await;
    let (guest, calls) = (app.guest(), AtomicU32::new(0));
    let names = PEOPLE.map(|(name, _)| name);
    assert_equal_times(samples(SAMPLES), names, async |kind_of| {
        if calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(6) {
            app.sql("DELETE FROM password_tries").await;
        }
        let (name, password) = PEOPLE[kind_of];
        let refused = login(&guest, &format!("{name}@example.com"), password).await;
        assert_eq!(kind(&refused), "InvalidCredentials");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn response_time_of_a_registration_or_a_reset_reveals_no_account() {
    let app = unlimited("closed").await;
    for email in ["known@example.com", "suspended@example.com"] {
        app.make(email, doorcode::db::entity::Role::User).await;
    }
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    let guest = app.guest();
    let names = ["known@example.com", "stranger@example.com", "suspended@example.com"];
    assert_equal_times(samples(SAMPLES), names, async |kind_of| {
        let sent = call(&guest, "register", json!({ "email": names[kind_of], "password": PASSWORD })).await;
        assert_eq!(kind(&sent), "CodeSent");
    })
    .await;
    assert_equal_times(samples(SAMPLES), names, async |kind_of| {
        let sent = call(&guest, "requestPasswordReset", json!({ "email": names[kind_of] })).await;
        assert_eq!(kind(&sent), "CodeSent");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_costs_the_same_statements_and_has_the_same_answer_for_everybody() {
    let app = TestApp::new().await;
    people(&app).await;
    let mut seen = Vec::new();
    for (name, password) in PEOPLE {
        let guest = app.guest();
        app.take_statements();
        let refused = answer(&guest, "login", credentials(&guest, &format!("{name}@example.com"), password)).await;
        let headers: Vec<_> = refused.headers.keys().map(ToString::to_string).collect();
        seen.push((refused.status, refused.json, headers, app.take_statements()));
    }
    assert_eq!(seen[0].1["data"]["login"]["__typename"], "InvalidCredentials");
    for other in &seen[1..] {
        assert_eq!(other, &seen[0]);
    }
}
