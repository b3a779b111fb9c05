//! A browser at our pages: it keeps one cookie and sends `Origin` and the header of our scripts.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};

use crate::harness::{Answer, Client};

/// The origin of the pages with the default settings.
pub(crate) const OWN: &str = "http://localhost:4000";
pub(crate) const COOKIE: &str = "doorcode_dev";

pub(crate) struct Browser<'a> {
    pub(crate) client: Client<'a>,
    pub(crate) origin: String,
    /// The `Cookie` header.
    pub(crate) cookie: Option<String>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(client: Client<'a>) -> Self {
        Self { client, origin: OWN.into(), cookie: None }
    }

    /// A browser whose pages have signed a user in.
    pub(crate) async fn signed_in(client: Client<'a>, email: &str) -> Self {
        let refresh = client.sign_in(email).await.refresh;
        let mut browser = Self::new(client);
        assert_eq!(browser.open(json!({ "refreshToken": refresh })).await.status, 200);
        browser
    }

    /// Another tab of this browser.
    pub(crate) fn tab(&self) -> Self {
        Self { client: self.client.clone(), origin: self.origin.clone(), cookie: self.cookie.clone() }
    }

    /// Sends what a script of our pages sends.
    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Value) -> Answer {
        let mut headers = vec![("origin", self.origin.clone()), ("x-doorcode", "1".into())];
        headers.extend(self.cookie.iter().map(|cookie| ("cookie", cookie.clone())));
        let answer = self.raw(method, path, &headers, &body.to_string()).await;
        self.keep(&answer);
        answer
    }

    /// Sends these headers.
    pub(crate) async fn raw(&self, method: Method, path: &str, headers: &[(&str, String)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.client.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Stores or deletes the cookie that a response sets.
    fn keep(&mut self, answer: &Answer) {
        let Some(set) = set_cookie(answer) else { return };
        let pair = set.split(';').next().unwrap().to_owned();
        self.cookie = (!set.contains("Max-Age=0")).then_some(pair);
    }

    pub(crate) async fn open(&mut self, body: Value) -> Answer {
        self.call(Method::POST, "/pages/session", body).await
    }

    /// What a page does after a reload.
    pub(crate) async fn reload(&mut self) -> Answer {
        self.open(json!({})).await
    }

    pub(crate) async fn end(&mut self) -> Answer {
        self.call(Method::DELETE, "/pages/session", json!(null)).await
    }
}

pub(crate) fn set_cookie(answer: &Answer) -> Option<&str> {
    let mut all = answer.headers.get_all(header::SET_COOKIE).iter();
    let first = all.next()?;
    assert!(all.next().is_none(), "several cookies");
    Some(first.to_str().unwrap())
}

pub(crate) fn access(answer: &Answer) -> &str {
    answer.json["accessToken"].as_str().unwrap_or_else(|| panic!("no session: {} {}", answer.status, answer.text))
}
