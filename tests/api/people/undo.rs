//! Undoing an email change with the token sent to the old address. In these tests a thief with access to a user's
//! session changes the address, and the owner of the old address takes the account back.

use doorcode::{
    db::entity::Role,
    domain::{
        access::{Admin, Member, Principal, Recent, SignedIn as Holder, Viewer},
        user::{
            email_change,
            manage::{self, By, NewPerson},
        },
    },
    error::Error,
};
use serde_json::{Value, json};

use super::{
    SAVED,
    email_change::{challenge, change},
};
use crate::harness::{Actor, Client, TestApp};

const UNDONE: &str = "__typename ... on EmailChangeUndone { message } ... on Problem { message }";
const DAY: f64 = 86_400.0;

async fn undo(who: &Client<'_>, token: &str) -> Value {
    let answer = who.change("undoEmailChange", json!({ "token": token }), UNDONE).await;
    answer.field("undoEmailChange").clone()
}

pub(crate) async fn outcome(who: &Client<'_>, token: &str) -> String {
    undo(who, token).await["__typename"].as_str().unwrap().to_owned()
}

/// The undo token from the newest notice to an address.
pub(crate) async fn undo_token(app: &TestApp, email: &str) -> String {
    let mails = app.mails_for(email).await;
    let text = mails.iter().find_map(|mail| mail.text.split_once("#undo=")).expect("a notice with an undo link").1;
    text.split_whitespace().next().unwrap().to_owned()
}

/// Creates a user whose address a thief has changed. Returns the thief's client, which has the user's session, and the
/// undo token from the old address.
pub(crate) async fn stolen(app: &TestApp) -> (Actor<'_>, String) {
    let victim = app.person("old@example.com", Role::User).await;
    change(app, &victim, "thief@example.com").await;
    let token = undo_token(app, "old@example.com").await;
    (victim, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_the_old_address_takes_the_account_back() {
    let app = TestApp::with(|flags| flags.notices = Some("none".into())).await;
    let (thief, token) = stolen(&app).await;
    let notice = &app.mails_for("old@example.com").await[0];
    assert!(!notice.text.contains("thief@example.com"));
    app.clock.pass(6.9 * DAY);
    assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone");
    assert_eq!(thief.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 0);
    assert_eq!(app.count("devices", "1 = 1").await, 0);
    assert_eq!(outcome(&app.guest(), &token).await, "CodeExpired", "an undo token works only once");
    assert_eq!(app.guest().sign_in("old@example.com").await.user, thief.signed_in.user);
    assert_eq!(app.count("audit_events", "kind = 'EMAIL_CHANGE_UNDONE'").await, 1);
    let notice = &app.mails_for("thief@example.com").await[0];
    assert!(
        notice.code.is_none() && notice.text.contains("undone"),
        "the thief's address gets a notice: {}",
        notice.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_tokens_never_return_an_account_to_a_thief_in_any_order() {
    for thief_first in [false, true] {
        let app = TestApp::new().await;
        let (thief, token) = stolen(&app).await;
        app.clock.pass(60.0);
        let session = app.guest().sign_in("thief@example.com").await;
        let thief_again = app.guest().with_bearer(&session.access);
        change(&app, &thief_again, "elsewhere@example.com").await;
        let their_token = undo_token(&app, "thief@example.com").await;
        if thief_first {
            assert_eq!(outcome(&app.guest(), &their_token).await, "EmailChangeUndone");
        }
        assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone", "thief first: {thief_first}");
        assert_eq!(outcome(&app.guest(), &their_token).await, "CodeExpired");
        assert_eq!(app.guest().sign_in("old@example.com").await.user, thief.signed_in.user);
        assert_eq!(thief_again.me().await.code(), "UNAUTHENTICATED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pending_change_does_not_survive_taking_the_account_back() {
    let app = TestApp::new().await;
    let (thief, token) = stolen(&app).await;
    let under_way = challenge(&thief, "next@example.com").await;
    let code = app.last_code_for("next@example.com").await;
    assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone");
    assert_eq!(app.count("email_codes", "purpose = 'change_email' AND consumed_at IS NULL").await, 0);
    // Simulates a request by the thief that was authenticated before the session ended.
    let stale = stale_viewer(&app, &thief).await;
    let member = Member::require(app.ctx(), &stale, "confirmEmail").await.unwrap();
    let late = email_change::confirm(app.ctx(), member, &under_way, &code).await;
    assert!(!matches!(late, Ok(email_change::Confirmed::Changed(_))));
    assert_eq!(app.count("users", "email = 'next@example.com'").await, 0);
}

/// The caller as a request that was authenticated before the session ended would see it.
pub(crate) async fn stale_viewer(app: &TestApp, actor: &Actor<'_>) -> Viewer {
    use sea_orm::{EntityTrait, QueryOrder};
    let session = doorcode::db::entity::sessions::Entity::find()
        .order_by_asc(doorcode::db::entity::sessions::Column::Id)
        .all(app.ctx().db.read())
        .await
        .unwrap();
    let of = |session: &doorcode::db::entity::sessions::Model| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.decode(&actor.signed_in.session).unwrap()[1..] == *session.id.as_bytes()
    };
    let mut session = session.into_iter().find(of).unwrap();
    session.ended_at = None;
    let user = doorcode::db::entity::users::Entity::find_by_id(session.user_id).one(app.ctx().db.read()).await.unwrap();
    let origin =
        doorcode::domain::access::Origin { ip: actor.ip, user_agent: None, request_id: "stale".into(), session: None };
    Viewer::new(origin, Principal::Session(Holder { user: user.unwrap(), session }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_after_the_session_ended_changes_nothing() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    let under_way = challenge(&person, "next@example.com").await;
    let code = app.last_code_for("next@example.com").await;
    person.logout().await;
    let stale = stale_viewer(&app, &person).await;
    let member = Member::require(app.ctx(), &stale, "confirmEmail").await.unwrap();
    let late = email_change::confirm(app.ctx(), member, &under_way, &code).await;
    assert!(matches!(late, Err(Error::Unauthenticated)));
    assert_eq!(app.count("users", "email = 'next@example.com'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_demoted_mid_request_creates_no_user() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    app.make("other@example.com", Role::Admin).await;
    let stale = stale_viewer(&app, &admin).await;
    let proof = Admin::require(app.ctx(), &stale, "createUser").await.unwrap();
    let by = By::Admin(Recent::require(app.ctx(), proof, "createUser").await.unwrap());
    app.set_role("admin@example.com", Role::User).await;
    let email = doorcode::email_address::EmailAddress::parse("evil@example.com").unwrap();
    let new = NewPerson { email: &email, name: None, role: Role::Admin, locale: None, invite: false };
    assert!(matches!(manage::create(app.ctx(), by, new).await, Err(Error::Forbidden)));
    assert_eq!(app.count("users", "email = 'evil@example.com'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_token_expires_and_cannot_be_guessed() {
    let app = TestApp::new().await;
    let (_, token) = stolen(&app).await;
    for made_up in ["", "x", &"A".repeat(43), "' OR 1=1 --"] {
        assert_eq!(outcome(&app.guest(), made_up).await, "CodeExpired");
    }
    app.clock.pass(7.0 * DAY);
    assert_eq!(outcome(&app.guest(), &token).await, "CodeExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_replaces_a_new_account_at_the_old_address() {
    let app = TestApp::new().await;
    let (thief, token) = stolen(&app).await;
    let owner = app.guest().sign_in("old@example.com").await;
    assert!(owner.is_new, "the owner signs up again with the old address");
    assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone");
    assert_eq!(app.guest().with_bearer(&owner.access).me().await.code(), "UNAUTHENTICATED");
    assert_eq!(app.guest().sign_in("old@example.com").await.user, thief.signed_in.user);
    assert_eq!(app.count("users", "status = 'DELETED' AND email LIKE '%@parked.invalid'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_history_keeps_the_old_address_and_the_stolen_one_is_parked() {
    let app = TestApp::new().await;
    let other = app.person("other@example.com", Role::User).await;
    app.clock.pass(60.0);
    let (thief, token) = stolen(&app).await;
    change(&app, &other, "old@example.com").await;
    assert_eq!(outcome(&app.guest(), &token).await, "EmailTaken");
    assert_eq!(thief.me().await.code(), "UNAUTHENTICATED");
    assert_eq!(other.me().await.field("me")["email"], "old@example.com");
    assert_eq!(app.count("users", "email LIKE '%@parked.invalid' AND status = 'ACTIVE'").await, 1);
    assert!(app.guest().sign_in("thief@example.com").await.is_new, "the thief's undo link does not work");
    assert_eq!(outcome(&app.guest(), &token).await, "CodeExpired", "an undo token works only once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_keeps_the_role_after_an_undo() {
    let app = TestApp::new().await;
    let boss = app.person("boss@example.com", Role::Admin).await;
    change(&app, &boss, "thief@example.com").await;
    let token = undo_token(&app, "boss@example.com").await;
    app.guest().sign_in("boss@example.com").await;
    assert_eq!(outcome(&app.guest(), &token).await, "EmailChangeUndone");
    assert_eq!(app.count("users", "role = 'ADMIN' AND status = 'ACTIVE' AND email = 'boss@example.com'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_can_undo_a_deletion_by_a_thief_but_not_by_an_administrator() {
    for by_admin in [false, true] {
        let app = TestApp::new().await;
        let (thief, token) = stolen(&app).await;
        app.clock.pass(1.0);
        if by_admin {
            let admin = app.person("admin@example.com", Role::Admin).await;
            let deleted = admin.change("deleteUser", json!({ "id": thief.signed_in.user }), SAVED).await;
            assert_eq!(deleted.field("deleteUser")["__typename"], "UserSaved");
        } else {
            let input = json!({ "email": "thief@example.com" });
            thief.change("deleteAccount", input, "__typename").await.field("deleteAccount");
        }
        let notice = &app.mails_for("thief@example.com").await[0];
        assert!(notice.text.contains("deleted"), "{}", notice.text);
        let undone = undo(&app.guest(), &token).await;
        assert_eq!(undone["__typename"], "EmailChangeUndone");
        let status = if by_admin { "DELETED" } else { "ACTIVE" };
        let found = app.count("users", &format!("email = 'old@example.com' AND status = '{status}'")).await;
        assert_eq!(found, 1, "deleted by an administrator: {by_admin}");
        assert_eq!(undone["message"].as_str().unwrap().contains("administrator"), by_admin, "{undone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_set_by_an_administrator_voids_all_undo_tokens() {
    let app = TestApp::new().await;
    let (victim, token) = stolen(&app).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let input = json!({ "id": victim.signed_in.user, "email": "safe@example.com" });
    admin.change("updateUser", input, SAVED).await.field("updateUser");
    assert_eq!(outcome(&app.guest(), &token).await, "CodeExpired", "the undo link in the old mailbox no longer works");
    assert_eq!(app.guest().sign_in("safe@example.com").await.user, victim.signed_in.user);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_ones_own_address_requires_proof_of_the_new_one() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let input = json!({ "id": admin.signed_in.user, "email": "thief@example.com" });
    assert_eq!(admin.change("updateUser", input, SAVED).await.code(), "BAD_USER_INPUT");
    assert_eq!(app.count("users", "email = 'admin@example.com'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_undo_tokens_restore_the_older_address() {
    for _ in 0..4 {
        let app = TestApp::new().await;
        let (thief, token) = stolen(&app).await;
        app.clock.pass(1.0);
        change(&app, &thief, "elsewhere@example.com").await;
        let their_token = undo_token(&app, "thief@example.com").await;
        let guest = app.guest();
        let (one, other) = tokio::join!(undo(&guest, &token), undo(&guest, &their_token));
        assert_eq!(one["__typename"], "EmailChangeUndone", "{one} {other}");
        assert_eq!(app.count("users", "email = 'old@example.com' AND status = 'ACTIVE'").await, 1);
    }
}
