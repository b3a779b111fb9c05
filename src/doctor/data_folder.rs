//! The place where the program lives, for `doorcode doctor`: the data folder, the files in it, the disk below. It looks
//! at names, modes and numbers alone: it opens no file, makes none and changes none.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access, statvfs};

use crate::doctor::finding::Finding;

const MIB: u64 = 1024 * 1024;
/// Below this there is a day's warning at most: SQLite's log alone may grow by as much.
const SCARCE: u64 = 1024 * MIB;
/// Below this the next write may fail, and a sign-in is several.
const FULL: u64 = 100 * MIB;

/// Looks at the data folder and at the SQLite file, which may lie elsewhere. `makes_secret` says whether a start keeps
/// its secret there.
pub(super) fn examine(data: &Path, database: Option<&Path>, makes_secret: bool) -> Vec<Finding> {
    let holds_data = makes_secret || database.is_some_and(|file| file.starts_with(data));
    let disk = match database.and_then(Path::parent) {
        Some(place) => disk(place),
        None if holds_data => disk(data),
        None => Finding::skipped("disk", "nothing is kept on this disk"),
    };
    vec![folder(data, holds_data), files(data, database), disk]
}

fn folder(data: &Path, holds_data: bool) -> Finding {
    const CHECK: &str = "data folder";
    let name = data.display();
    let mode = match fs::metadata(data) {
        Ok(found) if found.is_dir() => found.permissions().mode(),
        Ok(_) => return Finding::problem(CHECK, format!("{name} is no folder"), "point DOORCODE_DATA at a folder"),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !holds_data => {
            return Finding::skipped(CHECK, "not there, and not needed with these settings");
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(data),
        Err(error) => {
            let advice = format!("let this user in: chown and chmod 700 {name} and the folders above it");
            return Finding::problem(CHECK, format!("{name} cannot be looked at ({})", error.kind()), advice);
        }
    };
    let private = format!("chmod 700 {name}");
    if let Err(error) = access(data, Access::WRITE_OK | Access::EXEC_OK) {
        let seen = format!("{name} cannot be written ({})", io::Error::from(error).kind());
        return Finding::problem(CHECK, seen, format!("chown it to the user of the server and {private}"));
    }
    if mode & 0o002 != 0 {
        return Finding::problem(
            CHECK,
            format!("anybody can put files into {name} (mode {:o})", mode & 0o7777),
            private,
        );
    }
    if mode & 0o077 != 0 {
        return Finding::warning(CHECK, format!("{name} is open to others (mode {:o})", mode & 0o7777), private);
    }
    Finding::ok(CHECK, format!("{name} is private and can be written"))
}

/// A folder that the first start will make, if it can.
fn absent(data: &Path) -> Finding {
    const CHECK: &str = "data folder";
    let above = existing(data);
    match access(&above, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(CHECK, format!("{} is not there yet; the first start makes it", data.display())),
        Err(_) => Finding::problem(
            CHECK,
            format!("{} is not there and {} cannot be written", data.display(), above.display()),
            format!("make it: install -d -m 700 -o USER {}", data.display()),
        ),
    }
}

/// Files that hold what nobody else may read.
fn files(data: &Path, database: Option<&Path>) -> Finding {
    const CHECK: &str = "private files";
    let mut files = vec![data.join("secret"), PathBuf::from(".env")];
    for end in ["", "-wal", "-shm"] {
        files.extend(database.map(|file| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        }));
    }
    let mode = |path: &Path| fs::metadata(path).map_or(0, |found| found.permissions().mode());
    // Nobody reads a file in a folder that they cannot enter.
    let is_open =
        |file: &PathBuf| mode(file) & 0o077 != 0 && mode(&existing(file.parent().unwrap_or(file))) & 0o011 != 0;
    let open: Vec<_> = files.iter().filter(|file| is_open(file)).map(|file| file.display().to_string()).collect();
    if open.is_empty() {
        let there = files.iter().filter(|file| file.exists()).count();
        return Finding::ok(CHECK, format!("{there} found, for this user alone"));
    }
    Finding::problem(CHECK, format!("others can read {}", open.join(", ")), format!("chmod 600 {}", open.join(" ")))
}

fn disk(place: &Path) -> Finding {
    const CHECK: &str = "disk";
    let found = match statvfs(existing(place)) {
        Ok(found) => found,
        Err(error) => {
            let advice = "see with df whether the disk is there";
            return Finding::warning(CHECK, format!("cannot be asked ({})", io::Error::from(error).kind()), advice);
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let seen = format!("{} MiB free at {}", free / MIB, place.display());
    let advice = "make room or enlarge it: when it is full nobody signs in";
    match free {
        _ if found.f_favail == 0 && found.f_files > 0 => Finding::problem(CHECK, "there are no inodes left", advice),
        ..FULL => Finding::problem(CHECK, seen, advice),
        FULL..SCARCE => Finding::warning(CHECK, seen, advice),
        _ => Finding::ok(CHECK, seen),
    }
}

/// The folder itself, or the nearest above it that is there.
fn existing(folder: &Path) -> PathBuf {
    let above = folder.ancestors().find(|above| above.exists() && !above.as_os_str().is_empty());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
