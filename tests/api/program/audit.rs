//! `doorcode audit tail`: past events, filters, and with `--follow` new events from other processes.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::Home;

/// A running `audit tail --follow`. Dropping this value kills the process.
struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command();
        command.args(["audit", "tail", "--follow"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    fn is_silent(&self) -> bool {
        self.lines.recv_timeout(Duration::from_millis(2_500)).is_err()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn kind_of(line: &str) -> String {
    serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_following_tail_prints_events_of_other_processes_once() {
    let home = Home::new().await;
    home.good(&["user", "create", "first@example.com"]);
    home.good(&["user", "create", "ada@example.com"]);
    let mut following = Following::start(&home, &["--json", "--most", "1"]);
    let first = following.next();
    assert!(first.contains("USER_CREATED") && first.contains("ada@example.com"), "{first}");
    assert!(following.is_silent(), "events left out by --most do not appear later");
    // An event from another command.
    home.good(&["user", "suspend", "ada@example.com"]);
    assert_eq!(kind_of(&following.next()), "USER_CHANGED");
    // Events from a server.
    let server = home.start().await;
    let challenge = server.login("new@example.com").await.unwrap();
    let code = server.code_for("new@example.com").await.unwrap();
    server.verify(&challenge, &code).await.unwrap();
    let seen = [following.next(), following.next()];
    assert_eq!(seen.each_ref().map(|line| kind_of(line)), ["CODE_REQUESTED", "SIGNED_UP"].map(String::from));
    assert!(seen.iter().all(|line| !line.contains(&code)), "{seen:?}");
    assert!(following.is_silent(), "each event is printed once");
    let signaled =
        std::process::Command::new("kill").args(["-INT", &following.child.id().to_string()]).status().unwrap();
    assert!(signaled.success() && following.child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ids_on_the_command_line_are_those_of_the_api() {
    let home = Home::new().await;
    let server = home.start().await;
    let challenge = server.login("ada@example.com").await.unwrap();
    let code = server.code_for("ada@example.com").await.unwrap();
    let signed_in = server.verify(&challenge, &code).await.unwrap();
    let query = "{ me { id createdAt lastSignInAt sessions { nodes { id createdAt } } devices { id } \
         auditEvents(first: 1) { nodes { id at } } } }";
    let me = reqwest::Client::new()
        .post(format!("http://127.0.0.1:{}/graphql", server.port))
        .bearer_auth(signed_in["tokens"]["accessToken"].as_str().unwrap())
        .json(&serde_json::json!({ "query": query }));
    let me: Value = me.send().await.unwrap().json().await.unwrap();
    let me = &me["data"]["me"];
    let person = &home.objects(&["user", "show", "ada@example.com"])[0];
    for field in ["id", "createdAt", "lastSignInAt"] {
        assert_eq!(person[field], me[field], "{field}");
    }
    let session = &home.objects(&["user", "sessions", "ada@example.com"])[0];
    let node = &me["sessions"]["nodes"][0];
    assert_eq!((&session["id"], &session["createdAt"]), (&node["id"], &node["createdAt"]));
    assert_eq!(session["deviceId"], me["devices"][0]["id"]);
    let event = &home.objects(&["audit", "tail", "--most", "1"])[0];
    assert_eq!(
        (&event["id"], &event["at"]),
        (&me["auditEvents"]["nodes"][0]["id"], &me["auditEvents"]["nodes"][0]["at"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_pipe_ends_the_tail_quietly() {
    let home = Home::new().await;
    home.good(&["seed", "--users", "2000"]);
    for (arguments, patience) in [
        // The command has printed all past events, and waits for new ones.
        (&["audit", "tail", "--follow", "--most", "1"][..], 1_500),
        (&["audit", "tail", "--most", "100000"], 0),
        (&["user", "list", "--most", "2000"], 0),
    ] {
        let mut command = home.command();
        let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        tokio::time::sleep(Duration::from_millis(patience)).await;
        drop(output);
        let hung_up = Instant::now();
        while child.try_wait().unwrap().is_none() && hung_up.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(child.kill());
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{arguments:?}");
        assert_eq!(String::from_utf8(ended.stderr).unwrap(), "", "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_can_be_filtered_and_marks_erased_users() {
    let home = Home::new().await;
    home.good(&["user", "create", "ada@example.com"]);
    home.good(&["user", "create", "eve@example.com"]);
    home.good(&["user", "delete", "eve@example.com"]);
    let kinds = |arguments: &[&str]| -> Vec<String> {
        let events = home.objects(&[&["audit", "tail"], arguments].concat());
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        kinds(&["--subject", "eve@example.com"]),
        ["USER_CREATED", "USER_DELETED"],
        "the newest event comes last"
    );
    assert_eq!(
        kinds(&["--kind", "USER_CREATED", "--kind", "user_deleted", "--most", "2"]),
        ["USER_CREATED", "USER_DELETED"]
    );
    assert_eq!(kinds(&["--since", "1h", "--kind", "USER_DELETED"]).len(), 1);
    assert_eq!(kinds(&["--since", "0s"]).len(), 0);
    assert_eq!(kinds(&["--actor", "ada@example.com"]).len(), 0);
    let purged = home.command().args(["purge", "--erase-after", "0s"]).output().unwrap();
    assert!(purged.status.success(), "{}", super::text(&purged.stderr));
    let printed = home.good(&["audit", "tail"]);
    assert!(printed.contains("erased user") && !printed.contains("eve@"), "{printed}");
    let erased = &home.objects(&["audit", "tail", "--kind", "USER_ERASED"])[0]["subject"];
    assert!(erased["id"].is_string() && erased["email"].is_null(), "{erased}");
}
