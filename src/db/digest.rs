//! A hash or HMAC column. Digests are compared in constant time and never printed.

use std::fmt;

use aws_lc_rs::constant_time;
use sea_orm::DeriveValueType;

/// The hash of a code, a handle, a token or an address.
#[derive(Clone, Eq, DeriveValueType)]
pub struct Digest(Vec<u8>);

impl Digest {
    /// Wraps the output of a hash function.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The raw bytes, for storage. Do not compare them; use `==`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

/// Rows need `Debug`; this hides the bytes.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_equal_whole_or_not_at_all_and_print_nothing() {
        let digest = |bytes: &[u8]| Digest::new(bytes);
        assert!(digest(&[1; 32]) == digest(&[1; 32]));
        for other in [&[1; 31][..], &[1; 33], &[], &[2; 32]] {
            assert!(digest(&[1; 32]) != digest(other));
        }
        assert_eq!(format!("{:?}", digest(&[7; 32])), "Digest");
    }
}
