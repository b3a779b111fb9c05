//! The pages for people: sign-in, `GraphiQL` and the development inbox, compiled in from `web/`. Each is rendered once at
//! start. Nothing here reads a request's body, a cookie or the database, and no page may load anything from, or send
//! anything to, another host: the content security policies below see to it.

use std::{collections::HashMap, future::ready};

use aws_lc_rs::digest;
use axum::{
    Router,
    body::Bytes,
    extract::RawQuery,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::settings::Settings;

/// Which pages a process has, and whose name they carry.
struct Pages {
    /// `DOORCODE_BRAND`, as text; it is escaped here.
    brand: String,
    /// Whether `/graphiql` exists.
    graphiql: bool,
    /// Whether `/inbox` exists.
    inbox: bool,
}

/// No script but our files, and no text can become markup by a slip: Trusted Types without a policy refuse it.
const SIGN_IN_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// The frame around a mail's HTML inherits this policy, and mails are styled inline: hence `'unsafe-inline'` for
/// styles. Frames by address stay forbidden (`default-src`); `srcdoc` is not an address.
const INBOX_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// `GraphiQL`'s dialogs and editors put `style` elements and attributes into the page, and its style sheet carries its
/// fonts as `data:`. Neither can run a script or reach another host.
const GRAPHIQL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// For files, which are no documents; it matters when somebody opens the SVG by itself.
const ASSET_POLICY: &str = super::middleware::NOTHING;

/// What every page and file carries besides its policy.
const HARDENING: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

/// A file of `web/`.
#[derive(Clone, Copy)]
struct File {
    name: &'static str,
    kind: &'static str,
    gzipped: bool,
    content: &'static [u8],
}

const OPERATIONS: &str = include_str!("../../web/operations.js");

/// Every document that a page sends.
pub(super) fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.split('`').skip(1).step_by(2)
}

const FAVICON: File = plain("favicon.svg", SVG, include_bytes!("../../web/favicon.svg"));

/// Belong to the sign-in page; the inbox uses the style sheet, `graphql.js` and `operations.js` too.
const SIGN_IN_FILES: [File; 8] = [
    plain("style.css", CSS, include_bytes!("../../web/style.css")),
    plain("graphql.js", JS, include_bytes!("../../web/graphql.js")),
    plain("operations.js", JS, OPERATIONS.as_bytes()),
    plain("session.js", JS, include_bytes!("../../web/session.js")),
    plain("page.js", JS, include_bytes!("../../web/page.js")),
    plain("undo.js", JS, include_bytes!("../../web/undo.js")),
    plain("account.js", JS, include_bytes!("../../web/account.js")),
    plain("sign-in.js", JS, include_bytes!("../../web/sign-in.js")),
];

const INBOX_FILES: [File; 1] = [plain("inbox.js", JS, include_bytes!("../../web/inbox.js"))];

const GRAPHIQL_FILES: [File; 6] = [
    plain("graphiql.js", JS, include_bytes!("../../web/graphiql.js")),
    plain("graphiql.css", CSS, include_bytes!("../../web/graphiql.css")),
    gzipped("graphiql.min.js", JS, include_bytes!("../../web/vendor/graphiql.min.js.gz")),
    gzipped("graphiql.min.css", CSS, include_bytes!("../../web/vendor/graphiql.min.css.gz")),
    gzipped("react.production.min.js", JS, include_bytes!("../../web/vendor/react.production.min.js.gz")),
    gzipped("react-dom.production.min.js", JS, include_bytes!("../../web/vendor/react-dom.production.min.js.gz")),
];

const fn plain(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: false, content }
}

const fn gzipped(name: &'static str, kind: &'static str, content: &'static [u8]) -> File {
    File { name, kind, gzipped: true, content }
}

/// A file ready to be served.
#[derive(Clone)]
struct Asset {
    file: File,
    /// The content's SHA-256. A page names a file together with it, so a browser may keep
    /// that file for good; and while replicas of two versions run side by side, each still serves the other's names.
    version: String,
}

impl Asset {
    fn new(file: File) -> Self {
        let digest = digest::digest(&digest::SHA256, file.content);
        let version = URL_SAFE_NO_PAD.encode(digest);
        Self { file, version }
    }

    fn address(&self) -> String {
        format!("/assets/{}?v={}", self.file.name, self.version)
    }

    /// The file, or "not modified" for a browser that has this very content.
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
        // Every browser takes gzip, so there is no second, unpacked copy in the binary.
        if self.file.gzipped {
            let encoding = [(header::CONTENT_ENCODING, "gzip")];
            (HARDENING, policy, facts, kind, encoding, body).into_response()
        } else {
            (HARDENING, policy, facts, kind, body).into_response()
        }
    }
}

/// The routes of the pages that exist; the others are not there at all, nor are their files.
pub(super) fn router<S: Clone + Send + Sync + 'static>(settings: &Settings, inbox: bool) -> Router<S> {
    of(&Pages { brand: settings.brand.clone(), graphiql: settings.graphiql, inbox })
}

fn of<S: Clone + Send + Sync + 'static>(pages: &Pages) -> Router<S> {
    let Pages { brand, graphiql, inbox } = pages;
    let (graphiql, inbox) = (*graphiql, *inbox);
    let assets = assets(graphiql, inbox);
    let brand = escape(brand);
    let render = |template| render(template, &brand, inbox, &assets);
    let mut router = Router::new()
        .route("/", page(render(include_str!("../../web/sign-in.html")), SIGN_IN_POLICY))
        .route("/favicon.svg", icon())
        .route("/favicon.ico", icon());
    if graphiql {
        let html = render(include_str!("../../web/graphiql.html"));
        router = router.route("/graphiql", page(html, GRAPHIQL_POLICY));
    }
    if inbox {
        let html = render(include_str!("../../web/inbox.html"));
        router = router.route("/inbox", page(html, INBOX_POLICY));
    }
    // A route for each: any other name meets the answer that every unknown path gets.
    assets
        .into_values()
        .fold(router, |router, asset| router.route(&format!("/assets/{}", asset.file.name), file(asset)))
}

/// The files of the pages that exist, by name.
fn assets(graphiql: bool, inbox: bool) -> HashMap<&'static str, Asset> {
    let mut files = SIGN_IN_FILES.to_vec();
    if inbox {
        files.extend(INBOX_FILES);
    }
    if graphiql {
        files.extend(GRAPHIQL_FILES);
    }
    files.into_iter().map(|file| (file.name, Asset::new(file))).collect()
}

/// Answers with the same page every time. The page is never cached: it names the files of this build.
fn page<S: Clone + Send + Sync + 'static>(html: String, policy: &'static str) -> MethodRouter<S> {
    let html = Bytes::from(html);
    get(move || {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        ready((HARDENING, headers, html.clone()))
    })
}

/// Answers with the icon, which browsers ask for unbidden.
fn icon<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    let icon = Asset::new(FAVICON);
    get(move |request: HeaderMap| ready(icon.respond(None, &request)))
}

/// Answers with one file.
fn file<S: Clone + Send + Sync + 'static>(asset: Asset) -> MethodRouter<S> {
    get(move |RawQuery(query): RawQuery, request: HeaderMap| ready(asset.respond(query.as_deref(), &request)))
}

/// Fills a template in one pass, so that what is filled in is never read as a placeholder itself. A placeholder that
/// means nothing becomes nothing; a test looks for those.
fn render(template: &str, brand: &str, inbox: bool, assets: &HashMap<&str, Asset>) -> String {
    let mut html = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{ ") {
        html.push_str(before);
        let (name, after) = after.split_once(" }}").unwrap_or((after, ""));
        match name.strip_prefix("asset ") {
            Some(file) => html.push_str(&assets.get(file).map(Asset::address).unwrap_or_default()),
            None if name == "brand" => html.push_str(brand),
            None if name == "inbox" && inbox => html.push_str("/inbox"),
            None => {}
        }
        rest = after;
    }
    html.push_str(rest);
    html
}

/// Makes text safe between tags and inside quoted attributes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    type Outcome<T = ()> = Result<T, Box<dyn Error>>;

    fn pages(graphiql: bool, inbox: bool) -> Router {
        let brand = "Ada & <b>\"Sons\"</b> {{ inbox }}".to_owned();
        of(&Pages { brand, graphiql, inbox })
    }

    async fn fetch(router: &Router, path: &str, etag: Option<&str>) -> Outcome<(StatusCode, HeaderMap, Vec<u8>)> {
        let mut request = Request::get(path);
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let response = router.clone().oneshot(request.body(Body::empty())?).await?;
        let (parts, body) = response.into_parts();
        Ok((parts.status, parts.headers, body.collect().await?.to_bytes().to_vec()))
    }

    #[tokio::test]
    async fn every_page_is_locked_down_and_never_cached() -> Outcome {
        let router = pages(true, true);
        for path in ["/", "/graphiql", "/inbox"] {
            let (status, headers, _) = fetch(&router, path, None).await?;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
            for (name, value) in HARDENING {
                assert_eq!(headers[name], value, "{path}");
            }
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str()?;
            for part in [
                "default-src 'none';",
                "script-src 'self';",
                "connect-src 'self';",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
            ] {
                assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
            }
            assert!(!policy.contains("http") && !policy.contains('*'), "{path} lets another host in: {policy}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_page_that_is_off_does_not_exist_nor_do_its_files() -> Outcome {
        let router = pages(false, false);
        for path in [
            "/graphiql",
            "/inbox",
            "/assets/graphiql.js",
            "/assets/graphiql.min.js",
            "/assets/inbox.js",
            "/assets/nothing.js",
            "/assets/..%2Fsrc%2Fmain.rs",
        ] {
            assert_eq!(fetch(&router, path, None).await?.0, StatusCode::NOT_FOUND, "{path}");
        }
        let (_, _, html) = fetch(&router, "/", None).await?;
        assert!(!String::from_utf8(html)?.contains("/inbox"));
        Ok(())
    }

    #[tokio::test]
    async fn the_brand_is_text_wherever_it_stands() -> Outcome {
        let router = pages(true, true);
        for path in ["/", "/graphiql", "/inbox"] {
            let html = String::from_utf8(fetch(&router, path, None).await?.2)?;
            let escaped = "Ada &amp; &lt;b&gt;&quot;Sons&quot;&lt;/b&gt; {{ inbox }}";
            assert!(html.contains(escaped), "{path}");
            assert!(!html.contains("<b>"), "{path}");
            assert!(!html.replace(escaped, "").contains("{{"), "{path} has a placeholder left");
        }
        Ok(())
    }

    #[tokio::test]
    async fn every_file_a_page_names_is_there_and_may_be_kept_for_good() -> Outcome {
        let router = pages(true, true);
        for path in ["/", "/graphiql", "/inbox"] {
            let html = String::from_utf8(fetch(&router, path, None).await?.2)?;
            let addresses: Vec<_> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
            assert!(addresses.len() >= 2, "{path}");
            assert!(!html.contains("src=\"\"") && !html.contains("href=\"\""), "{path} names a file that is not there");
            for address in addresses {
                let (status, headers, body) = fetch(&router, address, None).await?;
                assert_eq!(status, StatusCode::OK, "{address}");
                assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable", "{address}");
                assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{address}");
                assert_eq!(
                    headers.contains_key(header::CONTENT_ENCODING),
                    body.starts_with(&[0x1f, 0x8b]),
                    "{address}"
                );
            }
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_file_named_without_its_version_is_checked_again_each_time() -> Outcome {
        let router = pages(false, false);
        let (_, headers, _) = fetch(&router, "/assets/graphql.js?v=of-another-build", None).await?;
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let etag = headers[header::ETAG].to_str()?;
        let (status, _, body) = fetch(&router, "/assets/graphql.js", Some(etag)).await?;
        assert_eq!(status, StatusCode::NOT_MODIFIED);
        assert!(body.is_empty());
        let (status, headers, _) = fetch(&router, "/favicon.ico", Some("\"another\"")).await?;
        assert_eq!((status, headers[header::CONTENT_TYPE].to_str()?), (StatusCode::OK, SVG));
        Ok(())
    }
}
