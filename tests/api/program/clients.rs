//! `doorcode client` and the file of `DOORCODE_CLIENTS`.

use std::fs;

use serde_json::{Value, json};

use super::{Home, text};

const URI: &str = "https://notes.example.com/callback";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_added_listed_and_removed_on_the_command_line() {
    let home = Home::new().await;
    assert!(text(&home.run(&["client", "list"]).stderr).contains("no application is registered"));
    let new = ["client", "add", "notes", "--redirect", URI, "--redirect", "http://127.0.0.1/", "--name", "Notes"];
    let added = home.objects(&[&new[..], &["--audience", "https://api.example.com"]].concat());
    let expected = json!({
        "id": "notes", "name": "Notes", "redirectUris": [URI, "http://127.0.0.1/"],
        "audience": "https://api.example.com", "logo": null, "inFile": false,
    });
    assert_eq!(added, std::slice::from_ref(&expected));
    assert_eq!(home.objects(&["client", "list"]), [expected]);
    let listed = home.good(&["client", "list"]);
    assert!(listed.contains("REDIRECT URIS") && listed.contains(URI), "{listed}");
    assert!(home.refused(&new).contains("already registered"));

    assert_eq!(home.good(&["client", "remove", "notes"]), "removed notes and ended 0 sessions\n");
    assert_eq!(home.objects(&["client", "list"]), [] as [Value; 0]);
    assert!(home.refused(&["client", "remove", "notes"]).contains("no client has the id `notes`"));
    for kind in ["client_added", "client_removed"] {
        let events = home.objects(&["audit", "tail", "--kind", kind]);
        assert_eq!((events.len(), &events[0]["detail"]["client"]), (1, &json!("notes")), "{kind}");
        assert_eq!((&events[0]["actor"], &events[0]["subject"]), (&Value::Null, &Value::Null), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_mistake_is_refused_and_the_mistake_named() {
    let home = Home::new().await;
    for (uri, named) in [
        ("http://notes.example.com/callback", "not https://"),
        ("https://*.example.com/callback", "compared as text"),
        ("javascript:alert(1)", "private scheme"),
        ("https://NOTES.example.com/", "https://notes.example.com/"),
    ] {
        let error = home.refused(&["client", "add", "notes", "--redirect", uri, "--name", "Notes"]);
        assert!(error.contains(named), "{error}");
    }
    let logo = ["--logo", "https://notes.example.com/logo.png"];
    let error = home.refused(&[&["client", "add", "notes", "--redirect", URI, "--name", "Notes"], &logo[..]].concat());
    assert!(error.contains("`data:` URL"), "{error}");
    assert_eq!(home.run(&["client", "add", "notes", "--name", "Notes"]).status.code(), Some(2), "no redirect URI");
    assert_eq!(home.objects(&["client", "list"]), [] as [Value; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_the_file_are_listed_and_cannot_be_changed_on_the_command_line() {
    let home = Home::new().await;
    let file = home.folder.path().join("clients.json");
    fs::write(&file, json!([{ "id": "notes", "name": "Notes", "redirectUris": [URI] }]).to_string()).unwrap();
    fs::write(home.folder.path().join(".env"), format!("DOORCODE_CLIENTS={}\n", file.display())).unwrap();
    home.good(&["client", "add", "cli", "--redirect", "http://127.0.0.1/", "--name", "Command line"]);
    let listed = home.objects(&["client", "list"]);
    let ids: Vec<_> = listed.iter().map(|client| (&client["id"], &client["inFile"])).collect();
    assert_eq!(ids, [(&json!("notes"), &json!(true)), (&json!("cli"), &json!(false))]);
    for change in [&["add", "notes", "--redirect", URI, "--name", "Mine"][..], &["remove", "notes"]] {
        let error = home.refused(&[&["client"], change].concat());
        assert!(error.contains("in the file of DOORCODE_CLIENTS"), "{error}");
    }

    fs::write(&file, r#"[{"id": "notes", "name": "Notes", "redirectUris": ["http://notes.example.com/"]}]"#).unwrap();
    let error = home.refused(&["client", "list"]);
    assert!(error.contains("DOORCODE_CLIENTS") && error.contains("http://notes.example.com/"), "{error}");
}
