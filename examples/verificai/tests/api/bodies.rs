//! Requests above 16 KiB: only for `startAnalysis`, only from callers with a valid token or key, and only in strings.

use std::{convert::Infallible, future, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::Request,
};
use futures_util::stream;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::harness::{START, Verificai, order};

fn body(query: &str, variables: &Value) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

fn refusal((status, answer): &(u16, Value)) -> (u16, &str) {
    (*status, answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_file_of_a_mebibyte_is_accepted_from_a_user_and_from_a_key() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let key = app.key(&ada, &["ANALYSES_WRITE"]).await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    // Quotes take two bytes in JSON.
    let text = "let x = \"a\";\n".repeat(1024 * 1024 / 13);
    for token in [&ada, &key] {
        let input = order(&prompt, &token[..9], &[("a.rs", &text)]);
        let (status, answer) = app.post(Some(token), body(START, &input)).await;
        assert_eq!(
            (status, &answer["data"]["startAnalysis"]["__typename"]),
            (200, &json!("AnalysisStarted")),
            "{answer}"
        );
    }
    assert_eq!(app.number("SELECT MIN(LENGTH(text)) FROM analysis_texts").await, i64::try_from(text.len()).unwrap());
}

#[tokio::test]
async fn other_large_requests_are_refused() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let large = "x".repeat(20_000);
    let start = body(START, &order(&prompt, "k", &[("a.rs", &large)]));
    let too_large = (413, "DOCUMENT_TOO_LARGE");
    for token in [None, Some("forged"), Some("dk_forged")] {
        assert_eq!(refusal(&app.post(token, start.clone()).await), too_large, "{token:?}");
    }
    let other = "mutation($input: UpdateUserInput!) { updateUser(input: $input) { __typename } }";
    let many: Vec<_> = (0..20_000).map(|_| json!({})).collect();
    let values = json!({ "input": { "promptId": prompt, "idempotencyKey": "k", "files": many } });
    let two = format!("{START} query Other {{ me {{ id }} }}").replacen("mutation(", "mutation Start(", 1);
    let of_query = json!({ "query": two, "operationName": "Other", "variables": { "x": large } });
    for (what, sent) in [
        ("a mutation of Doorcode", body(other, &json!({ "input": { "name": large } }))),
        ("a query", body("query($x: String) { __typename inbox(to: $x) { code } }", &json!({ "x": large }))),
        ("many values", body(START, &values)),
        ("text in the document", body(&format!("{START} # {large}"), &order(&prompt, "k", &[("a", "x")]))),
        ("above the maximum", body(START, &order(&prompt, "k", &[("a.rs", &"x".repeat(2 * 1024 * 1024))]))),
        ("another operation of the document", of_query.to_string()),
    ] {
        let refused = app.post(Some(&ada), sent).await;
        assert_eq!(refusal(&refused).1, "DOCUMENT_TOO_LARGE", "{what}: {refused:?}");
        assert!(refused.0 >= 400, "{what}");
    }
    assert_eq!(app.rows("analyses").await, 0);
}

#[tokio::test]
async fn a_large_body_without_a_length_is_refused() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let frames = stream::iter((0..30).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1_000]))));
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {ada}")).body(Body::from_stream(frames)).unwrap();
    assert_eq!(app.send(request).await.0, 413);
}

#[tokio::test]
async fn a_large_body_counts_as_several_operations() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let text = "x".repeat(1024 * 1024);
    let mut accepted = 0;
    for number in 0..60 {
        let input = order(&prompt, &number.to_string(), &[("a.rs", &text)]);
        match app.post(Some(&ada), body(START, &input)).await {
            (200, _) => accepted += 1,
            refused => {
                assert_eq!(refusal(&refused), (429, "RATE_LIMITED"));
                break;
            }
        }
    }
    // 600 operations a minute, and 17 for each of these.
    assert!((30..40).contains(&accepted), "{accepted}");
}

#[tokio::test]
async fn a_user_with_several_credentials_sends_four_large_bodies_at_once() {
    let app = Arc::new(Verificai::new().await);
    let ada = app.sign_in("ada@example.com").await;
    let credentials = [app.sign_in("ada@example.com").await, app.key(&ada, &["ANALYSES_WRITE"]).await];
    let bob = app.sign_in("bob@example.com").await;
    // A body that does not end. Only its trailers are missing, because a stream would announce no length.
    let endless =
        || Full::new(Bytes::from(vec![b' '; 20_000])).with_trailers(future::pending::<Option<Result<_, Infallible>>>());
    // It is refused, and sent again, if a request of the loop below comes first.
    let slow = |token: String| {
        let app = app.clone();
        tokio::spawn(async move {
            loop {
                let request = Request::post("/graphql").header("content-type", "application/json");
                let request = request.header("authorization", format!("Bearer {token}"));
                app.send(request.body(Body::new(endless())).unwrap()).await;
                sleep(Duration::from_millis(10)).await;
            }
        })
    };
    let waiting: Vec<_> = (0..4).map(|number| slow(credentials[number % 2].clone())).collect();
    let large = |token: String| {
        let (app, sent) = (app.clone(), body(START, &order("none", "k", &[("a.rs", &"x".repeat(20_000))])));
        async move { refusal(&app.post(Some(&token), sent).await).0 }
    };
    let refused = async {
        while large(ada.clone()).await != 503 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(8), refused).await.expect("another session has no share of its own");
    assert_ne!(large(bob).await, 503);
    for slow in waiting {
        slow.abort();
    }
}
