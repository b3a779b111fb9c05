//! bcrypt, which reads 72 bytes of a password, and two ways to hash longer ones first.

use aws_lc_rs::{digest, hmac};
use base64::{
    Engine,
    alphabet::BCRYPT,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use zeroize::Zeroizing;

use super::{
    Effort, Scheme,
    text::{self, Malformed, Result},
};

/// Rounds that a core does in a second.
const SPEED: u64 = 1 << 14;
const MEMORY: u64 = 8 * 1_024;
/// Length of the salt in text.
const SALT_LENGTH: usize = 22;
/// Number of bytes of a password that bcrypt reads, with the NUL at the end.
const MAX_BYTES: usize = 72;

/// Some libraries leave bits set that belong to no byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

pub(in super::super) struct Bcrypt {
    before: Before,
    cost: u32,
    salt: [u8; 16],
    key: [u8; KEY],
}

/// Of the 24 bytes that bcrypt computes, hashes have 23.
const KEY: usize = 23;

/// What is done with the password before bcrypt sees it.
enum Before {
    Nothing,
    /// SHA-256 in hexadecimal digits.
    Digest,
    /// HMAC-SHA-256 in base64, with the text of the salt as its key.
    Mac(String),
}

pub(super) fn plain(rest: &str) -> Result<Scheme> {
    let (cost, rest) = rest.split_once('$').ok_or(CUT)?;
    read(Before::Nothing, cost, rest)
}

pub(super) fn django(rest: &str) -> Result<Scheme> {
    let (cost, rest) = rest.split_once('$').ok_or(CUT)?;
    read(Before::Digest, cost, rest)
}

pub(super) fn passlib(rest: &str) -> Result<Scheme> {
    let [cost, salt, key] = text::fields(rest)?;
    read(Before::Mac(salt.to_owned()), cost, &format!("{salt}{key}"))
}

const CUT: Malformed = Malformed("a bcrypt hash has two digits of cost and 53 characters");

fn read(before: Before, cost: &str, rest: &str) -> Result<Scheme> {
    let cost = text::number(cost)?;
    if !(4..=31).contains(&cost) {
        return Err(Malformed("bcrypt has a cost from 4 to 31"));
    }
    let (salt, key) = rest.split_at_checked(SALT_LENGTH).ok_or(CUT)?;
    let decode = |text: &str| BASE64.decode(text).map_err(|_| CUT);
    let salt = decode(salt)?.try_into().map_err(|_| CUT)?;
    let key = decode(key)?.try_into().map_err(|_| CUT)?;
    Ok(Scheme::Bcrypt(Bcrypt { before, cost, salt, key }))
}

impl Bcrypt {
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_BYTES));
        match &self.before {
            Before::Nothing => text.extend(&password[..password.len().min(MAX_BYTES)]),
            Before::Digest => {
                let digest = digest::digest(&digest::SHA256, password);
                text.extend(digest.as_ref().iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
            }
            Before::Mac(salt) => {
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()), password);
                text.extend(STANDARD.encode(tag.as_ref()).into_bytes());
            }
        }
        if text.len() < MAX_BYTES {
            text.push(0);
        }
        let key = Zeroizing::new(bcrypt::bcrypt(self.cost, self.salt, &text));
        text::is_equal(&key[..KEY], &self.key)
    }

    pub(super) const fn effort(&self) -> Effort {
        Effort::new(MEMORY, 1 << self.cost, SPEED)
    }
}
