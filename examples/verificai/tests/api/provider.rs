//! The HTTP client against a real HTTP server that misbehaves.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;
use verificai::{
    provider::{Failure, Provider, Question, Reply, http::HttpProvider},
    queue::File,
    settings,
    values::{Parameters, Severity},
};

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Sends this response, whatever it is, and closes the connection.
    Raw(String),
    /// Sends nothing, and keeps the connection open.
    Silence,
    /// Closes the connection at once.
    Close,
}

impl Answer {
    pub(crate) fn with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Raw(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"))
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::with(status, "", "{\"error\": {\"message\": \"echo of canary\"}}")
    }

    /// A completion with this content.
    pub(crate) fn content(content: &str) -> Self {
        let usage = json!({ "prompt_tokens": 11, "completion_tokens": 7 });
        let body = json!({ "choices": [{ "message": { "content": content } }], "usage": usage, "model": "m-2026" });
        Self::with("200 OK", "", &body.to_string())
    }

    pub(crate) fn findings() -> Self {
        let finding = json!({ "line": 1, "severity": "HIGH", "title": "Wrong", "detail": "Fix it." });
        Self::content(&json!({ "findings": [finding] }).to_string())
    }
}

/// A server whose answer a test chooses. Keeps what it received.
pub(crate) struct Server {
    pub url: String,
    answer: Arc<Mutex<Answer>>,
    pub requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (answer, requests) = (Arc::new(Mutex::new(answer)), Arc::new(Mutex::new(Vec::new())));
        let (next, received) = (Arc::clone(&answer), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(stream, Arc::clone(&next), Arc::clone(&received)));
            }
        });
        Self { url, answer, requests, task }
    }

    pub(crate) fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

async fn respond(mut stream: TcpStream, answer: Arc<Mutex<Answer>>, received: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 16 * 1024];
        let Ok(read @ 1..) = stream.read(&mut buffer).await else { return };
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            received.lock().unwrap().push(text.into_owned());
            break;
        }
    }
    let answer = answer.lock().unwrap().clone();
    match answer {
        Answer::Raw(text) => drop(stream.write_all(text.as_bytes()).await),
        Answer::Silence => tokio::time::sleep(Duration::from_hours(1)).await,
        Answer::Close => {}
    }
}

fn client(url: &str, timeout: Duration) -> HttpProvider {
    let key = Some(SecretString::from("canary"));
    HttpProvider::new(&settings::HttpProvider { url: Url::parse(url).unwrap(), key, timeout }).unwrap()
}

async fn ask(client: &HttpProvider) -> Result<Reply, Failure> {
    let file = File { name: "a.rs".into(), language: "Rust".into(), text: "one\ntwo\n".into() };
    let parameters = Parameters { temperature: Some(0.5), max_tokens: None };
    client.ask(Question { prompt: "Find: one", file: &file, model: "m", parameters: &parameters }).await
}

#[tokio::test]
async fn a_good_answer_is_checked_and_counted() {
    let server = Server::start(Answer::findings()).await;
    let reply = ask(&client(&server.url, Duration::from_secs(5))).await.unwrap();
    assert_eq!((reply.tokens_in, reply.tokens_out, &*reply.model), (11, 7, "m-2026"));
    assert_eq!((reply.findings[0].severity, &*reply.findings[0].file), (Severity::High, "a.rs"));
    let request = server.requests.lock().unwrap().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer canary"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&body["model"], &body["temperature"], &body["messages"][1]["content"]),
        (&"m".into(), &0.5.into(), &"Find: one".into())
    );
}

#[tokio::test]
async fn whatever_the_server_does_is_a_clear_failure_without_secrets() {
    let server = Server::start(Answer::Close).await;
    let findings = |line: i32, severity: &str, title: &str| {
        Answer::content(&json!({ "findings": [{ "line": line, "severity": severity, "title": title }] }).to_string())
    };
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\": [{\"mess";
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n{}", " ".repeat(3_000_000));
    for (answer, words, is_final) in [
        (Answer::status("429 Too Many Requests"), "too many requests", false),
        (Answer::status("500 Internal Server Error"), "500", false),
        (Answer::status("503 Service Unavailable"), "503", false),
        (Answer::status("401 Unauthorized"), "key", false),
        (Answer::status("400 Bad Request"), "400", true),
        (Answer::status("403 Forbidden"), "model", true),
        (Answer::status("404 Not Found"), "404", true),
        (Answer::with("200 OK", "", "garbage canary"), "completion", false),
        (Answer::with("200 OK", "", "{\"choices\": []}"), "empty", false),
        (Answer::content("Sure! Here is what I found."), "findings", false),
        (Answer::content("{\"findings\": [{\"severity\": \"BAD\", \"title\": \"x\"}]}"), "findings", false),
        (findings(3, "LOW", "x"), "cannot be right", false),
        (findings(0, "LOW", "x"), "cannot be right", false),
        (findings(1, "LOW", "  "), "cannot be right", false),
        (Answer::Raw(half.into()), "broke off", false),
        (Answer::Raw(endless), "too long", false),
        (Answer::Raw("SSH-2.0-OpenSSH\r\n".into()), "broke off", false),
        (Answer::Close, "broke off", false),
        (Answer::Silence, "in time", false),
    ] {
        server.set(answer.clone());
        let start = Instant::now();
        let failure = ask(&client(&server.url, Duration::from_millis(500))).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5), "{answer:?}");
        assert!(failure.why.contains(words), "{answer:?}: {failure:?}");
        assert_eq!(failure.is_final, is_final, "{answer:?}");
        assert!(!failure.why.contains("canary") && !failure.why.contains("127.0.0.1"), "{failure:?}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let failure = ask(&client(&format!("http://{closed}"), Duration::from_millis(500))).await.unwrap_err();
    assert!(failure.why.contains("cannot be reached"), "{failure:?}");
}

#[tokio::test]
async fn a_redirect_does_not_take_the_key_elsewhere() {
    let elsewhere = Server::start(Answer::findings()).await;
    let location = format!("Location: {}/chat/completions\r\n", elsewhere.url);
    let server = Server::start(Answer::with("307 Temporary Redirect", &location, "")).await;
    let failure = ask(&client(&server.url, Duration::from_secs(5))).await.unwrap_err();
    assert!(failure.why.contains("307") && elsewhere.requests.lock().unwrap().is_empty(), "{failure:?}");
}

#[tokio::test]
async fn the_server_decides_how_long_to_wait() {
    let server = Server::start(Answer::Close).await;
    let date = "Date: Mon, 01 Jun 2026 12:00:00 GMT\r\n";
    for (headers, seconds) in [
        ("Retry-After: 7\r\n".to_owned(), Some(7)),
        (format!("{date}Retry-After: Mon, 01 Jun 2026 12:01:00 GMT\r\n"), Some(60)),
        ("Retry-After: 999999\r\n".to_owned(), Some(900)),
        ("Retry-After: soon\r\n".to_owned(), None),
        (String::new(), None),
    ] {
        server.set(Answer::with("429 Too Many Requests", &headers, ""));
        let client = client(&server.url, Duration::from_secs(5));
        let failure = ask(&client).await.unwrap_err();
        assert_eq!(failure.after, seconds.map(Duration::from_secs), "{headers}");
        assert_eq!(client.admit().is_err(), seconds.is_some(), "no question before");
    }
}

#[tokio::test]
async fn after_five_failures_in_a_row_nothing_is_sent() {
    let server = Server::start(Answer::status("500 Internal Server Error")).await;
    let client = client(&server.url, Duration::from_secs(5));
    for _ in 0..5 {
        assert!(client.admit().is_ok());
        ask(&client).await.unwrap_err();
    }
    assert!(client.admit().is_err());
    server.set(Answer::findings());
    // Questions that were on their way still count.
    ask(&client).await.unwrap();
    assert!(client.admit().is_ok());
    server.set(Answer::status("400 Bad Request"));
    for _ in 0..10 {
        ask(&client).await.unwrap_err();
    }
    assert!(client.admit().is_ok(), "a refused question says nothing about the next");
}

#[tokio::test]
async fn what_a_model_writes_does_not_stop_questions_of_others() {
    let server = Server::start(Answer::Close).await;
    let client = client(&server.url, Duration::from_secs(5));
    let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n{}", " ".repeat(3_000_000));
    for answer in [
        Answer::content("Sure! Here is what I found."),
        Answer::with("200 OK", "", "garbage"),
        Answer::Raw(endless),
        Answer::status("403 Forbidden"),
    ] {
        server.set(answer.clone());
        for _ in 0..6 {
            ask(&client).await.unwrap_err();
        }
        assert!(client.admit().is_ok(), "{answer:?}");
    }
    // An answer ends the failures before it, whatever is in it.
    for answer in [Answer::Close, Answer::content("?"), Answer::Close] {
        server.set(answer);
        for _ in 0..4 {
            ask(&client).await.unwrap_err();
        }
    }
    assert!(client.admit().is_ok());
    server.set(Answer::status("401 Unauthorized"));
    ask(&client).await.unwrap_err();
    assert!(client.admit().is_err(), "no question can be answered without a key");
}

#[tokio::test]
async fn a_bad_answer_has_a_number_of_tokens() {
    let server = Server::start(Answer::content("Sure!")).await;
    let failure = ask(&client(&server.url, Duration::from_secs(5))).await.unwrap_err();
    assert_eq!((failure.tokens, failure.is_final), ((11, 7), false));
}
