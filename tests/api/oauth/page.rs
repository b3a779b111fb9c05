//! The page of `GET /authorize`, as the server sends it.

use serde_json::{Value, json};

use super::{NOTES, SHOP, app, query, query_with};
use crate::harness::Answer;

/// What the page tells its script about the request.
fn asked(page: &Answer) -> Value {
    let (_, data) = page.text.split_once("data-shell=\"").unwrap();
    let (data, _) = data.split_once('"').unwrap();
    let data = data.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&");
    serde_json::from_str::<Value>(&data).unwrap()["authorize"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_who_asks_and_cannot_be_framed() {
    let app = app().await;
    let client = app.guest();
    let page = client.get(&format!("/authorize?{}", query(SHOP))).await;
    assert_eq!(page.status, 200);
    assert_eq!(asked(&page)["client"], json!({ "name": "Shop <b>", "logo": null }));
    assert!(!page.text.contains("<b>"), "the name is escaped");
    let unknown = client.get("/authorize").await;
    let refused = client.get(&format!("/authorize?{}", query_with(&[("response_type", "token")]))).await;
    for answer in [&page, &unknown, &refused] {
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["cross-origin-opener-policy"], "same-origin");
    }
    assert_eq!(asked(&unknown), json!({ "problem": "UNKNOWN" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_the_language_and_the_address_that_the_client_names() {
    let app = app().await;
    let client = app.guest();
    for (locales, language) in [("", "en"), ("it fr de", "fr"), ("ja-JP", "ja"), ("it", "en")] {
        let page = client.get(&format!("/authorize?{}", query_with(&[("ui_locales", locales)]))).await;
        assert!(page.text.contains(&format!("<html lang=\"{language}\"")), "{locales}");
    }
    let hinted = query_with(&[("login_hint", "ada@example.com"), ("prompt", "login")]);
    let asked = asked(&client.get(&format!("/authorize?{hinted}")).await);
    assert_eq!((&asked["loginHint"], &asked["needsSignIn"]), (&json!("ada@example.com"), &json!(true)));
    assert_eq!(asked["client"]["name"], "Notes");
    assert_eq!(NOTES.0, "notes");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_pages_know_nothing_of_a_request() {
    let app = app().await;
    let page = app.guest().get(&format!("/sign-in?{}", query(NOTES))).await;
    assert_eq!(asked(&page), Value::Null);
}
