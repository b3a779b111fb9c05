//! The files that somebody deploys with: every setting that they name exists, so that none is without effect and none
//! stops the start. What else is to be held about them `tests/deploy/run` holds, with the tools that read them.

use std::{collections::BTreeSet, fs, path::Path};

use clap::{Args, Command};
use doorcode::settings::ServeFlags;

use super::{assert_holds, source::root};

#[test]
fn what_is_deployed_names_no_setting_that_is_none() {
    let mut texts = Vec::new();
    for place in ["Dockerfile", "compose.yaml", "deploy", "README.md", "docs", "ARCHITECTURE.md", "SECURITY.md"] {
        collect(&root().join(place), &mut texts);
    }
    assert!(texts.iter().any(|(path, _)| path.ends_with("deploy/systemd/doorcode.service")), "all are read");
    assert!(texts.iter().any(|(path, _)| path.ends_with("deploy/kubernetes/20-config.yaml")));
    let known = settings();
    assert_holds(texts.iter().flat_map(|(path, text)| strangers(path, text, &known)));

    let breaks = |text| !strangers("a", text, &known).is_empty();
    assert!(breaks("DOORCODE_TRUSTED_PROXY: a") && breaks("Environment=DOORCODE_TLS=1"));
    assert!(!breaks("DOORCODE_TRUSTED_PROXIES=a") && !breaks("`DOORCODE_TOKEN_…` and DOORCODE_LIMIT_*"));
}

fn settings() -> BTreeSet<String> {
    let command = ServeFlags::augment_args(Command::new("doorcode"));
    let names = command.get_arguments().filter_map(|flag| flag.get_env());
    names.map(|name| name.to_str().unwrap().to_owned()).collect()
}

/// Words that look like settings and are none. Those of tests are in `src/settings/unknown.rs`; a beginning stands for
/// all that begin so.
fn strangers(path: &str, text: &str, known: &BTreeSet<String>) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    let ours = words.filter(|word| word.starts_with("DOORCODE_") && !word.starts_with("DOORCODE_TEST_"));
    let unknown = ours.filter(|word| !known.contains(*word) && !word.ends_with('_'));
    unknown.map(|word| format!("{path}: names {word}")).collect()
}

fn collect(place: &Path, texts: &mut Vec<(String, String)>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            collect(&entry.unwrap().path(), texts);
        }
    } else if let Ok(text) = fs::read_to_string(place) {
        texts.push((place.to_str().unwrap().to_owned(), text));
    }
}
