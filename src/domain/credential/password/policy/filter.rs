//! Lists of passwords as binary fuse filters, used in place from memory or a mapped file. A filter holds no password,
//! only fingerprints. It finds every entry and, by mistake, one other password in 65,536.
//!
//! A file is the 20-byte descriptor of xorf's `BinaryFuse16`, then its 16-bit fingerprints, all little-endian.

use aws_lc_rs::digest;
use xorf::{BinaryFuse16, BinaryFuse16Ref, DmaSerializable as _, Filter as _, FilterRef as _};

use super::{Password, collect};

#[cfg(target_endian = "big")]
compile_error!("xorf reads the fingerprints in the byte order of the machine, and the files are little-endian");

/// Fingerprints are read as `u16`, and `include_bytes!` aligns to one byte only.
#[repr(C, align(2))]
struct Aligned<T: ?Sized>(T);

/// 48,743 common passwords; its source and licences are in `policy/README.md`.
static COMMON: &Aligned<[u8]> = &Aligned(*include_bytes!("common.filter"));

/// A list of passwords.
pub struct PasswordFilter<'a> {
    entries: BinaryFuse16Ref<'a>,
    key: fn(&Password) -> u64,
}

impl<'a> PasswordFilter<'a> {
    /// Opens a filter whose entries were hashed with `key`. Returns `None` if `file` is damaged or not a filter, or if
    /// its address is odd.
    pub fn open(file: &'a [u8], key: fn(&Password) -> u64) -> Option<Self> {
        let (descriptor, fingerprints) = file.split_at_checked(BinaryFuse16::DESCRIPTOR_LEN)?;
        let field = |at: usize| Some(u64::from(u32::from_le_bytes(*descriptor.get(at..)?.first_chunk()?)));
        let (segment, mask, starts) = (field(8)?, field(12)?, field(16)?);
        // xorf indexes by these numbers without a check, and panics if the fingerprints are not aligned.
        let is_sound = segment.is_power_of_two()
            && mask == segment - 1
            && starts > 0
            && starts % segment == 0
            && u64::try_from(fingerprints.len()) == Ok(2 * (starts + 2 * segment))
            && fingerprints.as_ptr().align_offset(BinaryFuse16Ref::FINGERPRINT_ALIGNMENT) == 0;
        is_sound.then(|| Self { entries: BinaryFuse16Ref::from_dma(descriptor, fingerprints), key })
    }

    /// Whether the list (probably) contains the password.
    pub fn contains(&self, password: &Password) -> bool {
        self.entries.contains(&(self.key)(password))
    }
}

impl PasswordFilter<'static> {
    /// The embedded list of common passwords.
    pub(super) fn common() -> Option<Self> {
        Self::open(&COMMON.0, lowercase_key)
    }
}

/// The key of a password in a list that ignores case: the first 8 bytes of the SHA-256 of its lowercase form.
pub(super) fn lowercase_key(password: &Password) -> u64 {
    let lowercase = collect(password.expose().chars().flat_map(char::to_lowercase));
    let hash = digest::digest(&digest::SHA256, lowercase.as_bytes());
    hash.as_ref().first_chunk().copied().map(u64::from_le_bytes).unwrap_or_default()
}
