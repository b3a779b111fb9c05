//! Fuzzes whole requests: method, path, headers and body, as far as the HTTP library allows. An input has the format of
//! a request: `POST /graphql`, header lines, an empty line, the body. `{user}` at the end of a header line is replaced
//! by a valid access token.
#![no_main]

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, Uri},
};
use doorcode_fuzz::{Asked, Door, Who, check, check_graphql};
use libfuzzer_sys::fuzz_target;

fn read(data: &[u8]) -> Option<Request<Body>> {
    let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
    let (head, body) = (&data[..end], data.get(end + 2..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n');
    let mut first = lines.next()?.splitn(2, |byte| *byte == b' ');
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = Method::from_bytes(first.next()?).ok()?;
    *request.uri_mut() = Uri::try_from(first.next()?).ok()?;
    for line in lines.take(32) {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        let value = line[at + 1..].trim_ascii();
        let value = match value.strip_suffix(b"{user}") {
            Some(before) => {
                let token = Door::get().bearer(Who::User)?;
                HeaderValue::from_bytes(&[before, token.as_bytes()].concat()).ok()?
            }
            None => HeaderValue::from_bytes(value).ok()?,
        };
        request.headers_mut().append(name, value);
    }
    Some(request)
}

fuzz_target!(|data: &[u8]| {
    let Some(request) = read(data) else { return };
    let is_graphql = request.uri().path() == "/graphql" && request.method() == Method::POST;
    let answer = Door::get().send(request);
    let text = String::from_utf8_lossy(data);
    let asked = Asked { text: &text };
    if answer.status == 401 && text.contains("{user}") {
        Door::get().forget(Who::User);
    }
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if is_graphql && !kind.starts_with("text/event-stream") {
        check_graphql(&asked, &answer);
    } else {
        check(&asked, &answer);
    }
});
