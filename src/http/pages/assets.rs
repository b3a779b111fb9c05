//! Static files for the pages, compiled into the program from `web/`.

use std::{future::ready, sync::Arc};

use aws_lc_rs::digest;
use axum::{
    Router,
    body::Bytes,
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::HARDENING;
use crate::{http::middleware::DENY_ALL_POLICY, settings::Settings};

/// Content security policy for static files. It matters only if a browser opens the SVG file directly.
pub(super) const ASSET_POLICY: &str = DENY_ALL_POLICY;

const JS: &str = "text/javascript; charset=utf-8";
pub(super) const CSS: &str = "text/css; charset=utf-8";
const TTF: &str = "font/ttf";
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

/// A file of `GraphiQL`, which `web/build` made.
macro_rules! graphiql {
    ($name:literal, $kind:expr) => {
        gzipped($name, $kind, include_bytes!(concat!("../../../web/dist/graphiql/", $name, ".gz")))
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

/// Files of the console. It shares none with the other pages: the words of each language are in two files of its own.
const CONSOLE_FILES: [File; 12] = [
    built!("console/style.css", CSS),
    built!("console/console.js", JS),
    built!("console/en.js", JS),
    built!("console/de.js", JS),
    built!("console/fr.js", JS),
    built!("console/es.js", JS),
    built!("console/ja.js", JS),
    built!("console/en.console.js", JS),
    built!("console/de.console.js", JS),
    built!("console/fr.console.js", JS),
    built!("console/es.console.js", JS),
    built!("console/ja.console.js", JS),
];

/// The workers are scripts that the editor runs in the background. They are whole: a worker has the policy of its file,
/// which allows no request.
const GRAPHIQL_FILES: [File; 6] = [
    graphiql!("graphiql.js", JS),
    graphiql!("graphiql.css", CSS),
    graphiql!("editor.worker.js", JS),
    graphiql!("json.worker.js", JS),
    graphiql!("graphql.worker.js", JS),
    graphiql!("codicon.ttf", TTF),
];

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
    pub(super) fn of(settings: &Settings, inbox: bool) -> Self {
        let mut files = PAGE_FILES.to_vec();
        if inbox {
            files.extend(INBOX_FILES);
        }
        if settings.console {
            files.extend(CONSOLE_FILES);
        }
        if settings.graphiql {
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
            let (served, current) = (file.served(), Arc::clone(&self.version));
            let serve = move |Path(version): Path<String>, request: HeaderMap| {
                ready(served.respond(&current, version == *current, &request))
            };
            router.route(&format!("/assets/{{version}}/{}", file.name), get(serve))
        })
    }
}

impl File {
    fn served(&self) -> Served {
        // All browsers accept gzip, so the program contains no uncompressed copy.
        let encoding = self.gzipped.then_some("gzip");
        Served { kind: self.kind, policy: ASSET_POLICY, content: Bytes::from_static(self.content), encoding }
    }
}

/// A file with its headers.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) kind: &'static str,
    pub(super) policy: &'static str,
    pub(super) content: Bytes,
    pub(super) encoding: Option<&'static str>,
}

impl Served {
    /// Returns the file, or 304 if the browser already has this version. `exact` is whether the path names the version,
    /// so that browsers can cache it forever.
    pub(super) fn respond(&self, version: &str, exact: bool, request: &HeaderMap) -> Response {
        let etag = format!("\"{version}\"");
        let cache = if exact { "public, max-age=31536000, immutable" } else { "no-cache" };
        let known = request
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/") == etag);
        let facts = [(header::ETAG, etag), (header::CACHE_CONTROL, cache.to_owned())];
        let policy = [(header::CONTENT_SECURITY_POLICY, self.policy)];
        if known {
            return (StatusCode::NOT_MODIFIED, HARDENING, policy, facts).into_response();
        }
        let kind = [(header::CONTENT_TYPE, self.kind)];
        let mut response = (HARDENING, policy, facts, kind, self.content.clone()).into_response();
        if let Some(encoding) = self.encoding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        response
    }
}

/// Serves the icon. Browsers request it even if no page names it.
pub(super) fn icon<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    let version = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, FAVICON.content));
    let icon = FAVICON.served();
    get(move |request: HeaderMap| ready(icon.respond(&version, false, &request)))
}
