//! `doorcode user`: commands that create, change, list and sign out users, with output as text and as JSON.

use std::{fs, path::Path};

use chrono::TimeDelta;
use doorcode::{
    adapter::system::{SystemClock, SystemEntropy},
    db::{
        self,
        entity::{Method, authentications, sessions},
    },
    domain::vault,
    ports::Clock,
};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Home, text};

const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\r\u{9b}31m\u{202e}";

/// Whether the text contains no character that a terminal interprets.
pub(super) fn is_harmless(printed: &str) -> bool {
    printed.chars().all(|char| char == '\n' || !(char.is_control() || char == '\u{202e}'))
}

/// Inserts a session of a user, as a sign-in would.
pub(super) async fn sign_in(home: &Home, email: &str, user_agent: &str, ended: bool) {
    let db = home.database.connect().await;
    let sql = "SELECT id FROM users WHERE email = $1";
    let row = db.read().query_one_raw(db::statement(db.backend(), sql, [email.into()])).await.unwrap().unwrap();
    let id = Uuid::from_bytes(*vault::random(&SystemEntropy));
    let now = SystemClock.now();
    let session = sessions::Model {
        id,
        user_id: row.try_get("", "id").unwrap(),
        device_id: None,
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now + TimeDelta::days(1),
        expires_at: now + TimeDelta::days(2),
        ended_at: ended.then_some(now),
        end_reason: ended.then(|| "SIGNED_OUT".into()),
        user_agent: Some(user_agent.into()),
        ip_address: Some("192.0.2.7".into()),
        refresh_hash: vault::sha256(id.as_bytes()),
        previous_hash: None,
        rotated_at: None,
        successor: None,
        remembered: true,
        client_id: None,
        disowned_at: None,
        parent_id: None,
    };
    db::insert(db.write(), session).await.unwrap();
    let proof = authentications::Model { proof_id: id, session_id: id, method: Method::EmailCode, at: now };
    db::insert(db.write(), proof).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_create_change_delete_and_restore_users() {
    let home = Home::new().await;
    let made = ["user", "create", "Ada@Example.com", "--role", "manager", "--name", " Ada L ", "--locale", "de"];
    let made = home.objects(&[&made[..], &["--invite"]].concat());
    let [ada] = &made[..] else { panic!("{made:?}") };
    assert_eq!(ada["email"], "ada@example.com");
    assert_eq!((&ada["name"], &ada["role"], &ada["locale"]), (&json!("Ada L"), &json!("MANAGER"), &json!("de")));
    assert_eq!((&ada["status"], &ada["version"], &ada["deletedAt"]), (&json!("ACTIVE"), &json!(1), &Value::Null));
    assert!(chrono::DateTime::parse_from_rfc3339(ada["createdAt"].as_str().unwrap()).is_ok());
    assert!(home.refused(&["user", "create", "ada@example.com"]).contains("already"));

    assert_eq!(home.objects(&["user", "suspend", "ada@example.com"])[0]["status"], "SUSPENDED");
    assert_eq!(home.objects(&["user", "restore", "ada@example.com"])[0]["status"], "ACTIVE");
    let deleted = home.good(&["user", "delete", "ada@example.com"]);
    assert!(deleted.contains("DELETED") && deleted.contains("until 20"), "{deleted}");
    assert!(deleted.contains("`doorcode user restore ada@example.com`"), "{deleted}");
    for refused in [&["role", "ada@example.com", "admin"][..], &["suspend", "ada@example.com"]] {
        let error = home.refused(&[&["user"], refused].concat());
        assert!(error.contains("deleted") && error.contains("user restore ada@example.com"), "{error}");
    }
    assert_eq!(home.objects(&["user", "restore", "ada@example.com"])[0]["deletedAt"], Value::Null);

    let shown = home.objects(&["user", "show", "ada@example.com"]);
    assert_eq!((shown.len(), &shown[0]["id"]), (1, &ada["id"]));
    let shown = home.good(&["user", "show", "ada@example.com"]);
    assert!(shown.contains("Ada L") && shown.contains("open sessions"), "{shown}");
    // The audit trail contains the change, without an actor.
    let trail = home.objects(&["audit", "tail", "--subject", "ada@example.com"]);
    let kinds: Vec<_> = trail.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = ["USER_CREATED", "USER_CHANGED", "USER_RESTORED", "USER_DELETED", "USER_RESTORED"];
    assert_eq!(kinds, expected);
    assert!(trail.iter().all(|event| event["actor"].is_null() && event["subject"]["id"] == ada["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_changes_the_address_of_a_user_and_signs_them_out() {
    let home = Home::new().await;
    for email in ["lost@example.com", "taken@example.com"] {
        home.good(&["user", "create", email]);
    }
    sign_in(&home, "lost@example.com", "curl/8", false).await;
    assert!(home.refused(&["user", "email", "lost@example.com", "taken@example.com"]).contains("already"));
    assert!(home.refused(&["user", "email", "nobody@example.com", "new@example.com"]).contains("no user"));
    let changed = home.objects(&["user", "email", "lost@example.com", "Found@example.com"]);
    assert_eq!((&changed[0]["email"], &changed[0]["version"]), (&json!("found@example.com"), &json!(2)));
    let sessions = home.objects(&["user", "sessions", "found@example.com"]);
    assert_eq!((sessions.len(), &sessions[0]["endReason"]), (1, &json!("EMAIL_CHANGED")));
    assert!(home.refused(&["user", "show", "lost@example.com"]).contains("no user"));
}

#[tokio::test(flavor = "multi_thread")]
async fn user_list_can_be_filtered_and_reports_truncation() {
    let home = Home::new().await;
    for (email, role) in [("a1@example.com", "user"), ("a2@example.com", "guest"), ("b1@example.com", "guest")] {
        home.good(&["user", "create", email, "--role", role]);
    }
    home.good(&["user", "suspend", "a2@example.com"]);
    home.good(&["user", "delete", "b1@example.com"]);
    let emails = |arguments: &[&str]| -> Vec<String> {
        let people = home.objects(&[&["user", "list"], arguments].concat());
        people.iter().map(|person| person["email"].as_str().unwrap()[..2].to_owned()).collect()
    };
    assert_eq!(emails(&[]), ["b1", "a2", "a1"], "newest first, including deleted users");
    assert_eq!(emails(&["--most", "2"]), ["b1", "a2"]);
    assert_eq!(emails(&["--role", "guest"]), ["b1", "a2"]);
    assert_eq!(emails(&["--status", "active", "--status", "suspended"]), ["a2", "a1"]);
    assert_eq!(emails(&["--email-prefix", "A", "--role", "user"]), ["a1"]);
    let cut = home.run(&["user", "list", "--most", "2"]);
    assert!(text(&cut.stderr).contains("--most"), "{}", text(&cut.stderr));
    assert_eq!(home.run(&["user", "list", "--most", "3"]).stderr, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn user_list_prints_each_user_once_across_pages() {
    let home = Home::new().await;
    home.good(&["seed", "--users", "2500"]);
    let people = home.objects(&["user", "list", "--most", "2300"]);
    let ids: std::collections::HashSet<_> = people.iter().map(|person| person["id"].as_str().unwrap()).collect();
    assert_eq!((people.len(), ids.len()), (2300, 2300));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_keep_the_last_administrator_and_explain_why() {
    let home = Home::new().await;
    home.good(&["user", "role", "boss@example.com", "admin"]);
    for refused in
        [&["role", "boss@example.com", "user"][..], &["suspend", "boss@example.com"], &["delete", "boss@example.com"]]
    {
        let error = home.refused(&[&["user"], refused].concat());
        assert!(error.contains("last active administrator") && error.contains("user role EMAIL admin"), "{error}");
    }
    home.good(&["user", "role", "second@example.com", "admin"]);
    home.good(&["user", "delete", "boss@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_list_and_end_sessions_without_an_actor_in_the_trail() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com"]);
    assert!(text(&home.run(&["user", "sessions", "ada@example.com"]).stderr).contains("no session"));
    sign_in(&home, "ada@example.com", "Firefox", false).await;
    sign_in(&home, "ada@example.com", "Safari", true).await;
    let sessions = home.objects(&["user", "sessions", "ada@example.com"]);
    assert_eq!(
        sessions.iter().map(|session| &session["open"]).collect::<Vec<_>>(),
        [true, false],
        "open sessions come first"
    );
    assert_eq!((&sessions[0]["userAgent"], &sessions[0]["ipAddress"]), (&json!("Firefox"), &json!("192.0.2.7")));
    assert_eq!(sessions[1]["endReason"], "SIGNED_OUT");
    let lines = home.good(&["user", "sessions", "ada@example.com"]);
    assert!(lines.contains("LAST SEEN") && lines.contains("192.0.2.7") && lines.contains("SIGNED_OUT"), "{lines}");

    assert!(home.good(&["user", "sessions", "ada@example.com", "--end"]).contains("ended 1 open session\n"));
    let sessions = home.objects(&["user", "sessions", "ada@example.com"]);
    assert!(sessions.iter().all(|session| session["open"] == false));
    let ended = home.objects(&["audit", "tail", "--kind", "session_ended"]);
    assert_eq!((ended.len(), &ended[0]["actor"], &ended[0]["ipAddress"]), (1, &Value::Null, &Value::Null));
    assert_eq!(ended[0]["subject"]["email"], "ada@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_and_user_agents_cannot_move_the_cursor() {
    let home = Home::new().await;
    home.good(&["user", "create", "eve@example.com"]);
    sign_in(&home, "eve@example.com", HOSTILE, false).await;
    let db = home.database.connect().await;
    let (name, email) = (HOSTILE.into(), "eve@example.com".into());
    let sql = "UPDATE users SET name = $1 WHERE email = $2";
    db.write().execute_raw(db::statement(db.backend(), sql, [name, email])).await.unwrap();
    let sql = "UPDATE audit_events SET detail = $1, user_agent = $2";
    let detail = json!({ "name": HOSTILE, HOSTILE: 1 });
    db.write().execute_raw(db::statement(db.backend(), sql, [detail.into(), HOSTILE.into()])).await.unwrap();
    for command in [
        &["user", "list"][..],
        &["user", "show", "eve@example.com"],
        &["user", "sessions", "eve@example.com"],
        &["audit", "tail"],
    ] {
        let printed = home.good(command);
        assert!(is_harmless(&printed), "{command:?}: {printed:?}");
        assert!(printed.contains("\\u{1b}"), "{command:?} shows the text in escaped form: {printed}");
        let printed = home.good(&[command, &["--json"]].concat());
        assert!(is_harmless(&printed), "{command:?}: {printed:?}");
        let read: Value = serde_json::from_str(printed.lines().next().unwrap()).unwrap();
        let values = [&read["name"], &read["userAgent"], &read["detail"]["name"]];
        assert!(values.iter().any(|value| **value == HOSTILE), "{command:?}: the JSON has the original text: {read}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_errors_have_a_separate_exit_code() {
    let home = Home::new().await;
    for command in ["suspend", "restore", "delete", "show", "sessions"] {
        let error = home.refused(&["user", command, "nobody@example.com"]);
        assert_eq!(error, "doorcode: no user has the address nobody@example.com\n", "{command}");
    }
    home.refused(&["audit", "tail", "--actor", "nobody@example.com"]);
    for wrong in [
        &["user", "create", "no-address"][..],
        &["user", "create", "a@example.com", "--name", "a\u{1b}b"],
        &["user", "create", "a@example.com", "--locale", "xx"],
        &["user", "role", "a@example.com", "king"],
        &["user", "list", "--most", "0"],
        &["audit", "tail", "--kind", "NOTHING"],
        &["audit", "tail", "--since", "yesterday"],
        &["user", "fly"],
    ] {
        let output = home.run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", text(&output.stderr));
    }
    let away = home.command().args(["user", "list"]).env("DATABASE_URL", "mysql://x:hunter2@y").output().unwrap();
    assert_eq!(away.status.code(), Some(1));
    let error = text(&away.stderr);
    assert!(error.contains("DATABASE_URL") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_prints_json_without_secrets() {
    let home = Home::new().await;
    let keys = home.objects(&["keys", "list"]);
    assert_eq!((keys.len(), &keys[0]["algorithm"], &keys[0]["retiresAt"]), (1, &json!("EdDSA"), &Value::Null));
    let fields: Vec<_> = keys[0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["algorithm", "createdAt", "kid", "retiresAt", "signsFrom"]);
    assert_eq!(home.objects(&["keys", "rotate"]).len(), 2);
    let steps = home.objects(&["migrate", "status"]);
    assert!(steps.len() > 1 && steps.iter().all(|step| step["applied"] == true && step["name"].is_string()));
    let purged = home.objects(&["purge"]);
    assert_eq!((purged.len(), &purged[0]["challenges"], &purged[0]["emailChanges"]), (1, &json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_a_help_text() {
    let home = Home::new().await;
    let mut commands = vec![vec![]];
    let mut seen = 0;
    while let Some(command) = commands.pop() {
        let help = home.good(&[&command[..], &["--help"]].concat());
        let first = help.lines().next().unwrap();
        let is_sentence = first.contains(' ') && first.starts_with(char::is_uppercase);
        assert!(is_sentence, "{command:?}: {first}");
        let (_, rest) = help.split_once("\nCommands:\n").unwrap_or_default();
        for line in rest.lines().take_while(|line| line.starts_with("  ")) {
            // Skip continuation lines, which are indented further.
            let name = line.split_whitespace().next().unwrap();
            if !line.starts_with("   ") && name != "help" {
                commands.push([&command[..], &[Box::leak(name.to_owned().into_boxed_str())]].concat());
            }
        }
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}

/// Functions that only commands may call take a `Shell` argument, so no request handler may name this type.
#[test]
fn no_request_handler_names_the_shell_type() {
    fn names(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, found);
            } else {
                let source = fs::read_to_string(&path).unwrap();
                let words = source.split(|char: char| !char.is_alphanumeric() && char != '_');
                found.extend(words.filter(|word| *word == "Shell").map(|_| path.display().to_string()));
            }
        }
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for part in ["http", "graphql", "adapter"] {
        names(&source.join(part), &mut found);
    }
    assert!(found.is_empty(), "{found:?}");
    names(&source.join("cli"), &mut found);
    assert!(!found.is_empty());
}

#[tokio::test]
async fn the_command_line_creates_lists_rotates_and_revokes_api_keys() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com", "--role", "admin"]);
    let create =
        ["api-key", "create", "ada@example.com", "--name", "Backup", "--scope", "PEOPLE_READ", "--expires-in", "90d"];
    let first = home.good(&create).trim().to_owned();
    assert!(first.starts_with("dc_") && first.len() == 108, "{first}");
    let listed = home.objects(&["api-key", "list", "ada@example.com"]);
    let prefix = listed[0]["prefix"].as_str().unwrap();
    assert_eq!((listed[0]["works"].as_bool(), &listed[0]["scopes"][0]), (Some(true), &"PEOPLE_READ".into()));
    let second = home.good(&["api-key", "rotate", prefix, "--overlap", "0s"]).trim().to_owned();
    assert!(second.starts_with(prefix) && second != first);
    let table = home.good(&["api-key", "revoke", prefix]);
    assert!(table.contains("revoked") && !table.contains(&second), "{table}");
    let refused = home.refused(&["api-key", "revoke", &second]);
    assert!(refused.contains("the start of a key") && !refused.contains(&second), "{refused}");
    let unknown = ["api-key", "create", "ada@example.com", "--name", "Key", "--scope", "EVERYTHING"];
    assert!(home.refused(&unknown).contains("PROFILE_READ, PEOPLE_READ"));
}
