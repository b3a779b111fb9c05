//! The `.env` file of the current folder. Production reads it only if it says `DOORCODE_MODE=production` itself,
//! because a file left over from development or from another program must not weaken a setting.

use std::{ffi::OsString, path::Path};

use super::{Mode, Problem, Problems, Settings, parse, problems::Reader};

/// Shown where other problems name a variable.
const FILE: &str = ".env";
const IGNORED: &str = "is not read in production";

/// Adds the file to the environment. `mode` is the mode given in the environment or on the command line.
pub(super) fn read(path: &Path, mode: Option<&str>) -> Result<(), Problems> {
    if mode.is_some_and(is_production) && !says_production(path) {
        return Ok(());
    }
    // The library's message quotes the line, which may contain a secret.
    let wrong = match dotenvy::from_path(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.not_found() => return Ok(()),
        Err(dotenvy::Error::Io(error)) => format!("cannot be read ({})", error.kind()),
        Err(_) => "has a line that is not NAME=value".to_owned(),
    };
    let mut reader = Reader::default();
    reader.refuse(FILE, wrong, "Write one NAME=value per line; quote values that contain spaces or $ with '");
    reader.finish().map(|_| ())
}

pub(super) fn mode(arguments: impl Iterator<Item = OsString>) -> Option<String> {
    let mut arguments = arguments.filter_map(|argument| argument.into_string().ok());
    while let Some(argument) = arguments.next() {
        match argument.strip_prefix("--mode") {
            Some("") => return arguments.next(),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    None
}

/// In production, warns about the file. If settings are wrong, mentions an ignored file, because the missing ones may
/// be in it.
pub(super) fn warn(path: &Path, mode: Option<&str>, loaded: Result<Settings, Problems>) -> Result<Settings, Problems> {
    if !mode.is_some_and(is_production) || !path.exists() {
        return loaded;
    }
    let advice = "Set the variables in the environment, or add DOORCODE_MODE=production to the file to use it";
    let is_read = says_production(path);
    match loaded {
        Ok(mut settings) => {
            let (odd, instead) = if is_read {
                let odd = "is read in production, because it says DOORCODE_MODE=production";
                (odd, "Make sure that no other user can write to its folder")
            } else {
                (IGNORED, advice)
            };
            settings.warnings.push(Problem::new(FILE, odd, instead));
            Ok(settings)
        }
        Err(problems) if is_read => Err(problems),
        Err(problems) => Err(problems.and(Problem::new(FILE, IGNORED, advice))),
    }
}

fn is_production(mode: &str) -> bool {
    parse::mode(mode.trim()).is_ok_and(|mode| mode == Mode::Production)
}

/// Whether the file says `DOORCODE_MODE=production`. False if it cannot be read.
fn says_production(path: &Path) -> bool {
    let lines = dotenvy::from_path_iter(path).into_iter().flatten();
    let mut modes = lines.map_while(Result::ok).filter(|(name, _)| name == "DOORCODE_MODE");
    modes.next().is_some_and(|(_, mode)| is_production(&mode))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono::DateTime;

    use super::*;
    use crate::settings::ServeFlags;

    /// The messages about a file, with valid or with invalid settings.
    fn messages(path: &Path, mode: Option<&str>, is_valid: bool) -> String {
        let flags = ServeFlags { code_tries: (!is_valid).then(|| "0".into()), ..ServeFlags::default() };
        let loaded = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH);
        match warn(path, mode, loaded) {
            Ok(settings) => settings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            Err(problems) => problems.to_string(),
        }
    }

    #[test]
    fn production_reads_only_a_file_for_production_and_always_mentions_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert_eq!(messages(&path, Some("production"), true), "");
        for (text, is_read) in [
            ("A=b\nDOORCODE_MODE=production\n", true),
            ("DOORCODE_MODE=' Production '\nA=b", true),
            ("DOORCODE_MODE=development\nDOORCODE_MODE=production\n", false),
            ("# DOORCODE_MODE=production\n", false),
            ("DOORCODE_CODE_LENGTH=6\n", false),
            ("not a valid line\nDOORCODE_MODE=production\n", false),
            ("", false),
        ] {
            fs::write(&path, text).unwrap();
            let mode = Some(" PRODUCTION");
            let (valid, invalid) = (messages(&path, mode, true), messages(&path, mode, false));
            assert_eq!(valid.contains(".env is not read in production"), !is_read, "{text}: {valid}");
            assert_eq!(valid.contains(".env is read in production"), is_read, "{text}: {valid}");
            assert_eq!(invalid.contains(".env is not read in production"), !is_read, "{text}: {invalid}");
            assert!(invalid.contains("DOORCODE_CODE_TRIES"), "{invalid}");
            assert_eq!(messages(&path, None, true), "");
        }
    }

    #[test]
    fn finds_the_mode_anywhere_on_the_command_line() {
        let of = |line: &str| mode(line.split(' ').map(OsString::from));
        assert_eq!(of("doorcode --mode production").as_deref(), Some("production"));
        assert_eq!(of("doorcode serve --graphiql --mode=production").as_deref(), Some("production"));
        assert_eq!(of("doorcode serve --moderate production"), None);
        assert_eq!(of("doorcode --mode"), None);
    }

    #[test]
    fn a_malformed_file_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert!(read(&path, None).is_ok(), "the file is optional");
        fs::write(&path, "canary with blanks and no sign\n").unwrap();
        assert!(read(&path, Some("production")).is_ok());
        for mode in [None, Some("development"), Some("prodution")] {
            let problems = read(&path, mode).unwrap_err().to_string();
            assert!(problems.contains(".env") && !problems.contains("canary"), "{problems}");
        }
    }
}
