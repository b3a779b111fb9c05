//! Static files for the pages, compiled into the program from `web/`.

use std::{collections::HashMap, future::ready};

use aws_lc_rs::digest;
use axum::{
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::HARDENING;
use crate::http::middleware::DENY_ALL_POLICY;

/// Content security policy for static files. It matters only if a browser opens the SVG file directly.
const ASSET_POLICY: &str = DENY_ALL_POLICY;

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
pub(super) const SVG: &str = "image/svg+xml; charset=utf-8";

/// A file in `web/`.
#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    kind: &'static str,
    gzipped: bool,
    content: &'static [u8],
}

const OPERATIONS: &str = include_str!("../../../web/operations.js");

/// All GraphQL documents that the pages send.
pub(in crate::http) fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.split('`').skip(1).step_by(2)
}

const FAVICON: File = plain("favicon.svg", SVG, include_bytes!("../../../web/favicon.svg"));

/// Files of the sign-in page. The inbox also uses the style sheet, `graphql.js` and `operations.js`.
const SIGN_IN_FILES: [File; 11] = [
    plain("style.css", CSS, include_bytes!("../../../web/style.css")),
    plain("graphql.js", JS, include_bytes!("../../../web/graphql.js")),
    plain("operations.js", JS, OPERATIONS.as_bytes()),
    plain("session.js", JS, include_bytes!("../../../web/session.js")),
    plain("page.js", JS, include_bytes!("../../../web/page.js")),
    plain("code.js", JS, include_bytes!("../../../web/code.js")),
    plain("take-back.js", JS, include_bytes!("../../../web/take-back.js")),
    plain("password.js", JS, include_bytes!("../../../web/password.js")),
    plain("account.js", JS, include_bytes!("../../../web/account.js")),
    plain("account-password.js", JS, include_bytes!("../../../web/account-password.js")),
    plain("sign-in.js", JS, include_bytes!("../../../web/sign-in.js")),
];

const INBOX_FILES: [File; 1] = [plain("inbox.js", JS, include_bytes!("../../../web/inbox.js"))];

const GRAPHIQL_FILES: [File; 6] = [
    plain("graphiql.js", JS, include_bytes!("../../../web/graphiql.js")),
    plain("graphiql.css", CSS, include_bytes!("../../../web/graphiql.css")),
    gzipped("graphiql.min.js", JS, include_bytes!("../../../web/vendor/graphiql.min.js.gz")),
    gzipped("graphiql.min.css", CSS, include_bytes!("../../../web/vendor/graphiql.min.css.gz")),
    gzipped("react.production.min.js", JS, include_bytes!("../../../web/vendor/react.production.min.js.gz")),
    gzipped("react-dom.production.min.js", JS, include_bytes!("../../../web/vendor/react-dom.production.min.js.gz")),
];

const fn plain(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: false, content }
}

const fn gzipped(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: true, content }
}

#[derive(Clone)]
pub(super) struct Asset {
    file: File,
    /// SHA-256 of the content. Pages put this hash into the file's URL, so browsers can cache the file forever. During
    /// an upgrade, an old replica also serves the URLs of a new one, with its own content.
    version: String,
}

impl Asset {
    fn new(file: File) -> Self {
        let digest = digest::digest(&digest::SHA256, file.content);
        let version = URL_SAFE_NO_PAD.encode(digest);
        Self { file, version }
    }

    pub(super) fn address(&self) -> String {
        format!("/assets/{}?v={}", self.file.name, self.version)
    }

    /// Returns the file, or 304 if the browser already has this version.
    fn respond(&self, asked_version: Option<&str>, request: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", self.version);
        let exact = asked_version.and_then(|query| query.strip_prefix("v=")) == Some(self.version.as_str());
        let cache = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
        let known = request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/") == etag);
        let facts = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
        let policy = [(header::CONTENT_SECURITY_POLICY, ASSET_POLICY)];
        if known {
            return (StatusCode::NOT_MODIFIED, HARDENING, policy, facts).into_response();
        }
        let kind = [(header::CONTENT_TYPE, self.file.kind)];
        let body = Bytes::from_static(self.file.content);
        // All browsers accept gzip, so the program contains no uncompressed copy.
        if self.file.gzipped {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            (HARDENING, policy, facts, kind, encoding, body).into_response()
        } else {
            (HARDENING, policy, facts, kind, body).into_response()
        }
    }
}

/// Returns the files of all enabled pages, by name.
pub(super) fn all(graphiql: bool, inbox: bool) -> HashMap<&'static str, Asset> {
    let mut files = SIGN_IN_FILES.to_vec();
    if inbox {
        files.extend(INBOX_FILES);
    }
    if graphiql {
        files.extend(GRAPHIQL_FILES);
    }
    files.into_iter().map(|file| (file.name, Asset::new(file))).collect()
}

/// Serves the icon. Browsers request it even if no page names it.
pub(super) fn icon<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    let icon = Asset::new(FAVICON);
    get(move |request: HeaderMap| ready(icon.respond(None, &request)))
}

/// Serves one file.
pub(super) fn file<S: Clone + Send + Sync + 'static>(asset: Asset) -> MethodRouter<S> {
    get(move |RawQuery(query): RawQuery, request: HeaderMap| ready(asset.respond(query.as_deref(), &request)))
}
