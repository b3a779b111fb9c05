//! The server secret: as given, or in development made once and kept in the data folder.
//! It is never shown, and a file that exists is never overwritten.

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

/// The fewest bytes of a secret.
const MIN_BYTES: usize = 32;
/// Words of examples that end up in production.
const PLACEHOLDERS: [&str; 6] = ["changeme", "change-me", "change_me", "replaceme", "replace-me", "replace_me"];

/// Secrets with commas between them, newest first.
pub(super) fn parse(text: &str) -> Parsed<Vec<SecretString>> {
    let secrets = parse::list(text, |secret| check(secret).map(|()| SecretString::from(secret)))?;
    let mut seen = HashSet::new();
    if !secrets.iter().all(|secret| seen.insert(secret.expose_secret())) {
        return Err("holds the same secret twice".to_owned());
    }
    if secrets.len() > MOST {
        return Err(format!("holds more than {MOST} secrets"));
    }
    Ok(secrets)
}

/// Rotating takes two. Each costs every sign-in a look under one name more.
const MOST: usize = 4;

/// Refuses what is no secret at all. It cannot know a good one: it knows some that everybody would try.
fn check(secret: &str) -> Parsed<()> {
    let bytes = secret.as_bytes();
    if bytes.len() < MIN_BYTES {
        return Err(format!("is shorter than {MIN_BYTES} bytes"));
    }
    let distinct = bytes.iter().collect::<HashSet<_>>().len();
    let steps = bytes.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    let lower = Zeroizing::new(secret.to_ascii_lowercase());
    // Random text of this length has a dozen different bytes and hardly ever two neighbours of the alphabet in a row.
    let weak = distinct < 8
        || steps * 2 > bytes.len()
        || is_repetition(bytes)
        || PLACEHOLDERS.iter().any(|word| lower.contains(word));
    if weak { Err("can be guessed: it is a repetition, a sequence or a placeholder".to_owned()) } else { Ok(()) }
}

/// Makes the data folder for this user alone, unless it is there.
pub(super) fn make_folder(data: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data)
}

/// The secret of a development server: the one in the data folder, or a new one put there. Without a source of
/// randomness there may be none.
pub(super) fn keep(reader: &mut Reader, data: &Path, entropy: Option<&dyn Entropy>) -> Vec<SecretString> {
    let path = data.join("secret");
    let kept = match (read(&path), entropy) {
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        (Err(error), Some(entropy)) if error.kind() == io::ErrorKind::NotFound => {
            create(data, entropy).and_then(|()| read(&path))
        }
        (kept, _) => kept,
    };
    let instead = "Write a DOORCODE_SECRET of your own, or point DOORCODE_DATA at a folder that can be written";
    match kept {
        Ok((text, is_private)) => {
            if !is_private {
                reader.warn("DOORCODE_DATA", "has a file `secret` that others can read", "Run chmod 600 on it");
            }
            match check(text.trim()) {
                Ok(()) => return vec![SecretString::from(text.trim())],
                Err(wrong) => reader.refuse("DOORCODE_DATA", format!("has a file `secret` that {wrong}"), instead),
            }
        }
        Err(error) => {
            let wrong = format!("is a folder in which no secret can be kept ({})", error.kind());
            reader.refuse("DOORCODE_DATA", wrong, instead);
        }
    }
    Vec::new()
}

/// The text of the file, and whether it is for its owner alone.
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

/// Notes a file with a secret in it that everybody on this machine can read. Its group may be meant to: it is how
/// certificates are shared among servers.
pub(super) fn warn_of_readers(reader: &mut Reader, (variable, what): (&str, &str), file: &Path) {
    if let Ok(Some(_)) = files::open_to_all(file, 0o007) {
        let odd = format!("{what} that everybody on this machine can read or change");
        reader.warn(variable, odd, "Run chmod 600 on it");
    }
}

/// Writes a new secret under a name of its own and then links it into place: whoever looks sees no file or a whole one,
/// and of several processes that start at once the first wins and the others read what it wrote.
fn create(data: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    make_folder(data)?;
    let mut random = Zeroizing::new([0_u8; 32]);
    entropy.fill(random.as_mut_slice());
    let text = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
    let mut name = [0_u8; 16];
    entropy.fill(&mut name);
    let draft = data.join(format!("secret.{}.{}", std::process::id(), URL_SAFE_NO_PAD.encode(name)));
    let result = write(&draft, &text).and_then(|()| fs::hard_link(&draft, data.join("secret")));
    // A draft that cannot be removed is private and harmless; what matters is the result of the link.
    let _ = fs::remove_file(&draft);
    match result {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// Writes a file that only its owner can read, down to the disk.
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

    /// Every byte counts on from a seed.
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

    fn keep_in(
        data: &Path,
        seed: u8,
    ) -> (Vec<String>, Result<Vec<crate::settings::Problem>, crate::settings::Problems>) {
        let mut reader = Reader::default();
        let secrets = keep(&mut reader, data, Some(&Counting(seed)));
        (secrets.iter().map(|secret| secret.expose_secret().to_owned()).collect(), reader.finish())
    }

    #[test]
    fn a_secret_is_made_once_and_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("deep/data");
        let (first, problems) = keep_in(&data, 1);
        assert!(problems.unwrap().is_empty());
        assert_eq!((mode(&data), mode(&data.join("secret"))), (0o700, 0o600));
        assert_eq!(URL_SAFE_NO_PAD.decode(&first[0]).unwrap().len(), 32);
        assert_eq!(keep_in(&data, 2).0, first);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn of_many_that_start_at_once_all_get_the_same_secret() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let all: HashSet<_> = std::thread::scope(|scope| {
            let data = &data;
            let threads: Vec<_> = (0..16).map(|seed| scope.spawn(move || keep_in(data, seed).0)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.len(), 1);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_kept_secret_that_is_weak_or_unreadable_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "").unwrap();
        assert!(keep_in(folder.path(), 1).1.unwrap_err().to_string().contains("shorter than 32 bytes"));
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(keep_in(&file, 1).1.unwrap_err().to_string().contains("DOORCODE_DATA"));
    }

    #[test]
    fn a_kept_secret_that_others_can_read_is_warned_about() {
        let folder = tempfile::tempdir().unwrap();
        keep_in(folder.path(), 1).1.unwrap();
        let path = folder.path().join("secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(keep_in(folder.path(), 1).1.unwrap()[0].instead.contains("chmod 600"));
    }

    #[test]
    fn what_everybody_would_try_is_refused() {
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
        assert_eq!(parse(&format!("{new},{new}")).unwrap_err(), "holds the same secret twice");
        assert!(parse(&format!("{new},")).unwrap_err().contains("entry 2 that is empty"));
    }
}
