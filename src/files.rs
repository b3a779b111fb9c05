//! Reading files with a size limit, and checking their permissions.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use zeroize::Zeroizing;

/// Reads a file of at most `most` bytes. It may contain a secret.
pub fn read(path: &Path, most: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Like [`read`], for a file named by a setting.
///
/// # Errors
/// What is wrong, as the rest of a sentence that starts with the setting.
pub fn read_named(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    read(path, most).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => format!("names a file larger than {most} bytes"),
        kind => format!("names a file that cannot be read ({kind})"),
    })
}

/// The mode of a file, if it grants all users one of these rights and all users can enter its folders.
pub fn open_to_all(file: &Path, rights: u32) -> io::Result<Option<u32>> {
    // Follow links, whose mode says nothing.
    let file = fs::canonicalize(file)?;
    let mode = fs::metadata(&file)?.permissions().mode();
    let can_enter = |folder: &Path| fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 != 0);
    Ok((mode & rights != 0 && file.ancestors().skip(1).all(can_enter)).then_some(mode))
}
