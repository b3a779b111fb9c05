//! Static files for the pages, compiled into the program from `web/`.

use std::{future::ready, sync::Arc};

use aws_lc_rs::digest;
use axum::{
    Router,
    body::Bytes,
    extract::Path,
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

/// All GraphQL documents that the pages send, as a list in JSON.
const OPERATIONS: &str = include_str!("../../../web/src/api/operations.json");

/// All GraphQL documents that the pages send.
pub(in crate::http) fn operations() -> Vec<String> {
    // A test checks that the file is valid.
    serde_json::from_str(OPERATIONS).unwrap_or_default()
}

const FAVICON: File =
    File { name: "favicon.svg", kind: SVG, gzipped: false, content: include_bytes!("../../../web/favicon.svg") };

/// A file that `web/build` made.
macro_rules! built {
    ($name:literal, $kind:expr) => {
        gzipped($name, $kind, include_bytes!(concat!("../../../web/dist/", $name, ".gz")))
    };
}

/// A file for `GraphiQL`.
macro_rules! vendored {
    ($name:literal, $kind:expr) => {
        gzipped($name, $kind, include_bytes!(concat!("../../../web/vendor/", $name, ".gz")))
    };
}

/// Files of the sign-in and account pages. The inbox also uses the style sheet and the shared scripts.
const PAGE_FILES: [File; 9] = [
    built!("style.css", CSS),
    built!("page.js", JS),
    built!("shared.js", JS),
    built!("account.js", JS),
    built!("en.js", JS),
    built!("de.js", JS),
    built!("fr.js", JS),
    built!("es.js", JS),
    built!("ja.js", JS),
];

const INBOX_FILES: [File; 1] = [built!("inbox.js", JS)];

const GRAPHIQL_FILES: [File; 6] = [
    plain("graphiql.js", JS, include_bytes!("../../../web/graphiql.js")),
    plain("graphiql.css", CSS, include_bytes!("../../../web/graphiql.css")),
    vendored!("graphiql.min.js", JS),
    vendored!("graphiql.min.css", CSS),
    vendored!("react.production.min.js", JS),
    vendored!("react-dom.production.min.js", JS),
];

const fn plain(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: false, content }
}

const fn gzipped(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: true, content }
}

/// The files of all enabled pages.
pub(super) struct Files {
    files: Vec<File>,
    /// SHA-256 of all files, which is part of their paths, so that browsers can cache them forever and scripts import
    /// each other from one build. During an upgrade, an old replica also serves the paths of a new one, with its own
    /// content.
    version: Arc<str>,
}

impl Files {
    pub(super) fn new(graphiql: bool, inbox: bool) -> Self {
        let mut files = PAGE_FILES.to_vec();
        if inbox {
            files.extend(INBOX_FILES);
        }
        if graphiql {
            files.extend(GRAPHIQL_FILES);
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        for file in &files {
            hash.update(file.name.as_bytes());
            hash.update(file.content);
        }
        Self { files, version: URL_SAFE_NO_PAD.encode(hash.finish()).into() }
    }

    /// Returns the path of a file, or an empty string if the file is missing. A test checks that no file is missing.
    pub(super) fn address(&self, name: &str) -> String {
        let exists = self.files.iter().any(|file| file.name == name);
        if exists { format!("/assets/{}/{name}", self.version) } else { String::new() }
    }

    /// One route per file, so that other names get the usual 404.
    pub(super) fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        self.files.iter().fold(Router::new(), |router, file| {
            let (file, current) = (*file, Arc::clone(&self.version));
            let serve = move |Path(version): Path<String>, request: HeaderMap| {
                ready(file.respond(&current, version == *current, &request))
            };
            router.route(&format!("/assets/{{version}}/{}", file.name), get(serve))
        })
    }
}

impl File {
    /// Returns the file, or 304 if the browser already has this version.
    fn respond(&self, version: &str, exact: bool, request: &HeaderMap) -> Response {
        let etag = format!("\"{version}\"");
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
        let kind = [(header::CONTENT_TYPE, self.kind)];
        let body = Bytes::from_static(self.content);
        // All browsers accept gzip, so the program contains no uncompressed copy.
        if self.gzipped {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            (HARDENING, policy, facts, kind, encoding, body).into_response()
        } else {
            (HARDENING, policy, facts, kind, body).into_response()
        }
    }
}

/// Serves the icon. Browsers request it even if no page names it.
pub(super) fn icon<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    let version = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, FAVICON.content));
    get(move |request: HeaderMap| ready(FAVICON.respond(&version, false, &request)))
}
