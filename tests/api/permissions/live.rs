//! Opens subscriptions as every role, as server-sent events over the real router. Checks who may subscribe, and about
//! which users they receive events.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use doorcode::{db::entity::Role, domain::live};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};
use tower::ServiceExt;

use super::{
    fields,
    page::{Column, Page, Row, Side},
    people::{Being, being, delete, viewer, wide_limits},
};
use crate::harness::{SignedIn, TestApp};

/// Time limit for one step. No step takes that long.
const AT_ONCE: Duration = Duration::from_secs(10);

/// An open event stream.
struct Stream {
    body: Body,
    text: String,
}

impl Stream {
    async fn open(app: &TestApp, who: Option<&Being<'_>>, query: &str) -> Self {
        let mut request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream");
        let mut ip = app.guest().ip;
        if let Some(who) = who {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", who.is.access));
            ip = who.client.ip;
        }
        let mut request = request.body(Body::from(json!({ "query": query }).to_string())).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(ip, 40_000)));
        let answer = app.router().oneshot(request).await.unwrap();
        Self { body: answer.into_body(), text: String::new() }
    }

    /// The next event's data, or the single response of a refused request. Panics if nothing arrives.
    async fn next(&mut self) -> Value {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let event = std::mem::replace(&mut self.text, rest);
                match event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    Some(data) => return serde_json::from_str(data).unwrap(),
                    None => continue,
                }
            }
            match timeout(AT_ONCE, self.body.frame()).await.expect("an event arrives") {
                Some(frame) => self.text += std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap(),
                None => return serde_json::from_str(&self.text).expect("a response"),
            }
        }
    }

    /// Waits until the stream is open: it starts with a comment.
    async fn opened(&mut self) {
        let frame = timeout(AT_ONCE, self.body.frame()).await.expect("the stream opens").unwrap().unwrap();
        assert_eq!(&frame.into_data().unwrap()[..], b":\n\n");
    }
}

/// The users of one test. `viewer` subscribes with a first session, and `second` is their other session.
struct Scene<'a> {
    app: &'a TestApp,
    root: Being<'a>,
    column: Column,
    viewer: Option<Being<'a>>,
    second: Option<SignedIn>,
    other: Being<'a>,
    deleted: Being<'a>,
}

impl<'a> Scene<'a> {
    async fn new(app: &'a TestApp, column: Column, name: &str) -> Self {
        let root = being(app, &format!("{name}-root"), Role::Admin).await;
        let viewer = viewer(app, &format!("{name}-viewer"), column).await;
        let second = match &viewer {
            Some(viewer) => Some(app.guest().sign_in(&viewer.email).await),
            None => None,
        };
        let other = being(app, &format!("{name}-other"), Role::User).await;
        let deleted = being(app, &format!("{name}-deleted"), Role::User).await;
        delete(app, &deleted).await;
        Self { app, root, column, viewer, second, other, deleted }
    }

    /// Opens a subscription. Returns `None` if the server refuses it, which must match the page.
    async fn listens(&self, row: &Row, query: &str) -> Option<Stream> {
        let mut stream = Stream::open(self.app, self.viewer.as_ref(), query).await;
        if Side::ALL.iter().any(|side| row.allows(self.column, *side)) {
            stream.opened().await;
            return Some(stream);
        }
        let code = if self.column == Column::Anonymous { "UNAUTHENTICATED" } else { "FORBIDDEN" };
        let refused = stream.next().await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], code, "{query} as {:?}: {refused}", self.column);
        assert!(refused["data"].as_object().is_none_or(|data| data.values().all(Value::is_null)), "{refused}");
        None
    }

    /// Ends a session of the deleted user, of another user and of the viewer, in this order.
    async fn end_sessions(&self) -> Vec<(Side, String)> {
        for who in [&self.deleted, &self.other] {
            let input = json!({ "id": who.is.user });
            self.root.client.change("endUserSessions", input, "count").await.field("endUserSessions");
            self.app.clock.pass(1.0);
        }
        let mut ended = vec![(Side::Deleted, &self.deleted.is), (Side::Other, &self.other.is)];
        if let (Some(viewer), Some(second)) = (&self.viewer, &self.second) {
            let input = json!({ "id": second.session });
            viewer.client.change("endSession", input, "__typename").await.field("endSession");
            ended.push((Side::Own, second));
        }
        ended.into_iter().map(|(side, is)| (side, is.session.clone())).collect()
    }
}

async fn listen(app: &TestApp, column: Column, is_stale: bool) {
    let page = Page::read();
    let scene = Scene::new(app, column, &format!("{column:?}-{is_stale}").to_lowercase()).await;
    if is_stale {
        app.clock.pass(601.0);
    }
    let (own, all) = (page.row("Subscription.sessionEnded"), page.row("Subscription.auditEventAdded"));
    assert!(!own.recent && !all.recent, "no subscription here needs a recent sign-in");
    let mut ends = scene.listens(own, "subscription { sessionEnded { id } }").await;
    let filter = "filter: { kinds: [SESSION_ENDED] }";
    let query = format!("subscription {{ auditEventAdded({filter}) {{ detail subject {{ id }} }} }}");
    let mut events = scene.listens(all, &query).await;
    let ended = scene.end_sessions().await;
    // The sessions end in an order that causes hidden events first. If one were sent, it would be the first event here.
    if let Some(stream) = &mut ends {
        for (_, session) in ended.iter().filter(|(side, _)| own.allows(column, *side)) {
            let heard = stream.next().await;
            assert_eq!(heard["data"]["sessionEnded"]["id"], session.as_str(), "{column:?}: {heard}");
        }
    }
    if let Some(stream) = &mut events {
        let people = [&scene.deleted, &scene.other].map(|who| who.is.user.as_str());
        let people = people.into_iter().chain(scene.viewer.as_ref().map(|viewer| viewer.is.user.as_str()));
        for ((side, _), user) in ended.iter().zip(people).filter(|((side, _), _)| all.allows(column, *side)) {
            let heard = stream.next().await;
            let subject = page.row("AuditEvent.subject").allows(column, *side).then_some(user);
            assert!(heard["errors"].is_null(), "{heard}");
            assert_eq!(heard["data"]["auditEventAdded"]["subject"]["id"].as_str(), subject, "{column:?}: {heard}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_see_the_label_of_an_address() {
    let app = TestApp::alone(wide_limits).await;
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(live::run(Arc::clone(&app.app.ctx), stopped));
    for (column, role, shown) in [(Column::Manager, Role::Manager, false), (Column::Admin, Role::Admin, true)] {
        let viewer = being(&app, &format!("{column:?}").to_lowercase(), role).await;
        let query = "subscription { auditEventAdded(filter: { kinds: [CODE_REQUESTED] }) { id detail } }";
        let mut stream = Stream::open(&app, Some(&viewer), query).await;
        stream.opened().await;
        let label = app.ctx().vault.address_label("ada@example.com");
        app.guest().challenge("ada@example.com").await;
        let heard = stream.next().await["data"]["auditEventAdded"].clone();
        let list = "{ auditEvents(first: 1, filter: { kinds: [CODE_REQUESTED] }) { nodes { id detail } } }";
        let list = viewer.client.query(list, json!({})).await;
        let node = "query($id: ID!) { node(id: $id) { ... on AuditEvent { id detail } } }";
        let node = viewer.client.query(node, json!({ "id": heard["id"] })).await;
        for event in [&heard, &list.field("auditEvents")["nodes"][0], node.field("node")] {
            assert_eq!(event["id"], heard["id"]);
            assert_eq!(event["detail"]["address"].as_str(), shown.then_some(label.as_str()), "{column:?}: {event}");
            assert!(event["detail"]["challenge"].is_string(), "{event}");
        }
        // The user's own trail must not contain the label either.
        let wanted = json!({ "email": format!("{}-new@people.example", viewer.email.split_once('@').unwrap().0) });
        viewer.client.change("changeEmail", wanted, "__typename").await.field("changeEmail");
        let own = "{ me { auditEvents(first: 1) { nodes { kind detail } } } }";
        let own = viewer.client.query(own, json!({})).await.field("me")["auditEvents"]["nodes"][0].clone();
        assert_eq!(own["kind"], "EMAIL_CHANGE_REQUESTED");
        assert!(own["detail"]["challenge"].is_string() && own["detail"]["address"].is_null(), "{own}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_receives_only_the_events_that_the_permissions_page_allows() {
    let app = TestApp::alone(wide_limits).await;
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(live::run(Arc::clone(&app.app.ctx), stopped));
    let types = fields::of(&app).await;
    let known: Vec<_> = types["Subscription"].fields.keys().collect();
    assert_eq!(known, ["auditEventAdded", "sessionEnded"], "add the events of the new subscription here");
    for column in Column::ALL {
        for is_stale in [false, true] {
            listen(&app, column, is_stale).await;
        }
    }
}
