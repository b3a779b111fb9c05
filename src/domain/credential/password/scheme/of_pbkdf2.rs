//! PBKDF2 with SHA-1, SHA-256 and SHA-512.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::{
    Effort, Scheme,
    text::{self, Malformed, Result},
};

/// Iterations that a core does in a second, with the slowest of the three.
const SPEED: u64 = 1_300_000;
const MEMORY: u64 = 1_024;

pub(in super::super) struct Pbkdf2 {
    hash: Hash,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

pub(super) fn sha1(rest: &str) -> Result<Scheme> {
    modular(Hash::Sha1, rest)
}

pub(super) fn sha256(rest: &str) -> Result<Scheme> {
    modular(Hash::Sha256, rest)
}

pub(super) fn sha512(rest: &str) -> Result<Scheme> {
    modular(Hash::Sha512, rest)
}

pub(super) fn django_sha1(rest: &str) -> Result<Scheme> {
    django(Hash::Sha1, rest)
}

pub(super) fn django_sha256(rest: &str) -> Result<Scheme> {
    django(Hash::Sha256, rest)
}

/// passlib's `29000$SALT$KEY`, or `i=600000$SALT$KEY` as in PHC, with an optional length such as `,l=32`.
fn modular(hash: Hash, rest: &str) -> Result<Scheme> {
    let [list, salt, key] = text::fields(rest)?;
    let (salt, key) = (text::salt(salt)?, text::key(key)?);
    let iterations = match list.strip_prefix("i=") {
        None => list,
        Some(list) => match list.split_once(",l=") {
            None => list,
            Some((_, length)) if text::number(length)? as usize != key.len() => {
                return Err(Malformed("its length is not that of its last part"));
            }
            Some((iterations, _)) => iterations,
        },
    };
    new(hash, iterations, salt, key)
}

/// `1000000$SALT$KEY`, with a salt in plain text.
fn django(hash: Hash, rest: &str) -> Result<Scheme> {
    let [iterations, salt, key] = text::fields(rest)?;
    new(hash, iterations, text::plain_salt(salt.into())?, text::key(key)?)
}

fn new(hash: Hash, iterations: &str, salt: Vec<u8>, key: Zeroizing<Vec<u8>>) -> Result<Scheme> {
    let iterations = NonZeroU32::new(text::number(iterations)?).ok_or(Malformed("PBKDF2 needs iterations"))?;
    Ok(Scheme::Pbkdf2(Pbkdf2 { hash, iterations, salt, key }))
}

impl Pbkdf2 {
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let algorithm = match self.hash {
            Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        };
        pbkdf2::verify(algorithm, self.iterations, &self.salt, password, &self.key).is_ok()
    }

    pub(super) fn effort(&self) -> Effort {
        let block = match self.hash {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha512 => 64,
        };
        let blocks = self.key.len().div_ceil(block) as u64;
        Effort::new(MEMORY, u64::from(self.iterations.get()).saturating_mul(blocks), SPEED)
    }
}
