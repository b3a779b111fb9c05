//! The audit trail: how many writes refusals cause, how they are counted, and when rows are removed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{
    db::entity::{Role, audit_events},
    domain::{
        access::Origin,
        audit::{self, refusals},
        housekeeping,
    },
    ports::Clock,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

const DAY: f64 = 86_400.0;
const USER: &str = "query($id: ID!) { user(id: $id) { id } }";

async fn events(app: &TestApp, kind: &str) -> Vec<audit_events::Model> {
    let events = audit_events::Entity::find().filter(audit_events::Column::Kind.eq(kind));
    events.all(app.ctx().db.read()).await.unwrap()
}

/// The value of `count` in each audit row of this kind.
async fn counts(app: &TestApp, kind: &str) -> Vec<i32> {
    events(app, kind).await.iter().map(|event| event.count).collect()
}

/// The number of statements since the last call that wrote to the audit trail.
fn writes(app: &TestApp) -> usize {
    app.take_statements().iter().filter(|sql| !sql.starts_with("SELECT") && sql.contains("audit_events")).count()
}

/// Requests a user that the caller may not see, twenty times in one operation.
async fn ask_twenty_times(person: &Client<'_>, id: &str) {
    let fields: Vec<_> = (0..20).map(|number| format!("a{number}: user(id: $id) {{ id }}")).collect();
    let query = format!("query($id: ID!) {{ {} }}", fields.join(" "));
    let answer = person.query(&query, json!({ "id": id })).await;
    assert_eq!(
        answer.json["errors"].as_array().unwrap().len(),
        10,
        "a response lists at most ten errors: {}",
        answer.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_denials_cost_one_write_and_are_all_counted() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    writes(&app);
    for _ in 0..3 {
        ask_twenty_times(&person, &admin.signed_in.user).await;
    }
    assert_eq!(writes(&app), 1);
    assert_eq!(counts(&app, "PERMISSION_DENIED").await, [1], "the first denial is written immediately");
    writes(&app);
    refusals::write_counts(app.ctx()).await.unwrap();
    refusals::write_counts(app.ctx()).await.unwrap();
    assert_eq!(writes(&app), 1, "each count is written once");
    assert_eq!(counts(&app, "PERMISSION_DENIED").await, [60]);
    app.clock.pass(3_601.0);
    let refreshed = person.refresh(&person.signed_in.refresh).await;
    let person = person.with_bearer(refreshed["tokens"]["accessToken"].as_str().unwrap());
    ask_twenty_times(&person, &admin.signed_in.user).await;
    assert_eq!(counts(&app, "PERMISSION_DENIED").await, [60, 1], "each hour has a separate row");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_rate_limit_refusals_cost_one_write() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..3 {
        guest.login("ada@example.com").await;
    }
    writes(&app);
    for _ in 0..7 {
        assert_eq!(guest.login("ada@example.com").await["__typename"], "RateLimited");
    }
    assert_eq!(writes(&app), 1);
    housekeeping::finish(app.ctx()).await;
    assert_eq!(counts(&app, "LIMIT_REFUSED").await, [7], "the last refusals are counted after a caller stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_with_expired_codes_and_links_are_counted_in_one_row_per_hour() {
    let app = TestApp::new().await;
    let (guest, other) = (app.guest(), app.guest());
    let challenge = guest.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    guest.verify(&challenge, &code).await;
    assert_eq!(counts(&app, "EXPIRED_CODE").await, [] as [i32; 0], "a successful sign-in is not a refusal");
    writes(&app);
    for challenge in [&challenge, "AAAAAAAAAAAAAAAAAAAAAA", "no challenge at all"] {
        assert_eq!(guest.verify(challenge, &code).await["__typename"], "CodeExpired");
    }
    assert_eq!(guest.verify_link("nothing").await["__typename"], "CodeExpired");
    assert_eq!(other.verify(&challenge, &code).await["__typename"], "CodeExpired");
    assert_eq!(writes(&app), 2, "one write for codes, one for links");
    housekeeping::finish(app.ctx()).await;
    assert_eq!(counts(&app, "EXPIRED_CODE").await, [4, 1]);
    let event = &events(&app, "EXPIRED_CODE").await[0];
    assert_eq!(
        (&event.ip_address, &event.subject_id),
        (&None, &None),
        "a row that counts several users names none of them"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counts_of_all_replicas_add_up_in_one_row() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    for person in [&*person, &person.via(&replica)] {
        ask_twenty_times(person, &admin.signed_in.user).await;
    }
    for ctx in [app.ctx(), &replica.app.ctx] {
        refusals::write_counts(ctx).await.unwrap();
    }
    assert_eq!(counts(&app, "PERMISSION_DENIED").await, [40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_could_not_be_written_is_counted_later() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    let id = json!({ "id": admin.signed_in.user });
    app.sql("ALTER TABLE audit_events RENAME TO elsewhere").await;
    assert_eq!(person.query(USER, id.clone()).await.code(), "INTERNAL");
    refusals::write_counts(app.ctx()).await.unwrap_err();
    app.sql("ALTER TABLE elsewhere RENAME TO audit_events").await;
    assert_eq!(person.query(USER, id).await.code(), "NOT_FOUND");
    refusals::write_counts(app.ctx()).await.unwrap();
    assert_eq!(counts(&app, "PERMISSION_DENIED").await, [2]);
}

/// An id with the same type as this one, of an object that does not exist.
fn unknown_id(id: &Value) -> String {
    let kind = &URL_SAFE_NO_PAD.decode(id.as_str().unwrap()).unwrap()[..1];
    URL_SAFE_NO_PAD.encode([kind, &[7; 16]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_another_users_objects_are_recorded() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    let own = "{ me { sessions(first: 1) { nodes { id } } devices { id } auditEvents(first: 1) { nodes { id } } } }";
    let own = person.query(own, json!({})).await.field("me").clone();
    let ids = [&own["sessions"]["nodes"][0]["id"], &own["devices"][0]["id"], &own["auditEvents"]["nodes"][0]["id"]];
    for (number, id) in ids.into_iter().enumerate() {
        let stranger = app.person(&format!("stranger{number}@example.com"), Role::User).await;
        let node = "query($id: ID!) { node(id: $id) { id } }";
        assert_eq!(person.query(node, json!({ "id": id })).await.field("node")["id"], *id);
        assert_eq!(stranger.query(node, json!({ "id": id })).await.code(), "NOT_FOUND");
        let other = app.person(&format!("other{number}@example.com"), Role::User).await;
        assert_eq!(other.query(node, json!({ "id": unknown_id(id) })).await.code(), "NOT_FOUND");
        let denied = events(&app, "PERMISSION_DENIED").await;
        assert_eq!(denied.len(), 2 * (number + 1), "{id}: a request for an unknown id is recorded, too");
        assert!(denied.iter().all(|event| event.detail == json!({ "field": "node" })));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_denied_fields_are_counted_in_one_row_per_hour() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    app.clock.pass(601.0);
    let denied = [
        (r#"mutation { createUser(input: { email: "a@example.com" }) { __typename } }"#, "FORBIDDEN"),
        ("{ users { totalCount } }", "FORBIDDEN"),
        ("{ auditEvents { totalCount } }", "FORBIDDEN"),
        ("mutation { exportData { __typename } }", "REAUTHENTICATION_REQUIRED"),
    ];
    for (query, code) in denied {
        assert_eq!(person.query(query, json!({})).await.code(), code, "{query}");
    }
    let hidden = json!({ "id": admin.signed_in.user });
    assert_eq!(person.query(USER, hidden).await.code(), "NOT_FOUND");
    refusals::write_counts(app.ctx()).await.unwrap();
    let noted = events(&app, "PERMISSION_DENIED").await;
    assert_eq!((noted.len(), noted[0].count), (1, 5));
    assert_eq!(noted[0].detail, json!({ "field": "createUser" }), "the row names the first denied field");
}

/// Records this many refusals from a network, each with a different rate limit key.
async fn refuse(app: &TestApp, ip: &str, times: usize) {
    let origin = Origin { ip: ip.parse().unwrap(), user_agent: None, request_id: "r".into(), session: None };
    for number in 0..times {
        let key = format!("{ip} {number}");
        let window = std::time::Duration::from_mins(1);
        audit::record_refusal(app.ctx(), app.clock.now(), &origin, "verify.network", &key, window).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_adds_a_bounded_number_of_audit_rows_per_hour() {
    let app = TestApp::new().await;
    let [person, other] =
        [app.person("ada@example.com", Role::User).await, app.person("bob@example.com", Role::User).await];
    refuse(&app, &person.ip.to_string(), 120).await;
    let users = "{ users { totalCount } }";
    for person in [&person, &other] {
        assert_eq!(person.query(users, json!({})).await.code(), "FORBIDDEN");
    }
    refusals::write_counts(app.ctx()).await.unwrap();
    let refused = counts(&app, "LIMIT_REFUSED").await;
    assert_eq!((refused.len(), refused.iter().sum::<i32>()), (101, 120), "no refusal is lost");
    let shared = events(&app, "LIMIT_REFUSED").await.into_iter().find(|event| event.count > 1).unwrap();
    assert_eq!((shared.count, shared.detail), (20, json!({ "several": true })));
    let denied = events(&app, "PERMISSION_DENIED").await;
    let named: Vec<_> = denied.iter().map(|event| (event.subject_id.is_some(), event.actor_id.is_some())).collect();
    assert_eq!(named, [(false, false), (true, true)], "another network has a separate row");

    app.clock.pass(7_201.0);
    refuse(&app, &person.ip.to_string(), 1).await;
    let latest = counts(&app, "LIMIT_REFUSED").await;
    assert_eq!(latest.len(), 102, "the limit starts again in another hour");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_prefix_adds_a_bounded_number_of_audit_rows() {
    let app = TestApp::new().await;
    let prefix = app.v6_prefix();
    for number in 0..5 {
        refuse(&app, &format!("{prefix}:{number}::1"), 100).await;
        refuse(&app, &format!("{prefix}:{number}::2"), 10).await;
    }
    let rows = counts(&app, "LIMIT_REFUSED").await.len();
    assert_eq!(
        rows,
        400 + 3 + 1,
        "four times the limit of a /64 for the /56, a shared row for each of the three /64s over their limit, and one for the /56"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_need_a_more_recent_sign_in_are_recorded() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    app.clock.pass(601.0);
    for _ in 0..2 {
        let refused = person.query("mutation { exportData { __typename } }", json!({})).await;
        assert_eq!(refused.code(), "REAUTHENTICATION_REQUIRED");
    }
    refusals::write_counts(app.ctx()).await.unwrap();
    let noted = events(&app, "PERMISSION_DENIED").await;
    assert_eq!((noted.len(), noted[0].count), (1, 2));
    assert_eq!(noted[0].detail, json!({ "field": "exportData", "reason": "reauthentication" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn profile_changes_and_exports_are_rate_limited() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    let rename = async |number: u32| {
        let changed = person.change("updateProfile", json!({ "name": format!("Ada {number}") }), "__typename").await;
        changed.field("updateProfile")["__typename"].clone()
    };
    let export = async |person: &Client<'_>| -> Value {
        let query = "mutation { exportData { __typename ... on RateLimited { message retryAfter } } }";
        person.query(query, json!({})).await.field("exportData").clone()
    };
    for number in 0..20 {
        assert_eq!(rename(number).await, "ProfileUpdated");
    }
    assert_eq!(rename(20).await, "RateLimited");
    for _ in 0..3 {
        assert_eq!(export(&person).await["__typename"], "DataExported");
    }
    let refused = export(&person).await;
    assert_eq!((&refused["__typename"], &refused["retryAfter"]), (&json!("RateLimited"), &json!(3_600)));
    let again = app.guest().sign_in("ada@example.com").await;
    let again = app.guest().with_bearer(&again.access);
    assert_eq!(export(&again).await["__typename"], "RateLimited", "the limit applies to all sessions of the user");
    assert_eq!(events(&app, "PROFILE_CHANGED").await.len(), 20);
    assert_eq!(events(&app, "DATA_EXPORTED").await.len(), 3);
    let rules: Vec<_> =
        events(&app, "LIMIT_REFUSED").await.into_iter().map(|event| event.detail["rule"].clone()).collect();
    assert_eq!(rules, ["profile.person", "export.person"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_events_lose_their_ip_address_and_device() {
    let app = TestApp::with(|flags| flags.ip_retention = Some("30d".into())).await;
    let guest = app.guest();
    for _ in 0..4 {
        guest.login("ada@example.com").await;
    }
    app.sql("UPDATE audit_events SET user_agent = 'Ark/1'").await;
    let address = format!("'%{}%'", guest.ip);
    let personal = format!("ip_address LIKE {address} OR refusal_key LIKE {address} OR user_agent IS NOT NULL");
    app.clock.pass(29.0 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    assert!(app.count("audit_events", &personal).await > 3);
    app.clock.pass(1.1 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    assert_eq!(app.count("audit_events", &personal).await, 0);
    assert_eq!(counts(&app, "LIMIT_REFUSED").await, [1], "the event is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_removes_request_data_from_the_trail() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::User).await;
    let denied = person.query(USER, json!({ "id": admin.signed_in.user })).await;
    assert_eq!(denied.code(), "NOT_FOUND");
    person.change("deleteAccount", json!({ "email": "ada@example.com" }), "__typename").await.field("deleteAccount");
    app.clock.pass(31.0 * DAY);
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().people, 1);
    let of_person = "subject_id IN (SELECT subject_id FROM audit_events WHERE kind = 'USER_ERASED')";
    assert!(app.count("audit_events", of_person).await > 3);
    let known = format!("{of_person} AND (request_id IS NOT NULL OR refusal_key IS NOT NULL)");
    assert_eq!(app.count("audit_events", &known).await, 0);
    assert!(app.count("audit_events", "request_id IS NOT NULL").await > 0, "the event of the administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_part_of_the_purge_does_not_stop_the_others() {
    let app = TestApp::with(|flags| flags.ip_retention = Some("30d".into())).await;
    app.guest().sign_in("ada@example.com").await;
    app.clock.pass(31.0 * DAY);
    app.sql("ALTER TABLE sign_in_links RENAME TO elsewhere").await;
    let failure = housekeeping::purge(app.ctx()).await.unwrap_err();
    assert!(failure.to_string().contains("sign_in_links"), "the first failure is returned: {failure}");
    assert_eq!(app.count("outbox", "1 = 1").await, 0);
    for table in ["audit_events", "sessions", "devices"] {
        assert_eq!(app.count(table, "ip_address IS NOT NULL").await, 0, "{table}");
    }
}
