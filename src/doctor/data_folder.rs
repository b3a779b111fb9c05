//! The data folder, its files and its disk. Reads only metadata; opens and changes no file.

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
/// Free space below which to warn: the SQLite write-ahead log alone can grow this much in a day.
const LOW_SPACE: u64 = 1024 * MIB;
/// Free space below which the next sign-in may fail.
const NO_SPACE: u64 = 100 * MIB;

/// Checks the data folder and the SQLite file, which may be in another folder.
pub(super) fn examine(settings: &Settings) -> Vec<Finding> {
    let (data, database) = (&settings.data, settings.database().file());
    // Development keeps its secret there.
    let holds_data = settings.mode == Mode::Development || database.as_ref().is_some_and(|file| file.starts_with(data));
    let disk = match database.as_deref().and_then(Path::parent) {
        Some(folder) => disk(folder),
        None if holds_data => disk(data),
        None => Finding::skipped("disk", "no data on this disk"),
    };
    vec![folder(data, holds_data), files(data, database.as_deref()), disk]
}

fn folder(data: &Path, holds_data: bool) -> Finding {
    let name = data.display();
    let mode = match fs::metadata(data) {
        Ok(found) if found.is_dir() => found.permissions().mode() & 0o7777,
        Ok(_) => return Finding::problem(FOLDER, format!("{name} is not a folder"), "set DOORCODE_DATA to a folder"),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !holds_data => {
            return Finding::skipped(FOLDER, "missing, but not needed with these settings");
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return missing(data),
        Err(error) => {
            let advice = format!("give this user access to {name} and its parent folders (chown, chmod 700)");
            return Finding::problem(FOLDER, format!("cannot access {name} ({})", error.kind()), advice);
        }
    };
    let refusal = access(data, Access::WRITE_OK | Access::EXEC_OK).err();
    let why = refusal.map(|error| io::Error::from(error).kind().to_string()).unwrap_or_default();
    finding!(FOLDER, ok "{name} is private and writable",
        problem if refusal.is_some() => "{name} is not writable ({why})"
            => "chown it to the user of the server, and chmod 700 {name}",
        problem if mode & 0o002 != 0 => "every user can write to {name} (mode {mode:o})" => "chmod 700 {name}",
        warning if mode & 0o077 != 0 => "{name} is accessible to other users (mode {mode:o})" => "chmod 700 {name}",
    )
}

/// Whether the first start can create the folder.
fn missing(data: &Path) -> Finding {
    let (name, parent) = (data.display(), existing(data));
    let (can_create, above) = (access(&parent, Access::WRITE_OK | Access::EXEC_OK).is_ok(), parent.display());
    finding!(FOLDER, ok "{name} does not exist yet; the first start creates it",
        problem if !can_create => "{name} does not exist, and {above} is not writable"
            => "create it: install -d -m 700 -o USER {name}",
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
    // Other users cannot read a file in a folder that they cannot enter.
    let is_open =
        |file: &PathBuf| mode(file) & 0o077 != 0 && mode(&existing(file.parent().unwrap_or(file))) & 0o011 != 0;
    let open: Vec<_> = files.iter().filter(|file| is_open(file)).map(|file| file.display().to_string()).collect();
    let there = files.iter().filter(|file| file.exists()).count();
    let (names, arguments) = (open.join(", "), open.join(" "));
    finding!("private files", ok "{there} found, readable by this user only",
        problem if !open.is_empty() => "other users can read {names}" => "chmod 600 {arguments}",
    )
}

fn disk(folder: &Path) -> Finding {
    const CHECK: &str = "disk";
    let found = match statvfs(existing(folder)) {
        Ok(found) => found,
        Err(error) => {
            let advice = "check with df that the disk is mounted";
            return Finding::warning(CHECK, format!("cannot be read ({})", io::Error::from(error).kind()), advice);
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let (mib, name, advice) =
        (free / MIB, folder.display(), "free space or enlarge it: on a full disk, no one can sign in");
    finding!(CHECK, ok "{mib} MiB free at {name}",
        problem if found.f_favail == 0 && found.f_files > 0 => "no free inodes" => "{advice}",
        problem if free < NO_SPACE => "{mib} MiB free at {name}" => "{advice}",
        warning if free < LOW_SPACE => "{mib} MiB free at {name}" => "{advice}",
    )
}

/// The folder, or its nearest existing parent.
fn existing(folder: &Path) -> PathBuf {
    let above = folder.ancestors().find(|above| above.exists() && !above.as_os_str().is_empty());
    above.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
