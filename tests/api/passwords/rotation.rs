//! Passwords and registrations while the server secret is replaced.

use doorcode::db::entity::passwords;
use sea_orm::EntityTrait;
use secrecy::SecretString;
use serde_json::json;

use super::{OTHER, PASSWORD, call, disown_token, kind, login, owner, register};
use crate::{
    harness::{SignedIn, TestApp},
    tokens::rotation::{last_code_at, process_with},
};

fn new_secret() -> SecretString {
    SecretString::from("a new secret of more than thirty-two bytes")
}

async fn stored(app: &TestApp) -> passwords::Model {
    passwords::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_during_rotation_seals_the_password_under_the_newest_secret() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let (old, new) = (app.ctx().settings.secrets[0].clone(), new_secret());
    let both = process_with(&app, &[&new, &old]).await;
    let before = stored(&app).await;
    let wrong = login(&app.guest().via(&both), "ada@example.com", OTHER).await;
    assert_eq!(wrong["__typename"], "InvalidCredentials");
    assert_eq!(stored(&app).await, before, "a wrong password changes nothing");
    SignedIn::read(&login(&app.guest().via(&both), "ada@example.com", PASSWORD).await);
    let after = stored(&app).await;
    assert_ne!(after.sealed, before.sealed);
    assert_eq!((after.version, after.changed_at), (before.version, before.changed_at), "it is the same password");
    let newest = process_with(&app, &[&new]).await;
    SignedIn::read(&login(&app.guest().via(&newest), "ada@example.com", PASSWORD).await);
    assert_eq!(stored(&app).await, after, "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_old_secret_a_password_is_refused_like_a_wrong_one_and_codes_work() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let alone = process_with(&app, &[&new_secret()]).await;
    let guest = app.guest().via(&alone);
    assert_eq!(login(&guest, "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    assert_eq!(login(&guest, "nobody@example.com", PASSWORD).await["__typename"], "InvalidCredentials");

    let challenge = guest.challenge("ada@example.com").await;
    let code = last_code_at(&alone, "ada@example.com").await;
    let signed_in = SignedIn::read(&guest.verify(&challenge, &code).await);
    assert_eq!(signed_in.user, owner.is.user);
    let person = guest.with_bearer(&signed_in.access);
    assert_eq!(kind(&person, "setPassword", json!({ "newPassword": OTHER })).await, "PasswordSet");
    SignedIn::read(&login(&app.guest().via(&alone), "ada@example.com", OTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_under_the_old_secret_is_completed_during_rotation() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
    let disown = disown_token(&app, "ada@example.com").await;
    let challenge = register(&app.guest(), "new@example.com", PASSWORD).await;
    let code = app.last_code_for("new@example.com").await;
    for _ in 0..19 {
        login(&app.guest(), "ada@example.com", OTHER).await;
    }
    let (old, new) = (app.ctx().settings.secrets[0].clone(), new_secret());
    let both = process_with(&app, &[&new, &old]).await;
    let guest = app.guest().via(&both);
    SignedIn::read(&call(&guest, "verify", json!({ "challenge": challenge, "code": code })).await);
    SignedIn::read(&login(&app.guest().via(&both), "new@example.com", PASSWORD).await);
    assert_eq!(login(&app.guest().via(&both), "ada@example.com", OTHER).await["__typename"], "InvalidCredentials");
    let spent = login(&app.guest().via(&both), "ada@example.com", PASSWORD).await;
    assert_eq!(spent["__typename"], "RateLimited", "the tries of both secrets are one budget");
    assert_eq!(kind(&guest, "disownSession", json!({ "token": disown })).await, "SessionDisowned");
}
