//! The data folder, the files in it and the disk below, for `doorcode doctor`. It looks at names, modes and numbers only:
//! it opens no file, makes none and changes none.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access, statvfs};

use crate::{
    doctor::finding::Finding,
    settings::{Mode, Settings},
};

const FOLDER: &str = "data folder";
const MIB: u64 = 1024 * 1024;
/// Below this there is a day's warning at most: SQLite's log alone may grow by as much.
const SCARCE: u64 = 1024 * MIB;
/// Below this the next write may fail, and a sign-in is several.
const FULL: u64 = 100 * MIB;

/// Checks the data folder and the SQLite file, which may be elsewhere.
pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let (data, database) = (&settings.data, settings.database().file());
    // A start in development keeps its secret there.
    let holds_data = settings.mode == Mode::Development || database.as_ref().is_some_and(|file| file.starts_with(data));
    let disk = match database.as_deref().and_then(Path::parent) {
        Some(place) => disk(place),
        None if holds_data => disk(data),
        None => Finding::skipped("disk", "nothing is kept on this disk"),
    };
    vec![folder(data, holds_data), files(data, database.as_deref()), disk]
}

fn folder(data: &Path, holds_data: bool) -> Finding {
    let name = data.display();
    let mode = match fs::metadata(data) {
        Ok(found) if found.is_dir() => found.permissions().mode() & 0o7777,
        Ok(_) => return Finding::problem(FOLDER, format!("{name} is no folder"), "point DOORCODE_DATA at a folder"),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !holds_data => {
            return Finding::skipped(FOLDER, "not there, and not needed with these settings");
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(data),
        Err(error) => {
            let advice = format!("let this user in: chown and chmod 700 {name} and the folders above it");
            return Finding::problem(FOLDER, format!("{name} cannot be looked at ({})", error.kind()), advice);
        }
    };
    let refusal = access(data, Access::WRITE_OK | Access::EXEC_OK).err();
    let why = refusal.map(|error| io::Error::from(error).kind().to_string()).unwrap_or_default();
    finding!(FOLDER, ok "{name} is private and can be written",
        problem if refusal.is_some() => "{name} cannot be written ({why})"
            => "chown it to the user of the server and chmod 700 {name}",
        problem if mode & 0o002 != 0 => "anybody can put files into {name} (mode {mode:o})" => "chmod 700 {name}",
        warning if mode & 0o077 != 0 => "{name} is open to others (mode {mode:o})" => "chmod 700 {name}",
    )
}

/// A folder that the first start will make, if it can.
fn absent(data: &Path) -> Finding {
    let (name, parent) = (data.display(), existing(data));
    let (can_make, above) = (access(&parent, Access::WRITE_OK | Access::EXEC_OK).is_ok(), parent.display());
    finding!(FOLDER, ok "{name} is not there yet; the first start makes it",
        problem if !can_make => "{name} is not there and {above} cannot be written"
            => "make it: install -d -m 700 -o USER {name}",
    )
}

/// Files with secrets or personal data.
fn files(data: &Path, database: Option<&Path>) -> Finding {
    let mut files = vec![data.join("secret"), PathBuf::from(".env")];
    files.extend(database.into_iter().flat_map(|file| {
        ["", "-wal", "-shm"].map(|end| {
            let mut name = file.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        })
    }));
    let mode = |path: &Path| fs::metadata(path).map_or(0, |found| found.permissions().mode());
    // Others cannot read a file in a folder that they cannot enter.
    let is_open =
        |file: &PathBuf| mode(file) & 0o077 != 0 && mode(&existing(file.parent().unwrap_or(file))) & 0o011 != 0;
    let open: Vec<_> = files.iter().filter(|file| is_open(file)).map(|file| file.display().to_string()).collect();
    let there = files.iter().filter(|file| file.exists()).count();
    let (names, arguments) = (open.join(", "), open.join(" "));
    finding!("private files", ok "{there} found, for this user alone",
        problem if !open.is_empty() => "others can read {names}" => "chmod 600 {arguments}",
    )
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
    let (mib, name, advice) = (free / MIB, place.display(), "make room or enlarge it: when it is full nobody signs in");
    finding!(CHECK, ok "{mib} MiB free at {name}",
        problem if found.f_favail == 0 && found.f_files > 0 => "there are no inodes left" => "{advice}",
        problem if free < FULL => "{mib} MiB free at {name}" => "{advice}",
        warning if free < SCARCE => "{mib} MiB free at {name}" => "{advice}",
    )
}

/// The folder itself, or the nearest above it that exists.
fn existing(folder: &Path) -> PathBuf {
    let above = folder.ancestors().find(|above| above.exists() && !above.as_os_str().is_empty());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
