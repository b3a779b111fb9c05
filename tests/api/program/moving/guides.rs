//! The scripts of `docs/operate/moving.md`, each with a small export of the system that it reads.

use std::process::Command;

use super::*;

const PASSWORD: &str = "correct horse battery staple";

/// Runs a script on samples, and returns its rows.
fn rows_of(script: &str, arguments: &[&str]) -> Vec<Value> {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new("python3");
    command.arg(format!("{root}/docs/operate/moving/{script}")).current_dir(format!("{root}/tests/moving/samples"));
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{script}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scripts_of_the_guide_turn_exports_into_rows_whose_users_sign_in() {
    for (script, arguments, others, password) in [
        ("better-auth.py", &["better-auth.ndjson"][..], &["social@example.com"][..], PASSWORD),
        ("supabase.py", &["supabase.ndjson"], &["open@example.com"], PASSWORD),
        ("auth0.py", &["auth0-users.ndjson", "auth0-hashes.ndjson"], &["social@example.com"], PASSWORD),
        ("firebase.py", &["firebase-users.json", "firebase-parameters.txt"], &["social@example.com"], "user1password"),
        ("django.py", &["django.jsonl", "--verified"], &["social@example.com"], PASSWORD),
    ] {
        let home = Home::new().await;
        let rows = rows_of(script, arguments);
        let emails: Vec<_> = rows.iter().map(|row| row["email"].as_str().unwrap()).collect();
        assert_eq!(emails, [&["user@example.com"], others].concat(), "{script}: no blocked users");
        assert!(rows.iter().all(|row| row["externalId"].is_string() && row["createdAt"].is_string()), "{script}");
        home.import(&rows, &["--apply"]);
        let server = home.serve().await;
        assert_eq!(server.sign_in("user@example.com", "wrong").await, "INVALID_CREDENTIALS", "{script}");
        assert_eq!(server.sign_in("user@example.com", password).await, "SignedIn", "{script}");
        assert_eq!(home.count("users", "name IS NOT NULL").await, 1, "{script}");
    }
    let unproved = rows_of("django.py", &["django.jsonl"]);
    assert!(unproved.iter().all(|row| row["verified"] == false), "without the flag no password is imported");
}

#[test]
fn the_guide_names_every_script() {
    let root = env!("CARGO_MANIFEST_DIR");
    let guide = fs::read_to_string(format!("{root}/docs/operate/moving.md")).unwrap();
    for script in fs::read_dir(format!("{root}/docs/operate/moving")).unwrap() {
        let name = script.unwrap().file_name().into_string().unwrap();
        assert!(guide.contains(&format!("moving/{name}")), "{name}");
    }
}
