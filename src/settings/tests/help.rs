//! The help documents every published setting, and its examples and defaults are valid.

use std::collections::BTreeSet;

use clap::{Args, Command, FromArgMatches};

use super::{CONTRACT, command, produce};
use crate::settings::ServeFlags;

#[test]
fn the_help_documents_every_published_setting() {
    let documented = ServeFlags::augment_args(Command::new("doorcode"));
    let names: BTreeSet<_> =
        documented.get_arguments().filter_map(|flag| flag.get_env()).filter_map(std::ffi::OsStr::to_str).collect();
    for published in CONTRACT.split(' ') {
        assert!(names.contains(published), "{published}");
    }
    for flag in documented.get_arguments() {
        let (long, help) = (flag.get_long().unwrap(), flag.get_long_help().unwrap().to_string());
        let variable = flag.get_env().and_then(std::ffi::OsStr::to_str).unwrap();
        assert_eq!(long, variable.trim_start_matches("DOORCODE_").to_lowercase().replace('_', "-"));
        assert!(help.contains("Default: ") && help.contains("Example: "), "{variable}");
        let is_secret = [
            "DOORCODE_SECRET",
            "DATABASE_URL",
            "REDIS_URL",
            "SMTP_URL",
            "DOORCODE_TEST_CODES",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ];
        assert!(flag.is_hide_env_values_set() || !is_secret.contains(&variable), "{variable}");
    }
    let shown = ServeFlags::augment_args(Command::new("doorcode")).render_long_help().to_string();
    assert!(CONTRACT.split(' ').all(|name| shown.contains(&format!("[env: {name}"))), "{shown}");
}

/// The text in backticks right after a word.
fn quoted<'help>(help: &'help str, word: &str) -> Option<&'help str> {
    help.split_once(word)?.1.strip_prefix('`')?.split_once('`').map(|(text, _)| text)
}

#[test]
fn the_examples_in_the_help_are_accepted() {
    let documented = ServeFlags::augment_args(Command::new("doorcode"));
    for flag in documented.get_arguments() {
        let (variable, help) = (flag.get_env().unwrap().to_str().unwrap(), flag.get_long_help().unwrap().to_string());
        let example = quoted(&help, "Example: ").unwrap();
        // These files do not exist here, and the secret is a shell command.
        if matches!(
            variable,
            "DOORCODE_SECRET"
                | "DOORCODE_DATA"
                | "DOORCODE_DOCUMENTS"
                | "DOORCODE_LOGO"
                | "DOORCODE_CLIENTS"
                | "DOORCODE_SECRETS_FOLDER"
        ) {
            continue;
        }
        // Some settings require others.
        let others: &[_] = match variable {
            "DOORCODE_SINGLE_REPLICA" => &[],
            "DOORCODE_TLS_CERT" => &[("DOORCODE_TLS_KEY", "/etc/doorcode/tls.key")],
            "DOORCODE_TLS_KEY" => &[("DOORCODE_TLS_CERT", "/etc/doorcode/tls.pem")],
            _ => &[("DOORCODE_SINGLE_REPLICA", "true")],
        };
        let result = produce(&[&[(variable, example)], others].concat());
        assert!(result.is_ok(), "{variable}: {}", result.unwrap_err());
    }
}

#[test]
fn a_boolean_flag_needs_no_value() {
    let parsed =
        command().try_get_matches_from(["doorcode", "--graphiql", "--introspection=false", "--single-replica"]);
    let flags = ServeFlags::from_arg_matches(&parsed.unwrap()).unwrap();
    assert_eq!((flags.graphiql.as_deref(), flags.introspection.as_deref()), (Some("true"), Some("false")));
    assert_eq!(flags.single_replica.as_deref(), Some("true"));
}

#[test]
fn the_settings_reference_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operate/settings.md");
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, crate::settings::reference(), "run `cargo run -- settings > docs/operate/settings.md`");
}
