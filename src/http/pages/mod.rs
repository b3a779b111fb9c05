//! The sign-in page, `GraphiQL` and the development inbox. They are compiled into the program from `web/` and rendered
//! once at startup. Serving a page uses no request body, cookie or database: scripts ask `session` for the session of the
//! browser. Content security policies prevent all requests from a page to other hosts.

mod assets;
mod cookie;
mod guard;
pub(super) mod session;

use std::{collections::HashMap, future::ready};

use askama::Template;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderName, StatusCode, header},
    response::IntoResponse,
    routing::{MethodRouter, get},
};

use self::assets::Asset;
pub(super) use self::assets::operations;
use super::middleware::DENY_ALL_POLICY;
use crate::settings::Settings;

/// Values that all templates use.
struct Shared {
    /// `DOORCODE_BRAND`. The templates escape it.
    brand: String,
    /// Path of the inbox, or empty if the inbox is disabled.
    inbox: &'static str,
    assets: HashMap<&'static str, Asset>,
}

impl Shared {
    /// Returns the URL of a file, or an empty string if the file is missing. A test checks that no file is missing.
    fn asset(&self, name: &str) -> String {
        self.assets.get(name).map(Asset::address).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "../web/sign-in.html")]
struct SignIn<'a>(&'a Shared);

#[derive(Template)]
#[template(path = "../web/graphiql.html")]
struct GraphiQl<'a>(&'a Shared);

#[derive(Template)]
#[template(path = "../web/inbox.html")]
struct Inbox<'a>(&'a Shared);

/// Allows only our own scripts. Requires Trusted Types but allows no policy, so that scripts cannot insert markup.
const SIGN_IN_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Allows inline styles, because the frame that shows an email inherits this policy, and emails use inline styles. The
/// frame has its content in `srcdoc`, which `default-src 'none'` does not block. Frames that load a URL stay blocked.
const INBOX_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Allows inline styles, which `GraphiQL`'s dialogs and editors use, and `data:` fonts, which its style sheet embeds.
/// Neither can run a script or send a request to another host.
const GRAPHIQL_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    connect-src 'self'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// Security headers of every page and file.
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

/// The pages that exist besides the sign-in page.
#[derive(Clone, Copy, Default)]
struct Enabled {
    graphiql: bool,
    inbox: bool,
    passwords: bool,
}

/// Routes of the enabled pages and their files. Disabled pages don't exist.
pub(super) fn router<S: Clone + Send + Sync + 'static>(settings: &Settings, inbox: bool) -> Router<S> {
    let enabled = Enabled { graphiql: settings.graphiql, inbox, passwords: settings.methods.password };
    build(settings.brand.clone(), enabled)
}

fn build<S: Clone + Send + Sync + 'static>(brand: String, enabled: Enabled) -> Router<S> {
    let Enabled { graphiql, inbox, passwords } = enabled;
    let assets = assets::all(graphiql, inbox);
    let shared = Shared { brand, inbox: if inbox { "/inbox" } else { "" }, assets };
    let mut router = Router::new()
        .route("/", page(&SignIn(&shared), SIGN_IN_POLICY))
        .route("/favicon.svg", assets::icon())
        .route("/favicon.ico", assets::icon());
    if graphiql {
        router = router.route("/graphiql", page(&GraphiQl(&shared), GRAPHIQL_POLICY));
    }
    if inbox {
        router = router.route("/inbox", page(&Inbox(&shared), INBOX_POLICY));
    }
    if passwords {
        router = router.route(CHANGE_PASSWORD, get(|| ready(change_password())));
    }
    // Add one route per file, so that other names get the usual 404.
    let assets = shared.assets.into_iter();
    assets.fold(router, |router, (name, asset)| router.route(&format!("/assets/{name}"), assets::file(asset)))
}

/// Sends password managers to the form, at the URL of <https://w3c.github.io/webappsec-change-password-url/>.
const CHANGE_PASSWORD: &str = "/.well-known/change-password";

fn change_password() -> impl IntoResponse {
    let headers = [
        (header::LOCATION, "/#change-password"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, DENY_ALL_POLICY),
    ];
    (StatusCode::FOUND, HARDENING, headers)
}

/// Serves a rendered page. Browsers must not cache the page, because it contains the file URLs of this build.
fn page<S: Clone + Send + Sync + 'static>(template: &impl Template, policy: &'static str) -> MethodRouter<S> {
    // Writing to memory cannot fail.
    let html = Bytes::from(template.render().unwrap_or_default());
    get(move || {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, policy),
        ];
        ready((HARDENING, headers, html.clone()))
    })
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use axum::{
        body::Body,
        http::{HeaderMap, Request, StatusCode},
    };
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    type Outcome<T = ()> = Result<T, Box<dyn Error>>;

    const ALL: Enabled = Enabled { graphiql: true, inbox: true, passwords: true };

    fn pages(enabled: Enabled) -> Router {
        build("Ada & <b>\"Sons\"</b> {{ inbox }}".to_owned(), enabled)
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
        let router = pages(ALL);
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
            assert!(!policy.contains("http") && !policy.contains('*'), "{path} allows another host: {policy}");
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_disabled_page_and_its_files_are_not_found() -> Outcome {
        let router = pages(Enabled::default());
        for path in [
            "/graphiql",
            "/inbox",
            CHANGE_PASSWORD,
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
    async fn password_managers_are_sent_to_the_form() -> Outcome {
        let (status, headers, body) = fetch(&pages(ALL), CHANGE_PASSWORD, None).await?;
        assert_eq!((status, body.len()), (StatusCode::FOUND, 0));
        assert_eq!(headers[header::LOCATION], "/#change-password");
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        for (name, value) in HARDENING {
            assert_eq!(headers[name], value);
        }
        Ok(())
    }

    #[tokio::test]
    async fn the_brand_is_always_escaped() -> Outcome {
        let router = pages(ALL);
        for path in ["/", "/graphiql", "/inbox"] {
            let html = String::from_utf8(fetch(&router, path, None).await?.2)?;
            let escaped = "Ada &#38; &#60;b&#62;&#34;Sons&#34;&#60;/b&#62; {{ inbox }}";
            assert!(html.contains(escaped), "{path}");
            assert!(!html.contains("<b>"), "{path}");
            assert!(!html.replace(escaped, "").contains("{{"), "{path} has a placeholder left");
        }
        Ok(())
    }

    #[tokio::test]
    async fn every_file_that_a_page_uses_exists_and_is_cached_forever() -> Outcome {
        let router = pages(ALL);
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
    async fn a_file_without_its_current_version_is_revalidated_each_time() -> Outcome {
        let router = pages(Enabled::default());
        let (_, headers, _) = fetch(&router, "/assets/graphql.js?v=of-another-build", None).await?;
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let etag = headers[header::ETAG].to_str()?;
        let (status, _, body) = fetch(&router, "/assets/graphql.js", Some(etag)).await?;
        assert_eq!(status, StatusCode::NOT_MODIFIED);
        assert!(body.is_empty());
        let (status, headers, _) = fetch(&router, "/favicon.ico", Some("\"another\"")).await?;
        assert_eq!((status, headers[header::CONTENT_TYPE].to_str()?), (StatusCode::OK, assets::SVG));
        Ok(())
    }
}
