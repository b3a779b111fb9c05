//! Reads a request body, with limits on its size and time. Copies the bytes, so that the read buffers are released.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::response::Refusal;
use crate::graphql::{document, error::Code};

/// Maximum size of a body in bytes.
pub(super) const MAX_BODY: usize = document::BODY;

/// Timeout for the whole body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks that a body is JSON in UTF-8 and uncompressed.
///
/// # Errors
///
/// `UNSUPPORTED_MEDIA_TYPE`.
pub(super) fn check_json(headers: &HeaderMap) -> Result<(), Refusal> {
    check(headers, "application/json")
}

/// Checks that a body is form-encoded and uncompressed.
///
/// # Errors
///
/// `UNSUPPORTED_MEDIA_TYPE`.
pub(super) fn check_form(headers: &HeaderMap) -> Result<(), Refusal> {
    check(headers, "application/x-www-form-urlencoded")
}

fn check(headers: &HeaderMap, kind: &str) -> Result<(), Refusal> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let is_right = first.and_then(|value| value.to_str().ok()).is_some_and(|sent| is_in_utf8(sent, kind));
    if !is_right || second.is_some() {
        return Err(Refusal::new(Code::UnsupportedMediaType, format!("Send `Content-Type: {kind}`.")));
    }
    let plain = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(Refusal::new(Code::UnsupportedMediaType, "Send the body uncompressed."));
    }
    Ok(())
}

fn is_in_utf8(content_type: &str, kind: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_right = parts.next().is_some_and(|sent| sent.eq_ignore_ascii_case(kind));
    let in_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    is_right && in_utf8
}

/// Reads a whole body.
///
/// # Errors
///
/// `DOCUMENT_TOO_LARGE` above [`MAX_BODY`], `TIMEOUT` after ten seconds, `BAD_REQUEST` if the body ends early.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    read_up_to(body, MAX_BODY).await
}

/// Does the same with another maximum size.
pub(super) async fn read_up_to(body: Body, most: usize) -> Result<Bytes, Refusal> {
    // Fail early if the announced length is too large.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let slow = |_| Refusal::new(Code::Timeout, "The request body took too long to arrive.");
    timeout(BODY_TIMEOUT, collect(body, most)).await.map_err(slow)?
}

async fn collect(mut body: Body, most: usize) -> Result<Bytes, Refusal> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(Code::BadRequest, "The request body is incomplete."))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(too_large(most));
        }
        // Copy the data, because each frame keeps its whole read buffer alive. Without the copy, 16,000 frames of one
        // byte would keep 16,000 buffers of 8 KiB.
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// `DOCUMENT_TOO_LARGE` for a body above this number of bytes.
pub(super) fn too_large(most: usize) -> Refusal {
    Refusal::new(Code::DocumentTooLarge, format!("The request body exceeds {most} bytes."))
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use futures_util::{StreamExt as _, stream};

    use super::*;

    /// A read buffer, as a frame that contains only its first byte. Counts the buffers that are alive.
    struct Buffer([u8; 1], Arc<AtomicUsize>);

    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }

    impl Drop for Buffer {
        fn drop(&mut self) {
            self.1.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn a_body_that_arrives_byte_by_byte_keeps_no_buffer_alive() {
        let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (buffers, peak) = (Arc::clone(&alive), Arc::clone(&most));
        let frames = stream::iter(0..10_000).map(move |_| {
            peak.fetch_max(buffers.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Ok::<_, Infallible>(Bytes::from_owner(Buffer([b' '], Arc::clone(&buffers))))
        });
        let body = read(Body::from_stream(frames)).await.unwrap();
        assert_eq!(body.len(), 10_000);
        assert_eq!((alive.load(Ordering::SeqCst), most.load(Ordering::SeqCst)), (0, 1));
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_refused_when_it_becomes_too_large() {
        let frames = stream::iter(0..).map(|_| Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1_000])));
        let refusal = read(Body::from_stream(frames)).await.unwrap_err();
        assert_eq!(refusal.code(), Code::DocumentTooLarge);
    }
}
