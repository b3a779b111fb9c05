//! `doorcode user export`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_what_an_import_reads() {
    let (old, new) = (Home::new().await, Home::new().await);
    let vectors = six_kinds();
    let row = |(number, vector): (usize, &Value)| {
        json!({
            "email": format!("p{number}@example.com"), "name": format!("Person {number}"),
            "role": (["USER", "ADMIN", "GUEST"][number % 3]), "verified": true, "passwordHash": vector["hash"],
            "externalId": number.to_string(), "locale": "fr", "createdAt": "2020-02-29T00:00:00Z",
        })
    };
    let rows: Vec<_> = vectors.iter().enumerate().map(row).collect();
    old.import(&rows, &["--apply", "--max-role", "admin"]);
    old.good(&["user", "create", "invited@example.com"]);
    for (email, command) in [("suspended@example.com", "suspend"), ("deleted@example.com", "delete")] {
        old.good(&["user", "create", email]);
        old.good(&["user", command, email]);
    }
    let mut exported = old.exported();
    let invited = exported.pop().unwrap();
    assert_eq!((&invited["email"], &invited["verified"]), (&json!("invited@example.com"), &json!(false)));
    assert_eq!(invited["passwordHash"], Value::Null);
    assert_eq!(exported, rows, "without suspended and deleted users");
    assert_eq!(old.count("audit_events", "kind = 'PEOPLE_EXPORTED'").await, 1);

    fs::copy(old.folder.path().join("exported.ndjson"), new.folder.path().join("moved.ndjson")).unwrap();
    new.good(&["user", "import", "moved.ndjson", "--apply", "--max-role", "admin"]);
    let server = new.serve().await;
    for (number, vector) in vectors.iter().enumerate() {
        let password = vector["password"].as_str().unwrap();
        assert_eq!(server.sign_in(&format!("p{number}@example.com"), password).await, "SignedIn", "{vector}");
    }
    assert_eq!(server.sign_in("invited@example.com", "seven otters at noon").await, "INVALID_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_user_of_the_machine_can_read_an_export() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com"]);
    let folder = home.folder.path().join("shared");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = std::process::Command::new("sh");
    // A mask that would give others everything.
    let program = home.command();
    let script = format!("umask 0; exec {} user export shared/out", program.get_program().to_str().unwrap());
    for (name, value) in program.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let output = command.args(["-c", &script]).current_dir(home.folder.path()).output().unwrap();
    let warned = text(&output.stderr);
    assert!(output.status.success() && warned.contains("password hashes in plain text"), "{warned}");
    let file = folder.join("out");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_replaces_no_file_and_follows_no_link() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com"]);
    let folder = home.folder.path();
    fs::write(folder.join("kept"), "kept").unwrap();
    std::os::unix::fs::symlink("elsewhere", folder.join("link")).unwrap();
    for name in ["kept", "link"] {
        assert!(home.refused(&["user", "export", name]).contains("exists: name another file"), "{name}");
    }
    assert_eq!(fs::read_to_string(folder.join("kept")).unwrap(), "kept");
    assert!(!folder.join("elsewhere").exists());
    assert!(home.refused(&["user", "export", "missing/out"]).contains("cannot write missing/out"));
    assert_eq!(home.count("audit_events", "kind = 'PEOPLE_EXPORTED'").await, 0);
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_str().unwrap().contains("export")), "{names:?}");
}
