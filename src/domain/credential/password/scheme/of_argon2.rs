//! argon2id, which is what we make, and argon2i.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use super::{
    Effort, Scheme,
    text::{self, Malformed, Result},
};

/// KiB that a core fills in a second.
const SPEED: u64 = 1_024 * 1_024;

pub(in super::super) struct Argon {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

pub(super) fn argon2id(rest: &str) -> Result<Scheme> {
    read(Algorithm::Argon2id, rest)
}

pub(super) fn argon2i(rest: &str) -> Result<Scheme> {
    read(Algorithm::Argon2i, rest)
}

/// Hashes without a version are of the version before versions were written.
fn read(algorithm: Algorithm, rest: &str) -> Result<Scheme> {
    let (version, rest) = match rest.strip_prefix("v=").and_then(|rest| rest.split_once('$')) {
        Some(("19", rest)) => (Version::V0x13, rest),
        Some(("16", rest)) => (Version::V0x10, rest),
        Some(_) => return Err(Malformed("argon2 has the versions 16 and 19 only")),
        None => (Version::V0x10, rest),
    };
    let [list, salt, key] = text::fields(rest)?;
    let [memory, passes, lanes] = text::parameters(list, ["m", "t", "p"])?;
    let [memory, passes, lanes] = [text::number(memory)?, text::number(passes)?, text::number(lanes)?];
    let (salt, key) = (text::salt(salt)?, text::key(key)?);
    if salt.len() < argon2::MIN_SALT_LEN {
        return Err(Malformed("argon2 needs a salt of 8 bytes"));
    }
    let params = Params::new(memory, passes, lanes, Some(key.len()));
    let params = params.map_err(|_| Malformed("argon2 does not exist with these parameters"))?;
    Ok(Scheme::Argon(Argon { algorithm, version, params, salt, key }))
}

impl Argon {
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new(vec![0; self.key.len()]);
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        argon2.hash_password_into(password, &self.salt, &mut key).is_ok() && text::is_equal(&key, &self.key)
    }

    pub(super) fn is_ours(&self, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let is_new = matches!((self.algorithm, self.version), (Algorithm::Argon2id, Version::V0x13));
        is_new && cost(&self.params) == cost(params)
    }

    pub(super) fn effort(&self) -> Effort {
        let (memory, passes) = (u64::from(self.params.m_cost()), u64::from(self.params.t_cost()));
        Effort::new(memory.saturating_mul(1_024), memory.saturating_mul(passes), SPEED)
    }
}
