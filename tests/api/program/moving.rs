//! `doorcode user import` and `doorcode user export`, with a running server where users sign in.

mod attacks;
mod export;
mod guides;
mod scale;

use std::{fs, os::unix::fs::PermissionsExt as _};

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use super::{Home, Program, text};

/// The vectors of `tests/moving/make-vectors`.
pub(crate) fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../moving/vectors.json")).unwrap()
}

impl Home {
    /// Writes rows to a file of the working folder.
    fn rows(&self, rows: &[Value]) {
        let lines: Vec<_> = rows.iter().map(Value::to_string).collect();
        fs::write(self.folder.path().join("people.ndjson"), lines.join("\n")).unwrap();
    }

    /// Imports rows that must be accepted, and returns the report.
    fn import(&self, rows: &[Value], flags: &[&str]) -> String {
        self.rows(rows);
        self.good(&[&["user", "import", "people.ndjson"], flags].concat())
    }

    /// Imports rows that must be refused, and returns the problems.
    fn refuse(&self, rows: &[Value], flags: &[&str]) -> String {
        self.rows(rows);
        self.refuse_file(flags)
    }

    fn refuse_file(&self, flags: &[&str]) -> String {
        let output = self.run(&[&["user", "import", "people.ndjson", "--apply"], flags].concat());
        let (problems, summary) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{problems}{summary}");
        assert!(summary.contains("nothing was imported"), "{problems}{summary}");
        problems
    }

    /// The rows of an export.
    fn exported(&self) -> Vec<Value> {
        let file = self.folder.path().join("exported.ndjson");
        drop(fs::remove_file(&file));
        self.good(&["user", "export", "exported.ndjson"]);
        fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn exported_of(&self, email: &str) -> Value {
        self.exported().into_iter().find(|row| row["email"] == email).unwrap_or_default()
    }

    /// Starts a server. Its limits are high, because all tests on this machine share a network and Redis.
    async fn serve(&self) -> Program {
        let limits = ["PASSWORD_NETWORK", "PASSWORD_NETWORK_DAY", "API_CALLER"];
        let high = limits.map(|name| (format!("DOORCODE_LIMIT_{name}"), "100000/1m"));
        self.start_with(|command| _ = command.envs(high)).await
    }

    /// The sealed password of a user, and its version.
    async fn stored(&self, email: &str) -> Option<(Vec<u8>, i32)> {
        let db = self.database.connect().await;
        let sql = "SELECT p.sealed, p.version FROM passwords p JOIN users u ON u.id = p.user_id WHERE u.email = $1";
        let row = db.read().query_one_raw(doorcode::db::statement(db.backend(), sql, [email.into()])).await.unwrap()?;
        Some((row.try_get("", "sealed").unwrap(), row.try_get("", "version").unwrap()))
    }

    async fn count(&self, table: &str, condition: &str) -> i64 {
        let db = self.database.connect().await;
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table} WHERE {condition}");
        let row = db.read().query_one_raw(doorcode::db::statement(db.backend(), &sql, [])).await.unwrap().unwrap();
        row.try_get("", "n").unwrap()
    }
}

impl Program {
    /// Signs in with a password, and returns the type or the code of the result.
    async fn sign_in(&self, email: &str, password: &str) -> String {
        let query = "mutation($e: String!, $p: String!) { login(input: { email: $e, password: $p }) \
             { __typename ... on Problem { code } } }";
        let answer = self.call(query, json!({ "e": email, "p": password })).await.unwrap();
        let login = &answer["data"]["login"];
        login["code"].as_str().or(login["__typename"].as_str()).map_or_else(|| answer.to_string(), str::to_owned)
    }
}

/// One vector of each of the kinds that people bring most.
fn six_kinds() -> Vec<Value> {
    let kinds = [
        "argon2-cffi argon2id",
        "bcrypt 2a",
        "passlib scrypt",
        "passlib pbkdf2_sha512",
        "django pbkdf2_sha256",
        "firebase",
    ];
    let vectors = vectors();
    kinds.iter().map(|kind| vectors.iter().find(|vector| vector["kind"] == *kind).unwrap().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_people_of_six_kinds_of_hash_sign_in_and_then_have_ours() {
    let home = Home::new().await;
    let kinds = six_kinds();
    let rows: Vec<_> = (0..1_000)
        .map(|number| {
            let kind = &kinds[number % kinds.len()];
            json!({
                "email": format!("person{number}@example.com"), "name": format!("Person {number}"), "verified": true,
                "passwordHash": kind["hash"], "externalId": format!("old-{number}"), "locale": "de-CH",
                "createdAt": "2019-03-01T12:00:00+01:00",
            })
        })
        .collect();
    let dry = home.import(&rows, &[]);
    assert!(dry.contains("1000 rows: 1000 accounts would be created") && dry.contains("--apply"), "{dry}");
    assert_eq!(home.count("users", "1 = 1").await, 0, "a dry run changes nothing");
    let applied = home.import(&rows, &["--apply"]);
    assert!(applied.contains("1000 accounts were created") && applied.contains("1000 passwords were"), "{applied}");
    assert_eq!(home.count("passwords", "1 = 1").await, 1_000);
    assert_eq!(home.count("audit_events", "kind = 'PEOPLE_IMPORTED'").await, 1);
    let again = home.import(&rows, &["--apply"]);
    assert!(again.contains("0 accounts were created, 0 changed, 1000 left as they are; 0 passwords"), "{again}");
    assert_eq!(home.count("audit_events", "kind = 'PEOPLE_IMPORTED'").await, 1, "nothing happened");

    let shown = home.objects(&["user", "show", "person7@example.com"]);
    assert_eq!(
        (&shown[0]["name"], &shown[0]["locale"], &shown[0]["role"]),
        (&json!("Person 7"), &json!("de"), &json!("USER"))
    );
    assert!(shown[0]["createdAt"].as_str().unwrap().starts_with("2019-03-01T11:00:00"), "{shown:?}");

    let server = home.serve().await;
    for (number, kind) in kinds.iter().enumerate() {
        let (email, password) = (format!("person{number}@example.com"), kind["password"].as_str().unwrap());
        let imported = home.stored(&email).await.unwrap();
        assert_eq!(server.sign_in(&email, "not the password").await, "INVALID_CREDENTIALS", "{kind}");
        assert_eq!(home.stored(&email).await.unwrap(), imported, "a wrong password leaves the hash: {kind}");
        assert_eq!(home.exported_of(&email)["passwordHash"], kind["hash"]);
        assert_eq!(server.sign_in(&email, password).await, "SignedIn", "{kind}");
        let renewed = home.stored(&email).await.unwrap();
        assert!(renewed.0 != imported.0 && renewed.1 == imported.1, "a new hash of the same version: {kind}");
        let hash = home.exported_of(&email)["passwordHash"].as_str().unwrap().to_owned();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kind}: {hash}");
        assert_eq!(server.sign_in(&email, password).await, "SignedIn", "and again with ours: {kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_hash_can_be_imported_and_signs_in() {
    let home = Home::new().await;
    let vectors = vectors();
    let email = |number: usize| format!("v{number}@example.com");
    let rows: Vec<_> = vectors
        .iter()
        .enumerate()
        .map(|(number, vector)| json!({ "email": email(number), "verified": true, "passwordHash": vector["hash"] }))
        .collect();
    home.import(&rows, &["--apply"]);
    let server = home.serve().await;
    for (number, vector) in vectors.iter().enumerate() {
        let password = vector["password"].as_str().unwrap();
        assert_eq!(server.sign_in(&email(number), password).await, "SignedIn", "{vector}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_is_listed_with_its_line_its_field_and_what_to_write() {
    let home = Home::new().await;
    let good = json!({ "email": "good@example.com" });
    let hash = "$2b$10$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde";
    let lines = [
        good.to_string(),
        r#"{"email":"no address","name":"a\u0000b","role":"ROOT","verified":"yes","passwordHash":"hunter2","locale":"tlh","createdAt":"yesterday","externalId":""}"#.to_owned(),
        "not JSON".to_owned(),
        "[1]".to_owned(),
        r#"{"name":"Ada"}"#.to_owned(),
        String::new(),
        r#"{"email":"a@example.com","password":"hunter2"}"#.to_owned(),
        r#"{"email":"b@example.com","createdAt":"2999-01-01T00:00:00Z"}"#.to_owned(),
        format!(r#"{{"email":"c@example.com","verified":true,"passwordHash":"{}"}}"#, &hash[..50]),
        r#"{"email":"d@example.com","passwordHash":"$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde"}"#.to_owned(),
        r#"{"email":7}"#.to_owned(),
    ];
    fs::write(home.folder.path().join("people.ndjson"), lines.join("\n")).unwrap();
    let problems = home.refuse_file(&[]);
    for expected in [
        "line 2: email Enter an email address such as you@example.com.",
        "line 2: name A name must be one line",
        "line 2: role is no role: write GUEST, USER, MANAGER or ADMIN",
        "line 2: verified is neither true nor false",
        "line 2: passwordHash is no hash that can be compared: write argon2id",
        "line 2: locale is no language that we write mails in: write en, de, fr, es, ja",
        "line 2: createdAt is no time: write it as 2026-11-29T12:00:00Z",
        "line 2: externalId must be 1 to 255 bytes",
        "line 3: is not valid JSON at column 2",
        "line 4: is no JSON object",
        "line 5: email is missing",
        "line 7: has unknown fields (password): write only email, name, role",
        "line 8: createdAt is in the future",
        "line 9: passwordHash is cut off or changed",
        "line 10: passwordHash takes about",
        "line 11: email is no text",
    ] {
        assert!(problems.contains(expected), "{expected} in:\n{problems}");
    }
    assert!(!problems.contains("hunter2"), "what may be a password is not printed:\n{problems}");
    assert_eq!(home.count("users", "1 = 1").await, 0, "nothing of a refused file is applied");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_known_by_its_external_id_or_its_address() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com", "--name", "Ada"]);
    home.import(&[json!({ "email": "Ada@Example.com", "name": "Other", "externalId": "1" })], &["--apply"]);
    let ada = home.exported_of("ada@example.com");
    assert_eq!((&ada["name"], &ada["externalId"]), (&json!("Ada"), &json!("1")), "it only learns its id");
    home.good(&["user", "email", "ada@example.com", "new@example.com"]);
    let report = home.import(&[json!({ "email": "ada@example.com", "externalId": "1" })], &["--apply", "--replace"]);
    assert!(report.contains("0 accounts were created, 0 changed, 1 left"), "{report}");
    assert_eq!(home.count("users", "1 = 1").await, 1, "the address that they have here stays");
    let report = home.import(
        &[json!({ "email": "new@example.com", "name": "Ada L", "locale": "fr", "role": "GUEST" })],
        &["--apply", "--replace"],
    );
    assert!(report.contains("1 changed"), "{report}");
    let ada = home.exported_of("new@example.com");
    let found = (&ada["name"], &ada["locale"], &ada["role"], &ada["externalId"]);
    assert_eq!(found, (&json!("Ada L"), &json!("fr"), &json!("GUEST"), &json!("1")));
    home.good(&["user", "create", "other@example.com"]);
    for (row, expected) in [
        (json!({ "email": "other@example.com", "externalId": "1" }), "line 1: email belongs to another account"),
        (json!({ "email": "new@example.com", "externalId": "2" }), "line 1: externalId is not the one"),
    ] {
        let problems = home.refuse(&[row], &["--replace"]);
        assert!(problems.contains(expected), "{problems}");
    }
}
