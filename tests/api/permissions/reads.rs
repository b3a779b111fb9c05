//! Reads every field as every role, on every path of the schema that leads to the field. The server must return allowed
//! fields and hide all others on every path.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{
    fields::{self, Type, Types},
    page::{Column, Page, Side, Word},
    people::{Being, Outcome, being, delete, give_keys, key_of, viewer, wide_limits},
};
use crate::harness::{Answer, Client, TestApp};

/// What a path returns about a hidden user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hidden {
    NotFound,
    Empty,
}

/// A path from a root field to an object of a type.
pub(super) struct Way {
    pub(super) to: &'static str,
    pub(super) root: &'static str,
    /// The query, with placeholders in capitals.
    pub(super) query: &'static str,
    /// JSON pointer to the object in `data`. `*` stands for its index in a list.
    pub(super) path: &'static str,
    hidden: Hidden,
    /// Fields on the path that the caller must be allowed to read, too, as rows of the page.
    gates: &'static [&'static str],
}

const fn way(to: &'static str, root: &'static str, query: &'static str, path: &'static str) -> Way {
    Way { to, root, query, path, hidden: Hidden::NotFound, gates: &[] }
}

impl Way {
    const fn through(self, gates: &'static [&'static str]) -> Self {
        Self { gates, ..self }
    }

    const fn empty_when_hidden(self) -> Self {
        Self { hidden: Hidden::Empty, ..self }
    }
}

pub(super) const WAYS: [Way; 35] = [
    way("User", "me", "me { FIELDS }", "/me"),
    way("User", "user", "user(id: \"USER\") { FIELDS }", "/user"),
    way("User", "user", "user(email: \"EMAIL\") { FIELDS }", "/user"),
    way("User", "users", "users(first: 1, filter: { search: \"EMAIL\" }) { nodes { FIELDS } }", "/users/nodes/0")
        .empty_when_hidden(),
    way("User", "node", "node(id: \"USER\") { ... on User { FIELDS } }", "/node").through(&["User.id"]),
    way(
        "User",
        "_entities",
        "_entities(representations: [{ __typename: \"User\", id: \"USER\" }]) { ... on User { FIELDS } }",
        "/_entities/0",
    ),
    way("User", "users", "users(first: 1, filter: { emailPrefix: \"EMAIL\" }) { nodes { FIELDS } }", "/users/nodes/0")
        .empty_when_hidden(),
    way(
        "User",
        "users",
        "users(last: 1, filter: { emailPrefix: \"EMAIL\" }) { edges { node { FIELDS } } }",
        "/users/edges/0/node",
    )
    .empty_when_hidden(),
    way("User", "node", "node(id: \"SESSION\") { ... on Session { user { FIELDS } } }", "/node/user")
        .through(&["Session.id", "Session.user"]),
    way("User", "node", "node(id: \"EVENT\") { ... on AuditEvent { subject { FIELDS } } }", "/node/subject")
        .through(&["AuditEvent.id", "AuditEvent.subject"]),
    way("User", "node", "node(id: \"EVENT\") { ... on AuditEvent { actor { FIELDS } } }", "/node/actor")
        .through(&["AuditEvent.id", "AuditEvent.actor"]),
    way(
        "User",
        "auditEvents",
        "auditEvents(filter: { kinds: [KIND] subjectId: \"USER\" }) { nodes { subject { FIELDS } } }",
        "/auditEvents/nodes/0/subject",
    )
    .empty_when_hidden()
    .through(&["AuditEvent.id", "AuditEvent.subject"]),
    way(
        "User",
        "auditEvents",
        "auditEvents(first: 100, filter: { kinds: [KIND] }) { nodes { id subject { FIELDS } } }",
        "/auditEvents/nodes/*/subject",
    )
    .empty_when_hidden()
    .through(&["AuditEvent.id", "AuditEvent.subject"]),
    way("Session", "node", "node(id: \"SESSION\") { ... on Session { FIELDS } }", "/node").through(&["Session.id"]),
    way("Session", "user", "user(id: \"USER\") { sessions(first: 1) { nodes { FIELDS } } }", "/user/sessions/nodes/0")
        .through(&["User.sessions", "Session.id"]),
    way(
        "Session",
        "user",
        "user(id: \"USER\") { endedSessions(first: 1) { nodes { FIELDS } } }",
        "/user/endedSessions/nodes/0",
    )
    .through(&["User.endedSessions", "Session.id"]),
    way("Device", "node", "node(id: \"DEVICE\") { ... on Device { FIELDS } }", "/node").through(&["Device.id"]),
    way("Device", "user", "user(id: \"USER\") { devices { FIELDS } }", "/user/devices/0")
        .through(&["User.devices", "Device.id"]),
    way("ApiKey", "node", "node(id: \"KEY\") { ... on ApiKey { FIELDS } }", "/node").through(&["ApiKey.id"]),
    way("ApiKey", "user", "user(id: \"USER\") { apiKeys { FIELDS } }", "/user/apiKeys/0")
        .through(&["User.apiKeys", "ApiKey.id"]),
    way("AuditEvent", "node", "node(id: \"EVENT\") { ... on AuditEvent { FIELDS } }", "/node")
        .through(&["AuditEvent.id"]),
    way("AuditEvent", "user", "user(id: \"USER\") { auditEvents { nodes { FIELDS } } }", "/user/auditEvents/nodes/*")
        .through(&["User.auditEvents", "AuditEvent.id"]),
    way(
        "AuditEvent",
        "auditEvents",
        "auditEvents(first: 100, filter: { kinds: [KIND] }) { nodes { FIELDS } }",
        "/auditEvents/nodes/*",
    )
    .empty_when_hidden()
    .through(&["AuditEvent.id"]),
    // A role that may not see the subject of an event may not filter by it.
    way(
        "AuditEvent",
        "auditEvents",
        "auditEvents(filter: { kinds: [KIND] subjectId: \"USER\" }) { nodes { FIELDS } }",
        "/auditEvents/nodes/*",
    )
    .empty_when_hidden()
    .through(&["AuditEvent.id", "AuditEvent.subject"]),
    way("UserConnection", "users", "users(first: 1, filter: { emailPrefix: \"EMAIL\" }) { FIELDS }", "/users")
        .empty_when_hidden(),
    way("SessionConnection", "user", "user(id: \"USER\") { sessions(first: 1) { FIELDS } }", "/user/sessions")
        .through(&["User.sessions"]),
    way(
        "SessionConnection",
        "user",
        "user(id: \"USER\") { endedSessions(first: 1) { FIELDS } }",
        "/user/endedSessions",
    )
    .through(&["User.endedSessions"]),
    way("AuditEventConnection", "user", "user(id: \"USER\") { auditEvents(first: 1) { FIELDS } }", "/user/auditEvents")
        .through(&["User.auditEvents"]),
    way(
        "AuditEventConnection",
        "auditEvents",
        "auditEvents(first: 1, filter: { kinds: [KIND] }) { FIELDS }",
        "/auditEvents",
    )
    .empty_when_hidden(),
    way(
        "AuditEventConnection",
        "auditEvents",
        "auditEvents(first: 1, filter: { subjectId: \"USER\" }) { FIELDS }",
        "/auditEvents",
    )
    .empty_when_hidden()
    .through(&["AuditEvent.subject"]),
    way(
        "AuditStatistics",
        "auditStatistics",
        "auditStatistics(from: \"FROM\", before: \"BEFORE\") { FIELDS }",
        "/auditStatistics",
    )
    .empty_when_hidden(),
    way("MailQueue", "mailQueue", "mailQueue { FIELDS }", "/mailQueue").empty_when_hidden(),
    way("InboxMessage", "inbox", "inbox(to: \"EMAIL\", first: 1) { FIELDS }", "/inbox/0"),
    way("SignInOptions", "signInOptions", "signInOptions { FIELDS }", "/signInOptions"),
    way("_Service", "_service", "_service { FIELDS }", "/_service"),
];

/// A user, with the ids of their device and events.
pub(super) struct Known<'a> {
    pub(super) being: Being<'a>,
    device: String,
    key: String,
    /// An event that the user caused, and one that an administrator caused about the user. Each with its id and kind.
    pub(super) events: [(String, &'static str); 2],
}

impl Known<'_> {
    /// Fills the placeholders of a query with the ids of this user. `event` is an index into `events`.
    pub(super) fn fill(&self, query: &str, event: usize, fields: &str) -> String {
        let Being { email, is, .. } = &self.being;
        let (event, kind) = &self.events[event];
        #[expect(clippy::disallowed_methods, reason = "the clock of a test starts now, too")]
        let day = |days| (chrono::Utc::now() + chrono::TimeDelta::days(days)).to_rfc3339();
        let names = [
            ("FROM", &day(-1)),
            ("BEFORE", &day(1)),
            ("USER", &is.user),
            ("SESSION", &is.session),
            ("DEVICE", &self.device),
            ("KEY", &self.key),
            ("EVENT", event),
        ];
        let quoted = names.map(|(name, id)| (format!("\"{name}\""), format!("\"{id}\"")));
        let query = quoted.iter().fold(query.to_owned(), |query, (name, id)| query.replace(name, id));
        let query = query.replace("EMAIL", email).replace("[KIND]", &format!("[{kind}]"));
        format!("{{ {} }}", query.replace("FIELDS", fields))
    }
}

pub(super) async fn known<'a>(root: &Being<'_>, being: Being<'a>) -> Known<'a> {
    let input = json!({ "id": being.is.user, "name": "Ada" });
    root.client.change("updateUser", input, "__typename").await.field("updateUser");
    let query = "query($id: ID!) { user(id: $id) { devices { id } auditEvents { nodes { id kind } } } }";
    let answer = root.client.query(query, json!({ "id": being.is.user })).await;
    let user = answer.field("user");
    let event = |kind: &'static str| {
        let event = user["auditEvents"]["nodes"].as_array().unwrap().iter().find(|event| event["kind"] == kind);
        (event.unwrap()["id"].as_str().unwrap().to_owned(), kind)
    };
    let events = [event("SIGNED_IN"), event("USER_CHANGED")];
    let device = user["devices"][0]["id"].as_str().unwrap().to_owned();
    let key = key_of(&device);
    Known { being, device, key, events }
}

/// Gives every user a session that is over. Its id is that of the user's device.
async fn end_sessions(app: &TestApp) {
    app.sql(
        "INSERT INTO sessions (id, user_id, created_at, last_seen_at, idle_expires_at, expires_at, ended_at, \
         end_reason, user_agent, ip_address, refresh_hash) SELECT id, user_id, created_at, created_at, created_at, \
         created_at, created_at, 'SIGNED_OUT', user_agent, ip_address, token_hash FROM devices",
    )
    .await;
    app.sql(
        "INSERT INTO authentications (session_id, method, proof_id, at) SELECT id, 'otp', id, created_at FROM devices",
    )
    .await;
}

#[derive(Default)]
struct Walk {
    cases: usize,
    /// The differences from the page.
    wrong: Vec<String>,
    shown: BTreeSet<(String, Column, Side)>,
}

/// Fields that are always null here: no session is of an application.
fn is_absent(field: &str, side: Side) -> bool {
    field == "Session.clientId" || (field == "User.deletedAt" && side != Side::Deleted)
}

/// Fields that are null for a session that is open. Deleting a user here ends none.
fn is_of_ended(field: &str) -> bool {
    ["Session.endedAt", "Session.endReason"].contains(&field)
}

struct Cast<'a> {
    app: &'a TestApp,
    page: Page,
    types: Types,
    viewers: Vec<(Column, Option<Known<'a>>)>,
    other: Known<'a>,
    deleted: Known<'a>,
}

impl<'a> Cast<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let root = being(app, "root", Role::Admin).await;
        let mut viewers = Vec::new();
        for column in Column::ALL {
            let viewer = match viewer(app, &format!("{column:?}").to_lowercase(), column).await {
                Some(viewer) => Some(known(&root, viewer).await),
                None => None,
            };
            viewers.push((column, viewer));
        }
        let other = known(&root, being(app, "other", Role::User).await).await;
        let deleted = known(&root, being(app, "deleted", Role::User).await).await;
        delete(app, &deleted.being).await;
        app.sql("UPDATE users SET locale = 'de'").await;
        // A password that nothing opens, but with a time. The columns have the same type.
        app.sql(
            "INSERT INTO passwords (user_id, sealed, version, created_at, changed_at) \
             SELECT user_id, token_hash, 1, created_at, created_at FROM devices",
        )
        .await;
        end_sessions(app).await;
        // An email that waits, for `mailQueue`.
        app.guest().challenge("waiting@people.example").await;
        app.clock.pass(1.0);
        give_keys(app).await;
        app.sql("UPDATE api_keys SET expires_at = created_at, last_used_at = created_at, revoked_at = created_at")
            .await;
        Self { app, page: Page::read(), types: fields::of(app).await, viewers, other, deleted }
    }

    fn client(&self, viewer: Option<&Known<'a>>) -> Client<'a> {
        viewer.map_or_else(|| self.app.guest(), |viewer| viewer.being.client.clone())
    }

    /// The user who is the target. `None` for an anonymous caller's own data.
    fn of<'b>(&'b self, viewer: Option<&'b Known<'a>>, side: Side) -> Option<&'b Known<'a>> {
        match side {
            Side::Own => viewer,
            Side::Other => Some(&self.other),
            Side::Deleted => Some(&self.deleted),
        }
    }

    /// Reads every path as every role about every target.
    async fn walk(&self) -> Walk {
        let mut walk = Walk::default();
        for (column, viewer) in &self.viewers {
            for way in &WAYS {
                for side in Side::ALL {
                    // Only events have two cases, see `Known::events`.
                    for event in 0..if way.to == "AuditEvent" { 2 } else { 1 } {
                        self.go(&mut walk, way, (*column, viewer.as_ref()), side, event).await;
                    }
                }
            }
        }
        for (name, row) in &self.page.rows {
            let is_root = ["Query.", "Mutation.", "Subscription."].iter().any(|root| name.starts_with(root));
            for (column, side) in Column::ALL.into_iter().flat_map(|column| Side::ALL.map(|side| (column, side))) {
                let is_promised = !is_root && row.allows(column, side) && !is_absent(name, side);
                if is_promised && !walk.shown.contains(&(name.clone(), column, side)) {
                    walk.wrong.push(format!("{name} as {column:?}, {side:?}: no path leads to the field"));
                }
            }
        }
        walk
    }

    async fn go(
        &self,
        walk: &mut Walk,
        way: &Way,
        (column, viewer): (Column, Option<&Known<'a>>),
        side: Side,
        event: usize,
    ) {
        // `me` needs no target, and an anonymous caller may request it, too.
        let of =
            if way.root == "me" && side == Side::Own { viewer.or(Some(&self.other)) } else { self.of(viewer, side) };
        let Some(of) = of.filter(|_| way.root != "me" || side == Side::Own) else { return };
        let kind = &self.types[way.to];
        let document = of.fill(way.query, event, &selection(kind));
        let answer = self.client(viewer).query(&document, json!({})).await;
        let path = indexed_path(&answer, way.path, &of.events[event].0);
        for field in kind.fields.keys() {
            let inner = if field == "pageInfo" { "/endCursor" } else { "" };
            let found = Outcome::at(&answer, &format!("{path}/{field}{inner}"));
            let expected = self.expected(way, column, side, event, field);
            let name = format!("{}.{field}", way.to);
            walk.cases += 1;
            if found != expected {
                let what = format!("{name} as {column:?}, {side:?}, by {}", way.query);
                walk.wrong.push(format!("{what}: {found:?} instead of {expected:?}: {}", answer.text));
            }
            if found == Outcome::Shown {
                walk.shown.insert((name, column, side));
            }
        }
    }

    /// The outcome of a field at the end of a path according to the permissions page.
    fn expected(&self, way: &Way, column: Column, side: Side, event: usize, field: &str) -> Outcome {
        let root = self.page.row(&format!("Query.{}", way.root));
        if root.says(column, Word::Nobody) {
            return Outcome::forbidden_to(column);
        }
        if root.says(column, Word::Null) {
            return Outcome::Nothing;
        }
        let hidden = || match way.hidden {
            Hidden::NotFound => Outcome::refused("NOT_FOUND"),
            Hidden::Empty => Outcome::Nothing,
        };
        let allows = |row: &&str| self.page.row(row).allows(column, side);
        let by_type = root.says(column, Word::ByType);
        let enters = if by_type { way.gates.first().is_some_and(allows) } else { root.allows(column, side) };
        if !enters {
            return hidden();
        }
        let name = format!("{}.{field}", way.to);
        if self.page.untabled.contains(way.to) {
            return Outcome::Shown;
        }
        let row = self.page.row(&name);
        let is_done_to_them = event == 1;
        // In their own trail, users do not see who else acted on them. Managers see it in the full trail.
        let is_veiled = side == Side::Own && is_done_to_them && row.is_veiled(column) && way.root != "auditEvents";
        // The administrator who caused the event is not deleted, even if the subject is.
        let of = if is_done_to_them && field == "actor" && side == Side::Deleted { Side::Other } else { side };
        let is_shown = way.gates.iter().all(allows) && row.allows(column, of) && !is_veiled;
        let is_absent = is_absent(&name, side) || (is_of_ended(&name) && !way.query.contains("endedSessions"));
        if is_shown && !is_absent { Outcome::Shown } else { Outcome::Nothing }
    }
}

pub(super) fn selection(kind: &Type) -> String {
    let field = |(name, is_composite): (&String, &bool)| match (name.as_str(), is_composite) {
        ("pageInfo", _) => "pageInfo { endCursor }".to_owned(),
        (name, true) => format!("{name} {{ __typename }}"),
        (name, false) => name.to_owned(),
    };
    kind.fields.iter().map(field).collect::<Vec<_>>().join(" ")
}

/// Replaces `*` in the path with the index of the object with this id.
pub(super) fn indexed_path(answer: &Answer, path: &str, id: &str) -> String {
    let Some((list, rest)) = path.split_once("/*") else {
        return path.to_owned();
    };
    let entries = answer.json["data"].pointer(list).and_then(Value::as_array);
    let place = entries.and_then(|entries| entries.iter().position(|entry| entry["id"] == id));
    format!("{list}/{}{rest}", place.unwrap_or(usize::MAX))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_can_read_only_what_the_permissions_page_allows_on_every_path() {
    let app = TestApp::alone(wide_limits).await;
    let cast = Cast::new(&app).await;
    for passes in [0.0, 601.0] {
        app.clock.pass(passes);
        let Walk { cases, wrong, .. } = cast.walk().await;
        assert!(cases > 2_000, "{cases}");
        assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_paths_cover_every_query_and_every_type_of_the_permissions_page() {
    let app = TestApp::alone(wide_limits).await;
    let (page, types) = (Page::read(), fields::of(&app).await);
    for root in types["Query"].fields.keys() {
        assert!(WAYS.iter().any(|way| way.root == root), "{root}: add the paths of this query to WAYS");
    }
    let tabled = page.rows.keys().map(|row| row.split('.').next().unwrap());
    for kind in tabled.filter(|kind| !["Query", "Mutation", "Subscription"].contains(kind)) {
        assert!(WAYS.iter().any(|way| way.to == kind), "{kind}: add the paths to this type to WAYS");
    }
    for name in &types["Node"].possible {
        assert!(
            WAYS.iter().any(|way| way.to == name && way.root == "node"),
            "{name}: add the path through `node` to WAYS"
        );
    }
}

/// An id with the same type and format, of an object that does not exist.
fn unknown_id(id: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(id).unwrap();
    let end = bytes.len() - 4;
    bytes[end..].copy_from_slice(&[7; 4]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The status and body of a response without the request id, for comparison.
fn shape(answer: &Answer) -> (u16, Value) {
    let mut json = answer.json.clone();
    if let Some(id) = json.pointer_mut("/errors/0/extensions/requestId") {
        *id = Value::Null;
    }
    (answer.status.as_u16(), json)
}

const DENIED: &str = "PERMISSION_DENIED";

/// Runs a query. Returns the response, the SQL statements, and the number of recorded denials.
async fn traces(app: &TestApp, client: &Client<'_>, query: &str) -> (Answer, Vec<String>, i32) {
    let before = app.refused(DENIED).await;
    app.take_statements();
    let answer = client.query(query, json!({})).await;
    let statements = app.take_statements();
    (answer, statements, app.refused(DENIED).await - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_id_is_indistinguishable_from_one_that_does_not_exist() {
    let app = TestApp::alone(wide_limits).await;
    let cast = Cast::new(&app).await;
    let mut same = 0;
    for (column, viewer) in &cast.viewers {
        let client = cast.client(viewer.as_ref());
        // Cause a first denial, because it is written immediately. Later ones are only counted.
        client.query("{ users { totalCount } }", json!({})).await;
        for side in [Side::Other, Side::Deleted] {
            let of = cast.of(viewer.as_ref(), side).unwrap();
            let (is, event) = (&of.being.is, &of.events[0].0);
            let kinds = [
                ("User", &is.user),
                ("Session", &is.session),
                ("Device", &of.device),
                ("ApiKey", &of.key),
                ("AuditEvent", event),
            ];
            for (kind, id) in kinds {
                let about = |id: &str| {
                    let mut queries = vec![format!("{{ node(id: \"{id}\") {{ id }} }}")];
                    match kind {
                        "User" => {
                            queries.push(format!("{{ user(id: \"{id}\") {{ id email }} }}"));
                            let one = format!("{{ __typename: \"User\", id: \"{id}\" }}");
                            queries.push(format!("{{ _entities(representations: [{one}]) {{ __typename }} }}"));
                        }
                        "Session" => queries.push(format!(
                            "mutation {{ endSession(input: {{ id: \"{id}\" }}) {{ session {{ id endedAt }} }} }}"
                        )),
                        "Device" => queries
                            .push(format!("mutation {{ forgetDevice(input: {{ id: \"{id}\" }}) {{ deviceId }} }}")),
                        _ => {}
                    }
                    queries
                };
                let is_hidden = !cast.page.row(&format!("{kind}.id")).allows(*column, side);
                for (number, (given, absent)) in about(id).iter().zip(about(&unknown_id(id))).enumerate() {
                    // Only the owner can end a session or forget a device, even if other users can see them.
                    let is_change = given.starts_with("mutation");
                    let (absent, its_statements, its_denials) = traces(&app, &client, &absent).await;
                    let code = if *column == Column::Anonymous { "UNAUTHENTICATED" } else { "NOT_FOUND" };
                    assert_eq!(absent.code(), code, "{kind} {number}");
                    if is_hidden || is_change {
                        let (given, statements, denials) = traces(&app, &client, given).await;
                        let what = format!("{kind} {number} as {column:?}, {side:?}");
                        assert_eq!(shape(&given), shape(&absent), "{what}");
                        assert_eq!(statements, its_statements, "{what}");
                        assert_eq!(denials, its_denials, "{what}");
                        same += 1;
                    }
                }
            }
        }
    }
    assert!(same > 50, "{same}");
}
