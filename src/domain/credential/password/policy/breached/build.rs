//! Building a list of breached passwords from a list of SHA-1 hashes of any size and in any order. The hashes are first
//! distributed over temporary files by their first byte. Then one of these files at a time is loaded, sorted and
//! written as filters, which takes 8 bytes of memory for each of its hashes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use aws_lc_rs::digest;
use xorf::{BinaryFuse16, DmaSerializable as _};

use super::{CHECKSUM, MAGIC, MAX_BITS, MIN_BITS, START, VERSION};
use crate::domain::credential::password::policy::filter;

/// Number of temporary files, one for each first byte of a hash.
pub const BUCKETS: usize = 1 << MIN_BITS;
/// Aim for the number of hashes in a shard. With more, reading one takes longer; with fewer, the file is larger.
const SHARD: u64 = 32_768;
/// A line with more bytes is no line of such a list.
const MAX_LINE: u64 = 256;
/// Number of wrong lines that are reported.
const MAX_REPORTED: usize = 10;
const KEY: usize = size_of::<u64>();

/// The hashes of a list, in temporary files that have no name and so disappear with the process.
pub struct Hashes {
    buckets: Vec<BufWriter<File>>,
    count: u64,
}

/// A list that was built.
#[derive(Debug)]
pub struct Built {
    /// Number of different hashes.
    pub hashes: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
}

impl Hashes {
    /// Reads a list: one SHA-1 hash a line, as 40 hexadecimal digits, with or without a colon and a count. Needs 8
    /// bytes of `folder` for each hash.
    ///
    /// # Errors
    /// Every wrong line, up to ten, with its number and what to write instead; or what failed. Never the line itself,
    /// because it may be a password.
    pub fn read(mut list: impl BufRead, folder: &Path) -> Result<Self, String> {
        let failed = |error| format!("cannot write temporary files in {}: {error}", folder.display());
        let bucket = |_| Ok(BufWriter::new(tempfile::tempfile_in(folder)?));
        let mut hashes =
            Self { buckets: (0..BUCKETS).map(bucket).collect::<Result<_, _>>().map_err(failed)?, count: 0 };
        let (mut line, mut number, mut wrong) = (Vec::new(), 0_u64, Vec::new());
        loop {
            line.clear();
            let length = list.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
            if length.map_err(|error| format!("cannot read the list: {error}"))? == 0 {
                break;
            }
            number += 1;
            let is_cut = !line.ends_with(b"\n") && line.len() as u64 == MAX_LINE;
            match if is_cut { Err(NO_HASH) } else { parse(line.trim_ascii()) } {
                Ok(None) => {}
                Ok(Some(key)) => {
                    let bucket = &mut hashes.buckets[usize::from(key.to_be_bytes()[0])];
                    bucket.write_all(&key.to_le_bytes()).map_err(failed)?;
                    hashes.count += 1;
                }
                Err(reason) => wrong.push(format!("\n  line {number} {reason}")),
            }
            if is_cut || wrong.len() == MAX_REPORTED {
                wrong.push("\n  the rest was not read".to_owned());
                break;
            }
        }
        if !wrong.is_empty() {
            return Err(format!("this is not a list of SHA-1 hashes, so nothing was written:{}", wrong.concat()));
        }
        if hashes.count == 0 {
            return Err("the list has no hashes, so nothing was written".to_owned());
        }
        Ok(hashes)
    }

    /// Writes the file, and calls `step` after each of the [`BUCKETS`]. It is written under another name first, so that
    /// there is never half a file at `out`, and a server that has the old one open keeps it.
    ///
    /// # Errors
    /// What failed.
    pub fn write(self, out: &Path, step: impl FnMut()) -> Result<Built, String> {
        let part = out.with_added_extension("part");
        let failed = |error| format!("cannot write {}: {error}", part.display());
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&part).map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(format!("another process is writing {}", part.display())),
            locked => locked.map_err(|error| failed(error.into()))?,
        }
        let inode = |file: io::Result<fs::Metadata>| file.map(|file| file.ino()).map_err(failed);
        if inode(file.metadata())? != inode(fs::metadata(&part))? {
            return Err(format!("another process has just written {}", out.display()));
        }
        let built = file.set_len(0).map_err(failed).and_then(|()| self.fill(&file, step).map_err(failed));
        let moved = built.and_then(|built| {
            fs::rename(&part, out).map_err(|error| format!("cannot write {}: {error}", out.display()))?;
            Ok(built)
        });
        if moved.is_err() {
            drop(fs::remove_file(&part));
        }
        moved
    }

    fn fill(self, file: &File, mut step: impl FnMut()) -> io::Result<Built> {
        let bits = bits(self.count);
        let start = START + (filter::DESCRIPTOR << bits);
        let (mut header, mut hashes) = (Vec::with_capacity(start + CHECKSUM), 0);
        header.extend(MAGIC);
        header.extend(VERSION.to_le_bytes());
        header.extend(bits.to_le_bytes());
        header.extend([0; KEY]);
        let mut output = BufWriter::new(file);
        output.seek(SeekFrom::Start((start + CHECKSUM) as u64))?;
        let shards = 1 << (bits - MIN_BITS);
        for (first, bucket) in self.buckets.into_iter().enumerate() {
            let keys = load(bucket)?;
            hashes += keys.len() as u64;
            let mut rest = keys.as_slice();
            for shard in first * shards..(first + 1) * shards {
                let length = rest.partition_point(|key| key >> (u64::BITS - bits) <= shard as u64);
                let keys = rest.split_off(..length).unwrap_or_default();
                header.extend([0; filter::DESCRIPTOR]);
                if !keys.is_empty() {
                    let filter = BinaryFuse16::try_from(keys).map_err(io::Error::other)?;
                    let at = header.len() - filter::DESCRIPTOR;
                    filter.dma_copy_descriptor_to(&mut header[at..]);
                    output.write_all(filter.dma_fingerprints())?;
                }
            }
            step();
        }
        output.flush()?;
        drop(output);
        header[START - KEY..START].copy_from_slice(&hashes.to_le_bytes());
        header.extend(digest::digest(&digest::SHA256, &header).as_ref());
        file.write_all_at(&header, 0)?;
        file.sync_all()?;
        Ok(Built { hashes, bytes: file.metadata()?.len() })
    }
}

/// Number of bits of a prefix, so that a shard has at most [`SHARD`] hashes on average.
pub(super) fn bits(hashes: u64) -> u32 {
    hashes.div_ceil(SHARD).next_power_of_two().ilog2().clamp(MIN_BITS, MAX_BITS)
}

/// The keys of a bucket, in order and without duplicates.
fn load(bucket: BufWriter<File>) -> io::Result<Vec<u64>> {
    let mut file = bucket.into_inner()?;
    file.rewind()?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)? / KEY;
    let (mut keys, mut bytes) = (Vec::with_capacity(length), [0; KEY]);
    let mut reader = BufReader::new(file);
    for _ in 0..length {
        reader.read_exact(&mut bytes)?;
        keys.push(u64::from_le_bytes(bytes));
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}

const NO_HASH: &str = "is not a SHA-1 hash: write 40 hexadecimal digits, the hash of a password and not the password";

/// The key of a line: the first 16 of 40 digits. `None` for an empty line, and for a count of 0, which marks padding.
fn parse(line: &[u8]) -> Result<Option<u64>, &'static str> {
    if line.is_empty() {
        return Ok(None);
    }
    let (hash, count) = match line.iter().position(|byte| *byte == b':') {
        Some(colon) => (&line[..colon], Some(&line[colon + 1..])),
        None => (line, None),
    };
    let is_hex = hash.iter().all(u8::is_ascii_hexdigit);
    match hash.len() {
        40 if is_hex => {}
        32 if is_hex => return Err("has 32 digits, like an NTLM or MD5 hash: use a list of SHA-1 hashes"),
        35 if is_hex => return Err("has 35 digits, the end of a hash: write the 5 digits of its range in front"),
        _ => return Err(NO_HASH),
    }
    if count.is_some_and(|count| count.is_empty() || !count.iter().all(u8::is_ascii_digit)) {
        return Err("has no number after the colon: write HASH:COUNT, or only HASH");
    }
    if count.is_some_and(|count| count.iter().all(|digit| *digit == b'0')) {
        return Ok(None);
    }
    let digits = std::str::from_utf8(&hash[..2 * KEY]).map_err(|_| NO_HASH)?;
    u64::from_str_radix(digits, 16).map(Some).map_err(|_| NO_HASH)
}
