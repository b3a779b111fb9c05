//! The server secret. Development generates one and keeps it in the data folder. Never shows a secret and never
//! overwrites an existing file.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::{
    parse::{self, Parsed, is_repetition},
    problems::Reader,
};
use crate::{files, ports::Entropy};

const MIN_BYTES: usize = 32;
/// Placeholders that end up in production.
const PLACEHOLDERS: [&str; 6] = ["changeme", "change-me", "change_me", "replaceme", "replace-me", "replace_me"];

/// A comma-separated list of secrets, newest first.
pub(super) fn parse(text: &str) -> Parsed<Vec<SecretString>> {
    let secrets = parse::list(text, |secret| check(secret).map(|()| SecretString::from(secret)))?;
    let mut seen = HashSet::new();
    if !secrets.iter().all(|secret| seen.insert(secret.expose_secret())) {
        return Err("contains the same secret twice".to_owned());
    }
    if secrets.len() > MAX_SECRETS {
        return Err(format!("contains more than {MAX_SECRETS} secrets"));
    }
    Ok(secrets)
}

/// Maximum number of secrets. A rotation needs two, and each one costs every sign-in an extra lookup.
const MAX_SECRETS: usize = 4;

fn check(secret: &str) -> Parsed<()> {
    let bytes = secret.as_bytes();
    if bytes.len() < MIN_BYTES {
        return Err(format!("is shorter than {MIN_BYTES} bytes"));
    }
    let distinct = bytes.iter().collect::<HashSet<_>>().len();
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    let lower = Zeroizing::new(secret.to_ascii_lowercase());
    // Random text of this length has about a dozen different bytes and few adjacent letters in a row.
    let weak = distinct < 8
        || steps * 2 > bytes.len()
        || is_repetition(bytes)
        || PLACEHOLDERS.iter().any(|word| lower.contains(word));
    if weak { Err("can be guessed: it is a repetition, a sequence or a placeholder".to_owned()) } else { Ok(()) }
}

/// Creates the data folder for this user only, if it is missing.
pub(super) fn create_folder(data: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data)
}

/// Reads the development secret from the data folder, or creates one there. Without `entropy`, only reads.
pub(super) fn read_or_create(reader: &mut Reader, data: &Path, entropy: Option<&dyn Entropy>) -> Vec<SecretString> {
    let path = data.join("secret");
    let secret = match (read(&path), entropy) {
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        (Err(error), Some(entropy)) if error.kind() == io::ErrorKind::NotFound => {
            create(data, entropy).and_then(|()| read(&path))
        }
        (result, _) => result,
    };
    let instead = "Set DOORCODE_SECRET, or set DOORCODE_DATA to a folder that this user can write to";
    match secret {
        Ok((text, is_private)) => {
            if !is_private {
                reader.warn("DOORCODE_DATA", "has a file `secret` that other users can read", "Run chmod 600 on it");
            }
            match check(text.trim()) {
                Ok(()) => return vec![SecretString::from(text.trim())],
                Err(wrong) => reader.refuse("DOORCODE_DATA", format!("has a file `secret` that {wrong}"), instead),
            }
        }
        Err(error) => {
            let wrong = format!("is a folder whose file `secret` cannot be read or created ({})", error.kind());
            reader.refuse("DOORCODE_DATA", wrong, instead);
        }
    }
    Vec::new()
}

/// The text of the file, and whether only its owner can read it.
fn read(path: &Path) -> io::Result<(Zeroizing<String>, bool)> {
    let text = Zeroizing::new(fs::read_to_string(path)?);
    #[cfg(unix)]
    let is_private = {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path)?.permissions());
        mode & 0o777 == mode & 0o700
    };
    #[cfg(not(unix))]
    let is_private = true;
    Ok((text, is_private))
}

/// Warns about a secret file that every user of this machine can read. Its group may, because servers share
/// certificates that way.
pub(super) fn warn_if_open_to_all(reader: &mut Reader, (variable, what): (&str, &str), file: &Path) {
    if let Ok(Some(_)) = files::open_to_all(file, 0o007) {
        let odd = format!("{what} that every user of this machine can read or change");
        reader.warn(variable, odd, "Run chmod 600 on it");
    }
}

/// Writes a new secret to a temporary file and links it into place, so that readers never see a partial file. If
/// several processes start at once, the first one wins and the others read its secret.
fn create(data: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    create_folder(data)?;
    let mut random = Zeroizing::new([0_u8; 32]);
    entropy.fill(random.as_mut_slice());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
    let mut name = [0_u8; 16];
    entropy.fill(&mut name);
    let draft = data.join(format!("secret.{}.{}", std::process::id(), URL_SAFE_NO_PAD.encode(name)));
    let result = write(&draft, &text).and_then(|()| fs::hard_link(&draft, data.join("secret")));
    // A leftover draft is private and harmless. Only the result of the link matters.
    let _ = fs::remove_file(&draft);
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Writes a file that only its owner can read, and syncs it to disk.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Deterministic bytes from a seed.
    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for (byte, step) in buffer.iter_mut().zip(0_u8..) {
                *byte = self.0.wrapping_add(step).wrapping_mul(167);
            }
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn read_or_create_in(
        data: &Path,
        seed: u8,
    ) -> (Vec<String>, Result<Vec<crate::settings::Problem>, crate::settings::Problems>) {
        let mut reader = Reader::default();
        let secrets = read_or_create(&mut reader, data, Some(&Counting(seed)));
        (secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect(), reader.finish())
    }

    #[test]
    fn a_secret_is_created_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("deep/data");
        let (first, problems) = read_or_create_in(&data, 1);
        assert!(problems.unwrap().is_empty());
        assert_eq!((mode(&data), mode(&data.join("secret"))), (0o700, 0o600));
        assert_eq!(URL_SAFE_NO_PAD.decode(&first[0]).unwrap().len(), 32);
        assert_eq!(read_or_create_in(&data, 2).0, first);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn processes_that_start_at_once_get_the_same_secret() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let all: HashSet<_> = std::thread::scope(|scope| {
            let data = &data;
            let threads: Vec<_> = (0..16).map(|seed| scope.spawn(move || read_or_create_in(data, seed).0)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.len(), 1);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn a_weak_or_unreadable_secret_file_prevents_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "").unwrap();
        assert!(read_or_create_in(folder.path(), 1).1.unwrap_err().to_string().contains("shorter than 32 bytes"));
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(read_or_create_in(&file, 1).1.unwrap_err().to_string().contains("DOORCODE_DATA"));
    }

    #[test]
    fn warns_about_a_secret_file_that_others_can_read() {
        let folder = tempfile::tempdir().unwrap();
        read_or_create_in(folder.path(), 1).1.unwrap();
        let path = folder.path().join("secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_or_create_in(folder.path(), 1).1.unwrap()[0].instead.contains("chmod 600"));
    }

    #[test]
    fn guessable_secrets_are_refused() {
        for weak in [
            "short".to_owned(),
            "Zq8".repeat(10),
            "a".repeat(32),
            "ab".repeat(32),
            "0123456789abcdef".repeat(2),
            "abcdefghijklmnopqrstuvwxyz0123456789".to_owned(),
            "ChangeMe-ChangeMe-and-something-else".to_owned(),
            "7Jw0pQ2yXn8Zs4Lk-please-CHANGE_ME-3vBt".to_owned(),
        ] {
            assert!(parse(&weak).is_err(), "{weak}");
        }
    }

    #[test]
    fn good_secrets_are_kept_newest_first() {
        let (new, old) = ("hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU", "3f9c1e5ad2b84760f1e2d3c4b5a697880badc0ffee15dead");
        let secrets = parse(&format!("{new}, {old}")).unwrap();
        assert_eq!(secrets.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>(), [new, old]);
        assert_eq!(parse(&format!("{new},{new}")).unwrap_err(), "contains the same secret twice");
        assert!(parse(&format!("{new},")).unwrap_err().contains("entry 2 that is empty"));
    }
}
