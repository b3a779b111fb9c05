//! Production refuses unsafe settings and warns about doubtful ones.

use super::{assert_refused, develop, produce};

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
