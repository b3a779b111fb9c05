//! Rules that find common mistakes in a line of code, without a model or a network. Good enough to try things out, and
//! for tests.

use async_trait::async_trait;

use super::{Failure, Provider, Question, Reply};
use crate::{
    result::{Finding, MAX_FINDINGS},
    values::Severity::{self, High, Info, Low, Medium},
};

/// The name of the model.
pub const MODEL: &str = "offline-rules";

/// The rules.
pub struct Rules;

/// A text in a line, in lower case, and what it means. An empty language: any.
const RULES: [(&str, &str, Severity, &str, &str); 14] = [
    (
        "",
        "begin private key",
        High,
        "Private key",
        "Anyone who reads the code has the key. Replace the key and load it from a secret.",
    ),
    (
        "",
        "begin rsa private key",
        High,
        "Private key",
        "Anyone who reads the code has the key. Replace the key and load it from a secret.",
    ),
    (
        "",
        "password = \"",
        High,
        "Password in code",
        "Anyone who reads the code has the password. Load it from a secret.",
    ),
    ("", "api_key = \"", High, "API key in code", "Anyone who reads the code has the key. Load it from a secret."),
    (
        "",
        "eval(",
        High,
        "Evaluates text as code",
        "If a user can influence the text, they can run anything. Parse the text instead.",
    ),
    (
        "Python",
        "shell=true",
        High,
        "Runs a shell",
        "If a user can influence the command, they can run anything. Pass a list of arguments.",
    ),
    (
        "",
        "verify=false",
        High,
        "TLS certificates are not checked",
        "Anyone on the way can read and change the data. Check certificates.",
    ),
    ("JavaScript", "innerhtml =", Medium, "Writes HTML", "Text of users can contain scripts. Use `textContent`."),
    ("TypeScript", "innerhtml =", Medium, "Writes HTML", "Text of users can contain scripts. Use `textContent`."),
    ("", "md5(", Medium, "Weak hash", "Others can make a second text with the same hash. Use SHA-256."),
    ("Rust", ".unwrap()", Low, "Panics on an error", "The program ends if this fails. Return the error."),
    ("Python", "except:", Low, "Catches every error", "It also hides mistakes. Name the errors that you expect."),
    ("", "todo", Info, "Open task", "Do it, or write down who does."),
    ("", "fixme", Info, "Known mistake", "Fix it, or write down who does."),
];
const LONGEST_LINE: usize = 160;

#[async_trait]
impl Provider for Rules {
    async fn ask(&self, question: Question<'_>) -> Result<Reply, Failure> {
        let file = question.file;
        let found = (1..).zip(file.text.lines()).flat_map(|(line, text)| {
            let lower = text.to_lowercase();
            let fits = move |rule: &&(&str, &str, Severity, &str, &str)| {
                (rule.0.is_empty() || rule.0 == file.language) && lower.contains(rule.1)
            };
            let of = move |severity, title: &str, detail: &str| Finding {
                file: file.name.clone(),
                line: Some(line),
                severity,
                title: title.to_owned(),
                detail: detail.to_owned(),
            };
            let long = text.chars().count() > LONGEST_LINE;
            let long = long.then(|| of(Info, "Long line", "Break it, so that it can be read without scrolling."));
            RULES.iter().filter(fits).map(move |rule| of(rule.2, rule.3, rule.4)).chain(long)
        });
        let findings: Vec<_> = found.take(MAX_FINDINGS).collect();
        // Models count about four characters as a token.
        let tokens = |text: usize| i64::try_from(text.div_ceil(4)).unwrap_or(i64::MAX);
        let written = findings.iter().map(|finding| finding.title.len() + finding.detail.len()).sum();
        Ok(Reply {
            findings,
            tokens_in: tokens(question.prompt.len()),
            tokens_out: tokens(written),
            model: MODEL.to_owned(),
        })
    }

    fn is_free(&self) -> bool {
        true
    }

    fn model<'a>(&self, _: &'a str) -> &'a str {
        MODEL
    }
}
