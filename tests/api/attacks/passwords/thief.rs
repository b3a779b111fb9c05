//! A thief with a session, a mailbox of their own and time: nothing of theirs survives when the owner takes the account
//! back, and nothing that they plant before the owner arrives ever counts.

use doorcode::{db::entity::Role, domain::vault};
use serde_json::{Value, json};

use super::{
    DAY, OTHER, PASSWORD, call, guess, kind, login, many_mails, owner, register, request_reset, reset, token_in_mail,
};
use crate::{
    harness::{Client, SignedIn, TestApp},
    people::{email_change, undo},
};

async fn disown(client: &Client<'_>, token: &str) -> String {
    kind(&call(client, "disownSession", json!({ "token": token })).await).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_by_a_stranger_leaves_no_password_for_the_owner_of_the_mailbox() {
    let app = TestApp::with(many_mails).await;
    let thief = app.guest();
    let planted = register(&thief, "ada@example.com", OTHER).await;
    let code = app.last_code_for("ada@example.com").await;
    assert_eq!(app.count("users", "1 = 1").await + app.count("passwords", "1 = 1").await, 0);
    let owner = app.guest().sign_in("ada@example.com").await;
    assert!(owner.is_new);
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "InvalidCredentials");
    // Even with the code, for example from a trusting owner, the planted password does not count.
    let late = SignedIn::read(&thief.verify(&planted, &code).await);
    assert!(!late.is_new && late.user == owner.user);
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "InvalidCredentials");
    assert_eq!(app.count("email_codes", "sealed IS NOT NULL").await, 0, "nothing of it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_for_an_account_changes_neither_its_password_nor_its_name() {
    let app = TestApp::with(many_mails).await;
    let owner = owner(&app, "ada@example.com").await;
    let input = json!({ "email": "ada@example.com", "password": OTHER, "name": "Mallory" });
    let planted = super::challenge(&call(&app.guest(), "register", input).await);
    let mail = &app.mails_for("ada@example.com").await[0];
    assert!(!mail.text.contains("Mallory") && !mail.html.contains("Mallory"), "{}", mail.text);
    let signed_in = app.guest().verify(&planted, mail.code.as_deref().unwrap()).await;
    assert_eq!(SignedIn::read(&signed_in).user, owner.user);
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "InvalidCredentials");
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "SignedIn");
    assert_eq!(app.count("users", "name IS NOT NULL").await, 0);
}

/// A thief with the owner's session changes the address and sets a password. Returns their session and the owner's
/// token.
async fn steal(app: &TestApp) -> (SignedIn, String) {
    let stolen = owner(app, "ada@example.com").await;
    let thief = app.guest().with_bearer(&stolen.access);
    email_change::change(app, &thief, "thief@example.com").await;
    assert_eq!(kind(&call(&thief, "setPassword", json!({ "newPassword": OTHER })).await), "PasswordSet");
    (stolen, token_in_mail(app, "ada@example.com", "undo").await)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_undo_the_thiefs_password_codes_links_and_devices_are_dead() {
    let app = TestApp::with(many_mails).await;
    let (stolen, token) = steal(&app).await;
    assert_eq!(guess(&app, "thief@example.com", OTHER).await, "SignedIn");
    let guest = app.guest();
    let pending = [
        guest.challenge("thief@example.com").await,
        request_reset(&guest, "thief@example.com").await,
        register(&guest, "thief@example.com", OTHER).await,
    ];
    let codes: Vec<_> =
        app.mails_for("thief@example.com").await.into_iter().filter_map(|mail| mail.code).take(3).collect();
    assert_eq!(undo::outcome(&app.guest(), &token).await, "EmailChangeUndone");
    assert_eq!(app.count("passwords", "1 = 1").await, 0, "the owner's is gone as well: a code signs in");
    for email in ["ada@example.com", "thief@example.com"] {
        for password in [OTHER, PASSWORD] {
            assert_eq!(guess(&app, email, password).await, "InvalidCredentials");
        }
    }
    for (challenge, code) in pending.iter().zip(codes.iter().rev()) {
        assert_eq!(kind(&guest.verify(challenge, code).await), "CodeExpired");
        assert_eq!(kind(&reset(&guest, challenge, code, OTHER).await), "CodeExpired");
        assert_eq!(kind(&call(&guest, "resendCode", json!({ "challenge": challenge })).await), "CodeExpired");
    }
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 0);
    assert_eq!(app.count("devices", "1 = 1").await, 0);
    assert_eq!(kind(&app.guest().refresh(&stolen.refresh).await), "SessionEnded");
    let back = app.guest().sign_in("ada@example.com").await;
    assert_eq!(back.user, stolen.user);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_undo_the_thief_cannot_disown_sessions_with_notices_of_their_mailbox() {
    let app = TestApp::with(many_mails).await;
    let (_, token) = steal(&app).await;
    app.guest().sign_in("thief@example.com").await;
    let theirs = token_in_mail(&app, "thief@example.com", "disown").await;
    assert_eq!(undo::outcome(&app.guest(), &token).await, "EmailChangeUndone");
    let back = app.guest().sign_in("ada@example.com").await;
    assert_eq!(disown(&app.guest(), &theirs).await, "CodeExpired");
    app.guest().with_bearer(&back.access).me().await.field("me");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrators_new_address_leaves_the_old_mailbox_no_password_and_no_link() {
    let app = TestApp::with(many_mails).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let owner = owner(&app, "ada@example.com").await;
    app.guest().sign_in("ada@example.com").await;
    let theirs = token_in_mail(&app, "ada@example.com", "disown").await;
    let code = request_reset(&app.guest(), "ada@example.com").await;
    let digits = app.last_code_for("ada@example.com").await;
    let moved = json!({ "id": owner.user, "email": "moved@example.com" });
    admin.change("updateUser", moved, "__typename").await.field("updateUser");
    assert_eq!(guess(&app, "moved@example.com", PASSWORD).await, "InvalidCredentials");
    assert_eq!(kind(&reset(&app.guest(), &code, &digits, OTHER).await), "CodeExpired");
    let back = app.guest().sign_in("moved@example.com").await;
    assert_eq!(disown(&app.guest(), &theirs).await, "CodeExpired");
    app.guest().with_bearer(&back.access).me().await.field("me");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disown_link_works_once_for_a_week_and_not_if_it_is_forged() {
    let app = TestApp::with(many_mails).await;
    let first = owner(&app, "ada@example.com").await;
    let bob = owner(&app, "bob@example.com").await;
    let thief = SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
    let token = token_in_mail(&app, "ada@example.com", "disown").await;
    let raw = vault::decode::<40>(&token).unwrap();
    // The tag of this session over the id of another one.
    let id = |session: &str| vault::decode::<17>(session).unwrap()[1..].to_vec();
    let with_id = |session: &str| vault::encode(&[&id(session), &raw[16..]].concat());
    assert_eq!(id(&thief.session), raw[..16], "it is about the new session");
    let mut forged = vec![with_id(&bob.session), with_id(&first.session), String::new(), "A".repeat(54)];
    forged.extend((0..40).map(|at| {
        let mut bytes = *raw;
        bytes[at] ^= 1;
        vault::encode(&bytes)
    }));
    for token in forged {
        assert_eq!(disown(&app.guest(), &token).await, "CodeExpired", "{token}");
    }
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 3);
    app.clock.pass(7.0 * DAY - 60.0);
    assert_eq!(disown(&app.guest(), &token).await, "SessionDisowned");
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "InvalidCredentials");
    assert_eq!(app.count("devices", "1 = 1").await, 1, "bob's");
    let back = app.guest().sign_in("ada@example.com").await;
    assert_eq!(disown(&app.guest(), &token).await, "CodeExpired", "once");
    app.guest().with_bearer(&back.access).me().await.field("me");
    assert_eq!(guess(&app, "bob@example.com", PASSWORD).await, "SignedIn");
    let late = token_in_mail(&app, "bob@example.com", "disown").await;
    app.clock.pass(7.0 * DAY);
    assert_eq!(disown(&app.guest(), &late).await, "CodeExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reset_every_session_and_device_is_dead_at_once_on_another_replica() {
    let app = TestApp::with(many_mails).await;
    let replica = app.replica().await;
    let mut thieves = vec![owner(&app, "ada@example.com").await];
    for _ in 0..3 {
        thieves.push(SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await));
    }
    for thief in &thieves {
        app.guest().via(&replica).with_bearer(&thief.access).me().await.field("me");
    }
    let guest = app.guest();
    let challenge = request_reset(&guest, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let owner = SignedIn::read(&reset(&guest, &challenge, &code, OTHER).await);
    for thief in &thieves {
        let there = app.guest().via(&replica);
        assert_eq!(there.with_bearer(&thief.access).me().await.code(), "UNAUTHENTICATED");
        assert_eq!(kind(&there.refresh(&thief.refresh).await), "SessionEnded");
        // Its device is unknown again: the allowance is that of the network.
        let known: Value = login(&there.with_device(&thief.device), "ada@example.com", PASSWORD).await;
        assert_eq!(kind(&known), "InvalidCredentials");
    }
    assert_eq!(app.count("devices", "1 = 1").await, 1, "the owner's");
    app.guest().via(&replica).with_bearer(&owner.access).me().await.field("me");
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "SignedIn");
}
