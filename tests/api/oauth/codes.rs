//! Authorization codes: each works once, within a minute, for the client, the redirect URI and the verifier of its
//! request.

use doorcode::db::entity::UserStatus;
use futures_util::future::join_all;
use serde_json::json;

use super::{
    NOTES, OTHER_VERIFIER, SHOP, Tokens, VERIFIER, ada, app, app_with, by_code, code, is_open, is_refused, refresh,
    sign_in_to, token,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_back_ends_the_session_that_it_opened() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    let tokens = Tokens::of(&token(&client, &by_code(NOTES, &code)).await);
    // Whoever has a copy has neither the verifier nor the client.
    let copied = [("grant_type", "authorization_code"), ("client_id", SHOP.0), ("redirect_uri", SHOP.1)];
    let copied = [&copied[..], &[("code", code.as_str()), ("code_verifier", OTHER_VERIFIER)]].concat();
    is_refused(&token(&client, &copied).await, "invalid_grant");
    assert!(!is_open(&client, NOTES, &tokens).await);
    assert_eq!(client.with_bearer(&tokens.access).me().await.status, 401);
    assert_eq!(app.count("audit_events", "kind = 'AUTHORIZATION_CODE_REUSED'").await, 1);
    assert_eq!(client.me().await.status, 200, "the session of the pages goes on");
    is_refused(&token(&client, &by_code(NOTES, &code)).await, "invalid_grant");
    assert_eq!(app.count("audit_events", "kind = 'AUTHORIZATION_CODE_REUSED'").await, 1, "it ends once");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_exchanges_at_once_one_gets_the_session_and_the_others_end_it() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    let form = by_code(NOTES, &code);
    let answers = join_all((0..16).map(|_| token(&client, &form))).await;
    let granted: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(granted.len(), 1);
    assert!(!is_open(&client, NOTES, &Tokens::of(granted[0])).await);
    assert_eq!(app.count("sessions", "client_id = 'notes'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_used_up_by_a_wrong_client_redirect_uri_or_verifier() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let long = "v".repeat(129);
    let challenge = super::challenge(VERIFIER);
    for changed in [
        &[("client_id", SHOP.0)][..],
        &[("client_id", SHOP.0), ("redirect_uri", SHOP.1)],
        &[("redirect_uri", "https://notes.example.com/callback/")],
        &[("redirect_uri", SHOP.1)],
        &[("code_verifier", OTHER_VERIFIER)],
        &[("code_verifier", &challenge)],
        &[("code_verifier", &VERIFIER[..42])],
        &[("code_verifier", &long)],
        &[("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk=")],
    ] {
        let code = code(&client, &signed_in.access, NOTES).await;
        let right = by_code(NOTES, &code);
        let wrong = right.map(|pair| *changed.iter().find(|(name, _)| *name == pair.0).unwrap_or(&pair));
        is_refused(&token(&client, &wrong).await, "invalid_grant");
        is_refused(&token(&client, &right).await, "invalid_grant");
    }
    assert_eq!(app.count("sessions", "client_id IS NOT NULL").await, 0);
    let refused = "kind = 'AUTHORIZATION_CODE_REFUSED' AND subject_id IS NOT NULL AND actor_id IS NULL";
    assert_eq!(app.count("audit_events", refused).await, 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_lives_a_minute() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    for (seconds, works) in [(59.0, true), (60.0, false)] {
        let code = code(&client, &signed_in.access, NOTES).await;
        app.clock.pass(seconds);
        assert_eq!(token(&client, &by_code(NOTES, &code)).await.status == 200, works, "after {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_with_a_changed_byte_is_unknown() {
    let app = app_with(|flags| {
        flags.limits.insert(doorcode::limits::Rule::VerifyNetwork, "1000/1m".into());
    })
    .await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    for at in [0, 20, 21, 22, 40, 63] {
        let other = if code.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &code[..at], &code[at + 1..]);
        is_refused(&token(&client, &by_code(NOTES, &changed)).await, "invalid_grant");
    }
    Tokens::of(&token(&client, &by_code(NOTES, &code)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_worth_nothing_after_the_session_that_approved_it_ended() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let by_sign_out = code(&client, &signed_in.access, NOTES).await;
    client.logout().await;
    is_refused(&token(&client, &by_code(NOTES, &by_sign_out)).await, "invalid_grant");

    let again = client.sign_in("ada@example.com").await;
    let by_others = code(&client, &again.access, NOTES).await;
    let last = client.sign_in("ada@example.com").await;
    client.with_bearer(&last.access).query("mutation { endOtherSessions { count } }", json!({})).await;
    is_refused(&token(&client, &by_code(NOTES, &by_others)).await, "invalid_grant");

    let by_time = code(&client, &last.access, NOTES).await;
    app.sql("UPDATE sessions SET idle_expires_at = created_at").await;
    is_refused(&token(&client, &by_code(NOTES, &by_time)).await, "invalid_grant");
    assert_eq!(app.count("sessions", "client_id IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_user_gets_no_code_no_session_and_no_refresh() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let tokens = sign_in_to(&client, &signed_in.access, NOTES).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    app.set_status("ada@example.com", UserStatus::Suspended).await;
    is_refused(&token(&client, &by_code(NOTES, &code)).await, "invalid_grant");
    is_refused(&refresh(&client, NOTES.0, &tokens.refresh).await, "invalid_grant");
    assert_eq!(client.with_bearer(&tokens.access).me().await.status, 401);
    let answer = super::answer(&client, Some(&signed_in.access), &super::query(NOTES), true).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_stored_as_hashes_and_purged_after_a_day() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 1);
    app.clock.pass(86_400.0);
    assert_eq!(doorcode::domain::housekeeping::purge(app.ctx()).await.unwrap().authorization_codes, 0);
    app.clock.pass(61.0);
    assert_eq!(doorcode::domain::housekeeping::purge(app.ctx()).await.unwrap().authorization_codes, 1);
    is_refused(&token(&client, &by_code(NOTES, &code)).await, "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_codes_are_refused_after_a_while() {
    let app = app().await;
    let client = app.guest();
    let made_up = "A".repeat(64);
    for _ in 0..30 {
        is_refused(&token(&client, &by_code(NOTES, &made_up)).await, "invalid_grant");
    }
    let refused = token(&client, &by_code(NOTES, &made_up)).await;
    assert_eq!((refused.status.as_u16(), &refused.json["error"]), (429, &json!("temporarily_unavailable")));
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u32>().unwrap() > 0);
}
