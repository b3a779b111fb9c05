//! The notations of password hashes: ours, and those of other systems whose users were imported. One row per prefix. A
//! hash is read before it is stored, and once more for each comparison.

mod of_argon2;
mod of_bcrypt;
mod of_firebase;
mod of_pbkdf2;
mod of_scrypt;
mod text;

use std::fmt;

use argon2::Params;

use self::text::Malformed;

/// Maximum length of a hash in bytes.
pub const MAX_LENGTH: usize = 1_024;
/// Maximum memory of one comparison with an imported hash, in bytes.
const MAX_MEMORY: u64 = 64 * 1_024 * 1_024;
/// Maximum time of one comparison with an imported hash, in milliseconds on a core of a small server.
const MAX_TIME: u64 = 1_000;

/// A hash that was read.
pub(super) enum Scheme {
    Argon(of_argon2::Argon),
    Bcrypt(of_bcrypt::Bcrypt),
    Scrypt(of_scrypt::Scrypt),
    Pbkdf2(of_pbkdf2::Pbkdf2),
    Firebase(of_firebase::Firebase),
}

type Read = fn(&str) -> Result<Scheme, Malformed>;

/// Prefixes, and what reads the rest of the hash. The first that fits counts.
const PREFIXES: [(&str, Read); 21] = [
    // argon2, and Django's name in front of it.
    ("$argon2id$", of_argon2::argon2id),
    ("$argon2i$", of_argon2::argon2i),
    ("argon2$argon2id$", of_argon2::argon2id),
    ("argon2$argon2i$", of_argon2::argon2i),
    // bcrypt; then Django and passlib, which hash the password with SHA-256 first.
    ("$2a$", of_bcrypt::plain),
    ("$2b$", of_bcrypt::plain),
    ("$2y$", of_bcrypt::plain),
    ("bcrypt$$2a$", of_bcrypt::plain),
    ("bcrypt$$2b$", of_bcrypt::plain),
    ("bcrypt_sha256$$2a$", of_bcrypt::django),
    ("bcrypt_sha256$$2b$", of_bcrypt::django),
    ("$bcrypt-sha256$v=2,t=2b,r=", of_bcrypt::passlib),
    // scrypt: PHC and passlib; Django; Firebase, in the notation that Supabase uses for it.
    ("$scrypt$", of_scrypt::phc),
    ("scrypt$", of_scrypt::django),
    ("$fbscrypt$v=1,", of_firebase::read),
    // PBKDF2: PHC and passlib, told apart by their parameters; Django.
    ("$pbkdf2-sha256$", of_pbkdf2::sha256),
    ("$pbkdf2-sha512$", of_pbkdf2::sha512),
    ("$pbkdf2-sha1$", of_pbkdf2::sha1),
    ("$pbkdf2$", of_pbkdf2::sha1),
    ("pbkdf2_sha256$", of_pbkdf2::django_sha256),
    ("pbkdf2_sha1$", of_pbkdf2::django_sha1),
];

/// Why a hash cannot be imported.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Its prefix is none that we know.
    Unknown,
    /// It starts with a known prefix, but the rest does not fit.
    Malformed(&'static str),
    /// One comparison needs this much memory, in MiB.
    TooMuchMemory(u64),
    /// One comparison takes about this long, in milliseconds.
    TooSlow(u64),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(
                "is no hash that can be compared: write argon2id, argon2i, bcrypt, scrypt, PBKDF2 or Firebase scrypt in \
                 a notation of docs/operate/moving.md, or leave it out",
            ),
            Self::Malformed(what) => write!(f, "is cut off or changed: {what}"),
            Self::TooMuchMemory(mebibytes) => write!(
                f,
                "needs {mebibytes} MiB to compare, more than the {} MiB allowed: leave it out",
                MAX_MEMORY / 1_024 / 1_024
            ),
            Self::TooSlow(millis) => write!(
                f,
                "takes about {} seconds to compare, more than the second allowed: leave it out",
                millis.div_ceil(1_000)
            ),
        }
    }
}

/// What one comparison takes.
#[derive(Debug)]
struct Effort {
    /// Bytes.
    memory: u64,
    /// Milliseconds on a core of a small server.
    millis: u64,
}

impl Effort {
    /// The effort of some units of work, if a core does `per_second` of them.
    const fn new(memory: u64, work: u64, per_second: u64) -> Self {
        Self { memory, millis: work.saturating_mul(1_000) / per_second }
    }
}

impl Scheme {
    /// Reads a hash.
    pub(super) fn read(hash: &str) -> Result<Self, Unusable> {
        if hash.len() > MAX_LENGTH {
            return Err(Unusable::Malformed("it has more than 1,024 characters"));
        }
        let found = PREFIXES.iter().find_map(|(prefix, read)| Some((read, hash.strip_prefix(prefix)?)));
        let (read, rest) = found.ok_or(Unusable::Unknown)?;
        read(rest).map_err(|Malformed(what)| Unusable::Malformed(what))
    }

    /// Compares a password. The time does not depend on where the hashes differ.
    pub(super) fn matches(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match self {
            Self::Argon(hash) => hash.matches(password),
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Scrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => hash.matches(password),
            Self::Firebase(hash) => hash.matches(password),
        }
    }

    /// Whether it is argon2id with these parameters, as new hashes are.
    pub(super) fn is_ours(&self, params: &Params) -> bool {
        matches!(self, Self::Argon(hash) if hash.is_ours(params))
    }

    fn effort(&self) -> Effort {
        match self {
            Self::Argon(hash) => hash.effort(),
            Self::Bcrypt(hash) => hash.effort(),
            Self::Scrypt(hash) => hash.effort(),
            Self::Pbkdf2(hash) => hash.effort(),
            Self::Firebase(hash) => hash.effort(),
        }
    }
}

/// Checks that a hash of another system can be read and takes at most 64 MiB and a second to compare.
pub(super) fn admit(hash: &str) -> Result<(), Unusable> {
    let Effort { memory, millis } = Scheme::read(hash)?.effort();
    if memory > MAX_MEMORY {
        return Err(Unusable::TooMuchMemory(memory.div_ceil(1_024 * 1_024)));
    }
    if millis > MAX_TIME {
        return Err(Unusable::TooSlow(millis));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
