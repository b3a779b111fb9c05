//! Requests that were authenticated before the account was taken back or its user signed out, but run afterwards. They
//! must change nothing.

use doorcode::{
    db::entity::Role,
    domain::{
        access::{Admin, Member, Recent, Viewer},
        transaction::Work,
        user::{
            manage::{self, By, Change},
            profile::{self, Profile},
        },
    },
    error::{Error, Result},
};
use sea_orm::ConnectionTrait;
use serde_json::json;

use super::{
    email_change::change,
    undo::{outcome, stale_viewer, stolen},
};
use crate::harness::{TestApp, on_servers};

async fn delete_own(app: &TestApp, viewer: &Viewer, typed: &str) -> Result<manage::Changed> {
    let member = Member::require(app.ctx(), viewer, "deleteAccount").await.unwrap();
    let person = Recent::require(app.ctx(), member, "deleteAccount").await.unwrap();
    manage::delete(app.ctx(), By::Owner { person, typed }, member.user().id, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_deletion_does_not_survive_taking_the_account_back() {
    let app = TestApp::new().await;
    let (thief, token) = stolen(&app).await;
    let stale = stale_viewer(&app, &thief).await;
    assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone");
    for typed in ["thief@example.com", "old@example.com"] {
        assert!(matches!(delete_own(&app, &stale, typed).await, Err(Error::Unauthenticated)));
    }
    let member = Member::require(app.ctx(), &stale, "updateProfile").await.unwrap();
    let renamed = profile::update(app.ctx(), member, Profile::default()).await;
    assert!(matches!(renamed, Err(Error::Unauthenticated)));
    assert_eq!(app.count("users", "email = 'old@example.com' AND status = 'ACTIVE'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_waiting_for_the_row_notices_that_its_session_ended() {
    let app = TestApp::new().await;
    let (thief, _) = stolen(&app).await;
    let stale = stale_viewer(&app, &thief).await;
    // Lock the rows in the same order as taking an account back does: first the user, then the sessions.
    let back = Work::begin(app.ctx()).await.unwrap();
    back.execute_unprepared("UPDATE users SET email = 'old@example.com'").await.unwrap();
    let finish = async {
        let waiting = "datname = current_database() AND wait_event_type = 'Lock'";
        while on_servers() && app.count("pg_stat_activity", waiting).await == 0 {
            tokio::task::yield_now().await;
        }
        back.execute_unprepared("UPDATE sessions SET ended_at = created_at").await.unwrap();
        back.commit(app.ctx()).await.unwrap();
    };
    let (deleted, ()) = tokio::join!(delete_own(&app, &stale, "old@example.com"), finish);
    assert!(matches!(deleted, Err(Error::Unauthenticated)));
    assert_eq!(app.count("users", "status = 'ACTIVE'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_during_an_undo_leaves_the_account_to_its_owner() {
    for _ in 0..8 {
        let app = TestApp::new().await;
        let (thief, token) = stolen(&app).await;
        app.clock.pass(1.0);
        let guest = app.guest();
        let deletion = thief.change("deleteAccount", json!({ "email": "thief@example.com" }), "__typename");
        let (deleted, undone) = tokio::join!(deletion, outcome(&guest, &token));
        assert_eq!(undone, "EmailChangeUndone");
        let left = app.count("users", "email = 'old@example.com' AND status = 'ACTIVE'").await;
        assert_eq!(left, 1, "{}", deleted.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_compares_the_typed_address_with_the_current_one() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    let stale = stale_viewer(&app, &person).await;
    change(&app, &person, "new@example.com").await;
    let deleted = delete_own(&app, &stale, "old@example.com").await;
    assert!(matches!(deleted, Err(Error::Invalid(_))));
    assert_eq!(app.count("users", "status = 'ACTIVE'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_signed_out_mid_request_changes_no_user() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let other = app.person("other@example.com", Role::Admin).await;
    let stale = stale_viewer(&app, &admin).await;
    admin.logout().await.field("logout");
    let proof = Admin::require(app.ctx(), &stale, "updateUser").await.unwrap();
    let by = By::Admin(Recent::require(app.ctx(), proof, "updateUser").await.unwrap());
    let id = stale_viewer(&app, &other).await.session().unwrap().user.id;
    let demotion = Change { role: Some(Role::User), ..Change::default() };
    assert!(matches!(manage::change(app.ctx(), by, id, demotion).await, Err(Error::Unauthenticated)));
    assert!(matches!(manage::delete(app.ctx(), by, id, None).await, Err(Error::Unauthenticated)));
    assert_eq!(app.count("users", "role = 'ADMIN' AND status = 'ACTIVE'").await, 2);
}
