//! Everything that prevents the start is reported at once, by name and without values.

use std::{collections::BTreeSet, fs};

use super::{CONTRACT, Fixed, GOOD_SECRET, assert_refused, develop, flags, load, now, produce};
use crate::settings::Settings;

/// Invalid values of every setting except quotas.
const WRONG: &[(&str, &[&str])] = &[
    ("DOORCODE_MODE", &["prod", "dev", "1"]),
    ("DOORCODE_LISTEN", &["4000", "localhost:port", "login.example.com:4000", "127.0.0.1", "127.0.0.1:70000"]),
    ("DOORCODE_OPS_LISTEN", &[":4001", "127.0.0.1:4000", "127.0.0.1:-1"]),
    (
        "DOORCODE_PUBLIC_URL",
        &[
            "login.example.com",
            "ftp://example.com",
            "https://a:b@example.com",
            "https://example.com/?a",
            "https://a/#b",
        ],
    ),
    ("DOORCODE_SECRET", &["short", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"]),
    ("DOORCODE_SECRETS_FOLDER", &["/no/such/folder", "a\u{7}b"]),
    ("DOORCODE_EXPOSE_DEVELOPMENT", &["yes", "1"]),
    ("DOORCODE_LOG", &["doorcode=loud", "[[["]),
    ("DOORCODE_LOG_FORMAT", &["xml"]),
    ("DOORCODE_LOG_EMAILS", &["none"]),
    ("DOORCODE_DATABASE_WAIT", &["2h", "-1s"]),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", &["collector:4318", "grpc://collector:4317", "https://user:password@collector"]),
    ("OTEL_EXPORTER_OTLP_HEADERS", &["authorization", "a b=c", "a=b%0d%0ac:d"]),
    ("OTEL_SERVICE_NAME", &["a\u{1b}[31mb"]),
    ("DOORCODE_TRACE_RATIO", &["2", "-0.1", "all", "NaN"]),
    ("DOORCODE_DATA", &["a\u{7}b"]),
    ("DATABASE_URL", &["mysql://localhost/x", "doorcode.db", "postgres://a:b:c@[", "POSTGRES"]),
    ("DOORCODE_DATABASE_POOL", &["5", "20-5", "0-5", "5-", "5-20-30", "1-100000"]),
    (
        "REDIS_URL",
        &["localhost:6379", "redis:", "redis://", "redis:///0", "valkey://a", "redis+tls://a", "redis://a b"],
    ),
    ("DOORCODE_SINGLE_REPLICA", &["on"]),
    ("SMTP_URL", &["smtp.example.com", "smtp://", "smtp://a?tls=none", "http://a", "smtps:"]),
    (
        "DOORCODE_MAIL_FROM",
        &["nobody", "A <a@b.com> x", "a@b.com\r\nBcc: c@d.com", "a@b.com, c@d.com", "A <a@b.com>, C <c@d.com>"],
    ),
    (
        "DOORCODE_SIGNUP",
        &["none", "domains", "domains:", "domains:localhost", "domains:a.com,,b.com", "domains:a@b.com"],
    ),
    ("DOORCODE_DEFAULT_ROLE", &["ADMIN", "MANAGER", "admin", "ROOT"]),
    ("DOORCODE_CODE_LENGTH", &["5", "13", "-8", "8.0", "eight"]),
    ("DOORCODE_CODE_TTL", &["59s", "31m", "5", "1500ms", "-5m"]),
    ("DOORCODE_CODE_TRIES", &["0", "11"]),
    ("DOORCODE_TEST_CODES", &["review@example.com=12345678@2027-01-31", "review@example.com=83120475@2027-03-31"]),
    ("DOORCODE_SEND_COOLDOWN", &["0s", "25h"]),
    ("DOORCODE_LIMIT_SEND_PAIR", &["3", "3/", "/15m", "0/15m", "3/0s", "3/32d", "3/15", "1000000001/1d", "3/15m/1d"]),
    ("DOORCODE_TOKEN_ALG", &["none", "HS512", "EdDSA,RS256"]),
    ("DOORCODE_TOKEN_AUDIENCE", &["a\nb"]),
    ("DOORCODE_ACCESS_TTL", &["59s", "61m"]),
    ("DOORCODE_REFRESH_IDLE", &["30s", "31d", "366d"]),
    ("DOORCODE_SESSION_MAX", &["366d", "0s"]),
    ("DOORCODE_SESSION_SHORT", &["31d", "59s", "never"]),
    ("DOORCODE_METHODS", &["password", "none", "code,", "code,passkey", "code password"]),
    ("DOORCODE_PASSWORD_MIN", &["7", "65", "-8", "eight"]),
    ("DOORCODE_BRAND", &["a\u{1b}[31mb", "a\u{2028}b"]),
    ("DOORCODE_LOGO", &["no/such/logo.png", "Cargo.toml", "."]),
    ("DOORCODE_ACCENT", &["teal", "#fff", "#0a2540", "#ffe066", "#635bff,#635bff,#635bff", "#635bff,"]),
    ("DOORCODE_SUPPORT_URL", &["javascript:alert(1)", "mailto:help", "http://example.com", "help@example.com"]),
    ("DOORCODE_TERMS_URL", &["http://example.com/terms", "mailto:help@example.com", "https://ada:x@example.com"]),
    ("DOORCODE_PRIVACY_URL", &["example.com/privacy", "https://", "ftp://example.com"]),
    ("DOORCODE_GRAPHIQL", &["maybe"]),
    ("DOORCODE_INTROSPECTION", &["maybe"]),
    ("DOORCODE_TRUSTED_PROXIES", &["10.0.0.0/33", "proxy.example.com", "0.0.0.0/0", "::/0", "10.0.0.1,"]),
    (
        "DOORCODE_CORS_ORIGINS",
        &[
            "*",
            "null",
            "NULL",
            "example.com",
            "https://",
            "https://a.com/",
            "https://a.com/x",
            "https://a.com?x",
            "https://u@a.com",
            "https://*.a.com",
            "https:a.com",
            "file://a",
            "https://a.com,*",
            "data:x",
            "https://a.com\\x",
        ],
    ),
    ("DOORCODE_PASSWORD_COST", &["19456", "m=1,t=2,p=1", "m=19456,t=0,p=1", "m=19456,t=2"]),
    ("DOORCODE_IP_RETENTION", &["forever", "4000d"]),
    ("DOORCODE_AUDIT_RETENTION", &["forever", "1h", "4000d"]),
    ("DOORCODE_ERASE_AFTER", &["never", "4000d"]),
    ("DOORCODE_NOTICES", &["everything", "new-device,,role-change", "none,role-change"]),
    ("DOORCODE_FEDERATION", &["perhaps"]),
    ("DOORCODE_CONSOLE", &["perhaps"]),
    ("DOORCODE_TLS_CERT", &["/half/of/it", "a\u{7}b"]),
    ("DOORCODE_TLS_KEY", &["/half/of/it"]),
    ("DOORCODE_DOCUMENTS", &["no/such/file.json", "."]),
    ("DOORCODE_CLIENTS", &["no/such/file.json", "."]),
];

#[test]
fn a_certificate_without_a_key_prevents_the_start() {
    let (certificate, key) = (("DOORCODE_TLS_CERT", "/tls.pem"), ("DOORCODE_TLS_KEY", "/tls.key"));
    assert_refused(develop(&[certificate]), "DOORCODE_TLS_CERT", "needs DOORCODE_TLS_KEY");
    assert_refused(develop(&[key]), "DOORCODE_TLS_KEY", "needs DOORCODE_TLS_CERT");
    assert_refused(produce(&[certificate, ("DOORCODE_TLS_KEY", " ")]), "DOORCODE_TLS_CERT", "or remove");
    let settings = develop(&[certificate, key, ("DOORCODE_PUBLIC_URL", "http://localhost:4000")]).unwrap();
    assert_eq!(settings.tls.unwrap().key.to_str(), Some("/tls.key"));
    assert!(settings.warnings.iter().any(|warning| warning.to_string().contains("DOORCODE_PUBLIC_URL is http://")));
    let settings = develop(&[certificate, key]).unwrap();
    assert_eq!((settings.issuer(), settings.warnings.len()), ("https://localhost:4000", 0));
}

#[test]
fn development_refuses_to_listen_beyond_loopback_by_default() {
    for address in ["0.0.0.0:4005", "[::]:4005", "192.168.1.5:4005", "[2001:db8::1]:4005", "[::ffff:10.0.0.1]:4005"] {
        assert_refused(develop(&[("DOORCODE_LISTEN", address)]), "DOORCODE_LISTEN", "DOORCODE_EXPOSE_DEVELOPMENT=true");
        assert_refused(develop(&[("DOORCODE_OPS_LISTEN", address)]), "DOORCODE_OPS_LISTEN", "beyond loopback");
        let exposed = develop(&[("DOORCODE_LISTEN", address), ("DOORCODE_EXPOSE_DEVELOPMENT", "true")]).unwrap();
        assert!(exposed.warnings.iter().any(|warning| warning.to_string().contains("beyond loopback")));
    }
    for address in ["127.0.0.1:0", "127.9.9.9:4005", "[::1]:4005", "[::ffff:127.0.0.1]:4005"] {
        develop(&[("DOORCODE_LISTEN", address)]).unwrap();
    }
}

#[test]
fn a_bad_value_of_any_setting_is_refused_by_name() {
    for (variable, values) in WRONG {
        for value in *values {
            // The case may set a variable of the base itself.
            let base = [("DOORCODE_SECRET", GOOD_SECRET), ("DATABASE_URL", "sqlite::memory:")];
            let mut variables: Vec<_> = base.into_iter().filter(|(name, _)| name != variable).collect();
            variables.push((variable, value));
            let problems = load(&variables).unwrap_err();
            let named: Vec<_> = problems.iter().map(|problem| problem.variable.as_str()).collect();
            assert_eq!(named, [*variable], "{value:?}: {problems}");
        }
    }
    let untested: Vec<_> = CONTRACT
        .split(' ')
        .filter(|name| WRONG.iter().all(|(tested, _)| tested != name) && !name.starts_with("DOORCODE_LIMIT_"))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
    for variable in CONTRACT.split(' ').filter(|name| name.starts_with("DOORCODE_LIMIT_")) {
        assert_refused(develop(&[(variable, "3 per hour")]), variable, "is not a count and a window such as 3/15m");
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let variables = [
        ("DOORCODE_MODE", "production"),
        ("DOORCODE_LISTEN", "everywhere"),
        ("DOORCODE_CODE_LENGTH", "4"),
        ("DOORCODE_LIMIT_SEND_PAIR", "lots"),
        ("DATABASE_URL", "postgres://localhost/doorcode"),
    ];
    let unknown = [("DOORCODE_SEKRET".to_owned(), "canary".to_owned())];
    let problems = Settings::load(flags(&variables), unknown.into_iter(), now(), &Fixed).unwrap_err();
    let named: BTreeSet<_> = problems.iter().map(|problem| problem.variable.as_str()).collect();
    let expected = "DOORCODE_LISTEN DOORCODE_CODE_LENGTH DOORCODE_LIMIT_SEND_PAIR DOORCODE_SECRET SMTP_URL REDIS_URL \
        DOORCODE_MAIL_FROM DOORCODE_PUBLIC_URL DOORCODE_SEKRET";
    assert_eq!(named, expected.split(' ').collect());
    let text = problems.to_string();
    assert!(text.starts_with("9 settings are wrong:") && text.contains("Did you mean DOORCODE_SECRET?"), "{text}");
    assert!(!text.contains("canary"));
}

#[test]
fn an_unreadable_mode_is_the_only_problem_it_causes() {
    let exposed = [("DOORCODE_MODE", "prodution"), ("DOORCODE_LISTEN", "0.0.0.0:4000")];
    assert_refused(load(&exposed), "DOORCODE_MODE", "`development`, `production`");
}

#[test]
fn a_refused_start_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    load(&[("DOORCODE_DATA", data), ("DOORCODE_CODE_TRIES", "0")]).unwrap_err();
    load(&[("DOORCODE_DATA", data), ("DOORCODE_MODE", "production")]).unwrap_err();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_data_folder_that_cannot_be_created_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert_refused(
        load(&[("DOORCODE_DATA", file.join("data").to_str().unwrap())]),
        "DOORCODE_DATA",
        "cannot be created",
    );
}

#[test]
fn messages_never_contain_values() {
    for variable in CONTRACT.split(' ') {
        for value in
            ["canary", "smtp://u:canary@", "postgres://u:canary@[", "redis:canary", "https://u:canary@h", "canary/1d"]
        {
            let name_only = [(variable.to_owned(), value.to_owned())];
            let has_own_case = matches!(variable, "DOORCODE_DATA" | "DOORCODE_CODE_TRIES");
            let set = if has_own_case { Vec::new() } else { vec![(variable, value)] };
            let both = [&set[..], &[("DOORCODE_CODE_TRIES", "0")]].concat();
            let problems = Settings::load(flags(&both), name_only.into_iter(), now(), &Fixed).unwrap_err();
            let text = format!("{problems} {problems:?}");
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

#[test]
fn an_invalid_manifest_prevents_the_start_and_so_do_settings_that_contradict_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("documents.json");
    let path = file.to_str().unwrap();
    assert_refused(load(&[("DOORCODE_DOCUMENTS", path)]), "DOORCODE_DOCUMENTS", "cannot be read");
    fs::write(&file, "[]").unwrap();
    assert_refused(load(&[("DOORCODE_DOCUMENTS", path)]), "DOORCODE_DOCUMENTS", "not a manifest");
    let text = "{ me { id } }";
    fs::write(&file, format!("{{\"{}\": \"{text}\"}}", crate::settings::written(&crate::settings::document_id(text))))
        .unwrap();
    let blank = develop(&[("DOORCODE_DOCUMENTS", " ")]).unwrap();
    assert!(
        blank.documents.is_none()
            && blank.warnings.iter().any(|warning| warning.to_string().contains("every document runs"))
    );
    let settings = load(&[("DOORCODE_DOCUMENTS", path)]).unwrap();
    assert!(settings.documents.is_some() && !settings.graphiql, "GraphiQL is off even in development");
    for switch in ["DOORCODE_GRAPHIQL", "DOORCODE_FEDERATION"] {
        assert_refused(load(&[("DOORCODE_DOCUMENTS", path), (switch, "true")]), switch, "remove DOORCODE_DOCUMENTS");
    }
}

#[test]
fn a_look_that_cannot_be_seen_or_followed_is_refused() {
    for (variable, value, words) in [
        (
            "DOORCODE_ACCENT",
            "#0a2540",
            "has a contrast of 1.14:1 with the dark background #16181c, but buttons need 3:1",
        ),
        ("DOORCODE_ACCENT", "teal", "is not a colour"),
        ("DOORCODE_LOGO", "/nowhere/logo.png", "cannot be read"),
        ("DOORCODE_LOGO", "Cargo.toml", "neither a PNG image nor an SVG image"),
        ("DOORCODE_SUPPORT_URL", "javascript:alert(1)", "does not start with https:// or mailto:"),
        ("DOORCODE_TERMS_URL", "http://example.com/terms", "does not start with https://"),
        ("DOORCODE_PRIVACY_URL", "mailto:privacy@example.com", "does not start with https://"),
    ] {
        assert_refused(develop(&[(variable, value)]), variable, words);
    }
}

#[test]
fn a_large_logo_in_emails_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    for (name, start, warnings) in [
        ("logo.png", &b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x40\x00\x00\x00\x10"[..], 1),
        ("logo.svg", &b"<svg>"[..], 0),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, [start, &vec![b' '; 40 * 1024]].concat()).unwrap();
        let settings = develop(&[("DOORCODE_LOGO", file.to_str().unwrap())]).unwrap();
        assert_eq!(settings.warnings.len(), warnings, "{:?}", settings.warnings);
        assert!(settings.theme.logo.is_some());
    }
}
