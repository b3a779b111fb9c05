//! Claims of `docs/security/asvs.md` that no other test covers. Each test checks one requirement: the cryptography
//! library, the content of a new installation, redirects, response headers, or the log.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::{
    assert_holds,
    source::{Source, sources, without_tests},
};
use crate::harness::TestApp;

/// The only files that use cryptography.
const CRYPTOGRAPHY: [&str; 15] = [
    "src/adapter/system.rs",
    "src/settings/manifest.rs",
    "src/db/digest.rs",
    "src/domain/credential/password/policy/breached.rs",
    "src/domain/credential/password/policy/breached/build.rs",
    "src/domain/credential/password/policy/filter.rs",
    "src/domain/credential/password/scheme/of_bcrypt.rs",
    "src/domain/credential/password/scheme/of_firebase.rs",
    "src/domain/credential/password/scheme/of_pbkdf2.rs",
    "src/domain/credential/password/scheme/text.rs",
    "src/domain/keys.rs",
    "src/domain/token.rs",
    "src/domain/vault.rs",
    "src/doctor/signing_keys.rs",
    "src/http/pages/assets.rs",
];

#[test]
fn cryptography_uses_one_library_in_few_files() {
    let program = without_tests(sources(&["src", "migration/src"]));
    assert_holds(program.iter().flat_map(unexpected_cryptography));
    for (path, bad) in [
        ("src/domain/user.rs", "use aws_lc_rs::digest;"),
        ("src/domain/user.rs", "use argon2::Argon2;"),
        ("src/domain/user.rs", "fn f() { jsonwebtoken::decode_header(token) }"),
        ("src/domain/vault.rs", "use sha2::Sha256;"),
        ("src/domain/vault.rs", "use md5::compute;"),
        ("src/domain/vault.rs", "fn f() { ring::hmac::sign(key, text) }"),
        ("src/domain/vault.rs", "fn f() { digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text) }"),
        ("src/domain/keys.rs", "fn f() { aws_lc_rs::cipher::ECB }"),
        ("src/domain/vault.rs", "use aws_lc_rs::pbkdf2;\nfn f() { pbkdf2::PBKDF2_HMAC_SHA1 }"),
        ("src/domain/credential/password/scheme/of_firebase.rs", "fn f() { aws_lc_rs::cipher::ECB }"),
    ] {
        assert!(!unexpected_cryptography(&Source::new(path, bad)).is_empty(), "{bad}");
    }
}

fn unexpected_cryptography(source: &Source) -> Vec<String> {
    const OURS: [&str; 2] = ["aws_lc_rs", "jsonwebtoken"];
    const OTHERS: [&str; 19] = [
        "ring",
        "openssl",
        "rsa",
        "sha1",
        "sha2",
        "sha3",
        "md5",
        "hmac",
        "hkdf",
        "aes",
        "aes_gcm",
        "chacha20poly1305",
        "ed25519_dalek",
        "p256",
        "blake3",
        "argon2",
        "bcrypt",
        "scrypt",
        "pbkdf2",
    ];
    // Names of broken hash functions, and of ciphers without authentication.
    const WEAK: [&str; 4] = ["SHA1", "MD5", "ECB", "cipher"];
    // Only these files hash passwords. The library above has no hash for them but PBKDF2, and hashes of other systems
    // are only compared.
    const HASHERS: [(&str, &str); 5] = [
        ("src/domain/credential/password/hasher.rs", "argon2"),
        ("src/domain/credential/password/scheme.rs", "argon2"),
        ("src/domain/credential/password/scheme/of_argon2.rs", "argon2"),
        ("src/domain/credential/password/scheme/of_bcrypt.rs", "bcrypt"),
        ("src/domain/credential/password/scheme/of_scrypt.rs", "scrypt"),
    ];
    // Public lists of breached passwords are lists of SHA-1 hashes. Firebase hashes a password by encrypting with it.
    const LEGACY: [(&str, &str); 3] = [
        ("src/domain/credential/password/policy/breached.rs", "SHA1_FOR_LEGACY_USE_ONLY"),
        ("src/domain/credential/password/scheme/of_firebase.rs", "cipher"),
        ("src/domain/credential/password/scheme/of_pbkdf2.rs", "PBKDF2_HMAC_SHA1"),
    ];
    let has_leave = CRYPTOGRAPHY.contains(&source.path.as_str());
    let is_weak =
        |name: &str| WEAK.iter().any(|weak| name.contains(weak)) && !LEGACY.contains(&(source.path.as_str(), name));
    let paths = source.paths();
    let stray = paths.iter().filter(|path| {
        let first = path[0].as_str();
        let ours = OURS.contains(&first);
        // `aws_lc_rs::rsa` is a module of the allowed library. A path that starts with `rsa` names another crate,
        // unless the module is imported.
        let imported =
            paths.iter().any(|other| other[0] == "aws_lc_rs" && other.last().is_some_and(|last| last == first));
        (ours && !has_leave)
            || (OTHERS.contains(&first) && !imported && !HASHERS.contains(&(source.path.as_str(), first)))
            || (has_leave && path[1..].iter().any(|name| is_weak(name)))
    });
    stray.map(|path| format!("{}: names {}", source.path, path.join("::"))).collect()
}

#[tokio::test]
async fn a_new_installation_has_no_default_account() {
    let app = TestApp::new().await;
    for table in ["users", "sessions", "devices", "email_codes", "sign_in_links"] {
        assert_eq!(app.count(table, "1 = 1").await, 0, "{table}");
    }
}

#[tokio::test]
async fn no_response_redirects_to_another_site() {
    let app = TestApp::with(|flags| flags.public_url = Some("https://login.example.com".into())).await;
    let guest = app.guest();
    let paths = ["/", "//", "/graphql", "/graphql/", "/graphiql", "/inbox", "/health", "/ready", "/nothing", "/assets"];
    for path in paths {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS] {
            for accept in ["*/*", BROWSER] {
                let what = format!("{method} {path} {accept}");
                let request = Request::builder().method(method.clone()).uri(path).header("x-forwarded-proto", "http");
                let request = request.header("accept", accept).body(Body::empty()).unwrap();
                let answer = guest.send(request).await;
                // In development, the only redirect sends a browser from `/graphql` to a page of the same server.
                let expected = (what == format!("GET /graphql {BROWSER}")).then_some("/graphiql");
                assert_eq!(answer.status.is_redirection(), expected.is_some(), "{what}: {}", answer.status);
                let location = answer.headers.get("location").map(|location| location.to_str().unwrap());
                assert_eq!(location, expected, "{what}");
                assert!(!answer.headers.contains_key("refresh"), "{what}");
            }
        }
    }
}

/// The `Accept` header of a browser when the user types an address.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

#[tokio::test]
async fn a_browser_is_only_redirected_to_graphiql() {
    let open = TestApp::new().await;
    let closed = TestApp::with(|flags| flags.graphiql = Some("false".into())).await;
    let production = TestApp::with(|flags| {
        flags.graphiql = Some("true".into());
        flags.mode = Some("production".into());
        flags.secret = Some("an example of a secret with more than 32 bytes".into());
        flags.single_replica = Some("true".into());
        flags.smtp_url = Some("smtps://smtp.example.com".into());
        flags.mail_from = Some("no-reply@example.com".into());
        flags.public_url = Some("https://login.example.com".into());
    })
    .await;
    for (app, uri, header, expected) in [
        (&open, "/graphql", None, 303),
        (&open, "/graphql?theme=dark", None, 303),
        (&open, "/graphql?query=%7Bme%7Bid%7D%7D", None, 405),
        (&open, "/graphql?query", None, 405),
        (&open, "/graphql", Some("h2c"), 405),
        (&closed, "/graphql", None, 405),
        (&production, "/graphql", None, 405),
    ] {
        let request = Request::builder().uri(uri).header("accept", BROWSER);
        let request = header.into_iter().fold(request, |request, upgrade| request.header("upgrade", upgrade));
        let answer = app.guest().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status.as_u16(), expected, "{uri} {header:?}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{uri}");
        assert!(expected != 405 || answer.headers.contains_key("allow"), "{uri}");
    }
}

#[tokio::test]
async fn text_responses_have_a_charset_and_a_strict_default_policy() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let paths = [
        "/",
        "/admin",
        "/graphiql",
        "/inbox",
        "/favicon.svg",
        "/assets/any/style.css",
        "/assets/any/page.js",
        "/assets/any/console/console.js",
        "/nothing",
        "/health",
        "/ready",
        "/graphql",
        "/.well-known/jwks.json",
    ];
    for path in paths {
        let answer = guest.get(path).await;
        let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
        let is_text = kind.starts_with("text/") || kind.contains("+xml") || kind.contains("/xml");
        assert!(!is_text || kind.ends_with("; charset=utf-8"), "{path}: {kind}");
        assert!(is_text || kind.contains("json"), "{path}: {kind}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        // These directives do not fall back to `default-src`. All others do.
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'none'"] {
            assert!(policy.contains(part), "{path}: {part} is missing in {policy}");
        }
        assert!(!policy.contains("object-src") || policy.contains("object-src 'none'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn responses_do_not_reveal_the_version() {
    let app = TestApp::new().await;
    for path in ["/health", "/ready", "/", "/nothing", "/.well-known/jwks.json", "/graphql"] {
        let answer = app.guest().get(path).await;
        assert!(!answer.text.contains(env!("CARGO_PKG_VERSION")), "{path}: {}", answer.text);
        assert!(!answer.text.to_lowercase().contains("\"version\""), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn rsa_keys_are_as_strong_as_the_others() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let app = TestApp::with(|flags| flags.token_alg = Some("RS256".into())).await;
    let keys = app.guest().get("/.well-known/jwks.json").await.json;
    let modulus = URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len() * 8, 3_072, "at least 3,072 bits, which is 128 bits of strength");
}

/// Captures the log in the format of a production server.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Captures logs of this thread until the guard is dropped.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(self.clone());
        tracing::subscriber::set_default(lines.json().flatten_event(true).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The log lines. Panics if a line is not a JSON object.
    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }
}

#[tokio::test]
async fn an_internal_error_is_logged_with_its_cause_and_request_id() {
    let log = Log::default();
    let _guard = log.listen();
    let app = TestApp::new().await;
    app.sql("ALTER TABLE devices RENAME TO gone").await;
    let answer = app.guest().login_with(serde_json::json!({ "email": "ada@example.com" })).await;
    assert_eq!(answer.code(), "INTERNAL");
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let lines = log.lines();
    let fault = lines.iter().find(|line| line["level"] == "ERROR" && line["message"] == "internal error");
    let fault = fault.unwrap_or_else(|| panic!("{}", log.text()));
    assert!(fault["why"].as_str().is_some_and(|why| why.contains("devices")), "{fault}");
    assert_eq!(fault["span"]["request_id"], id, "{fault}");
    let request = lines.iter().find(|line| line["message"] == "request" && line["request_id"] == id).unwrap();
    assert_eq!((&request["method"], &request["path"]), (&Value::from("POST"), &Value::from("/graphql")));
    assert!(request["client"].is_string(), "who: {request}");
    let time = request["timestamp"].as_str().unwrap();
    assert!(
        time.ends_with('Z') && time.parse::<chrono::DateTime<chrono::Utc>>().is_ok(),
        "the time is in UTC with a Z: {time}"
    );
}
