//! Tests of the routes of the pages, their headers and their files.

use std::error::Error;

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use chrono::DateTime;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;
use crate::settings::ServeFlags;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The pages of a development server, with everything on or everything off.
fn pages(all: bool) -> Outcome<Router> {
    let flags = ServeFlags {
        brand: Some("Ada & <b>\"Sons\"</b> {{ inbox }}".to_owned()),
        console: Some(all.to_string()),
        graphiql: Some(all.to_string()),
        methods: (!all).then(|| "code".to_owned()),
        ..ServeFlags::default()
    };
    let settings = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH)?;
    Ok(router(&settings, &Scope::ALL, all))
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
    let router = pages(true)?;
    for path in ["/", "/sign-in", "/register", "/reset", "/account", "/admin", "/graphiql", "/inbox"] {
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
    let router = pages(false)?;
    for path in [
        "/admin",
        "/graphiql",
        "/inbox",
        CHANGE_PASSWORD,
        "/assets/any/console/console.js",
        "/assets/any/console/style.css",
        "/assets/any/graphiql.js",
        "/assets/any/json.worker.js",
        "/assets/any/inbox.js",
        "/assets/any/nothing.js",
        "/assets/any/..%2Fsrc%2Fmain.rs",
        "/assets/style.css",
    ] {
        assert_eq!(fetch(&router, path, None).await?.0, StatusCode::NOT_FOUND, "{path}");
    }
    let (_, _, html) = fetch(&router, "/", None).await?;
    let html = String::from_utf8(html)?;
    assert!(html.contains("&#34;inbox&#34;:false") && html.contains("&#34;console&#34;:false"), "{html}");
    Ok(())
}

#[tokio::test]
async fn password_managers_are_sent_to_the_form() -> Outcome {
    let (status, headers, body) = fetch(&pages(true)?, CHANGE_PASSWORD, None).await?;
    assert_eq!((status, body.len()), (StatusCode::FOUND, 0));
    assert_eq!(headers[header::LOCATION], "/account#change-password");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    for (name, value) in HARDENING {
        assert_eq!(headers[name], value);
    }
    Ok(())
}

#[tokio::test]
async fn the_brand_is_always_escaped() -> Outcome {
    let router = pages(true)?;
    for path in ["/", "/sign-in", "/register", "/reset", "/account", "/admin", "/graphiql", "/inbox"] {
        let html = String::from_utf8(fetch(&router, path, None).await?.2)?;
        let escaped = "Ada &#38; &#60;b&#62;&#34;Sons&#34;&#60;/b&#62; {{ inbox }}";
        assert!(html.contains(escaped), "{path}");
        assert!(!html.contains("<b>"), "{path}");
        // In the settings for the scripts, the brand is also text in JSON.
        let in_json = "Ada &#38; &#60;b&#62;\\&#34;Sons\\&#34;&#60;/b&#62; {{ inbox }}";
        let rest = html.replace(escaped, "").replace(in_json, "");
        assert!(!rest.contains("{{"), "{path} has a placeholder left");
    }
    Ok(())
}

#[tokio::test]
async fn every_file_that_a_page_uses_exists_and_is_cached_forever() -> Outcome {
    let router = pages(true)?;
    for path in ["/", "/sign-in", "/register", "/reset", "/account", "/admin", "/graphiql", "/inbox"] {
        let html = String::from_utf8(fetch(&router, path, None).await?.2)?;
        let addresses: Vec<_> = html.split('"').filter(|part| part.starts_with("/assets/")).collect();
        assert!(addresses.len() >= 2, "{path}");
        assert!(!html.contains("src=\"\"") && !html.contains("href=\"\""), "{path} names a file that is not there");
        for address in addresses {
            let (status, headers, body) = fetch(&router, address, None).await?;
            assert_eq!(status, StatusCode::OK, "{address}");
            assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable", "{address}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{address}");
            assert_eq!(headers.contains_key(header::CONTENT_ENCODING), body.starts_with(&[0x1f, 0x8b]), "{address}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_file_without_its_current_version_is_revalidated_each_time() -> Outcome {
    let router = pages(false)?;
    let (_, headers, _) = fetch(&router, "/assets/of-another-build/shared.js", None).await?;
    assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
    let etag = headers[header::ETAG].to_str()?;
    let (status, _, body) = fetch(&router, "/assets/any/shared.js", Some(etag)).await?;
    assert_eq!(status, StatusCode::NOT_MODIFIED);
    assert!(body.is_empty());
    let (status, headers, _) = fetch(&router, "/favicon.ico", Some("\"another\"")).await?;
    assert_eq!((status, headers[header::CONTENT_TYPE].to_str()?), (StatusCode::OK, assets::SVG));
    Ok(())
}

/// The pages of a server with this logo.
fn pages_with_logo(logo: &str) -> Outcome<Router> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(&file, logo)?;
    let flags = ServeFlags {
        logo: Some(file.path().display().to_string()),
        accent: Some("#0f766e,#2dd4bf".to_owned()),
        support_url: Some("mailto:help@example.com".to_owned()),
        privacy_url: Some("https://example.com/?a=\"><script>".to_owned()),
        ..ServeFlags::default()
    };
    let settings = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH)?;
    Ok(router(&settings, &[], false))
}

#[tokio::test]
async fn every_page_has_the_look_of_the_operator() -> Outcome {
    let router = pages_with_logo("<svg><script>alert(1)</script></svg>")?;
    let html = String::from_utf8(fetch(&router, "/register", None).await?.2)?;
    for part in [
        "&#34;logo&#34;:&#34;/theme/logo?",
        "&#34;mailto:help@example.com&#34;",
        "<link rel=\"icon\" href=\"/theme/logo?",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    assert!(!html.contains("<script>"), "{html}");
    let logo = html.split('"').find(|part| part.starts_with("/theme/logo?")).ok_or("no logo")?;
    let colours = html.split('"').find(|part| part.starts_with("/theme/colours.css?")).ok_or("no colours")?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";
    for (path, kind, policy) in [(logo, assets::SVG, policy), (colours, assets::CSS, DENY_ALL_POLICY)] {
        let (status, headers, body) = fetch(&router, path, None).await?;
        assert_eq!((status, headers[header::CONTENT_TYPE].to_str()?), (StatusCode::OK, kind));
        assert_eq!(headers[header::CONTENT_SECURITY_POLICY], policy);
        assert_eq!(headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        for (name, value) in HARDENING {
            assert_eq!(headers[name], value);
        }
        assert!(!body.is_empty());
        // A version of another replica must not be kept.
        let (bare, _) = path.split_once('?').ok_or("no version")?;
        let (_, headers, _) = fetch(&router, &format!("{bare}?other"), None).await?;
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
        let etag = headers[header::ETAG].to_str()?;
        assert_eq!(fetch(&router, bare, Some(etag)).await?.0, StatusCode::NOT_MODIFIED);
    }
    let css = String::from_utf8(fetch(&router, colours, None).await?.2)?;
    assert!(
        css.starts_with(":root{--accent:#0f766e;--on-accent:#ffffff;")
            && css.contains("--accent:#2dd4bf;--on-accent:#000000;"),
        "{css}"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_theme_there_is_neither_logo_nor_colours() -> Outcome {
    let router = pages(true)?;
    for path in ["/theme/logo", "/theme/colours.css"] {
        assert_eq!(fetch(&router, path, None).await?.0, StatusCode::NOT_FOUND, "{path}");
    }
    let html = String::from_utf8(fetch(&router, "/", None).await?.2)?;
    assert!(!html.contains("/theme/") && html.contains("href=\"/favicon.svg\""), "{html}");
    Ok(())
}

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_prefers() -> Outcome {
    let router = pages(true)?;
    for (accepted, language) in [("", "en"), ("it, de;q=0.5, fr;q=0.4", "de"), ("ja-JP", "ja"), ("*", "en")] {
        let request = Request::get("/register").header(header::ACCEPT_LANGUAGE, accepted).body(Body::empty())?;
        let response = router.clone().oneshot(request).await?;
        assert_eq!(response.headers()[header::VARY], "accept-language");
        let html = String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec())?;
        assert!(html.contains(&format!("<html lang=\"{language}\"")), "{accepted}");
        assert!(html.contains(&format!("/{language}.js\"")), "{accepted}: the texts are loaded early");
    }
    let request = Request::get("/admin").header(header::ACCEPT_LANGUAGE, "fr").body(Body::empty())?;
    let html = router.oneshot(request).await?.into_body().collect().await?.to_bytes();
    let html = String::from_utf8(html.to_vec())?;
    for file in ["fr.js", "fr.console.js"] {
        assert!(html.contains(&format!("/console/{file}\"")), "{file} is not loaded early: {html}");
    }
    Ok(())
}

#[test]
fn the_pages_send_known_operations() {
    let documents = operations();
    assert!(documents.len() > 20, "{}", documents.len());
    assert!(documents.iter().any(|text| text.starts_with("mutation Login(")));
}
