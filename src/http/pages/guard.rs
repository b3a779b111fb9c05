//! Accepts requests only from scripts of our own pages. The endpoints of the pages read a cookie, which a browser also
//! attaches to requests that another site causes.

use axum::http::{HeaderMap, HeaderName, header};

use crate::{
    graphql::error::Code,
    http::response::Refusal,
    settings::{Mode, Settings},
};

/// A header that no form and no navigation can send. From another origin it needs a preflight, which fails.
const MARK: HeaderName = HeaderName::from_static("x-doorcode");

/// Checks that a request comes from a script of our own origin: it needs exactly one `Origin`, ours, and the header
/// `X-Doorcode: 1`.
///
/// # Errors
/// `FORBIDDEN`.
pub(super) fn check(settings: &Settings, headers: &HeaderMap) -> Result<(), Refusal> {
    let is_marked = only(headers, &MARK) == Some("1");
    let is_own = only(headers, &header::ORIGIN).is_some_and(|origin| is_own(settings, headers, origin));
    if is_marked && is_own {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "Only Doorcode's own pages can call this, with the header `X-Doorcode: 1`."))
}

/// The public URL has the only origin of the pages. A development server also has every name in [`Hosts`], which were
/// checked before, so that its pages work on each of them.
///
/// [`Hosts`]: crate::http::host::Hosts
fn is_own(settings: &Settings, headers: &HeaderMap, origin: &str) -> bool {
    let requested = || {
        let host = only(headers, &header::HOST)?;
        Some(format!("{}://{host}", settings.public_url.scheme()))
    };
    origin == settings.public_url.origin().ascii_serialization()
        || (settings.mode == Mode::Development && requested().is_some_and(|own| own == origin))
}

/// The value of a header that was sent once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    value.to_str().ok()
}
