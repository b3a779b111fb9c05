//! The embedded list of common passwords: a binary fuse filter, used in place. A filter holds no password, only
//! fingerprints. It finds every entry and, by mistake, one other password in 65,536.
//!
//! The file is the 20-byte descriptor of xorf's `BinaryFuse16`, then its 16-bit fingerprints, all little-endian.

use aws_lc_rs::digest;
use xorf::{BinaryFuse16, BinaryFuse16Ref, Descriptor, DmaSerializable as _, Filter as _, FilterRef as _};

use super::{Password, collect};

#[cfg(target_endian = "big")]
compile_error!("xorf reads the fingerprints in the byte order of the machine, and the files are little-endian");

/// Fingerprints are read as `u16`, and `include_bytes!` aligns to one byte only.
#[repr(C, align(2))]
struct Aligned<T: ?Sized>(T);

/// 48,743 common passwords; its source and licences are in `policy/README.md`.
static COMMON: &Aligned<[u8]> = &Aligned(*include_bytes!("common.filter"));

/// A list of passwords that ignores case.
pub(super) struct PasswordFilter<'a>(BinaryFuse16Ref<'a>);

impl<'a> PasswordFilter<'a> {
    /// Opens a filter. Returns `None` if `file` is damaged or not a filter, or if its address is odd.
    pub(super) fn open(file: &'a [u8]) -> Option<Self> {
        let (descriptor, fingerprints) = file.split_at_checked(DESCRIPTOR)?;
        // xorf panics if the fingerprints are not aligned.
        let is_sound = size(&read_descriptor(descriptor)?) == u64::try_from(fingerprints.len()).ok()
            && fingerprints.as_ptr().align_offset(BinaryFuse16Ref::FINGERPRINT_ALIGNMENT) == 0;
        is_sound.then(|| Self(BinaryFuse16Ref::from_dma(descriptor, fingerprints)))
    }

    /// Whether the list (probably) contains the password.
    pub(super) fn contains(&self, password: &Password) -> bool {
        self.0.contains(&lowercase_key(password))
    }
}

impl PasswordFilter<'static> {
    /// The embedded list of common passwords.
    pub(super) fn common() -> Option<Self> {
        Self::open(&COMMON.0)
    }
}

/// Number of bytes of a descriptor.
pub(super) const DESCRIPTOR: usize = BinaryFuse16::DESCRIPTOR_LEN;

/// Reads a descriptor. `None` if there are too few bytes.
pub(super) fn read_descriptor(bytes: &[u8]) -> Option<Descriptor> {
    let field = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    Some(Descriptor {
        seed: u64::from_le_bytes(*bytes.first_chunk()?),
        segment_length: field(8)?,
        segment_length_mask: field(12)?,
        segment_count_length: field(16)?,
    })
}

/// Number of bytes of the fingerprints that belong to a descriptor. `None` if its numbers make no filter: xorf indexes
/// by them without a check.
pub(super) fn size(descriptor: &Descriptor) -> Option<u64> {
    let [segment, mask, starts] =
        [descriptor.segment_length, descriptor.segment_length_mask, descriptor.segment_count_length].map(u64::from);
    let is_sound = segment.is_power_of_two() && mask == segment - 1 && starts > 0 && starts % segment == 0;
    is_sound.then_some(2 * (starts + 2 * segment))
}

/// The key of a password in a list that ignores case: the first 8 bytes of the SHA-256 of its lowercase form.
pub(super) fn lowercase_key(password: &Password) -> u64 {
    let lowercase = collect(password.expose().chars().flat_map(char::to_lowercase));
    let hash = digest::digest(&digest::SHA256, lowercase.as_bytes());
    hash.as_ref().first_chunk().copied().map(u64::from_le_bytes).unwrap_or_default()
}
