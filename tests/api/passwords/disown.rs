//! Taking an account back: the link "This wasn't me", undoing a change of address, and a new address by an
//! administrator. The password goes with everything else.

use doorcode::{db::entity::Role, limits::Rule};
use serde_json::json;

use super::{
    DAY, OTHER, PASSWORD, call, disown_token, events, kind, login, owner, password_session, request_reset, status, text,
};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn this_was_not_me_ends_everything_at_once_and_works_once() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::SendPair, "100/15m".into());
    })
    .await;
    let replica = app.replica().await;
    let owner = owner(&app, "ada@example.com").await;
    let thief = password_session(&app, "ada@example.com", PASSWORD).await;
    let token = disown_token(&app, "ada@example.com").await;
    let (sign_in, at_once) = (app.guest(), app.guest());
    let challenge = sign_in.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let reset = request_reset(&at_once, "ada@example.com").await;
    let reset_code = app.last_code_for("ada@example.com").await;

    let done = call(&app.guest().via(&replica), "disownSession", json!({ "token": token })).await;
    assert_eq!(done["__typename"], "SessionDisowned");
    for gone in [&owner, &thief] {
        assert_eq!(status(gone).await, 401);
        assert_eq!(gone.refresh(&gone.is.refresh).await["__typename"], "SessionEnded");
    }
    assert_eq!(app.count("sessions", "end_reason = 'DISOWNED'").await, 2);
    for table in ["passwords", "devices"] {
        assert_eq!(app.count(table, "1 = 1").await, 0, "{table}");
    }
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    assert_eq!(kind(&sign_in, "verify", json!({ "challenge": challenge, "code": code })).await, "CodeExpired");
    let input = json!({ "challenge": reset, "code": reset_code, "newPassword": OTHER });
    assert_eq!(kind(&at_once, "resetPassword", input).await, "CodeExpired");
    assert_eq!(events(&app, "SESSION_DISOWNED").await, 1);
    assert_eq!(events(&app, "PASSWORD_REMOVED").await, 1);

    let back = app.guest().sign_in("ada@example.com").await;
    assert_eq!((&back.user, back.is_new), (&owner.is.user, false));
    assert_eq!(kind(&app.guest(), "disownSession", json!({ "token": token })).await, "CodeExpired", "once");
    assert_eq!(status(&app.guest().with_bearer(&back.access)).await, 200, "the second use ends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_of_a_disowned_session_is_for_its_reader() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    password_session(&app, "ada@example.com", PASSWORD).await;
    let token = disown_token(&app, "ada@example.com").await;
    let selection = "... on SessionDisowned { message }";
    let answer = app.guest().change("disownSession", json!({ "token": token }), selection).await;
    assert!(!text(&answer.field("disownSession")["message"]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_older_notice_still_works_for_seven_days() {
    for (passed, expected) in [(7.0 * DAY - 5.0, "SessionDisowned"), (7.0 * DAY + 1.0, "CodeExpired")] {
        let app = TestApp::new().await;
        let owner = owner(&app, "ada@example.com").await;
        assert_eq!(kind(&owner, "setPassword", json!({ "newPassword": OTHER })).await, "PasswordSet");
        let token = disown_token(&app, "ada@example.com").await;
        app.clock.pass(passed);
        assert_eq!(kind(&app.guest(), "disownSession", json!({ "token": token })).await, expected);
        assert_eq!(app.count("passwords", "1 = 1").await, i64::from(expected == "CodeExpired"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_or_changed_token_does_nothing_and_is_limited() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::VerifyNetwork, "4/1m".into());
    })
    .await;
    let owner = owner(&app, "ada@example.com").await;
    password_session(&app, "ada@example.com", PASSWORD).await;
    let token = disown_token(&app, "ada@example.com").await;
    let (first, rest) = token.split_at(1);
    let changed = format!("{}{rest}", if first == "A" { "B" } else { "A" });
    let guest = app.guest();
    for wrong in ["", "x", &changed, &owner.is.access] {
        assert_eq!(kind(&guest, "disownSession", json!({ "token": wrong })).await, "CodeExpired");
    }
    assert_eq!(kind(&guest, "disownSession", json!({ "token": "y" })).await, "RateLimited");
    assert_eq!(status(&owner).await, 200);
    assert_eq!(app.count("passwords", "1 = 1").await, 1);
    assert_eq!(
        kind(&guest, "disownSession", json!({ "token": token })).await,
        "SessionDisowned",
        "a real one counts not"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn undoing_a_change_of_address_removes_the_password() {
    let app = TestApp::new().await;
    let thief = owner(&app, "ada@example.com").await;
    let asked = thief.change("changeEmail", json!({ "email": "thief@example.com" }), "... on CodeSent { challenge }");
    let challenge = asked.await.field("changeEmail")["challenge"].clone();
    let code = app.last_code_for("thief@example.com").await;
    assert_eq!(kind(&thief, "confirmEmail", json!({ "challenge": challenge, "code": code })).await, "EmailChanged");
    let set = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    assert_eq!(kind(&thief, "setPassword", set).await, "PasswordSet");
    let token = crate::people::undo::undo_token(&app, "ada@example.com").await;
    let late = register_under_way(&app, "thief@example.com").await;
    assert_eq!(kind(&app.guest(), "undoEmailChange", json!({ "token": token })).await, "EmailChangeUndone");
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
    assert_eq!(events(&app, "PASSWORD_REMOVED").await, 1);
    for email in ["ada@example.com", "thief@example.com"] {
        for password in [PASSWORD, OTHER] {
            assert_eq!(login(&app.guest(), email, password).await["__typename"], "InvalidCredentials");
        }
    }
    let (challenge, code) = late;
    assert_eq!(kind(&app.guest(), "verify", json!({ "challenge": challenge, "code": code })).await, "CodeExpired");
    assert_eq!(app.guest().sign_in("ada@example.com").await.user, thief.is.user);
}

async fn register_under_way(app: &TestApp, email: &str) -> (String, String) {
    let challenge = super::register(&app.guest(), email, PASSWORD).await;
    (challenge, app.last_code_for(email).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_by_an_administrator_removes_the_password() {
    let app = TestApp::new().await;
    let admin = app.person("root@example.com", Role::Admin).await;
    let owner = owner(&app, "ada@example.com").await;
    let input = json!({ "id": owner.is.user, "email": "new@example.com" });
    admin.change("updateUser", input, "__typename").await.field("updateUser");
    assert_eq!(status(&owner).await, 401);
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
    assert_eq!(events(&app, "PASSWORD_REMOVED").await, 1);
    for email in ["ada@example.com", "new@example.com"] {
        assert_eq!(login(&app.guest(), email, PASSWORD).await["__typename"], "InvalidCredentials");
    }
    assert_eq!(app.guest().sign_in("new@example.com").await.user, owner.is.user);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_own_change_of_address_keeps_the_password() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let asked = owner.change("changeEmail", json!({ "email": "next@example.com" }), "... on CodeSent { challenge }");
    let challenge = asked.await.field("changeEmail")["challenge"].clone();
    let code = app.last_code_for("next@example.com").await;
    assert_eq!(kind(&owner, "confirmEmail", json!({ "challenge": challenge, "code": code })).await, "EmailChanged");
    assert_eq!(login(&app.guest(), "next@example.com", PASSWORD).await["__typename"], "SignedIn");
}
