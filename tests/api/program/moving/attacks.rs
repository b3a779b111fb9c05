//! Files that try to get more than an import gives.

use std::{
    fs::{self, File},
    io::Write as _,
};

use serde_json::json;

use super::{super::breached::peak_memory, *};

const HASH: &str = "$2b$05$d7bfb84dcb458580524f9OQy6TVwql0K.lv7izzB9AZ3J/pqi2Mj2";
const PASSWORD: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_not_verified_plants_no_password() {
    let home = Home::new().await;
    let rows = [
        json!({ "email": "missing@example.com", "passwordHash": HASH }),
        json!({ "email": "false@example.com", "passwordHash": HASH, "verified": false }),
        json!({ "email": "null@example.com", "passwordHash": HASH, "verified": null }),
        json!({ "email": "true@example.com", "passwordHash": HASH, "verified": true }),
    ];
    let report = home.import(&rows, &["--apply"]);
    assert!(report.contains("1 passwords were stored. 3 hashes were left out"), "{report}");
    let server = home.serve().await;
    for (name, expected) in [
        ("missing", "INVALID_CREDENTIALS"),
        ("false", "INVALID_CREDENTIALS"),
        ("null", "INVALID_CREDENTIALS"),
        ("true", "SignedIn"),
    ] {
        assert_eq!(server.sign_in(&format!("{name}@example.com"), PASSWORD).await, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_raises_no_role_unless_the_operator_allows_it() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com"]);
    for role in ["ADMIN", "admin", "MANAGER"] {
        for email in ["ada@example.com", "new@example.com"] {
            let problems = home.refuse(&[json!({ "email": email, "role": role })], &["--replace"]);
            assert!(problems.contains("line 1: role is ") && problems.contains("--max-role"), "{problems}");
        }
    }
    let admin = [json!({ "email": "ada@example.com", "role": "ADMIN" })];
    assert!(home.refuse(&admin, &["--replace", "--max-role", "manager"]).contains("roles up to MANAGER"));
    home.import(&admin, &["--apply", "--max-role", "admin"]);
    assert_eq!(home.exported_of("ada@example.com")["role"], "USER", "roles stay without --replace");
    home.import(&admin, &["--apply", "--replace", "--max-role", "admin"]);
    assert_eq!(home.exported_of("ada@example.com")["role"], "ADMIN");
    assert_eq!(home.count("audit_events", "kind = 'USER_CHANGED' AND CAST(detail AS TEXT) LIKE '%ADMIN%'").await, 1);
    let problems = home.refuse(&[json!({ "email": "ada@example.com", "role": "GUEST" })], &["--replace"]);
    assert!(problems.contains("line 1: role would take the role ADMIN"), "{problems}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_exists_keeps_its_way_in() {
    let home = Home::new().await;
    let mine = vectors().into_iter().find(|vector| vector["kind"] == "passlib bcrypt 2y").unwrap();
    home.import(&[json!({ "email": "ada@example.com", "passwordHash": mine["hash"], "verified": true })], &["--apply"]);
    home.good(&["user", "create", "none@example.com"]);
    home.good(&["user", "create", "gone@example.com"]);
    home.good(&["user", "delete", "gone@example.com"]);
    let rows: Vec<_> = ["ada", "none", "gone"]
        .map(|name| json!({ "email": format!("{name}@example.com"), "passwordHash": HASH, "verified": true, "name": "Mallory" }))
        .into();
    let before = home.stored("ada@example.com").await;
    let report = home.import(&rows, &["--apply"]);
    assert!(report.contains("0 changed, 3 left as they are; 0 passwords"), "{report}");
    assert_eq!(home.stored("ada@example.com").await, before);
    assert_eq!(home.stored("none@example.com").await, None, "not even an account without a password gets one");
    super::super::people::sign_in(&home, "ada@example.com", "curl/8", false).await;
    let report = home.import(&rows, &["--apply", "--replace"]);
    assert!(report.contains("2 changed, 1 left as they are; 2 passwords"), "{report}");
    assert_eq!(home.stored("gone@example.com").await, None, "a deleted account is left alone");
    assert_eq!(home.stored("ada@example.com").await.unwrap().1, 2, "a sign-in that compared the old one fails");
    assert_eq!(home.count("sessions", "ended_at IS NULL").await, 0, "a replaced password ends the sessions");
    assert_eq!(home.count("audit_events", "kind = 'PASSWORD_SET'").await, 2);
    let report = home.import(&rows, &["--apply", "--replace"]);
    assert!(report.contains("0 changed, 3 left as they are; 0 passwords"), "{report}");
    assert_eq!(home.stored("ada@example.com").await.unwrap().1, 2, "the same hash again changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_in_two_spellings_is_refused() {
    let home = Home::new().await;
    let rows = [
        json!({ "email": "ada@bücher.example", "externalId": "1" }),
        json!({ "email": "other@example.com", "externalId": "1" }),
        json!({ "email": "ADA@xn--bcher-kva.example " }),
    ];
    let problems = home.refuse(&rows, &[]);
    assert!(problems.contains("line 3: email is the same as in line 1"), "{problems}");
    assert!(problems.contains("line 2: externalId is the same as in line 1"), "{problems}");
    assert_eq!(home.count("users", "1 = 1").await, 0);
    home.import(&[json!({ "email": "ada@example.com", "externalId": "1" })], &["--apply"]);
    let rows = [json!({ "email": "ada@example.com" }), json!({ "email": "new@example.com", "externalId": "1" })];
    let problems = home.refuse(&rows, &["--replace"]);
    assert!(problems.contains("line 2: email belongs to the same account as line 1"), "{problems}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_endless_lines_are_refused_in_little_memory() {
    let home = Home::new().await;
    let mut file = File::create(home.folder.path().join("people.ndjson")).unwrap();
    file.write_all(b"{\"email\":\"a\xff@example.com\"}\n").unwrap();
    file.write_all(b"{\"email\":\"").unwrap();
    for _ in 0..100 {
        file.write_all(&vec![b'a'; 1024 * 1024]).unwrap();
    }
    file.write_all(b"@example.com\"}\n{\"email\":\"\\ud800\"}\n{\"email\":\"last\"}").unwrap();
    let problems = home.refuse_file(&[]);
    for expected in [
        "line 1: is not UTF-8 from byte 12 on",
        "line 2: is longer than 16 KiB",
        "line 3: is not valid JSON",
        "line 4: email",
    ] {
        assert!(problems.contains(expected), "{expected} in:\n{problems}");
    }
    let mut command = home.command();
    command
        .args(["user", "import", "people.ndjson"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let memory = peak_memory(&mut command.spawn().unwrap());
    assert!(memory < 90, "{memory} MiB");
    let deep = format!("{}1{}", "[".repeat(8_000), "]".repeat(8_000));
    fs::write(home.folder.path().join("people.ndjson"), deep).unwrap();
    assert!(home.refuse_file(&[]).contains("line 1: is not valid JSON"));
    assert!(home.refused(&["user", "import", "/dev/zero"]).contains("no regular file"));
    assert!(home.refused(&["user", "import", "missing"]).contains("cannot read missing"));
}
