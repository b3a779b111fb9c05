//! The end of an account: deletion (which can be undone), restore, and erasure.

use doorcode::{db::entity::Role, domain::housekeeping};
use serde_json::json;

use super::SAVED;
use crate::harness::{SignedIn, TestApp, other_than};

const DAY: f64 = 86_400.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_is_signed_out_at_once_and_can_be_restored() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    let wrong = person.change("deleteAccount", json!({ "email": "other@example.com" }), "__typename").await;
    assert_eq!(wrong.code(), "BAD_USER_INPUT");
    let deleted = person.change("deleteAccount", json!({ "email": " ADA@example.com" }), "__typename").await;
    assert_eq!(deleted.field("deleteAccount")["__typename"], "AccountDeleted");
    assert_eq!(person.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(person.refresh(&person.signed_in.refresh).await["__typename"], "SessionEnded");
    let guest = app.guest();
    guest.challenge("ada@example.com").await;
    let mails = app.mails_for("ada@example.com").await;
    let codes = mails.iter().filter(|mail| mail.code.is_some()).count();
    assert_eq!((codes, mails.len()), (1, 2), "a deleted user gets a notice and no code");

    let admin = app.person("admin@example.com", Role::Admin).await;
    let id = &person.signed_in.user;
    let update = admin.change("updateUser", json!({ "id": id, "name": "x" }), SAVED).await;
    assert_eq!(update.code(), "BAD_USER_INPUT");
    let seen = admin.query("query($id: ID!) { user(id: $id) { status deletedAt } }", json!({ "id": id })).await;
    assert_eq!(seen.field("user")["status"], "DELETED");
    assert!(seen.field("user")["deletedAt"].is_string());
    let manager = app.person("manager@example.com", Role::Manager).await;
    let hidden = manager.query("query($id: ID!) { user(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(hidden.code(), "NOT_FOUND");
    let restored = admin.change("restoreUser", json!({ "id": id }), "user { status deletedAt }").await;
    assert_eq!(restored.field("restoreUser")["user"], json!({ "status": "ACTIVE", "deletedAt": null }));
    assert_eq!(app.guest().sign_in("ada@example.com").await.user, *id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_erased_after_thirty_days_also_from_the_trail() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    let id = &person.signed_in.user;
    admin.change("updateUser", json!({ "id": id, "name": "Ada Lovelace" }), SAVED).await.field("updateUser");
    admin.change("deleteUser", json!({ "id": id }), SAVED).await.field("deleteUser");
    app.clock.pass(29.9 * DAY);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().people, 0);
    app.clock.pass(0.2 * DAY);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().people, 1);
    assert_eq!(app.count("users", "email = 'ada@example.com'").await, 0);
    assert_eq!(app.count("sessions", "1 = 1").await, 1, "only the administrator's session is left");
    assert_eq!(app.count("audit_events", "CAST(detail AS TEXT) LIKE '%Lovelace%'").await, 0);
    assert_eq!(app.count("audit_events", "CAST(detail AS TEXT) LIKE '%ada@%'").await, 0);
    assert!(app.count("audit_events", "kind IN ('SIGNED_IN', 'USER_CHANGED', 'USER_DELETED')").await >= 4);
    assert_eq!(app.count("audit_events", "kind = 'USER_ERASED'").await, 1);
    let address = format!("ip_address = '{}'", person.ip);
    assert_eq!(app.count("audit_events", &format!("{address} AND subject_id IS NOT NULL")).await, 0);
    // The address can sign up again.
    assert!(app.guest().sign_in("ada@example.com").await.is_new);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_also_covers_events_before_a_sign_in() {
    let app = TestApp::new().await;
    let eve = app.person("eve@example.com", Role::User).await;
    let mut owner = app.guest();
    owner.headers.insert("user-agent", "Ark/1".parse().unwrap());
    let challenge = owner.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    owner.verify(&challenge, &other_than(&code)).await;
    let ada = SignedIn::read(&owner.verify(&challenge, &code).await);
    let wanted = eve.change("changeEmail", json!({ "email": "ada@example.com" }), "__typename").await;
    assert_eq!(wanted.field("changeEmail")["__typename"], "CodeSent");
    app.guest().challenge("else@example.com").await;
    let label = app.ctx().vault.address_label("ada@example.com");
    let labelled = format!("CAST(detail AS TEXT) LIKE '%{label}%'");
    assert_eq!(
        app.count("audit_events", &labelled).await,
        3,
        "code requested, wrong code, and an email change requested by another user"
    );

    let own = owner.with_bearer(&ada.access);
    own.change("deleteAccount", json!({ "email": "ada@example.com" }), "__typename").await.field("deleteAccount");
    app.clock.pass(30.1 * DAY);
    app.take_statements();
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().people, 1);
    assert_eq!(app.count("audit_events", &labelled).await, 0);
    let of_request = format!("ip_address = '{}' OR user_agent = 'Ark/1'", owner.ip);
    assert_eq!(app.count("audit_events", &of_request).await, 0);
    assert_eq!(app.count("audit_events", "kind IN ('CODE_REQUESTED', 'WRONG_CODE')").await, 4, "the events are kept");
    let hers = format!("kind = 'EMAIL_CHANGE_REQUESTED' AND ip_address = '{}'", eve.ip);
    assert_eq!(app.count("audit_events", &hers).await, 1, "another user's event keeps its data");
    let other = app.ctx().vault.address_label("else@example.com");
    let others = format!("CAST(detail AS TEXT) LIKE '%{other}%' AND ip_address IS NOT NULL");
    assert_eq!(app.count("audit_events", &others).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_is_kept_for_the_configured_time() {
    let app = TestApp::with(|flags| flags.audit_retention = Some("10d".into())).await;
    app.person("ada@example.com", Role::User).await;
    let before = app.count("audit_events", "1 = 1").await;
    app.clock.pass(9.9 * DAY);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().events, 0);
    app.clock.pass(0.2 * DAY);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().events, u64::try_from(before).unwrap());
}
