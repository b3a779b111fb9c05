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
    ("DOORCODE_TLS_CERT", &["/half/of/it", "a\u{7}b"]),
    ("DOORCODE_TLS_KEY", &["/half/of/it"]),
    ("DOORCODE_DOCUMENTS", &["no/such/file.json", "."]),
];

#[test]
fn production_warns_when_data_may_travel_in_plain_text() {
    let warned = |variable: &str, value: &str| {
        let settings = produce(&[("DOORCODE_SINGLE_REPLICA", "true"), (variable, value)]).unwrap();
        settings.warnings.iter().any(|warning| warning.to_string().contains("plain text"))
    };
    assert!(warned("DATABASE_URL", "postgres://u:p@db.example.com/d"));
    assert!(!warned("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=verify-full"));
    assert!(!warned("DATABASE_URL", "postgres://u:p@127.0.0.1:5432/d"));
    assert!(!warned("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=require"));
    let unasked =
        [("DOORCODE_SINGLE_REPLICA", "true"), ("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=require")];
    assert!(produce(&unasked).unwrap().warnings.iter().any(|warning| warning.to_string().contains("does not verify")));
    assert!(warned("REDIS_URL", "redis://:p@r.example.com:6379"));
    assert!(warned("REDIS_URL", "redis+cluster://127.0.0.1:1,10.0.0.2:2"));
    assert!(!warned("REDIS_URL", "redis://localhost:6379/1"));
}

#[test]
fn production_refuses_everything_unsafe() {
    let postgres = ("DATABASE_URL", "postgres://doorcode:canary@db.example.com/doorcode");
    for (changes, variable, words) in [
        (&[("DOORCODE_SECRET", "")][..], "DOORCODE_SECRET", "required in production"),
        (&[("SMTP_URL", "")], "SMTP_URL", "required in production"),
        (&[("SMTP_URL", "smtp://smtp.example.com")], "SMTP_URL", "plain text"),
        (&[("SMTP_URL", "smtp://localhost:1025")], "SMTP_URL", "plain text"),
        (&[("SMTP_URL", "smtp://smtp.example.com?tls=opportunistic")], "SMTP_URL", "plain text"),
        (&[("SMTP_URL", "smtp://smtp.example.com?tls=opportunistic&tls=required")], "SMTP_URL", "plain text"),
        (&[postgres], "REDIS_URL", "PostgreSQL"),
        (&[postgres, ("DOORCODE_SINGLE_REPLICA", "false")], "REDIS_URL", "DOORCODE_SINGLE_REPLICA=true"),
        (&[("DOORCODE_PUBLIC_URL", "")], "DOORCODE_PUBLIC_URL", "required in production"),
        (&[("DOORCODE_PUBLIC_URL", "http://login.example.com")], "DOORCODE_PUBLIC_URL", "https"),
        (&[("DOORCODE_PUBLIC_URL", "http://localhost.example.com")], "DOORCODE_PUBLIC_URL", "https"),
        (&[("DOORCODE_MAIL_FROM", "")], "DOORCODE_MAIL_FROM", "real domain"),
        (&[("DOORCODE_MAIL_FROM", "Example <-oQ/tmp@example.com>")], "DOORCODE_MAIL_FROM", "real domain"),
    ] {
        assert_refused(produce(changes), variable, words);
    }
    for changes in [
        &[postgres, ("DOORCODE_SINGLE_REPLICA", "true")][..],
        &[postgres, ("REDIS_URL", "redis+cluster://a.example.com:6379,b.example.com:6379")],
        &[("SMTP_URL", "smtp://smtp.example.com:2525?tls=required")],
        &[("DOORCODE_PUBLIC_URL", "http://127.0.0.1:4000")],
        &[("DOORCODE_LISTEN", "0.0.0.0:4000"), ("DOORCODE_OPS_LISTEN", "[::]:4001")],
    ] {
        produce(changes).unwrap();
    }
}

#[test]
fn production_refuses_guessable_codes_and_reports_the_odds() {
    let (six, month) = (("DOORCODE_CODE_LENGTH", "6"), "DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH");
    let open = ["GUESS_ACCOUNT", "GUESS_ACCOUNT_MONTH", "SEND_ADDRESS", "SEND_ADDRESS_DAY", "SEND_INSTANCE"];
    let open = open.map(|limit| format!("DOORCODE_LIMIT_{limit}"));
    let open: Vec<_> = open.iter().map(|limit| (limit.as_str(), "1000000000/1s")).collect();
    for (changes, odds, instead) in [
        (vec![six], "odds of 1 in 820; production allows at most 1 in 1,000", "Write DOORCODE_CODE_LENGTH=7"),
        (vec![six, ("DOORCODE_CODE_TRIES", "10"), open[0], open[1]], "1 in 23;", "Write DOORCODE_CODE_LENGTH=8"),
        ([&[six, ("DOORCODE_CODE_TRIES", "10")], &open[..]].concat(), "1 in 1;", "Write less for"),
        ([&[("DOORCODE_CODE_LENGTH", "12")], &open[..]].concat(), "1 in 1;", "Write less for"),
    ] {
        assert_refused(produce(&changes), "DOORCODE_CODE_LENGTH", odds);
        assert_refused(produce(&changes), "DOORCODE_CODE_LENGTH", instead);
        develop(&changes).unwrap();
    }
    for (changes, expected) in [
        (vec![], None),
        (vec![six, (month, "80/30d")], Some("odds of 1 in 1,000 (with the defaults, 1 in 82,000)")),
        (vec![("DOORCODE_CODE_LENGTH", "7")], Some("odds of 1 in 8,200 (with")),
        (vec![(month, "1000/30d")], Some("odds of 1 in 14,000 (with")),
        (vec![("DOORCODE_CODE_TRIES", "10")], Some("open 3.7 accounts (with the defaults, 1.1). Write")),
        (vec![("DOORCODE_LIMIT_SEND_INSTANCE", "1000000/1d")], Some("open 11 accounts (with the defaults, 1.1)")),
        (vec![("DOORCODE_LIMIT_SEND_INSTANCE", "1000000/1d"), ("DOORCODE_CODE_LENGTH", "9")], None),
    ] {
        let warnings = produce(&changes).unwrap().warnings;
        let found =
            expected.map_or(warnings.is_empty(), |text| warnings.iter().any(|it| it.to_string().contains(text)));
        assert!(found, "{changes:?}: {warnings:?}");
    }
}

#[test]
fn production_warns_about_ineffective_limits() {
    for limit in [
        "SEND_PAIR",
        "SEND_ADDRESS",
        "SEND_ADDRESS_DAY",
        "SEND_NETWORK",
        "VERIFY_NETWORK",
        "REFRESH_SESSION",
        "API_CALLER",
    ] {
        let variable = format!("DOORCODE_LIMIT_{limit}");
        let warnings = produce(&[(&variable, "1000000000/1s")]).unwrap().warnings;
        assert!(warnings.iter().any(|warning| warning.variable == variable), "{limit}: {warnings:?}");
    }
    assert!(produce(&[("DOORCODE_LIMIT_SEND_NETWORK", "3000/15m")]).unwrap().warnings.is_empty(), "a university");
}

#[test]
fn production_refuses_to_trust_the_internet_as_a_proxy() {
    let proxies = |list| produce(&[("DOORCODE_TRUSTED_PROXIES", list)]);
    for list in [
        "0.0.0.0/1,128.0.0.0/1",
        "10.0.0.0/8,64.0.0.0/2",
        "8.0.0.0/7",
        "8.0.0.0/8,9.0.0.0/24",
        "2000::/3",
        "::/1,8000::/1",
        "2600::/16",
        "2600::/23",
        "2600:100::/24,2a00:100::/24",
        "64:ff9b::/96",
        "64:ff9b::10.0.0.0/104",
        "64:ff9b:1::/48",
        "2001::/32",
        "2001::/16",
        "2002::/16",
        "2002:c000:200::/40",
    ] {
        assert_refused(proxies(list), "DOORCODE_TRUSTED_PROXIES", "could choose the address");
        develop(&[("DOORCODE_TRUSTED_PROXIES", list)]).unwrap();
    }
    for list in [
        "127.0.0.1,::1",
        "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7",
        "8.0.0.0/8",
        "2600:100::/24",
        "64:ff9b::10.0.0.1",
    ] {
        assert!(proxies(list).unwrap().warnings.is_empty(), "{list}");
    }
    for list in ["::ffff:0:0/96", "::ffff:10.0.0.0/104", "10.0.0.0/8,::ffff:10.0.0.1"] {
        assert_refused(proxies(list), "DOORCODE_TRUSTED_PROXIES", "DOORCODE_TRUSTED_PROXIES=10.0.0.0/8");
    }
}

#[test]
fn production_refuses_plain_http_origins() {
    let origins = |list, public| produce(&[("DOORCODE_CORS_ORIGINS", list), ("DOORCODE_PUBLIC_URL", public)]);
    let public = "https://login.example.com";
    for list in ["http://app.example.com", "https://app.example.com,http://app.example.com:8080", "http://10.0.0.1"] {
        assert_refused(origins(list, public), "DOORCODE_CORS_ORIGINS", "http:// origin");
        develop(&[("DOORCODE_CORS_ORIGINS", list)]).unwrap();
    }
    assert!(origins("http://localhost:3000", public).unwrap().warnings[0].wrong.contains("visitor's machine"));
    let local = origins("http://localhost:3000", "http://localhost:4000").unwrap().warnings;
    assert!(!local.iter().any(|warning| warning.to_string().contains("DOORCODE_CORS_ORIGINS")), "{local:?}");
    assert!(origins("https://app.example.com,capacitor://localhost", public).unwrap().warnings.is_empty());
}

#[test]
fn production_warns_if_strangers_may_reach_the_operations_port() {
    let warns = |variable, value| {
        let warnings = produce(&[(variable, value)]).unwrap().warnings;
        assert!(warnings.len() < 2, "{warnings:?}");
        warnings.iter().any(|warning| warning.variable == variable)
    };
    for address in ["0.0.0.0:4001", "[::]:4001", "203.0.113.7:4001", "[2001:db8::1]:4001", "[::ffff:0.0.0.0]:4001"] {
        assert!(warns("DOORCODE_OPS_LISTEN", address), "{address}");
    }
    for address in ["127.0.0.1:4001", "[::1]:4001", "10.1.2.3:4001", "100.64.0.1:4001", "[fd00::1]:4001"] {
        assert!(!warns("DOORCODE_OPS_LISTEN", address), "{address}");
    }
}

#[test]
fn production_keeps_deleted_accounts_and_events_for_the_recovery_period() {
    for (variable, short) in [("DOORCODE_ERASE_AFTER", "0s"), ("DOORCODE_AUDIT_RETENTION", "1d")] {
        for short in [short, "167h"] {
            assert_refused(produce(&[(variable, short)]), variable, "shorter than the 7 days");
            let warnings = develop(&[(variable, short)]).unwrap().warnings;
            let warns = warnings.iter().any(|warning| warning.variable == variable);
            assert_eq!(warns, variable == "DOORCODE_AUDIT_RETENTION", "{warnings:?}");
        }
        assert!(produce(&[(variable, "7d")]).unwrap().warnings.is_empty());
    }
}

#[test]
fn production_refuses_a_cheap_password_hash() {
    for cheap in ["m=19456,t=1,p=1", "m=8192,t=4,p=1", "m=8,t=1,p=1"] {
        assert_refused(produce(&[("DOORCODE_PASSWORD_COST", cheap)]), "DOORCODE_PASSWORD_COST", "OWASP");
        assert!(develop(&[("DOORCODE_PASSWORD_COST", cheap)]).is_ok());
    }
    for enough in ["m=19456,t=2,p=1", "m=47104,t=1,p=1", "m=7168,t=5,p=2"] {
        assert!(produce(&[("DOORCODE_PASSWORD_COST", enough)]).is_ok(), "{enough}");
    }
}

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
fn production_warns_when_nothing_terminates_tls() {
    let beyond = ("DOORCODE_LISTEN", "0.0.0.0:4000");
    let warns = |others: &[(&str, &str)]| {
        let settings = produce(&[&[beyond], others].concat()).unwrap();
        settings.warnings.iter().any(|warning| warning.to_string().contains("plain HTTP"))
    };
    assert!(warns(&[]));
    assert!(produce(&[("DOORCODE_LISTEN", "127.0.0.1:4000")]).unwrap().warnings.is_empty());
    assert!(!warns(&[("DOORCODE_TRUSTED_PROXIES", "10.0.0.0/8")]));
    assert!(!warns(&[("DOORCODE_TLS_CERT", "/tls.pem"), ("DOORCODE_TLS_KEY", "/tls.key")]));
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
