//! What other sites, other clients and other users try.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::json;

use super::{
    NOTES, OTHER_VERIFIER, SHOP, Tokens, VERIFIER, ada, answer, app, by_code, challenge, code, encoded, is_refused,
    param, query, query_with, redirect, token,
};
use crate::{
    pages::browser::{Browser, OWN, access},
    tokens::claims,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_or_redirect_uri_gets_a_page_and_never_a_redirect() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    for changed in [
        &[("client_id", "")][..],
        &[("client_id", "nobody")],
        &[("client_id", "no\r\nbody")],
        &[("client_id", NOTES.0), ("client_id", NOTES.0)],
        &[("redirect_uri", "")],
        &[("redirect_uri", NOTES.1), ("redirect_uri", "https://evil.example/")],
        &[("redirect_uri", SHOP.1)],
        &[("redirect_uri", "https://evil.example/")],
        &[("redirect_uri", "//evil.example/callback")],
        &[("redirect_uri", "javascript:alert(1)")],
        &[("redirect_uri", "https://notes.example.com/callback/")],
        &[("redirect_uri", "https://notes.example.com/callback?next=https://evil.example")],
        &[("redirect_uri", "https://notes.example.com/callback#x")],
        &[("redirect_uri", "https://notes.example.com/%63allback")],
        &[("redirect_uri", "https://notes.example.com:443/callback")],
        &[("redirect_uri", "https://notes.example.com@evil.example/callback")],
        &[("redirect_uri", "https://notes.example.com.evil.example/callback")],
        &[("redirect_uri", "http://127.0.0.1:1234/done")],
        &[("client_id", "cli"), ("redirect_uri", "http://127.0.0.1:1234@evil.example/done")],
        &[("client_id", "cli"), ("redirect_uri", "http://localhost:1234/done")],
    ] {
        // Even if something else is wrong, which a known client would learn.
        for more in [&[][..], &[("response_type", "token")], &[("prompt", "none")]] {
            let query = query_with(&[changed, more].concat());
            let page = client.get(&format!("/authorize?{query}")).await;
            assert_eq!(page.status, 400, "{changed:?}");
            assert!(page.headers.get("location").is_none(), "{changed:?}");
            assert!(page.text.starts_with("<!doctype html>") && page.text.contains("UNKNOWN"), "{changed:?}");
            assert!(!page.text.contains("evil.example"), "{changed:?}");
            let answer = answer(&client, Some(&signed_in.access), &query, true).await;
            assert_eq!(answer.status, 400, "{changed:?}: {}", answer.text);
            assert!(!answer.text.contains("redirect"), "{}", answer.text);
        }
    }
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_in_browser_is_asked_and_never_handed_over() {
    let app = app().await;
    let browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let headers = [("cookie", browser.cookie.clone().unwrap())];
    let page = browser.raw(Method::GET, &format!("/authorize?{}", query(NOTES)), &headers, "").await;
    assert_eq!(page.status, 200);
    assert!(page.headers.get("location").is_none() && page.headers.get("set-cookie").is_none());
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_can_approve_a_request() {
    let app = app().await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let token = access(&browser.reload().await).to_owned();
    let account = claims(&token)["sub"].clone();
    let body = json!({ "query": query(NOTES), "approve": true, "account": account }).to_string();
    let own = |name, value: &str| (name, value.to_owned());
    let bearer = own("authorization", &format!("Bearer {token}"));
    let cookie = own("cookie", browser.cookie.as_ref().unwrap());
    let (origin, mark) = (own("origin", OWN), own("x-doorcode", "1"));
    for (headers, status) in [
        (vec![mark.clone(), bearer.clone()], 403),
        (vec![own("origin", "https://evil.example"), mark.clone(), bearer.clone()], 403),
        (vec![own("origin", "null"), mark.clone(), bearer.clone()], 403),
        (vec![own("origin", "http://localhost:4000.evil.example"), mark.clone(), bearer.clone()], 403),
        (vec![origin.clone(), bearer.clone()], 403),
        (vec![origin.clone(), origin.clone(), mark.clone(), bearer.clone()], 403),
        // The cookie of the pages approves nothing.
        (vec![origin.clone(), mark.clone(), cookie], 401),
    ] {
        let answer = browser.raw(Method::POST, "/pages/authorize", &headers, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?}: {}", answer.text);
    }
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 0);
    let answer = browser.raw(Method::POST, "/pages/authorize", &[origin, mark, bearer], &body).await;
    assert_eq!(answer.status, 200);
    let get = browser.client.get("/pages/authorize").await;
    assert_eq!(get.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tossed_cookie_cannot_change_who_approves() {
    let app = app().await;
    let (client, ada) = ada(&app).await;
    let eve = Browser::signed_in(app.guest(), "eve@example.com").await;
    let headers = [
        ("origin", OWN.to_owned()),
        ("x-doorcode", "1".to_owned()),
        ("cookie", eve.cookie.clone().unwrap()),
        ("authorization", format!("Bearer {}", ada.access)),
    ];
    let sub = claims(&ada.access)["sub"].clone();
    let body = json!({ "query": query(NOTES), "approve": true, "account": sub }).to_string();
    let answer = eve.raw(Method::POST, "/pages/authorize", &headers, &body).await;
    let code = param(&redirect(&answer), "code").unwrap();
    let tokens = Tokens::of(&token(&client, &by_code(NOTES, &code)).await);
    assert_eq!(claims(&tokens.access)["sub"], sub);
    // The page showed another account than the one whose token it got.
    for shown in [json!(claims(eve.tab().reload().await.json["accessToken"].as_str().unwrap())["sub"]), json!(null)] {
        let body = json!({ "query": query(NOTES), "approve": true, "account": shown }).to_string();
        let refused = eve.raw(Method::POST, "/pages/authorize", &headers, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (409, "CONFLICT"));
    }
}

/// Login CSRF: the attacker makes the victim's browser bring a code for the attacker's account to the client.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_another_sign_in_does_not_fit_the_verifier_of_this_one() {
    let app = app().await;
    let (client, attacker) = ada(&app).await;
    let of_attacker = query_with(&[("code_challenge", &challenge(OTHER_VERIFIER))]);
    let injected =
        param(&redirect(&answer(&client, Some(&attacker.access), &of_attacker, true).await), "code").unwrap();
    // The client of the victim has the verifier of the victim's own request.
    is_refused(&token(&client, &by_code(NOTES, &injected)).await, "invalid_grant");
    assert_eq!(app.count("sessions", "client_id IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_names_the_issuer_against_mix_up() {
    let app = super::app_with(|flags| flags.public_url = Some("https://login.example.com/auth".into())).await;
    let client = app.guest();
    let issuer = "https://login.example.com/auth";
    let refused = client.get(&format!("/authorize?{}", query_with(&[("response_type", "token")]))).await;
    let back: url::Url = refused.headers["location"].to_str().unwrap().parse().unwrap();
    assert_eq!(param(&back, "iss").as_deref(), Some(issuer));
    let metadata = client.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.json["issuer"], issuer);
    let inserted = client.get("/.well-known/oauth-authorization-server/auth").await;
    assert_eq!(inserted.json, metadata.json, "where RFC 8414 puts it for an issuer with a path");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_with_two_clients_keep_their_requests_apart() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let (notes, shop) = (query(NOTES), query_with(&[("client_id", SHOP.0), ("redirect_uri", SHOP.1), ("state", "b")]));
    for (query, name) in [(&notes, "Notes"), (&shop, "Shop")] {
        assert!(client.get(&format!("/authorize?{query}")).await.text.contains(name));
    }
    let from_shop = redirect(&answer(&client, Some(&signed_in.access), &shop, true).await);
    let from_notes = redirect(&answer(&client, Some(&signed_in.access), &notes, true).await);
    assert_eq!(param(&from_shop, "state").as_deref(), Some("b"));
    assert_eq!(param(&from_notes, "state").as_deref(), Some("a state"));
    let (shop, notes) = (param(&from_shop, "code").unwrap(), param(&from_notes, "code").unwrap());
    let notes = Tokens::of(&token(&client, &by_code(NOTES, &notes)).await);
    let shop = Tokens::of(&token(&client, &by_code(SHOP, &shop)).await);
    assert_eq!(claims(&notes.access)["client_id"], NOTES.0);
    assert_eq!(claims(&shop.access)["client_id"], SHOP.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_form_in_a_post_is_exchanged() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let code = code(&client, &signed_in.access, NOTES).await;
    let form = encoded(&by_code(NOTES, &code));
    assert_eq!(client.get(&format!("/token?{form}")).await.status, 405);
    for (kind, body, status) in [
        ("application/json", form.clone(), 415),
        ("text/plain", form.clone(), 415),
        ("multipart/form-data; boundary=x", form.clone(), 415),
        ("application/x-www-form-urlencoded; charset=utf-16", form.clone(), 415),
        ("application/x-www-form-urlencoded", "a".repeat(17_000), 413),
        ("application/x-www-form-urlencoded", String::new(), 400),
    ] {
        let request = Request::post("/token").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        let answer = client.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{kind}: {}", answer.text);
        assert!(answer.json["error"].is_string(), "{}", answer.text);
    }
    let basic = Request::post("/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, "Basic bm90ZXM6");
    let refused = client.send(basic.body(Body::from(form.clone())).unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.json["error"]), (401, &json!("invalid_client")), "{}", refused.text);
    assert_eq!(refused.headers["www-authenticate"], "Basic");
    let right = Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded;charset=UTF-8");
    Tokens::of(&client.send(right.body(Body::from(form)).unwrap()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_of_the_client_and_listed_origins_read_the_tokens() {
    let app = super::app_with(|flags| {
        flags.cors_origins = Some("https://listed.example.com".into());
    })
    .await;
    let client = app.guest();
    for (origin, shared) in [
        ("https://notes.example.com", true),
        ("https://listed.example.com", true),
        ("https://shop.example.com", false),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let request = Request::post("/token")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, origin);
        let form = [("grant_type", "refresh_token"), ("client_id", NOTES.0), ("refresh_token", VERIFIER)];
        let answer = client.send(request.body(Body::from(encoded(&form))).unwrap()).await;
        is_refused(&answer, "invalid_grant");
        let allowed = answer.headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
        assert_eq!(allowed, shared.then_some(origin), "{origin}");
        assert_eq!(answer.headers["vary"], "origin");
        assert!(answer.headers.get("access-control-allow-credentials").is_none());
    }
}
