//! Files that somebody names: read no further than they may be long, and whom they are open to. Nothing here knows what is
//! in one, writes one, or says more of one than that.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use zeroize::Zeroizing;

/// All of a file of at most so many bytes. It may hold a secret.
pub fn read(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The same for a file that a setting names: what is wrong, as the rest of a sentence that begins with the setting.
pub fn read_named(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    read(path, most).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => format!("names a file of more than {most} bytes"),
        kind => format!("names a file that cannot be read ({kind})"),
    })
}

/// The mode of a file that gives everybody one of these rights, if it does: nobody comes by a file in a folder that they
/// cannot enter.
pub fn open_to_all(file: &Path, rights: u32) -> io::Result<Option<u32>> {
    // A link has no mode of its own.
    let file = fs::canonicalize(file)?;
    let mode = fs::metadata(&file)?.permissions().mode();
    let can_enter = |folder: &Path| fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    Ok((mode & rights != 0 && file.ancestors().skip(1).all(can_enter)).then_some(mode))
}
