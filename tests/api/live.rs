//! Subscriptions over real sockets: who receives which events, for how long, and which events are never sent.

mod bounds;
mod bus;
mod events;
mod protocol;
mod wire;

use std::sync::Arc;

use doorcode::{
    db::entity::{Role, UserStatus},
    domain::{
        audit::{self, Event, Kind},
        transaction::Work,
    },
};
use serde_json::json;
use tokio::sync::watch;

use crate::harness::TestApp;
use wire::{Served, Socket, SocketEvent, run_live};

const EVENTS: &str = "subscription { auditEventAdded { kind subject { email } actor { email } detail } }";
const ENDED: &str = "subscription { sessionEnded { id endedAt current user { email } } }";

fn complete(id: &str) -> SocketEvent {
    SocketEvent::Said(json!({ "id": id, "type": "complete" }))
}

/// Reads events until one of this kind arrives. Panics if none arrives in time.
async fn event_of(socket: &mut Socket, kind: &str) -> serde_json::Value {
    loop {
        let heard = socket.hear().await;
        let event = &heard.data("e")["auditEventAdded"];
        if event["kind"] == kind {
            return event.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_receives_events_of_another_replica() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let replica = app.replica().await;
    let (_stop, stopped) = watch::channel(false);
    run_live(&replica.app.ctx, &stopped);
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.socket(&manager.signed_in.access).await;
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    // The connection between two replicas takes a moment. Events before that are only in the audit trail.
    crate::harness::eventually("the bus is open", async || {
        app.guest().via(&replica).login("first@example.com").await;
        socket.hear_within(std::time::Duration::from_millis(100)).await != SocketEvent::Nothing
    })
    .await;
    let person = app.person("someone@example.com", Role::User).await;
    person.via(&replica).logout().await.field("logout");
    let event = event_of(&mut socket, "SIGNED_OUT").await;
    assert_eq!(event["subject"]["email"], "someone@example.com");
    assert_eq!(event["actor"]["email"], "someone@example.com");
    assert_eq!(event["detail"]["reason"], "SIGNED_OUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ended_elsewhere_gets_an_event_and_its_socket_closes() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let here = app.person("owner@example.com", Role::User).await;
    let there = app.guest().sign_in("owner@example.com").await;
    let third = app.guest().sign_in("owner@example.com").await;
    let mut socket = served.socket(&there.access).await;
    socket.subscribe("s", ENDED).await;
    let mut stranger = served.socket(&app.person("stranger@example.com", Role::Admin).await.signed_in.access).await;
    stranger.subscribe("s", ENDED).await;
    for socket in [&mut socket, &mut stranger] {
        socket.settle().await;
    }

    let end = |id: &str| json!({ "id": id });
    here.change("endSession", end(&third.session), "session { id }").await.field("endSession");
    let heard = socket.hear().await;
    let ended = &heard.data("s")["sessionEnded"];
    assert_eq!((&ended["id"], &ended["current"]), (&json!(third.session), &json!(false)));
    assert!(ended["endedAt"].is_string() && ended["user"]["email"] == "owner@example.com", "{ended}");
    socket.hears_nothing().await;

    app.clock.pass(1.0);
    here.change("endSession", end(&there.session), "session { id }").await.field("endSession");
    let heard = socket.hear().await;
    let ended = &heard.data("s")["sessionEnded"];
    assert_eq!((&ended["id"], &ended["current"]), (&json!(there.session), &json!(true)));
    assert!(ended["endedAt"].is_string());
    assert_eq!(socket.hear().await, complete("s"));
    assert_eq!(socket.hear().await, SocketEvent::Closed(4401));
    stranger.hears_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspended_users_and_users_with_a_new_role_get_no_more_events() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let suspended = app.person("suspended@example.com", Role::Manager).await;
    let lowered = app.person("lowered@example.com", Role::Manager).await;
    let mut suspended = served.socket(&suspended.signed_in.access).await;
    let mut lowered = served.socket(&lowered.signed_in.access).await;
    for socket in [&mut suspended, &mut lowered] {
        socket.subscribe("e", EVENTS).await;
        socket.settle().await;
    }
    app.set_role("lowered@example.com", Role::User).await;
    assert_eq!(lowered.hear().await, complete("e"), "not even the event of the role change");
    assert_eq!(lowered.hear().await, SocketEvent::Closed(4403), "the user needs a new token, but not a new sign-in");
    assert_eq!(event_of(&mut suspended, "USER_CHANGED").await["subject"]["email"], "lowered@example.com");

    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    assert_eq!(suspended.hear().await, complete("e"));
    assert_eq!(suspended.hear().await, SocketEvent::Closed(4401));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_closes_its_socket_but_an_expired_token_does_not() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("idle@example.com", Role::Manager).await;
    let mut socket = served.socket(&person.signed_in.access).await;
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    app.clock.pass(3_600.0);
    assert_eq!(person.me().await.code(), "UNAUTHENTICATED", "the token has expired");
    app.guest().sign_in("idle@example.com").await;
    event_of(&mut socket, "SIGNED_IN").await;
    socket.subscribe("s", ENDED).await;
    socket.settle().await;

    app.clock.pass(8.0 * 86_400.0);
    app.guest().sign_in("idle@example.com").await;
    let mut last = socket.hear().await;
    while matches!(&last, SocketEvent::Said(message) if message["type"] == "next" || message["type"] == "complete") {
        if let SocketEvent::Said(message) = &last {
            let kind = &message["payload"]["data"]["auditEventAdded"]["kind"];
            assert_ne!(kind, "SIGNED_IN", "no event of the user after the session ended");
        }
        last = socket.hear().await;
    }
    assert_eq!(last, SocketEvent::Closed(4401));
}

#[tokio::test(flavor = "multi_thread")]
async fn rolled_back_events_are_never_sent() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.socket(&manager.signed_in.access).await;
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    let ctx = app.ctx();
    let work = Work::begin(ctx).await.unwrap();
    let event = |kind| Event { kind, origin: None, actor: None, subject: None, detail: json!({}), email: None };
    audit::record(ctx, &work, ctx.now(), &[event(Kind::KeyRotated)]).await.unwrap();
    drop(work);
    socket.hears_nothing().await;
    let work = Work::begin(ctx).await.unwrap();
    audit::record(ctx, &work, ctx.now(), &[event(Kind::DataExported)]).await.unwrap();
    work.commit(ctx).await.unwrap();
    assert_eq!(socket.hear().await.data("e")["auditEventAdded"]["kind"], "DATA_EXPORTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_managers_get_events_of_others_and_denials_are_recorded() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    for role in [Role::Guest, Role::User] {
        let email = format!("{role:?}@example.com").to_lowercase();
        let person = app.person(&email, role).await;
        let mut socket = served.socket(&person.signed_in.access).await;
        socket.subscribe("e", EVENTS).await;
        assert_eq!(socket.hear().await.error("e"), "FORBIDDEN");
        socket.subscribe("s", ENDED).await;
        socket.settle().await;
    }
    assert_eq!(app.count("audit_events", "kind = 'PERMISSION_DENIED'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_filters_match_list_filters() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let wanted = app.person("wanted@example.com", Role::User).await;
    let other = app.person("other@example.com", Role::User).await;
    let mut socket = served.socket(&manager.signed_in.access).await;
    let query = "subscription($f: AuditFilter) { auditEventAdded(filter: $f) { kind subject { email } } }";
    let filter = json!({ "kinds": ["SIGNED_OUT", "WRONG_CODE"], "subjectId": wanted.signed_in.user });
    socket.subscribe_with("e", query, json!({ "f": filter })).await;
    socket.subscribe_with("bad", query, json!({ "f": { "subjectId": wanted.signed_in.session } })).await;
    assert_eq!(socket.hear().await.error("bad"), "BAD_USER_INPUT");
    other.logout().await.field("logout");
    app.set_status("wanted@example.com", UserStatus::Suspended).await;
    app.set_status("wanted@example.com", UserStatus::Active).await;
    app.guest().with_bearer(&app.guest().sign_in("wanted@example.com").await.access).logout().await.field("logout");
    let heard = socket.hear().await;
    assert_eq!(heard.data("e")["auditEventAdded"]["kind"], "SIGNED_OUT");
    assert_eq!(heard.data("e")["auditEventAdded"]["subject"]["email"], "wanted@example.com");
    socket.hears_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_filters_do_not_reveal_hidden_users_to_managers() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let gone = app.person("gone@example.com", Role::User).await;
    let query = "subscription($f: AuditFilter) { auditEventAdded(filter: $f) { kind subject { email } } }";
    let mut sockets = Vec::new();
    for (who, filter) in [
        (&admin, json!({ "subjectId": gone.signed_in.user })),
        (&manager, json!({ "kinds": ["USER_DELETED", "USER_CHANGED"] })),
        (&manager, json!({ "subjectId": gone.signed_in.user })),
        (&manager, json!({ "actorId": admin.signed_in.user, "subjectId": gone.signed_in.user })),
        (&manager, json!({ "actorId": gone.signed_in.user })),
    ] {
        let mut socket = served.socket(&who.signed_in.access).await;
        socket.subscribe_with("e", query, json!({ "f": filter })).await;
        socket.settle().await;
        sockets.push(socket);
    }
    let id = json!({ "id": gone.signed_in.user });
    let changed = json!({ "id": gone.signed_in.user, "name": "Gone" });
    admin.change("updateUser", changed, "__typename").await.field("updateUser");
    for (number, socket) in sockets.iter_mut().take(4).enumerate() {
        assert_eq!(event_of(socket, "USER_CHANGED").await["subject"]["email"], "gone@example.com", "{number}");
    }
    admin.change("deleteUser", id, "__typename").await.field("deleteUser");
    for (socket, subject) in sockets.iter_mut().zip([json!({ "email": "gone@example.com" }), json!(null)]) {
        assert_eq!(event_of(socket, "USER_DELETED").await["subject"], subject);
    }
    for socket in sockets.iter_mut().skip(2) {
        socket.hears_nothing().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_subscribers_events_cost_no_extra_statement() {
    let app = TestApp::new().await;
    let _served = Served::new(&app.app.ctx).await;
    let person = app.person("quiet@example.com", Role::User).await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    app.take_statements();
    person.logout().await.field("logout");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let statements = app.take_statements();
    assert_eq!(statements.len(), 3, "{statements:#?}");
    assert!(Arc::strong_count(&app.app.ctx) > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missed_session_end_is_noticed_within_thirty_seconds() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await;
    let mut socket = served.socket(&person.signed_in.access).await;
    socket.subscribe("s", ENDED).await;
    socket.settle().await;
    let now = app.ctx().now().to_rfc3339();
    app.sql(&format!("UPDATE sessions SET ended_at = '{now}'")).await;
    let heard = socket.hear_within(std::time::Duration::from_secs(35)).await;
    assert_eq!(heard.data("s")["sessionEnded"]["id"], person.signed_in.session);
    assert_eq!(socket.hear().await, complete("s"));
    assert_eq!(socket.hear().await, SocketEvent::Closed(4401));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_by_network_and_address_apply_live_and_hide_deleted_users() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.guest().at_ip("203.0.113.7").sign_in("ada@example.com").await;
    let mut sockets = Vec::new();
    for who in [&manager, &admin] {
        let mut socket = served.socket(&who.signed_in.access).await;
        socket
            .subscribe("e", "subscription { auditEventAdded(filter: { network: \"203.0.113.0/24\" }) { kind } }")
            .await;
        socket.settle().await;
        sockets.push(socket);
    }
    app.guest().at_ip("203.0.114.7").login("bob@example.com").await;
    app.guest().at_ip("203.0.113.8").login("bob@example.com").await;
    for socket in &mut sockets {
        assert_eq!(socket.hear().await.data("e")["auditEventAdded"]["kind"], "CODE_REQUESTED");
        socket.hears_nothing().await;
    }
    app.sql("UPDATE users SET status = 'DELETED', deleted_at = updated_at WHERE email = 'ada@example.com'").await;
    app.guest().at_ip("203.0.113.7").refresh(&ada.refresh).await;
    let input = json!({ "refreshToken": ada.refresh });
    let out = "__typename ... on LoggedOut { sessionId }";
    let out = app.guest().at_ip("203.0.113.7").change("logout", input, out).await;
    assert_eq!(out.field("logout")["__typename"], "LoggedOut");
    assert_eq!(sockets[1].hear().await.data("e")["auditEventAdded"]["kind"], "SIGNED_OUT");
    sockets[0].hears_nothing().await;

    let mut socket = served.socket(&manager.signed_in.access).await;
    socket.subscribe("e", "subscription { auditEventAdded(filter: { email: \"ada@example.com\" }) { kind } }").await;
    let heard = format!("{:?}", socket.hear().await);
    assert!(heard.contains("FORBIDDEN"), "{heard}");
}
