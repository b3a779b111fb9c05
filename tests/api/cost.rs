//! The cost of each operation: SQL statements (without BEGIN and COMMIT) and limiter calls (each one round trip to
//! Redis). A change that adds a statement makes a test here fail, so that the reviewer can ask for a reason.

use std::sync::atomic::Ordering;

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp, on_servers, other_than},
    oauth::{self, NOTES},
    pages::browser::Browser,
};

/// The numbers of SQL statements and limiter calls since the last call of this function.
fn cost(app: &TestApp) -> (usize, u64) {
    (app.take_statements().len(), app.limiter.calls.swap(0, Ordering::SeqCst))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_has_its_documented_cost() {
    let app = TestApp::new().await;
    let guest = app.guest();
    cost(&app);

    let challenge = guest.challenge("cost@example.com").await;
    assert_eq!(cost(&app), (4, 1), "login from an unknown device");
    let code = app.last_code_for("cost@example.com").await;
    cost(&app);

    guest.verify(&challenge, &other_than(&code)).await;
    assert_eq!(cost(&app), (3, 1), "verify with a wrong code");

    let signed_in = guest.verify(&challenge, &code).await;
    assert_eq!(cost(&app), (8, 1), "verify that signs up");
    let signed_in = crate::harness::SignedIn::read(&signed_in);

    let known = guest.with_device(&signed_in.device);
    let challenge = known.challenge("cost@example.com").await;
    assert_eq!(cost(&app), (4, 1), "login from a known device");
    let resent = known.resend("cost@example.com", &challenge).await;
    assert_eq!(resent["challenge"], challenge.as_str());
    assert_eq!(cost(&app), (4, 1), "resend");
    let code = app.last_code_for("cost@example.com").await;
    cost(&app);
    known.verify(&challenge, &code).await;
    assert_eq!(cost(&app), (8, 1), "verify from a known device");
    for statements in [2, 1] {
        known.verify(&challenge, &code).await;
        assert_eq!(
            cost(&app),
            (statements, 2),
            "verify with an expired challenge; the first one in an hour adds an audit event"
        );
    }

    let person = guest.with_bearer(&signed_in.access);
    person.me().await.field("me");
    assert_eq!(cost(&app), (1, 0), "me");
    let refreshed = person.refresh(&signed_in.refresh).await;
    assert_eq!(refreshed["__typename"], "Refreshed");
    assert_eq!(cost(&app), (2, 1), "refresh");
    person.logout().await.field("logout");
    assert_eq!(cost(&app), (3, 0), "logout");
}

const PASSWORD: &str = "seven otters at noon";
const OTHER: &str = "a ladder for the moon";

/// What PostgreSQL needs more: attempts on one password lock their budget.
fn locks() -> usize {
    usize::from(on_servers())
}

async fn changed(client: &Client<'_>, field: &str, input: Value) -> Value {
    let has_code = ["register", "login", "requestPasswordReset"].contains(&field);
    let selection = if has_code { "__typename ... on CodeSent { challenge }" } else { "__typename" };
    let answer = client.change(field, input, selection).await;
    answer.field(field).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_have_their_documented_cost() {
    let app = TestApp::new().await;
    let (guest, email) = (app.guest(), "cost@example.com");
    cost(&app);
    let sent = changed(&guest, "register", json!({ "email": email, "password": PASSWORD })).await;
    assert_eq!(cost(&app), (4, 2), "register");
    let code = app.last_code_for(email).await;
    cost(&app);
    let verified = guest.verify(sent["challenge"].as_str().unwrap(), &code).await;
    let signed_in = crate::harness::SignedIn::read(&verified);
    assert_eq!(cost(&app), (9, 1), "verify that registers");

    let known = json!({ "email": email, "password": PASSWORD, "deviceToken": signed_in.device });
    assert_eq!(changed(&guest, "login", known).await["__typename"], "SignedIn");
    let known = cost(&app);
    assert_eq!(known, (9 + locks(), 1), "login with a password from a known device");
    assert!(known.0 <= 10, "the promise of the documentation");
    assert_eq!(
        changed(&app.guest(), "login", json!({ "email": email, "password": PASSWORD })).await["__typename"],
        "SignedIn"
    );
    assert_eq!(cost(&app), (10 + locks(), 1), "from a new device: a mail");
    for statements in [4, 3] {
        changed(&app.guest(), "login", json!({ "email": email, "password": OTHER })).await;
        assert_eq!(cost(&app), (statements + locks(), 2), "a wrong password; the first in an hour is recorded");
    }

    let person = guest.with_bearer(&signed_in.access);
    changed(&person, "setPassword", json!({ "newPassword": OTHER })).await;
    assert_eq!(cost(&app), (7, 0), "viewer, recent sign-in, user, password, sessions, event, mail");
    changed(&person, "setPassword", json!({ "currentPassword": OTHER, "newPassword": PASSWORD })).await;
    assert_eq!(cost(&app), (9 + locks(), 1), "with the current password: account, try, and its return");

    let sent = changed(&guest, "requestPasswordReset", json!({ "email": email })).await;
    assert_eq!(cost(&app), (4, 1), "requestPasswordReset");
    let code = app.last_code_for(email).await;
    cost(&app);
    let input = json!({ "challenge": sent["challenge"], "code": other_than(&code), "newPassword": OTHER });
    changed(&guest, "resetPassword", input).await;
    assert_eq!(cost(&app), (4, 1), "resetPassword with a wrong code");
    let input = json!({ "challenge": sent["challenge"], "code": code, "newPassword": OTHER });
    assert_eq!(changed(&guest, "resetPassword", input).await["__typename"], "SignedIn");
    assert_eq!(cost(&app), (19, 1), "resetPassword");

    let notice = app.mails_for(email).await.into_iter().next().unwrap();
    let token = notice.text.split_once("#disown=").unwrap().1.split_whitespace().next().unwrap();
    cost(&app);
    changed(&app.guest(), "disownSession", json!({ "token": token })).await;
    assert_eq!(cost(&app), (12, 1), "disownSession");
    changed(&app.guest(), "disownSession", json!({ "token": token })).await;
    assert_eq!(cost(&app), (3, 2), "disownSession, used");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_the_pages_has_its_documented_cost() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(app.guest());
    let signed_in = app.guest().sign_in("cost@example.com").await;
    cost(&app);
    browser.reload().await;
    assert_eq!(cost(&app), (0, 0), "without a cookie");
    browser.open(json!({ "refreshToken": signed_in.refresh })).await;
    assert_eq!(cost(&app), (2, 1), "with the token of a sign-in");
    browser.reload().await;
    assert_eq!(cost(&app), (2, 1), "with the cookie");
    let other = app.guest().sign_in("other@example.com").await;
    cost(&app);
    browser.open(json!({ "refreshToken": other.refresh })).await;
    assert_eq!(cost(&app), (4, 1), "if it replaces another session");
    browser.end().await;
    assert_eq!(cost(&app), (2, 0), "the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn api_keys_have_their_documented_cost() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await.signed_in.user;
    cost(&app);
    let input = json!({ "name": "Key", "scopes": ["PROFILE_READ", "PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"] });
    let created = admin.change("createApiKey", input, "... on ApiKeyCreated { key apiKey { id } }").await;
    let created = created.field("createApiKey");
    assert_eq!(cost(&app), (7, 1), "viewer, recent sign-in, user, number of keys, key, event, mail");
    let robot = app.guest().with_bearer(created["key"].as_str().unwrap());
    robot.me().await.field("me");
    assert_eq!(cost(&app), (2, 0), "the first use in a minute is noted");
    for query in [
        "{ me { id } }".to_owned(),
        "{ me { email sessions { totalCount nodes { id } } devices { id } } }".to_owned(),
        "{ users { totalCount nodes { email devices { id } auditEvents { nodes { kind } } } } }".to_owned(),
        "{ auditEvents { nodes { kind actor { email } } } }".to_owned(),
        format!("{{ node(id: \"{target}\") {{ ... on User {{ email }} }} }}"),
        format!("{{ user(id: \"{target}\") {{ email hasPassword }} }}"),
    ] {
        let mut costs = Vec::new();
        for client in [&*admin, &robot] {
            let answer = client.query(&query, json!({})).await;
            assert!(answer.json["errors"].is_null(), "{}", answer.text);
            costs.push(cost(&app));
        }
        assert_eq!(costs[0], costs[1], "{query} costs the same with a session and with a key");
    }
    let input = json!({ "id": target, "name": "Target" });
    robot.change("updateUser", input, "__typename").await.field("updateUser");
    assert_eq!(cost(&app), (5, 0), "key and owner, administrators and key, user, change, event");
    let id = created["apiKey"]["id"].clone();
    admin.change("rotateApiKey", json!({ "id": id }), "__typename").await.field("rotateApiKey");
    assert_eq!(cost(&app), (6, 1), "viewer, recent sign-in, user, key, change, event");
    admin.change("revokeApiKey", json!({ "id": id }), "__typename").await.field("revokeApiKey");
    assert_eq!(cost(&app), (4, 0), "viewer, key, change, event");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_to_another_application_has_its_documented_cost() {
    let app = TestApp::new().await;
    oauth::register(&app).await;
    let client = app.guest();
    let access = client.sign_in("ada@example.com").await.access;
    cost(&app);
    assert_eq!(client.get(&format!("/authorize?{}", oauth::query(NOTES))).await.status, 200);
    assert_eq!(cost(&app), (1, 0), "the client");
    let code = oauth::code(&client, &access, NOTES).await;
    assert_eq!(cost(&app), (4, 1), "the client, the session of the user, the code, an event");
    let tokens = oauth::Tokens::of(&oauth::token(&client, &oauth::by_code(NOTES, &code)).await);
    assert_eq!(
        cost(&app),
        (7, 1),
        "the client, the code, the user, the parent with its proofs, session, proofs, event"
    );
    oauth::Tokens::of(&oauth::refresh(&client, NOTES.0, &tokens.refresh).await);
    assert_eq!(cost(&app), (3, 1), "the client, and a refresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_costs_what_the_documentation_says() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await.signed_in.user;
    cost(&app);
    let input = serde_json::json!({ "id": target, "reason": "spam" });
    admin.change("suspendUser", input, "__typename").await.field("suspendUser");
    assert_eq!(cost(&app), (8, 0), "viewer, recent sign-in, administrators, user, change, sessions, two events");
    let input = serde_json::json!({ "id": target });
    admin.change("suspendUser", input, "__typename").await.field("suspendUser");
    assert_eq!(cost(&app), (4, 0), "of who is suspended already");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_of_a_console_have_their_documented_cost() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await.signed_in;
    let (user, session) = (&target.user, &target.session);
    cost(&app);
    let range = "from: \"2026-01-01T00:00:00Z\", before: \"2026-01-31T00:00:00Z\"";
    for (query, statements, what) in [
        (format!("{{ auditStatistics({range}) {{ series {{ counts }} }} }}"), 2, "caller, numbers"),
        ("{ mailQueue { waiting oldestAgeSeconds } }".to_owned(), 2, "caller, emails"),
        (
            format!("{{ user(id: \"{user}\") {{ endedSessions {{ totalCount nodes {{ id endReason }} }} }} }}"),
            4,
            "caller, user, sessions, number of sessions",
        ),
        (
            format!("{{ auditEvents(filter: {{ sessionId: \"{session}\" }}) {{ nodes {{ details {{ reason }} }} }} }}"),
            2,
            "caller, events",
        ),
        ("{ auditEvents(filter: { email: \"a@example.com\" }) { nodes { kind } } }".to_owned(), 2, "caller, events"),
        ("{ auditEvents(filter: { network: \"127.0.0.1\" }) { nodes { kind } } }".to_owned(), 2, "caller, events"),
    ] {
        let answer = admin.query(&query, json!({})).await;
        assert!(answer.json["errors"].is_null(), "{}", answer.text);
        assert_eq!(cost(&app), (statements, 0), "{what}: {query}");
    }
    admin.change("endUserSession", json!({ "id": session }), "__typename").await.field("endUserSession");
    assert_eq!(cost(&app), (5, 0), "caller, session, lock of its user, end, event");
    let sent = admin.change("sendPasswordReset", json!({ "id": user }), "__typename").await;
    assert_eq!(sent.field("sendPasswordReset")["__typename"], "PasswordResetSent");
    assert_eq!(cost(&app), (7, 1), "caller, recent sign-in, administrators, user, link, mail, event");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_costs_the_same_for_every_address() {
    let app = TestApp::with(|flags| flags.signup = Some("closed".into())).await;
    app.sql(
        "INSERT INTO users (id, email, role, status, created_at, updated_at) VALUES \
         ('00000000-0000-7000-8000-000000000001', 'known@example.com', 'USER', 'ACTIVE', \
         '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00')",
    )
    .await;
    app.take_statements();
    let mut seen = Vec::new();
    for email in ["known@example.com", "stranger@example.com"] {
        app.guest().challenge(email).await;
        seen.push(app.take_statements());
    }
    assert_eq!(seen[0], seen[1], "identical statements");
    assert_eq!(seen[0].len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_sessions_costs_one_statement_for_any_number() {
    let app = TestApp::new().await;
    let mut access = String::new();
    for _ in 0..3 {
        access = app.guest().sign_in("many@example.com").await.access;
    }
    app.take_statements();
    let query = "{ me { sessions(first: 100) { totalCount pageInfo { hasNextPage } nodes { id user { email } } } devices { id } } }";
    let answer = app.guest().with_bearer(&access).query(query, serde_json::json!({})).await;
    assert_eq!(answer.field("me")["sessions"]["totalCount"], 3);
    assert_eq!(app.take_statements().len(), 4, "statements: viewer, sessions, number of sessions, devices");
}
