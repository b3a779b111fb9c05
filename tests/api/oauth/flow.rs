//! The way of a user to an application and back.

use doorcode::ports::Clock;
use futures_util::future::join;
use serde_json::{Value, json};

use super::{
    NOTES, SHOP, Tokens, VERIFIER, ada, answer, app, by_code, challenge, code, is_open, is_refused, param, query,
    query_with, redirect, refresh, sign_in_to, token,
};
use crate::{pages::browser::OWN, tokens::claims};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_pages_signs_in_to_a_client() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let since = app.clock.now().timestamp();
    app.clock.pass(90.0);
    for (of, audience) in [(NOTES, OWN), (SHOP, "https://api.shop.example.com")] {
        let answer = answer(&client, Some(&signed_in.access), &query(of), true).await;
        let back = redirect(&answer);
        assert!(back.as_str().starts_with(of.1), "{back}");
        assert_eq!(param(&back, "state").as_deref(), Some("a state"));
        assert_eq!(param(&back, "iss").as_deref(), Some(OWN));
        let exchanged = token(&client, &by_code(of, &param(&back, "code").unwrap())).await;
        assert_eq!(exchanged.headers["cache-control"], "no-store");
        assert_eq!((&exchanged.json["token_type"], &exchanged.json["expires_in"]), (&json!("Bearer"), &json!(900)));
        let tokens = Tokens::of(&exchanged);
        let claims = claims(&tokens.access);
        assert_eq!((&claims["client_id"], &claims["aud"]), (&json!(of.0), &json!(audience)));
        assert_eq!((&claims["auth_time"], &claims["amr"]), (&json!(since), &json!(["otp"])));
        assert_ne!(claims["sid"], super::super::tokens::claims(&signed_in.access)["sid"]);
        let me = client.with_bearer(&tokens.access).me().await;
        assert_eq!(me.status.as_u16(), if of == NOTES { 200 } else { 401 }, "only a token for this server is accepted");
    }
    let sessions = client.query("{ me { sessions { nodes { clientId methods } } } }", json!({})).await;
    let sessions = sessions.field("me")["sessions"]["nodes"].as_array().unwrap().clone();
    let ids: Vec<_> = sessions.iter().map(|session| session["clientId"].clone()).collect();
    assert_eq!(ids, [json!("shop"), json!("notes"), Value::Null]);
    for kind in ["CLIENT_APPROVED", "CLIENT_SIGNED_IN"] {
        assert_eq!(app.count("audit_events", &format!("kind = '{kind}' AND subject_id = actor_id")).await, 2, "{kind}");
    }
    assert!(claims(&signed_in.access)["client_id"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_refreshes_its_session_and_no_other() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let tokens = sign_in_to(&client, &signed_in.access, NOTES).await;
    let next = Tokens::of(&refresh(&client, NOTES.0, &tokens.refresh).await);
    assert_ne!(next.refresh, tokens.refresh);
    assert_eq!(claims(&next.access)["client_id"], NOTES.0);
    is_refused(&refresh(&client, SHOP.0, &next.refresh).await, "invalid_grant");
    is_refused(&refresh(&client, "nobody", &next.refresh).await, "invalid_client");
    is_refused(&refresh(&client, NOTES.0, &signed_in.refresh).await, "invalid_grant");
    assert_eq!(client.refresh(&next.refresh).await["__typename"], "SessionEnded", "the API is not for clients");
    assert_eq!(client.refresh(&signed_in.refresh).await["__typename"], "Refreshed", "none of this ended a session");
    let next = Tokens::of(&refresh(&client, NOTES.0, &next.refresh).await);

    app.clock.pass(11.0);
    is_refused(&refresh(&client, NOTES.0, &tokens.refresh).await, "invalid_grant");
    assert!(!is_open(&client, NOTES, &next).await, "an old token that comes back ends the session");
    assert_eq!(app.count("sessions", "end_reason = 'TOKEN_REUSED' AND client_id = 'notes'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_signs_out_of_clients_too() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let notes = sign_in_to(&client, &signed_in.access, NOTES).await;
    let shop = sign_in_to(&client, &signed_in.access, SHOP).await;
    assert_eq!(client.logout().await.status, 200);
    assert!(is_open(&client, NOTES, &notes).await, "signing out of the pages leaves the clients alone");

    let again = client.sign_in("ada@example.com").await;
    let client = client.with_bearer(&again.access);
    let ended = client.query("mutation { endOtherSessions { count } }", json!({})).await;
    assert_eq!(ended.field("endOtherSessions")["count"], 2);
    assert!(!is_open(&client, SHOP, &shop).await);
    assert_eq!(client.with_bearer(&notes.access).me().await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_session_from_another_one_ends_what_was_opened_from_it() {
    let app = app().await;
    let (client, thief) = ada(&app).await;
    let stolen = sign_in_to(&client, &thief.access, NOTES).await;
    let owner = app.guest().sign_in("ada@example.com").await;
    let owner_client = client.with_bearer(&owner.access);
    let kept = sign_in_to(&owner_client, &owner.access, NOTES).await;
    owner_client.change("endSession", json!({ "id": thief.session }), "session { id }").await.field("endSession");
    assert!(!is_open(&client, NOTES, &stolen).await);
    assert!(is_open(&client, NOTES, &kept).await);
    assert_eq!(app.count("audit_events", "kind = 'SESSION_ENDED'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_refresh_token_of_the_pages_ends_what_was_opened_with_it() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let tokens = sign_in_to(&client, &signed_in.access, NOTES).await;
    client.refresh(&signed_in.refresh).await;
    app.clock.pass(11.0);
    assert_eq!(client.refresh(&signed_in.refresh).await["__typename"], "SessionEnded");
    assert!(!is_open(&client, NOTES, &tokens).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_cannot_keep_a_client_by_signing_out_of_the_session_it_came_from() {
    let app = app().await;
    let owner = app.guest().sign_in("ada@example.com").await;
    let owner = app.guest().with_bearer(&owner.access);
    let (client, thief) = ada(&app).await;
    let stolen = sign_in_to(&client, &thief.access, NOTES).await;
    client.logout().await.field("logout");
    // The owner's page still shows the session.
    owner.change("endSession", json!({ "id": thief.session }), "session { id }").await.field("endSession");
    assert!(!is_open(&client, NOTES, &stolen).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_token_of_a_session_that_is_over_ends_what_was_opened_from_it() {
    for way in ["refresh", "logout"] {
        let app = app().await;
        let (client, owner) = ada(&app).await;
        // A thief uses the owner's token first, signs in to a client, and signs out of the session.
        let stolen = client.refresh(&owner.refresh).await;
        let token = |name: &str| stolen["tokens"][name].as_str().unwrap().to_owned();
        let notes = sign_in_to(&client, &token("accessToken"), NOTES).await;
        if way == "refresh" {
            client.with_bearer(&token("accessToken")).logout().await.field("logout");
            assert_eq!(client.refresh(&owner.refresh).await["__typename"], "SessionEnded");
            assert!(is_open(&client, NOTES, &notes).await, "the previous token may come from another tab");
        } else {
            client.refresh(&token("refreshToken")).await;
        }
        app.clock.pass(11.0);
        match way {
            "refresh" => drop(client.refresh(&owner.refresh).await),
            _ => drop(app.guest().change("logout", json!({ "refreshToken": owner.refresh }), "__typename").await),
        }
        assert!(!is_open(&client, NOTES, &notes).await, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_signs_in_while_its_parent_ends_does_not_stay() {
    let app = app().await;
    app.make("root@example.com", doorcode::db::entity::Role::Admin).await;
    let root = app.guest().sign_in("root@example.com").await;
    let root = app.guest().with_bearer(&root.access);
    for round in 0..20 {
        let email = format!("user{round}@example.com");
        let (client, owner) = (app.guest(), app.guest().sign_in(&email).await);
        let owner = app.guest().with_bearer(&owner.access);
        let parent = client.sign_in(&email).await;
        let code = code(&client, &parent.access, NOTES).await;
        let end = async {
            let (who, field, input) = match round % 2 {
                0 => (&owner, "endSession", json!({ "id": parent.session })),
                _ => (&root, "endUserSessions", json!({ "id": parent.user })),
            };
            who.change(field, input, "__typename").await.field(field);
        };
        join(end, token(&client, &by_code(NOTES, &code))).await;
        assert_eq!(app.count("sessions", "client_id = 'notes' AND ended_at IS NULL").await, 0, "{round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_client_lasts_no_longer_than_its_parent() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    app.clock.pass(6.0 * 86_400.0);
    let fresh = client.refresh(&signed_in.refresh).await;
    let access = fresh["tokens"]["accessToken"].as_str().unwrap().to_owned();
    sign_in_to(&client, &access, NOTES).await;
    assert_eq!(
        app.count(
            "sessions c",
            "client_id = 'notes' AND EXISTS (SELECT 1 FROM sessions p WHERE \
        p.id = c.parent_id AND p.expires_at = c.expires_at AND p.created_at = c.created_at)"
        )
        .await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_learns_what_is_wrong_with_its_request() {
    let app = app().await;
    let client = app.guest();
    let long = "s".repeat(1_025);
    let plain = challenge(VERIFIER);
    for (changed, error, has_state) in [
        (&[("response_type", "")][..], "invalid_request", true),
        (&[("response_type", "token")], "unsupported_response_type", true),
        (&[("response_type", "code id_token")], "unsupported_response_type", true),
        (&[("response_mode", "fragment")], "invalid_request", true),
        (&[("code_challenge", "")], "invalid_request", true),
        (&[("code_challenge", VERIFIER), ("code_challenge_method", "plain")], "invalid_request", true),
        (&[("code_challenge_method", "")], "invalid_request", true),
        (&[("code_challenge_method", "s256")], "invalid_request", true),
        (&[("code_challenge", &plain[..42])], "invalid_request", true),
        (&[("code_challenge", "dBjftJeZ4CVP+mB92K27uhbUJU1p1r/wW1gFWFOEjXk")], "invalid_request", true),
        (&[("scope", "openid")], "invalid_scope", true),
        (&[("prompt", "none")], "interaction_required", true),
        (&[("state", &long)], "invalid_request", false),
        (&[("state", "caf\u{e9}")], "invalid_request", false),
        (&[("state", "a"), ("state", "b")], "invalid_request", false),
        (&[("ui_locales", "en"), ("ui_locales", "de")], "invalid_request", true),
    ] {
        let answer = client.get(&format!("/authorize?{}", query_with(changed))).await;
        assert_eq!(answer.status, 303, "{changed:?}: {}", answer.text);
        let back = answer.headers["location"].to_str().unwrap().parse().unwrap();
        assert!(url::Url::as_str(&back).starts_with(NOTES.1), "{back}");
        assert_eq!(param(&back, "error").as_deref(), Some(error), "{changed:?}");
        assert_eq!(param(&back, "iss").as_deref(), Some(OWN), "{changed:?}");
        assert_eq!(param(&back, "state").as_deref(), has_state.then_some("a state"), "{changed:?}");
        assert_eq!(param(&back, "code"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_application_gets_its_code_at_any_port_of_this_machine() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    for uri in ["http://127.0.0.1:51004/done", "http://[::1]:51005/done"] {
        let of = ("cli", uri);
        let back = redirect(&answer(&client, Some(&signed_in.access), &query(of), true).await);
        assert!(back.as_str().starts_with(uri), "{back}");
        let code = param(&back, "code").unwrap();
        let elsewhere = ("cli", "http://127.0.0.1:51006/done");
        Tokens::of(&token(&client, &by_code(of, &code)).await);
        let other = super::code(&client, &signed_in.access, of).await;
        is_refused(&token(&client, &by_code(elsewhere, &other)).await, "invalid_grant");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_refuses_is_sent_back_without_a_code() {
    let app = app().await;
    let back = redirect(&answer(&app.guest(), None, &query(SHOP), false).await);
    assert!(back.as_str().starts_with(SHOP.1));
    for (name, value) in [("error", "access_denied"), ("state", "a state"), ("iss", OWN), ("from", "doorcode")] {
        assert_eq!(param(&back, name).as_deref(), Some(value));
    }
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_ask_for_a_new_sign_in() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let asked = query_with(&[("prompt", "login")]);
    app.clock.pass(601.0);
    let refused = answer(&client, Some(&signed_in.access), &asked, true).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "REAUTHENTICATION_REQUIRED"));
    let again = client.sign_in("ada@example.com").await;
    assert!(param(&redirect(&answer(&client, Some(&again.access), &asked, true).await), "code").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_names_what_the_server_supports() {
    let app = app().await;
    let answer = app.guest().get("/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let expected = json!({
        "issuer": OWN,
        "authorization_endpoint": format!("{OWN}/authorize"),
        "token_endpoint": format!("{OWN}/token"),
        "jwks_uri": format!("{OWN}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": ["en", "de", "fr", "es", "ja"],
    });
    assert_eq!(answer.json, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_learns_what_is_wrong_with_its_exchange() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    let right = by_code(NOTES, &code);
    for (changed, error) in [
        (("client_id", ""), "invalid_client"),
        (("client_id", "nobody"), "invalid_client"),
        (("client_id", "no body\u{0}"), "invalid_client"),
        (("grant_type", ""), "invalid_request"),
        (("grant_type", "password"), "unsupported_grant_type"),
        (("grant_type", "client_credentials"), "unsupported_grant_type"),
        (("code", ""), "invalid_request"),
        (("code", "made up"), "invalid_grant"),
        (("redirect_uri", ""), "invalid_request"),
        (("code_verifier", ""), "invalid_request"),
    ] {
        let form = right.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
        is_refused(&token(&client, &form).await, error);
    }
    let twice = [&right[..], &[("client_id", NOTES.0)]].concat();
    is_refused(&token(&client, &twice).await, "invalid_client");
    let twice = [&right[..], &[("code_verifier", VERIFIER)]].concat();
    is_refused(&token(&client, &twice).await, "invalid_request");
    Tokens::of(&token(&client, &right).await);
}
