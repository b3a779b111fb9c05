//! Secrets from files, as orchestrators provide them: a folder with one file per secret, named like its variable.
//! Refuses other settings in the folder, and never shows the content of a file.

use std::{fs, io, path::Path};

use super::{
    ServeFlags, parse,
    problems::{Reader, is_given},
    secret,
    table::rows,
    unknown,
};
use crate::files;

const FOLDER: &str = "DOORCODE_SECRETS_FOLDER";
const MAX_BYTES: u64 = 64 * 1024;
/// Some editors put it at the start of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Fills in the secrets from the folder, if one is named. Returns the names of its files, which the caller checks for
/// typos.
pub(super) fn fill(reader: &mut Reader, flags: &mut ServeFlags) -> Vec<String> {
    let named = flags.secrets_folder.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let Some(folder) = named.and_then(|text| parse::folder(text).ok()) else { return Vec::new() };
    let files = match names(&folder) {
        Ok(files) => files,
        Err(error) => {
            let wrong = format!("is a folder that cannot be read ({})", error.kind());
            reader.refuse(FOLDER, wrong, "Name a folder that this user can read, for example /run/secrets");
            return Vec::new();
        }
    };
    let (secrets, others): (Vec<_>, Vec<_>) = rows().into_iter().partition(|row| row.is_secret);
    let is_here = |variable: &str| files.iter().any(|file| file == variable);
    // Other programs may have secrets with similar names in this folder. So a file counts as a typo only if the secret
    // that it resembles is missing. Names with our prefix are checked together with the variables.
    let missing: Vec<_> = secrets
        .iter()
        .map(|row| &*row.variable)
        .filter(|name| !name.starts_with("DOORCODE_") && !is_here(name))
        .filter(|name| !is_given(flags.get_mut(name).and_then(|value| value.as_deref())))
        .collect();
    for file in files.iter().filter(|file| secrets.iter().all(|row| row.variable != **file)) {
        if others.iter().any(|row| row.variable == *file) {
            reader.refuse(file, format!("is a file in {FOLDER}, but not a secret"), "Set it as a variable instead");
        } else if let Some(name) = missing.iter().find(|name| unknown::is_meant(file, name)) {
            let wrong = format!("is a file in {FOLDER}, but not a setting");
            reader.refuse(&file.escape_debug().to_string(), wrong, format!("Did you mean {name}?"));
        }
    }
    for row in secrets.iter().filter(|row| is_here(&row.variable)) {
        if let Some(value) = flags.get_mut(&row.variable) {
            take(reader, &row.variable, value, &folder.join(&*row.variable));
        }
    }
    files
}

/// Reads one secret from its file. Refuses a secret that is also set elsewhere, because a change to the unused one
/// would have no effect.
fn take(reader: &mut Reader, variable: &str, value: &mut Option<String>, file: &Path) {
    let instead = "Make it a text file that this user can read and that contains only the value";
    match read(file) {
        Ok(_) if is_given(value.as_deref()) => {
            reader.refuse(variable, format!("is set, and is also a file in {FOLDER}"), "Remove one of the two");
        }
        Ok(text) if text.trim().is_empty() => {
            let instead = "Write the value into it, or remove the file";
            reader.refuse(variable, format!("is an empty file in {FOLDER}"), instead);
        }
        // Two secrets on two lines would be read as one new secret, which would sign everyone out.
        Ok(text) if text.trim().contains(|char: char| char.is_control() || char == BYTE_ORDER_MARK) => {
            let wrong = format!("is a file in {FOLDER} with several lines or invisible characters");
            reader.refuse(variable, wrong, format!("{instead}; separate several secrets with commas"));
        }
        Ok(text) => {
            secret::warn_if_open_to_all(reader, (variable, &format!("is a file in {FOLDER}")), file);
            *value = Some(text);
        }
        Err(error) => {
            let wrong = format!("is a file in {FOLDER} that cannot be read ({})", error.kind());
            reader.refuse(variable, wrong, instead);
        }
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The text of a file, following links. Refuses pipes and other files that could block.
fn read(path: &Path) -> io::Result<String> {
    let kind = fs::metadata(path)?;
    if !kind.is_file() {
        let what = if kind.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::Unsupported };
        return Err(what.into());
    }
    let bytes = files::read(path, MAX_BYTES)?;
    str::from_utf8(&bytes).map(str::to_owned).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::*;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn flags(folder: &Path) -> ServeFlags {
        ServeFlags { secrets_folder: Some(folder.to_string_lossy().into_owned()), ..ServeFlags::default() }
    }

    /// The problems with a folder.
    fn refused(folder: &Path, change: impl FnOnce(&mut ServeFlags)) -> String {
        let (mut reader, mut flags) = (Reader::default(), flags(folder));
        change(&mut flags);
        fill(&mut reader, &mut flags);
        let problems = reader.finish().unwrap_err();
        assert!(!format!("{problems} {problems:?}").contains("canary"), "{problems}");
        problems.to_string()
    }

    #[test]
    fn follows_links_and_ignores_other_files() {
        let folder = folder(&[("hidden", "smtps://canary@smtp.example.com\n"), ("postgres_password", "canary")]);
        symlink("hidden", folder.path().join("SMTP_URL")).unwrap();
        let (mut reader, mut flags) = (Reader::default(), flags(folder.path()));
        let files = fill(&mut reader, &mut flags);
        assert_eq!(files.iter().collect::<BTreeSet<_>>().len(), 3);
        reader.finish().unwrap();
        assert_eq!(flags.smtp_url.unwrap().trim(), "smtps://canary@smtp.example.com");
        assert!(flags.secret.is_none());
    }

    #[test]
    fn ignores_secrets_of_other_programs() {
        let folder =
            folder(&[("AMQP_URL", "canary"), ("SFTP_URL", "canary"), ("SMTP_URL", "smtps://smtp.example.com")]);
        let (mut reader, mut flags) = (Reader::default(), flags(folder.path()));
        fill(&mut reader, &mut flags);
        reader.finish().unwrap();
    }

    #[test]
    fn ambiguous_or_invalid_files_prevent_the_start() {
        let given = folder(&[("REDIS_URL", "redis://canary")]);
        let text = refused(given.path(), |flags| flags.redis_url = Some("redis://other".to_owned()));
        assert!(text.contains("REDIS_URL is set, and is also a file"), "{text}");
        let text = refused(folder(&[("REDIS_URL", " \n")]).path(), |_| {});
        assert!(text.contains("REDIS_URL is an empty file"), "{text}");
        for lines in ["redis://canary\nredis://canary", "\u{feff}redis://canary"] {
            let text = refused(folder(&[("REDIS_URL", lines)]).path(), |_| {});
            assert!(text.contains("REDIS_URL is a file") && text.contains("several lines"), "{text}");
        }
        for (typed, meant) in [("database_url", "DATABASE_URL"), ("REDIS_ULR", "REDIS_URL"), ("SMTP_URI", "SMTP_URL")] {
            let text = refused(folder(&[(typed, "canary")]).path(), |_| {});
            assert!(text.contains(&format!("Did you mean {meant}?")), "{text}");
        }
        let text = refused(folder(&[("DOORCODE_BRAND", "canary")]).path(), |_| {});
        assert!(text.contains("DOORCODE_BRAND is a file") && text.contains("not a secret"), "{text}");
        let text = refused(folder(&[("SMTP_URL", &"canary".repeat(11_000))]).path(), |_| {});
        assert!(text.contains("SMTP_URL is a file") && text.contains("too large"), "{text}");
        let folder_in_place = folder(&[]);
        fs::create_dir(folder_in_place.path().join("SMTP_URL")).unwrap();
        let text = refused(folder_in_place.path(), |_| {});
        assert!(text.contains("SMTP_URL is a file") && text.contains("is a directory"), "{text}");
        let text = refused(Path::new("/no/such/folder"), |_| {});
        assert!(text.contains("DOORCODE_SECRETS_FOLDER is a folder that cannot be read"), "{text}");
    }
}
