//! The operator's list of breached passwords: a file of binary fuse filters, made by `doorcode breached build`. It
//! finds every entry and, by mistake, one other password in 65,536. `build.rs` writes it.
//!
//! The file has a header, then the 16-bit fingerprints of all shards. A shard holds the hashes with one prefix. The
//! header is `MAGIC`, the version, the number of bits of a prefix, the number of hashes, the descriptor of each shard
//! (zeros if it is empty), and the SHA-256 of all these. All numbers are little-endian.
//!
//! The file is not mapped into memory: that takes `unsafe` code, and a mapped file that someone truncates kills the
//! process. One positioned read of a shard, 60 KB on average, takes microseconds, because the system caches the file.

mod build;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use aws_lc_rs::digest;
use tokio::task::spawn_blocking;
use xorf::{BinaryFuse16, Descriptor, Filter as _};

use super::{Password, filter};
use crate::{
    domain::credential::password::hasher::Slot,
    error::{Error, Result},
};
pub use build::{BUCKETS, Built, Hashes};

const MAGIC: [u8; 16] = *b"doorcode breach\n";
const VERSION: u32 = 1;
/// Bytes before the descriptors: magic, version, bits and number of hashes.
const START: usize = 32;
const CHECKSUM: usize = digest::SHA256_OUTPUT_LEN;
/// Bits of a prefix. A file with the maximum has room for 34 billion hashes.
const MIN_BITS: u32 = 8;
const MAX_BITS: u32 = 20;

/// An open list.
pub struct BreachedPasswords {
    file: File,
    bits: u32,
    shards: Vec<Shard>,
    hashes: u64,
}

struct Shard {
    descriptor: Descriptor,
    /// Position and length of the fingerprints.
    at: u64,
    length: usize,
}

impl BreachedPasswords {
    /// Opens a list, and checks its header and length.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that starts with its setting.
    pub fn open(path: &Path) -> Result<Self, String> {
        let unreadable = |error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => "names a file that is not a list made by `doorcode breached build`".to_owned(),
            kind => format!("names a file that cannot be read ({kind})"),
        };
        let file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut header = vec![0; START];
        file.read_exact_at(&mut header, 0).map_err(unreadable)?;
        if !header.starts_with(&MAGIC) {
            return Err(unreadable(ErrorKind::UnexpectedEof.into()));
        }
        let (version, bits) = (number(&header, 16), number(&header, 20));
        if version != VERSION {
            return Err(format!("names a list of version {version}, but this program reads version {VERSION}"));
        }
        let damaged = || "names a damaged list".to_owned();
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(damaged());
        }
        let incomplete = |_| "names an incomplete list: it was cut off".to_owned();
        header.resize(START + (filter::DESCRIPTOR << bits) + CHECKSUM, 0);
        file.read_exact_at(&mut header, 0).map_err(incomplete)?;
        let (content, checksum) = header.split_at(header.len() - CHECKSUM);
        if digest::digest(&digest::SHA256, content).as_ref() != checksum {
            return Err(damaged());
        }
        let (shards, end) = shards(content, header.len()).ok_or_else(damaged)?;
        if length != end {
            return Err(format!("names an incomplete list: it has {length} bytes instead of {end}"));
        }
        let hashes = u64::from(number(content, 24)) | u64::from(number(content, 28)) << 32;
        Ok(Self { file, bits, shards, hashes })
    }

    /// Number of hashes in the list.
    pub const fn hashes(&self) -> u64 {
        self.hashes
    }

    /// Whether the list (probably) contains the password. Reads a part of the file.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn contains(&self, password: &Password) -> io::Result<bool> {
        self.contains_key(key(password))
    }

    fn contains_key(&self, key: u64) -> io::Result<bool> {
        let shard = usize::try_from(key >> (u64::BITS - self.bits)).ok().and_then(|at| self.shards.get(at));
        let Some(shard) = shard.filter(|shard| shard.length > 0) else { return Ok(false) };
        let mut bytes = vec![0; shard.length];
        self.file.read_exact_at(&mut bytes, shard.at)?;
        let fingerprints = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        Ok(BinaryFuse16 { descriptor: shard.descriptor.clone(), fingerprints }.contains(&key))
    }

    /// Looks a password up on a thread for blocking calls, in the caller's slot. A disk that hangs thus holds up
    /// passwords only.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the file cannot be read: a password that may be breached is not accepted.
    pub(in crate::domain) async fn find(self: &Arc<Self>, password: &Password, slot: Slot) -> Result<(bool, Slot)> {
        let (list, key) = (Arc::clone(self), key(password));
        let read = spawn_blocking(move || (list.contains_key(key), slot)).await;
        let (found, slot) = read.map_err(|error| Error::Internal(format!("looking a password up: {error}")))?;
        let unreadable = |error| Error::Unavailable(format!("cannot read the list of breached passwords: {error}"));
        Ok((found.map_err(unreadable)?, slot))
    }
}

/// Every shard, and the length of the whole file. `None` if a descriptor is not sound.
fn shards(content: &[u8], header: usize) -> Option<(Vec<Shard>, u64)> {
    let mut end = u64::try_from(header).ok()?;
    let mut shards = Vec::with_capacity((content.len() - START) / filter::DESCRIPTOR);
    for bytes in content[START..].chunks_exact(filter::DESCRIPTOR) {
        let descriptor = filter::read_descriptor(bytes)?;
        let is_empty = bytes.iter().all(|byte| *byte == 0);
        let length = if is_empty { 0 } else { filter::size(&descriptor)? };
        shards.push(Shard { descriptor, at: end, length: usize::try_from(length).ok()? });
        end += length;
    }
    Some((shards, end))
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().map(u32::from_le_bytes).unwrap_or_default()
}

/// The first 8 bytes of a SHA-1. They start with the prefix of the shard.
///
/// SHA-1 is broken, and used only here: public lists of breached passwords consist of SHA-1 hashes, and all that
/// depends on them is whether a password is on the list.
fn key(password: &Password) -> u64 {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
    hash.as_ref().first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}
