//! How requests read their sessions: simultaneous ones share statements.

use std::time::Duration;

use doorcode::db::entity::{sessions, users};
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use tokio::time::timeout;

use super::status_of_me;
use crate::harness::TestApp;

/// The reader names no columns, so each must end up in its own field.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_read_as_it_is_stored() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let ctx = app.ctx();
    let sessions = "UPDATE sessions SET end_reason = 'A', user_agent = 'B', client_id = 'C', successor = refresh_hash, \
                    previous_hash = refresh_hash, parent_id = id, ended_at = expires_at, rotated_at = last_seen_at, \
                    disowned_at = idle_expires_at";
    let users = "UPDATE users SET name = 'D', locale = 'de', version = 7, external_id = 'E', status = 'DELETED', \
                 deleted_at = created_at";
    app.sql(sessions).await;
    app.sql(users).await;
    let (stored, user) =
        sessions::Entity::find().find_also_related(users::Entity).one(ctx.db.read()).await.unwrap().unwrap();
    let read = ctx.sessions.find(stored.id).await.unwrap().unwrap();
    assert_eq!((read.session, Some(read.user)), (stored, user));
    assert_eq!(status_of_me(&guest, &signed_in.access).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_requests_share_statements_and_each_reads_its_own_session() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut people = Vec::new();
    for number in 0..5 {
        let email = format!("person{number}@example.com");
        people.push((guest.sign_in(&email).await.access, email));
    }
    let (ended, _) = people.pop().unwrap();
    guest.with_bearer(&ended).logout().await.field("logout");
    app.take_statements();

    let requests = 200;
    let answers = join_all((0..requests).map(|number| {
        let (access, email) = &people[number % people.len()];
        let person = guest.with_bearer(access);
        async move { (email, person.me().await) }
    }));
    let refused = join_all((0..20).map(|_| status_of_me(&guest, &ended)));
    let (answers, refused) = futures_util::future::join(answers, refused).await;
    for (email, answer) in answers {
        assert_eq!(answer.field("me")["email"], email.as_str());
    }
    assert!(refused.iter().all(|status| *status == 401), "{refused:?}");
    let statements = app.take_statements().len();
    assert!(statements < requests, "{statements}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_does_not_stop_the_look_ups_of_others() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let access = guest.sign_in("ada@example.com").await.access;
    for _ in 0..10 {
        let leave = join_all((0..8).map(|_| timeout(Duration::ZERO, status_of_me(&guest, &access))));
        let stay = join_all((0..8).map(|_| status_of_me(&guest, &access)));
        let (_, stayed) = futures_util::future::join(leave, stay).await;
        assert!(stayed.iter().all(|status| *status == 200), "{stayed:?}");
    }
}
