//! Secret leaks: tests that use codes and tokens, then search all logs, responses and tables for them.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use doorcode::{
    adapter::system::SystemEntropy,
    app::Overrides,
    db::entity::Role,
    http::{self, Server},
    limits::Rule,
    ports::{Clock, Entropy},
};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::{
    harness::{Client, ManualClock, SignedIn, TestApp, other_than},
    people::{email_change, undo},
};

/// The log output of this thread.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Starts to capture the logs of this thread, at every level, until the guard is dropped.
    pub(crate) fn everything() -> (Self, DefaultGuard) {
        let captured = Self::default();
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone());
        let guard = tracing::subscriber::set_default(subscriber.finish());
        tracing::trace!("every level is captured");
        assert!(captured.text().contains("every level is captured"));
        (captured, guard)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const TABLES: [&str; 15] = [
    "users",
    "devices",
    "sessions",
    "email_codes",
    "sign_in_links",
    "passwords",
    "password_tries",
    "authentications",
    "email_changes",
    "outbox",
    "audit_events",
    "api_keys",
    "clients",
    "authorization_codes",
    "signing_keys",
];

/// Every value of every column of every row, as text and as bytes.
async fn everything_stored(app: &TestApp) -> Vec<u8> {
    let ctx = app.ctx();
    let mut stored = Vec::new();
    for table in TABLES {
        let sql = if ctx.db.backend() == DbBackend::Postgres {
            format!("SELECT CAST(t AS TEXT) AS line FROM {table} t")
        } else {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let rows = ctx.db.read().query_all_raw(doorcode::db::statement(ctx.db.backend(), &columns, [])).await;
            let names: Vec<String> = rows.unwrap().iter().map(|row| row.try_get("", "name").unwrap()).collect();
            let quoted: Vec<_> = names.iter().map(|name| format!("quote({name})")).collect();
            format!("SELECT {} AS line FROM {table}", quoted.join(" || ' ' || "))
        };
        for row in ctx.db.read().query_all_raw(doorcode::db::statement(ctx.db.backend(), &sql, [])).await.unwrap() {
            let line: Option<String> = row.try_get("", "line").unwrap();
            stored.extend(line.unwrap_or_default().into_bytes());
            stored.push(b'\n');
        }
    }
    stored
}

/// A secret in each encoding in which it could be stored.
fn shapes(secret: &str) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut shapes = vec![secret.to_owned(), hex(secret.as_bytes()), hex(secret.as_bytes()).to_uppercase()];
    if let Ok(raw) = URL_SAFE_NO_PAD.decode(secret)
        && raw.len() >= 16
    {
        shapes.extend([hex(&raw), hex(&raw).to_uppercase()]);
    }
    shapes
}

fn assert_absent(what: &str, haystack: &[u8], secret: &str) {
    let text = String::from_utf8_lossy(haystack);
    for shape in shapes(secret) {
        assert!(!text.contains(&shape), "{what} was found");
    }
}

#[tokio::test]
async fn codes_and_tokens_never_appear_in_logs_tables_or_other_responses() {
    let (captured, _guard) = Captured::everything();
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("canary@example.com").await;
    let while_queued = everything_stored(&app).await;
    let code = app.last_code_for("canary@example.com").await;
    let wrong = guest.verify_answer(&challenge, &other_than(&code)).await;
    let right = guest.verify_answer(&challenge, &code).await;
    let signed_in = SignedIn::read(right.field("verify"));
    let replay = guest.verify_answer(&challenge, &code).await;
    let next = guest.refresh(&signed_in.refresh).await;
    let next_refresh = next["tokens"]["refreshToken"].as_str().unwrap().to_owned();
    let me = guest.with_bearer(&signed_in.access).me().await;
    // Errors must not contain secrets either.
    app.sql("ALTER TABLE devices RENAME TO gone").await;
    let fault = guest.login_with(serde_json::json!({ "email": "canary@example.com" })).await;
    assert_eq!(fault.code(), "INTERNAL");
    app.sql("ALTER TABLE gone RENAME TO devices").await;

    let stored = everything_stored(&app).await;
    assert!(stored.len() > 1_000, "tables were searched");
    let logged = captured.text().into_bytes();
    assert!(captured.text().contains("SIGNED_UP"), "logs were captured");
    for (what, secret) in [
        ("the code", &code),
        ("the access token", &signed_in.access),
        ("the refresh token", &signed_in.refresh),
        ("the next refresh token", &next_refresh),
        ("the device token", &signed_in.device),
        ("the challenge", &challenge),
    ] {
        assert_absent(&format!("{what} in a log"), &logged, secret);
        assert_absent(&format!("{what} in a table"), &stored, secret);
        assert_absent(&format!("{what} in a table while queued"), &while_queued, secret);
        for answer in [&wrong, &replay, &me] {
            assert_absent(&format!("{what} in another response"), answer.text.as_bytes(), secret);
        }
    }
    for word in ["devices", "sqlx", "SELECT", "no such", "src/", "relation"] {
        assert!(!fault.text.contains(word), "{word} in {}", fault.text);
    }
}

/// A random source that records all bytes it returns.
#[derive(Default)]
struct Drawn(Mutex<Vec<Vec<u8>>>);

impl Entropy for Drawn {
    fn fill(&self, buffer: &mut [u8]) {
        SystemEntropy.fill(buffer);
        self.0.lock().unwrap().push(buffer.to_vec());
    }
}

/// The secrets that these random bytes may have produced: the digits of a code, or a part of a token. Fewer bytes are
/// only used for ids, nonces and pauses.
fn made_of(drawn: &[u8]) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    if drawn.len() < 16 {
        return Vec::new();
    }
    // The token may start with other bytes, so the base64 text of these bytes has three possible alignments.
    let text = |before: usize| {
        let text = URL_SAFE_NO_PAD.encode([&vec![0; before], drawn].concat());
        let first = (before * 8).div_ceil(6);
        text[first..text.len() - 1].to_owned()
    };
    let hex = drawn.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let digits = drawn.iter().filter(|byte| **byte < 250).map(|byte| char::from(b'0' + byte % 10)).take(8).collect();
    let mut made: Vec<_> = (0..3).map(text).collect();
    made.extend([hex.to_uppercase(), hex, digits]);
    made
}

/// All numbers with eight digits, the length of a code. Digits within ids do not count.
fn numbers_like_codes(text: &str) -> Vec<&str> {
    // `.` and `-` do not separate words, so that a duration such as 0.00061063 is one word.
    let words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && !['-', '.'].contains(&sign));
    words
        .map(|word| word.trim_matches('.'))
        .filter(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit()))
        .collect()
}

/// Uses every operation that creates a code or a token, and causes their errors. Returns the secrets in the responses.
async fn walk_every_path(app: &TestApp) -> Vec<String> {
    let mut given = Vec::new();
    let admin = app.person("admin@example.com", Role::Admin).await;
    let invited = json!({ "email": "invited@example.com", "invite": true });
    admin.change("createUser", invited, "__typename").await.field("createUser");

    // Codes: a first code, a second one for the same challenge, a wrong code, and a sign-in from a known device.
    let mut guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    guest.resend("ada@example.com", &challenge).await;
    let code = app.last_code_for("ada@example.com").await;
    guest.verify(&challenge, &other_than(&code)).await;
    let first = SignedIn::read(&guest.verify(&challenge, &code).await);
    guest.device = Some(first.device.clone());
    let signed_in = guest.sign_in("ada@example.com").await;
    let refreshed = guest.refresh(&signed_in.refresh).await;
    let next = refreshed["tokens"]["refreshToken"].as_str().unwrap().to_owned();
    given.extend([challenge, code, first.refresh, first.device, signed_in.device.clone(), next]);

    // A test code, and a link.
    assert_eq!(guest.verify(&guest.challenge("review@example.com").await, "83120475").await["__typename"], "SignedIn");
    for _ in 0..3 {
        app.guest().login("link@example.com").await;
    }
    let link = app.last_link_for("link@example.com").await;
    SignedIn::read(&guest.verify_link(&link).await);
    given.extend([link, "83120475".to_owned()]);

    // The link of a notice.
    app.guest().sign_in("carl@example.com").await;
    app.guest().sign_in("carl@example.com").await;
    let mails = app.mails_for("carl@example.com").await;
    let rest = mails.iter().find_map(|mail| mail.text.split_once("#disown=")).expect("a notice of a new device").1;
    given.push(rest.split_whitespace().next().unwrap().to_owned());

    // An email change and its undo, and an email change by an administrator.
    let ada = guest.with_bearer(&signed_in.access);
    let challenge = email_change::challenge(&ada, "new@example.com").await;
    let code = app.last_code_for("new@example.com").await;
    email_change::confirm(&ada, &challenge, &other_than(&code)).await;
    assert_eq!(email_change::confirm(&ada, &challenge, &code).await["__typename"], "EmailChanged");
    let token = undo::undo_token(app, "ada@example.com").await;
    assert_eq!(undo::outcome(&guest, &token).await, "EmailChangeUndone");
    let moved = json!({ "id": signed_in.user, "email": "moved@example.com" });
    admin.change("updateUser", moved, "__typename").await.field("updateUser");
    given.extend([challenge, code, token]);

    given.extend(walk_every_password(app).await);
    given.extend(walk_every_key(app).await);
    fail_on_every_path(app, &admin).await;
    given
}

/// Takes every path of a password: right, wrong, weak, too long, for no account, and in the wrong place.
async fn walk_every_password(app: &TestApp) -> Vec<String> {
    let [first, second, third, wrong, weak] =
        ["canary-First7-pass", "canary-Second-pass", "canary-Third3-pass", "canary-Wrong9-pass", "cnry-pw"];
    let guest = app.guest();
    let call = async |client: &Client<'_>, field: &str, input: serde_json::Value| {
        let selection = "__typename ... on Problem { message } ... on CodeSent { challenge }";
        let answer = client.change(field, input, selection).await;
        for password in [first, second, third, wrong, weak] {
            assert!(!answer.text.contains(password), "{}", answer.text);
        }
        answer.json["data"][field].clone()
    };
    let email = "dora@example.com";
    for password in [weak.to_owned(), format!("{wrong}{}", "x".repeat(300))] {
        call(&guest, "register", json!({ "email": email, "password": password, "name": "Dora" })).await;
    }
    let sent = call(&guest, "register", json!({ "email": email, "password": first })).await;
    let code = app.last_code_for(email).await;
    let signed_in = SignedIn::read(&guest.verify(sent["challenge"].as_str().unwrap(), &code).await);
    for (email, password) in [(email, first), (email, wrong), ("nobody@example.com", wrong), ("not an address", wrong)]
    {
        call(&guest, "login", json!({ "email": email, "password": password })).await;
        call(&guest, "login", json!({ "email": password, "password": email, "challenge": password })).await;
    }
    let person = guest.with_bearer(&signed_in.access);
    for (current, new) in [(wrong, second), (first, weak), (first, second)] {
        call(&person, "setPassword", json!({ "currentPassword": current, "newPassword": new })).await;
    }
    let sent = call(&guest, "requestPasswordReset", json!({ "email": email })).await;
    let (challenge, code) = (sent["challenge"].as_str().unwrap().to_owned(), app.last_code_for(email).await);
    for (code, password) in [("00000000", wrong), (&*code, weak), (&*code, third)] {
        call(&guest, "resetPassword", json!({ "challenge": challenge, "code": code, "newPassword": password })).await;
    }
    for number in 0..25 {
        call(&app.guest(), "login", json!({ "email": email, "password": format!("{wrong}{number}") })).await;
    }
    let in_the_wrong_place =
        format!("mutation {{ login(input: {{ email: 1, password: \"{wrong}\" }}) {{ {third} }} }}");
    assert!(!guest.query(&in_the_wrong_place, json!({})).await.text.contains(wrong));
    app.sql("ALTER TABLE password_tries RENAME TO gone").await;
    call(&guest, "login", json!({ "email": email, "password": third })).await;
    app.sql("ALTER TABLE gone RENAME TO password_tries").await;
    for mail in app.mails_for(email).await {
        for password in [first, second, third, wrong, weak] {
            assert!(!mail.text.contains(password) && !mail.html.contains(password), "{}", mail.text);
        }
    }
    // The hashes as well, in the notation of Argon2.
    [first, second, third, wrong, weak, "$argon2", "argon2id$"].map(str::to_owned).to_vec()
}

/// Takes every path of an API key: right, wrong, forged, without scope, rotated, revoked, and in the wrong place.
async fn walk_every_key(app: &TestApp) -> Vec<String> {
    let owner = app.person("erin@example.com", Role::User).await;
    let (first, id) = crate::api_keys::create(&owner, &["PROFILE_READ"]).await;
    let selection = "... on ApiKeyCreated { key }";
    let rotated = owner.change("rotateApiKey", json!({ "id": id }), selection).await;
    let second = rotated.field("rotateApiKey")["key"].as_str().unwrap().to_owned();
    let secret = |key: &str| key[36..].to_owned();
    let given = vec![secret(&first), secret(&second), first.clone(), second.clone()];
    let ask = async |query: &str| {
        for key in [&first, &second, &format!("{first}0"), &first.replace('a', "b")] {
            let answer = app.guest().with_bearer(key).query(query, json!({})).await;
            assert!(given.iter().all(|secret| !answer.text.contains(secret)), "{}", answer.text);
        }
    };
    ask("{ me { email devices { id } } }").await;
    ask("{ users { totalCount } }").await;
    for table in ["api_keys", "users", "audit_events"] {
        app.sql(&format!("ALTER TABLE {table} RENAME TO gone")).await;
        ask("{ me { email } }").await;
        ask("{ auditEvents { totalCount } }").await;
        app.sql(&format!("ALTER TABLE gone RENAME TO {table}")).await;
    }
    let guest = app.guest();
    guest.refresh(&first).await;
    guest.change("revokeApiKey", json!({ "id": first }), "__typename").await;
    guest.change("verifyLink", json!({ "token": first }), "__typename").await;
    guest.query("{ me { id } }", json!({ "key": first })).await;
    owner.change("revokeApiKey", json!({ "id": id }), "__typename").await.field("revokeApiKey");
    ask("{ me { id } }").await;
    for mail in app.mails_for("erin@example.com").await {
        assert!(given.iter().all(|secret| !mail.text.contains(secret) && !mail.html.contains(secret)), "{}", mail.text);
    }
    given
}

/// Renames each table that stores codes or tokens for a moment, to cause errors that could contain a secret.
async fn fail_on_every_path(app: &TestApp, person: &Client<'_>) {
    let guest = app.guest();
    let challenge = guest.challenge("bob@example.com").await;
    let code = app.last_code_for("bob@example.com").await;
    for table in ["outbox", "devices", "sessions", "sign_in_links", "email_changes", "email_codes", "passwords"] {
        app.sql(&format!("ALTER TABLE {table} RENAME TO gone")).await;
        guest.login_with(json!({ "email": "bob@example.com" })).await;
        guest.verify_answer(&challenge, &code).await;
        guest.login_with(json!({ "email": "dora@example.com", "password": "canary-Third3-pass" })).await;
        person.change("changeEmail", json!({ "email": "free@example.com" }), "__typename").await;
        app.sql(&format!("ALTER TABLE gone RENAME TO {table}")).await;
    }
}

#[tokio::test]
async fn no_code_path_leaks_a_code_token_or_password_to_a_log_table_or_metric() {
    let (captured, _guard) = Captured::everything();
    let drawn = Arc::new(Drawn::default());
    let until = (ManualClock::starting_now().now() + chrono::TimeDelta::days(9)).format("%Y-%m-%d");
    let app = TestApp::built(Overrides { entropy: Some(drawn.clone()), ..Overrides::default() }, |flags| {
        flags.limits.insert(Rule::SendPair, "100/15m".into());
        flags.limits.insert(Rule::SendAddress, "100/15m".into());
        flags.limits.insert(Rule::SendAddressDay, "3/1d".into());
        flags.test_codes = Some(format!("review@example.com=83120475@{until}"));
        // HS256 keys are random bytes, too, so they are searched for as well.
        flags.token_alg = Some("HS256".into());
    })
    .await;
    let given = walk_every_path(&app).await;

    let stored = everything_stored(&app).await;
    let logged = captured.text();
    let operations = http::ops_router(&Server::new(Arc::clone(&app.app.ctx)));
    let metrics = app.guest().via_router(operations).get("/metrics").await.text;
    assert!(metrics.contains("doorcode_operations_total"), "{metrics}");
    for kind in
        ["SIGNED_UP", "LINK_REQUESTED", "TEST_CODE_USED", "EMAIL_CHANGED", "EMAIL_CHANGE_UNDONE", "USER_CREATED"]
    {
        assert!(logged.contains(kind), "the log was captured, and the operations produced {kind}");
    }
    let drawn = drawn.0.lock().unwrap().clone();
    assert!(drawn.len() > 100, "{}", drawn.len());
    let made = drawn.iter().flat_map(|drawn| made_of(drawn));
    for secret in made.chain(given) {
        assert!(!logged.contains(&secret), "{secret} was logged: {}", around(&logged, &secret));
        assert!(!String::from_utf8_lossy(&stored).contains(&secret), "{secret} was stored");
        assert!(!metrics.contains(&secret), "{secret} is in the metrics: {}", around(&metrics, &secret));
    }
    let leaked: Vec<_> = numbers_like_codes(&logged).into_iter().map(|number| around(&logged, number)).collect();
    assert_eq!(leaked, [] as [&str; 0]);
}

/// The text around a match, for the failure message.
fn around<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap_or_default()
}
