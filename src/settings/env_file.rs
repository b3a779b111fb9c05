//! The `.env` file of the current folder. In development it is read. Production reads it only if it says
//! `DOORCODE_MODE=production` itself: one that was left for development, or by another program, must not loosen a limit.

use std::{ffi::OsString, path::Path};

use super::{Mode, Problem, Problems, Settings, parse, problems::Reader};

/// In the place of a variable.
const FILE: &str = ".env";
const IGNORED: &str = "is not read in production";

/// Adds the file to the environment where it is to be read. `mode` is what the environment or the command line says.
/// The library's own message would show the line, and with it perhaps a secret.
pub(super) fn read(path: &Path, mode: Option<&str>) -> Result<(), Problems> {
    if mode.is_some_and(is_production) && !says_production(path) {
        return Ok(());
    }
    let wrong = match dotenvy::from_path(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.not_found() => return Ok(()),
        Err(dotenvy::Error::Io(error)) => format!("cannot be read ({})", error.kind()),
        Err(_) => "has a line that is not NAME=value".to_owned(),
    };
    let mut reader = Reader::default();
    reader.refuse(FILE, wrong, "Write one NAME=value a line; a value with blanks or $ goes into single quotes");
    reader.finish().map(|_| ())
}

/// The mode that the command line asks for, if it does.
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

/// Adds a warning to settings for production; or names an ignored file beside what is wrong, because what is missing may
/// stand there.
pub(super) fn tell(path: &Path, mode: Option<&str>, loaded: Result<Settings, Problems>) -> Result<Settings, Problems> {
    if !mode.is_some_and(is_production) || !path.exists() {
        return loaded;
    }
    let advice = "Set the variables in the environment, or write DOORCODE_MODE=production into the file if it is meant";
    let is_read = says_production(path);
    match loaded {
        Ok(mut settings) => {
            let (odd, instead) = if is_read {
                let odd = "is read in production, because it says DOORCODE_MODE=production";
                (odd, "See that nobody else can write to its folder")
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

/// Whether the file itself is for production; one that cannot be read says nothing.
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

    /// What is told of a file beside settings that are right, or wrong.
    fn told(path: &Path, mode: Option<&str>, is_right: bool) -> String {
        let flags = ServeFlags { code_tries: (!is_right).then(|| "0".into()), ..ServeFlags::default() };
        let loaded = Settings::look(flags, std::iter::empty(), DateTime::UNIX_EPOCH);
        match tell(path, mode, loaded) {
            Ok(settings) => settings.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
            Err(problems) => problems.to_string(),
        }
    }

    #[test]
    fn production_reads_only_a_file_that_says_production_and_tells_of_any() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert_eq!(told(&path, Some("production"), true), "");
        for (text, is_meant) in [
            ("A=b\nDOORCODE_MODE=production\n", true),
            ("DOORCODE_MODE=' Production '\nA=b", true),
            ("DOORCODE_MODE=development\nDOORCODE_MODE=production\n", false),
            ("# DOORCODE_MODE=production\n", false),
            ("DOORCODE_CODE_LENGTH=6\n", false),
            ("no line of ours\nDOORCODE_MODE=production\n", false),
            ("", false),
        ] {
            fs::write(&path, text).unwrap();
            let mode = Some(" PRODUCTION");
            let (right, wrong) = (told(&path, mode, true), told(&path, mode, false));
            assert_eq!(right.contains(".env is not read in production"), !is_meant, "{text}: {right}");
            assert_eq!(right.contains(".env is read in production"), is_meant, "{text}: {right}");
            assert_eq!(wrong.contains(".env is not read in production"), !is_meant, "{text}: {wrong}");
            assert!(wrong.contains("DOORCODE_CODE_TRIES"), "{wrong}");
            assert_eq!(told(&path, None, true), "");
        }
    }

    #[test]
    fn the_mode_of_the_command_line_is_found_wherever_it_stands() {
        let of = |line: &str| mode(line.split(' ').map(OsString::from));
        assert_eq!(of("doorcode --mode production").as_deref(), Some("production"));
        assert_eq!(of("doorcode serve --graphiql --mode=production").as_deref(), Some("production"));
        assert_eq!(of("doorcode serve --moderate production"), None);
        assert_eq!(of("doorcode --mode"), None);
    }

    #[test]
    fn a_malformed_file_is_refused_without_showing_its_line_where_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert!(read(&path, None).is_ok(), "there need not be one");
        fs::write(&path, "canary with blanks and no sign\n").unwrap();
        assert!(read(&path, Some("production")).is_ok());
        for mode in [None, Some("development"), Some("prodution")] {
            let problems = read(&path, mode).unwrap_err().to_string();
            assert!(problems.contains(".env") && !problems.contains("canary"), "{problems}");
        }
    }
}
