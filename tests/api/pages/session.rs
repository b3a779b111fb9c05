//! `/pages/session`: one session for each browser, in a cookie that no script reads and no other site uses.

use axum::http::Method;
use serde_json::{Value, json};

use super::browser::{Browser, COOKIE, OWN, access, set_cookie};
use crate::harness::{Client, TestApp};

async fn is_signed_in(client: &Client<'_>, token: &str) -> bool {
    client.with_bearer(token).me().await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_reload_the_page_gets_an_access_token_and_never_a_refresh_token() {
    let app = TestApp::new().await;
    let client = app.guest();
    let signed_in = client.sign_in("ada@example.com").await;
    let mut browser = Browser::new(client.clone());
    assert_eq!(browser.reload().await.status, 204, "nobody is signed in yet");

    let mut seen = vec![signed_in.refresh.clone()];
    for body in [json!({ "refreshToken": signed_in.refresh }), json!({}), json!({})] {
        let answer = browser.open(body).await;
        assert_eq!((answer.status.as_u16(), &answer.json["tokenType"]), (200, &json!("Bearer")));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(is_signed_in(&client, access(&answer)).await);
        let kept = browser.cookie.clone().unwrap();
        let token = kept.strip_prefix("doorcode_dev=").unwrap().to_owned();
        assert!(!answer.text.contains(&token), "the value of the cookie is in no body");
        assert!(!seen.contains(&token), "each use replaces the token, also the one that the script had");
        seen.push(token);
    }
    let rows = app.count("sessions", "ended_at IS NULL").await;
    assert_eq!(rows, 1, "the session of the sign-in goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_has_the_attributes_of_its_scheme() {
    let loopback = TestApp::new().await;
    let https = TestApp::with(|flags| flags.public_url = Some("https://login.example.com".into())).await;
    for (app, origin, name, secure) in
        [(&loopback, OWN, COOKIE, false), (&https, "https://login.example.com", "__Host-doorcode", true)]
    {
        let refresh = app.guest().sign_in("ada@example.com").await.refresh;
        let mut browser = Browser::new(app.guest());
        browser.origin = origin.into();
        let opened = browser.open(json!({ "refreshToken": refresh })).await;
        let ended = browser.end().await;
        for answer in [&opened, &ended] {
            let cookie = set_cookie(answer).unwrap();
            let parts: Vec<_> = cookie.split("; ").collect();
            assert!(parts[0].starts_with(&format!("{name}=")), "{cookie}");
            for part in ["Path=/", "HttpOnly", "SameSite=Lax"] {
                assert!(parts.contains(&part), "{part} in {cookie}");
            }
            assert_eq!(parts.contains(&"Secure"), secure, "{cookie}");
            assert!(!cookie.contains("Domain"), "{cookie}");
        }
        assert!(set_cookie(&opened).unwrap().contains("; Max-Age=604800"), "as long as the session without a refresh");
        assert!(set_cookie(&ended).unwrap().starts_with(&format!("{name}=; ")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_not_remembered_ends_with_the_browser() {
    let app = TestApp::new().await;
    let client = app.guest();
    let input = json!({ "email": "ada@example.com", "remember": false });
    let challenge = client.login_with(input).await.field("login")["challenge"].as_str().unwrap().to_owned();
    let code = app.last_code_for("ada@example.com").await;
    let signed_in = crate::harness::SignedIn::read(&client.verify(&challenge, &code).await);
    let mut browser = Browser::new(client);
    for answer in [browser.open(json!({ "refreshToken": signed_in.refresh })).await, browser.reload().await] {
        assert_eq!(answer.json["remembered"], false);
        assert!(!set_cookie(&answer).unwrap().contains("Max-Age"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_at_once_both_get_the_session() {
    let app = TestApp::new().await;
    let mut one = Browser::signed_in(app.guest(), "ada@example.com").await;
    let mut other = one.tab();
    let (first, second) = tokio::join!(one.reload(), other.reload());
    for answer in [&first, &second] {
        assert!(is_signed_in(&one.client, access(answer)).await);
    }
    assert_eq!(one.cookie, other.cookie, "both tabs set the same cookie");
    assert_eq!(app.count("audit_events", "kind = 'REFRESH_TOKEN_REUSED'").await, 0);

    app.clock.pass(10.1);
    let mut late = Browser::signed_in(app.guest(), "eve@example.com").await;
    let mut copy = late.tab();
    late.reload().await;
    app.clock.pass(10.1);
    assert_eq!(copy.reload().await.status, 204, "a copy of an old cookie ends the session");
    assert_eq!(copy.cookie, None);
    assert_eq!(late.reload().await.status, 204);
    assert_eq!(app.count("audit_events", "kind = 'REFRESH_TOKEN_REUSED'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_ends_the_session_and_clears_the_cookie() {
    let app = TestApp::new().await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let opened = browser.reload().await;
    let copy = browser.tab();
    assert_eq!(browser.end().await.status, 204);
    assert_eq!(browser.cookie, None);
    assert!(!is_signed_in(&browser.client, access(&opened)).await);
    assert_eq!(copy.tab().reload().await.status, 204, "a copy of the cookie is worth nothing");
    assert_eq!(browser.end().await.status, 204, "again");
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_OUT'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sign_in_of_this_browser_ends_the_session_before() {
    let app = TestApp::new().await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let before = browser.reload().await;
    let refresh = app.guest().sign_in("eve@example.com").await.refresh;
    let opened = browser.open(json!({ "refreshToken": refresh })).await;
    assert!(!is_signed_in(&browser.client, access(&before)).await);
    assert!(is_signed_in(&browser.client, access(&opened)).await);
    let retried = browser.open(json!({ "refreshToken": refresh })).await;
    assert!(is_signed_in(&browser.client, access(&retried)).await, "a repeated exchange keeps the session");
    assert_eq!(app.count("sessions", "end_reason = 'REPLACED'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_script_of_our_own_origin_is_answered() {
    let app = TestApp::new().await;
    let browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let cookie = ("cookie", browser.cookie.clone().unwrap());
    let origin = |value: &str| ("origin", value.to_owned());
    let mark = |value: &str| ("x-doorcode", value.to_owned());
    let refused = [
        vec![mark("1")],
        vec![mark("1"), origin("null")],
        vec![mark("1"), origin("https://evil.example")],
        vec![mark("1"), origin("http://localhost:4000.evil.example")],
        vec![mark("1"), origin("https://localhost:4000")],
        vec![mark("1"), origin("http://localhost:4001")],
        vec![mark("1"), origin("http://localhost")],
        vec![mark("1"), origin("http://LOCALHOST:4000")],
        vec![mark("1"), origin("http://localhost:4000/")],
        vec![mark("1"), origin(OWN), origin(OWN)],
        vec![mark("1"), origin(OWN), origin("https://evil.example")],
        vec![origin(OWN)],
        vec![origin(OWN), mark("")],
        vec![origin(OWN), mark("2")],
        vec![origin(OWN), mark("1"), mark("1")],
    ];
    app.take_statements();
    for mut headers in refused {
        headers.push(cookie.clone());
        for method in [Method::POST, Method::DELETE] {
            let answer = browser.raw(method, "/pages/session", &headers, "{}").await;
            assert_eq!((answer.status.as_u16(), answer.code()), (403, "FORBIDDEN"), "{headers:?}");
            assert_eq!(set_cookie(&answer), None, "{headers:?}");
        }
    }
    assert_eq!(app.take_statements(), Vec::<String>::new());
    let preflight = [origin("https://evil.example"), ("access-control-request-method", "POST".into())];
    let answer = browser.raw(Method::OPTIONS, "/pages/session", &preflight, "").await;
    assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", answer.headers);
    assert_eq!(browser.tab().reload().await.status, 200, "and the session goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_loopback_the_pages_work_at_every_name_of_the_machine() {
    let app = TestApp::new().await;
    let browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let ask = async |host: &str, origin: &str| {
        let headers =
            [("host", host), ("origin", origin), ("x-doorcode", "1")].map(|(name, value)| (name, value.into()));
        browser.raw(Method::POST, "/pages/session", &headers, "{}").await.status.as_u16()
    };
    assert_eq!(ask("127.0.0.1:4000", "http://127.0.0.1:4000").await, 204);
    assert_eq!(ask("127.0.0.1:4000", "http://127.0.0.1:4001").await, 403);
    assert_eq!(ask("evil.example", "http://evil.example").await, 421, "a name that an attacker points at this machine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_the_same_name_from_another_site_is_not_used() {
    let app = TestApp::new().await;
    let mine = Browser::signed_in(app.guest(), "ada@example.com").await.cookie.unwrap();
    let theirs = Browser::signed_in(app.guest(), "eve@example.com").await.cookie.unwrap();
    let mut browser = Browser::new(app.guest());
    for cookies in [format!("{theirs}; {mine}"), format!("{mine};{theirs}"), format!("{mine}; {mine}")] {
        browser.cookie = Some(cookies.clone());
        for answer in [browser.reload().await, browser.end().await] {
            assert_eq!((answer.status.as_u16(), answer.code()), (400, "BAD_REQUEST"), "{cookies}");
        }
    }
    let headers = [("origin", OWN), ("x-doorcode", "1"), ("cookie", &mine), ("cookie", &theirs)];
    let headers = headers.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(browser.raw(Method::POST, "/pages/session", &headers, "{}").await.status, 400, "in two headers");

    // Names that are not ours: browsers let any subdomain set them.
    for other in
        ["Doorcode_dev", "\u{2000}doorcode_dev", "doorcode_dev ", "xdoorcode_dev", "__Host-doorcode", "=doorcode_dev"]
    {
        browser.cookie = Some(mine.replace("doorcode_dev", other));
        assert_eq!(browser.reload().await.status, 204, "{other}");
    }
    let beside = format!("a=b; {mine}; \u{2000}{theirs}; {}", theirs.replace("doorcode_dev", "other"));
    browser.cookie = Some(beside);
    let answer = browser.reload().await;
    let me = browser.client.with_bearer(access(&answer)).me().await;
    assert_eq!(me.field("me")["email"], "ada@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_does_not_authorise_the_api() {
    let app = TestApp::new().await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    let query = json!({ "query": "{ me { id } }" });
    let answer = browser.call(Method::POST, "/graphql", query).await;
    assert_eq!(answer.field("me"), &Value::Null);
    assert_eq!(set_cookie(&answer), None);
    let token = browser.cookie.clone().unwrap().replace("doorcode_dev=", "");
    assert_eq!(browser.client.with_bearer(&token).me().await.status, 401, "and its value is no access token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_ours_opens_nothing_and_costs_nothing() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(app.guest());
    app.take_statements();
    for token in ["", "x", &"A".repeat(86), &"A".repeat(9_000)] {
        let answer = browser.open(json!({ "refreshToken": token })).await;
        assert_eq!((answer.status.as_u16(), set_cookie(&answer)), (204, None));
        browser.cookie = Some(format!("{COOKIE}={token}"));
        let answer = browser.reload().await;
        assert_eq!(answer.status, 204);
        assert!(set_cookie(&answer).unwrap().contains("Max-Age=0"), "a dead cookie is cleared");
    }
    assert_eq!(app.take_statements(), Vec::<String>::new());
    for (body, status, code) in [
        (json!([]), 400, "BAD_REQUEST"),
        (json!("token"), 400, "BAD_REQUEST"),
        (json!({ "refreshToken": 7 }), 400, "BAD_REQUEST"),
        (json!({ "refresh_token": "x" }), 400, "BAD_REQUEST"),
        (json!({ "refreshToken": "x".repeat(17_000) }), 413, "DOCUMENT_TOO_LARGE"),
    ] {
        let answer = browser.open(body).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_are_limited_for_each_session() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(doorcode::limits::Rule::RefreshSession, "3/60s".into());
    })
    .await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    for _ in 0..2 {
        assert_eq!(browser.reload().await.status, 200);
    }
    let refused = browser.reload().await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, "RATE_LIMITED"));
    assert_eq!(set_cookie(&refused), None, "the session goes on");
    let wait = refused.headers["retry-after"].to_str().unwrap().parse::<f64>().unwrap();
    app.clock.pass(wait);
    assert_eq!(browser.reload().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn during_an_outage_a_sign_out_clears_the_cookie_and_says_that_it_failed() {
    let app = TestApp::new().await;
    let mut browser = Browser::signed_in(app.guest(), "ada@example.com").await;
    app.sql("ALTER TABLE sessions RENAME TO gone").await;
    let kept = browser.reload().await;
    assert_eq!((kept.status.as_u16(), set_cookie(&kept)), (500, None), "a fault does not sign out");
    assert_eq!(browser.end().await.status, 500);
    assert_eq!(browser.cookie, None);
    app.sql("ALTER TABLE gone RENAME TO sessions").await;
}
