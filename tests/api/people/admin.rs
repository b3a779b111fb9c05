//! Administrators who create, change, suspend and sign out users.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::SAVED;
use crate::harness::{Actor, Answer, Client, TestApp};

async fn update(admin: &Client<'_>, input: Value) -> Answer {
    admin.change("updateUser", input, SAVED).await
}

/// Updates a user, and returns the type of the result.
async fn updated(admin: &Client<'_>, input: Value) -> String {
    update(admin, input).await.field("updateUser")["__typename"].as_str().unwrap().to_owned()
}

/// The details of all events of this kind, newest first.
async fn events(app: &TestApp, kind: &str) -> Vec<Value> {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
    let rows = doorcode::db::entity::audit_events::Entity::find()
        .filter(doorcode::db::entity::audit_events::Column::Kind.eq(kind))
        .order_by_desc(doorcode::db::entity::audit_events::Column::Id);
    rows.all(app.ctx().db.read()).await.unwrap().into_iter().map(|row| row.detail).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_can_create_a_user_who_gets_an_invitation() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let input = json!({ "email": "New@Example.com", "name": "New <b>", "role": "MANAGER", "locale": "de" });
    let answer = admin.change("createUser", input.clone(), SAVED).await;
    let made = &answer.field("createUser")["user"];
    assert_eq!((&made["email"], &made["name"]), (&json!("new@example.com"), &json!("New <b>")));
    assert_eq!((&made["role"], &made["version"]), (&json!("MANAGER"), &json!(1)));

    let mails = app.mails_for("new@example.com").await;
    assert_eq!(mails.len(), 1);
    assert!(mails[0].code.is_none() && mails[0].text.contains("eingeladen"), "{}", mails[0].text);
    assert!(!mails[0].text.contains(&admin.ip.to_string()), "the email does not reveal the administrator's address");

    let again = admin.change("createUser", input, SAVED).await;
    assert_eq!(again.field("createUser")["__typename"], "EmailTaken");
    let quiet = json!({ "email": "quiet@example.com", "invite": false });
    assert_eq!(admin.change("createUser", quiet, SAVED).await.field("createUser")["user"]["role"], "USER");
    assert!(app.mails_for("quiet@example.com").await.is_empty());
    assert!(!app.guest().sign_in("new@example.com").await.is_new);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_input_errors_are_reported_at_once() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let input = json!({ "email": "nobody", "name": "a\nb", "locale": "tlh" });
    let answer = admin.change("createUser", input, SAVED).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    let extensions = &answer.json["errors"][0]["extensions"];
    let fields: Vec<_> = extensions["problems"].as_array().unwrap().iter().map(|flaw| &flaw["field"]).collect();
    assert_eq!(fields, ["email", "name", "locale"]);
    assert_eq!(extensions["field"], "email");
    assert_eq!(app.count("users", "1 = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_conflicting_updates_is_refused() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let other = app.person("other@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await.signed_in.user;
    let first = update(&admin, json!({ "id": target, "version": 1, "name": "First" })).await;
    assert_eq!(first.field("updateUser")["user"]["version"], 2);
    let second = update(&other, json!({ "id": target, "version": 1, "name": "Second" })).await;
    assert_eq!(second.code(), "CONFLICT");
    let third = update(&other, json!({ "id": target, "version": 2, "name": null })).await;
    assert_eq!(third.field("updateUser")["user"]["name"], Value::Null);
    // An update that changes nothing does not increase the version and adds no event.
    let fourth = update(&other, json!({ "id": target, "name": null, "role": "USER" })).await;
    assert_eq!(fourth.field("updateUser")["user"]["version"], 3);
    assert_eq!(
        events(&app, "USER_CHANGED").await,
        [json!({ "name": ["First", null] }), json!({ "name": [null, "First"] })]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_role_applies_from_the_next_request() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::Admin).await;
    let id = &target.signed_in.user;
    assert_eq!(updated(&admin, json!({ "id": id, "role": "USER" })).await, "UserSaved");
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED", "the token has the old role");
    let refreshed = target.refresh(&target.signed_in.refresh).await;
    let lowered = target.with_bearer(refreshed["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(update(&lowered, json!({ "id": id, "role": "ADMIN" })).await.code(), "FORBIDDEN");
    let mails = app.mails_for("target@example.com").await;
    assert!(mails[0].subject.to_lowercase().contains("changed") || mails[0].text.contains("User"), "{}", mails[0].text);
    assert_eq!(app.count("audit_events", "kind = 'PERMISSION_DENIED'").await, 1);
    update(&lowered, json!({ "id": id, "role": "ADMIN" })).await;
    assert_eq!(app.refused("PERMISSION_DENIED").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn suspension_ends_all_sessions_for_good() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await;
    let id = &target.signed_in.user;
    assert_eq!(updated(&admin, json!({ "id": id, "status": "SUSPENDED" })).await, "UserSaved");
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED");
    app.clock.pass(60.0 * 60.0);
    let guest = app.guest();
    let challenge = guest.challenge("target@example.com").await;
    assert_eq!(app.mails_for("target@example.com").await.iter().filter(|mail| mail.code.is_some()).count(), 1);
    assert_eq!(guest.verify(&challenge, "12345678").await["__typename"], "InvalidCode");

    let admin = app.guest().sign_in("admin@example.com").await.access;
    let admin = app.guest().with_bearer(&admin);
    let restored = admin.change("restoreUser", json!({ "id": id }), "user { status }").await;
    assert_eq!(restored.field("restoreUser")["user"]["status"], "ACTIVE");
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED", "a restored user must sign in again");
    assert_eq!(target.refresh(&target.signed_in.refresh).await["__typename"], "SessionEnded");
    app.guest().sign_in("target@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_sessions_and_its_reason_is_in_the_audit_trail() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await;
    let id = &target.signed_in.user;
    let suspend = async |input: Value| admin.change("suspendUser", input, SAVED).await;

    let outdated = suspend(json!({ "id": id, "version": 7, "reason": "spam" })).await;
    assert_eq!(outdated.code(), "CONFLICT");
    for (reason, message) in [
        ("", "A reason needs at least one character. For no reason, omit it or send null."),
        ("a\nb", "A reason must be one line of visible characters."),
        ("\u{202e}evil", "A reason must be one line of visible characters."),
        (&"é".repeat(201), "A reason can have at most 200 characters."),
    ] {
        let refused = suspend(json!({ "id": id, "reason": reason })).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        let problems = &refused.json["errors"][0]["extensions"]["problems"];
        assert_eq!(*problems, json!([{ "field": "reason", "message": message }]));
    }
    assert_eq!(target.me().await.field("me")["status"], "ACTIVE", "nothing has happened yet");

    let reason = "é".repeat(200);
    let suspended = suspend(json!({ "id": id, "version": 1, "reason": format!(" {reason} ") })).await;
    let user = &suspended.field("suspendUser")["user"];
    assert_eq!((&user["status"], &user["version"]), (&json!("SUSPENDED"), &json!(2)));
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED");
    let again = suspend(json!({ "id": id, "reason": "another" })).await;
    assert_eq!(again.field("suspendUser")["user"]["version"], 2, "who is suspended is not suspended again");
    let detail = json!({ "status": ["ACTIVE", "SUSPENDED"], "reason": reason });
    assert_eq!(events(&app, "USER_CHANGED").await, [detail]);

    let restored = admin.change("restoreUser", json!({ "id": id }), "user { status }").await;
    assert_eq!(restored.field("restoreUser")["user"]["status"], "ACTIVE");
    suspend(json!({ "id": id })).await.field("suspendUser");
    assert_eq!(events(&app, "USER_CHANGED").await[0], json!({ "status": ["ACTIVE", "SUSPENDED"] }), "without a reason");

    let last = suspend(json!({ "id": admin.signed_in.user })).await;
    assert_eq!(last.field("suspendUser")["__typename"], "LastAdmin");
    assert_eq!(suspend(json!({ "id": target.signed_in.session })).await.code(), "BAD_USER_INPUT");
    app.clock.pass(601.0);
    assert_eq!(suspend(json!({ "id": id })).await.code(), "REAUTHENTICATION_REQUIRED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_active_administrator_stays() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let id = &admin.signed_in.user;
    for change in [json!({ "id": id, "role": "MANAGER" }), json!({ "id": id, "status": "SUSPENDED" })] {
        assert_eq!(updated(&admin, change).await, "LastAdmin");
    }
    let deleted = admin.change("deleteUser", json!({ "id": id }), SAVED).await;
    assert_eq!(deleted.field("deleteUser")["__typename"], "LastAdmin");
    let account = admin.change("deleteAccount", json!({ "email": "admin@example.com" }), "__typename").await;
    assert_eq!(account.field("deleteAccount")["__typename"], "LastAdmin");
    // A suspended administrator does not count as active.
    let other = app.person("other@example.com", Role::Admin).await;
    assert_eq!(updated(&admin, json!({ "id": other.signed_in.user, "status": "SUSPENDED" })).await, "UserSaved");
    assert_eq!(updated(&admin, json!({ "id": id, "role": "USER" })).await, "LastAdmin");
    assert_eq!(admin.me().await.field("me")["role"], "ADMIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_demoting_each_other_leave_one() {
    for round in 0..8 {
        let app = TestApp::new().await;
        let one = app.person("one@example.com", Role::Admin).await;
        let two = app.person("two@example.com", Role::Admin).await;
        let (of_one, of_two) = (one.signed_in.user.clone(), two.signed_in.user.clone());
        let (first, second) = match round % 3 {
            0 => tokio::join!(
                update(&one, json!({ "id": of_two, "role": "USER" })),
                update(&two, json!({ "id": of_one, "role": "USER" }))
            ),
            1 => tokio::join!(
                update(&one, json!({ "id": of_one, "status": "SUSPENDED" })),
                update(&two, json!({ "id": of_two, "role": "GUEST" }))
            ),
            _ => tokio::join!(
                one.change("deleteUser", json!({ "id": of_two }), SAVED),
                two.change("deleteUser", json!({ "id": of_one }), SAVED)
            ),
        };
        let active = app.count("users", "role = 'ADMIN' AND status = 'ACTIVE'").await;
        assert_eq!(active, 1, "round {round}: {} {}", first.text, second.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_set_by_an_administrator_signs_out_and_notifies_both_addresses() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("lost@example.com", Role::User).await;
    app.person("taken@example.com", Role::User).await;
    let id = &target.signed_in.user;
    assert_eq!(updated(&admin, json!({ "id": id, "email": "taken@example.com" })).await, "EmailTaken");
    assert!(target.me().await.json["errors"].is_null(), "nothing has changed");
    assert_eq!(updated(&admin, json!({ "id": id, "email": "Found@example.com" })).await, "UserSaved");
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(app.count("devices", "1 = 1").await, 2, "all devices of the user are forgotten");
    let (old, new) = (app.mails_for("lost@example.com").await, app.mails_for("found@example.com").await);
    assert!(!old[0].text.contains("#undo="), "the old mailbox gets no undo link");
    assert!(!old[0].text.contains("found@example.com"), "the old mailbox does not get the new address");
    assert_eq!((old.len(), new.len()), (2, 1));
    assert_eq!(app.guest().sign_in("found@example.com").await.user, *id);
}

#[tokio::test(flavor = "multi_thread")]
async fn sensitive_changes_need_a_sign_in_within_ten_minutes() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await;
    let id = &target.signed_in.user;
    let sensitive: [(&Actor<'_>, &str, Value, &str); 8] = [
        (&admin, "createUser", json!({ "email": "new@example.com" }), "__typename"),
        (&admin, "updateUser", json!({ "id": id, "role": "ADMIN" }), "__typename"),
        (&admin, "updateUser", json!({ "id": id, "email": "mine@example.com" }), "__typename"),
        (&admin, "deleteUser", json!({ "id": id }), "__typename"),
        (&admin, "restoreUser", json!({ "id": id }), "__typename"),
        (&target, "changeEmail", json!({ "email": "new@example.com" }), "__typename"),
        (&target, "deleteAccount", json!({ "email": "target@example.com" }), "__typename"),
        (&target, "exportData", Value::Null, ""),
    ];
    app.clock.pass(601.0);
    let done = "kind <> 'PERMISSION_DENIED'";
    let rows = app.count("audit_events", done).await;
    for (who, field, input, selection) in &sensitive {
        let answer = match input {
            Value::Null => who.query(&format!("mutation {{ {field} {{ __typename }} }}"), json!({})).await,
            input => who.change(field, input.clone(), selection).await,
        };
        assert_eq!(answer.code(), "REAUTHENTICATION_REQUIRED", "{field}");
    }
    assert_eq!(app.count("audit_events", done).await, rows, "nothing has changed");
    assert_eq!(app.refused("PERMISSION_DENIED").await, 8, "each refusal was recorded");
    let stale = "kind = 'PERMISSION_DENIED' AND CAST(detail AS TEXT) LIKE '%reauthentication%'";
    assert_eq!(app.count("audit_events", stale).await, 2, "the refusals are counted in one row per user");
    // Ending sessions must be possible in an emergency, and a name is not sensitive. Neither needs a recent sign-in.
    let ended = admin.change("endUserSessions", json!({ "id": id }), "count").await;
    assert_eq!(ended.field("endUserSessions")["count"], 1);
    let named =
        admin.change("updateProfile", json!({ "name": "Ada" }), "... on ProfileUpdated { user { name } }").await;
    assert_eq!(named.field("updateProfile")["user"]["name"], "Ada");
    // A user reauthenticates by signing in again, with the bearer token attached.
    let challenge = admin.challenge("admin@example.com").await;
    let code = app.last_code_for("admin@example.com").await;
    let again = crate::harness::SignedIn::read(&admin.verify(&challenge, &code).await);
    let admin = admin.with_bearer(&again.access);
    assert_eq!(updated(&admin, json!({ "id": id, "role": "MANAGER" })).await, "UserSaved");
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_users_sessions_signs_them_out_everywhere_and_is_recorded() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await;
    let second = app.guest().sign_in("target@example.com").await;
    let id = &target.signed_in.user;
    let ended = admin.change("endUserSessions", json!({ "id": id }), "count").await;
    assert_eq!(ended.field("endUserSessions")["count"], 2);
    assert_eq!(target.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(app.guest().with_bearer(&second.access).me().await.code(), "UNAUTHENTICATED");
    let ended = events(&app, "SESSION_ENDED").await;
    assert_eq!((ended.len(), &ended[0]["reason"]), (1, &json!("BY_ADMIN")));
    assert_eq!(ended[0]["sessions"].as_array().unwrap().len(), 2);
    let nobody = admin.change("endUserSessions", json!({ "id": target.signed_in.session }), "count").await;
    assert_eq!(nobody.code(), "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_can_be_switched_off() {
    let app = TestApp::with(|flags| flags.notices = Some("none".into())).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await;
    let id = &target.signed_in.user;
    assert_eq!(updated(&admin, json!({ "id": id, "role": "MANAGER" })).await, "UserSaved");
    assert_eq!(updated(&admin, json!({ "id": id, "email": "else@example.com" })).await, "UserSaved");
    assert_eq!(app.mails_for("target@example.com").await.len(), 1, "only the code of the sign-in");
    assert!(app.mails_for("else@example.com").await.is_empty());
}
