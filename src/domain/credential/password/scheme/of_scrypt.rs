//! scrypt.

use scrypt::Params;
use zeroize::Zeroizing;

use super::{
    Effort, Scheme,
    text::{self, Malformed, Result},
};

/// Blocks of 128 bytes that a core mixes in a second.
const SPEED: u64 = 2 * 1_024 * 1_024;

pub(in super::super) struct Scrypt {
    cost: Cost,
    salt: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Parameters of scrypt.
pub(super) struct Cost {
    pub(super) log_n: u32,
    pub(super) r: u32,
    pub(super) p: u32,
}

/// `ln=14,r=8,p=1$SALT$KEY`.
pub(super) fn phc(rest: &str) -> Result<Scheme> {
    let [list, salt, key] = text::fields(rest)?;
    let [log_n, r, p] = text::parameters(list, ["ln", "r", "p"])?;
    let cost = Cost::new(text::number(log_n)?, text::number(r)?, text::number(p)?)?;
    Ok(Scheme::Scrypt(Scrypt { cost, salt: text::salt(salt)?, key: text::key(key)? }))
}

/// `16384$SALT$8$5$KEY`, with a salt in plain text.
pub(super) fn django(rest: &str) -> Result<Scheme> {
    let [n, salt, r, p, key] = text::fields(rest)?;
    let n = text::number(n)?;
    if !n.is_power_of_two() {
        return Err(Malformed("the cost of scrypt is a power of two"));
    }
    let cost = Cost::new(n.ilog2(), text::number(r)?, text::number(p)?)?;
    Ok(Scheme::Scrypt(Scrypt { cost, salt: text::plain_salt(salt.into())?, key: text::key(key)? }))
}

impl Cost {
    pub(super) fn new(log_n: u32, r: u32, p: u32) -> Result<Self> {
        let fits = (1..=31).contains(&log_n) && (1..=1 << 16).contains(&r) && (1..=1 << 12).contains(&p);
        if fits { Ok(Self { log_n, r, p }) } else { Err(Malformed("scrypt does not exist with these parameters")) }
    }

    /// Derives a key. `false` if these parameters have none.
    pub(super) fn derive(&self, password: &[u8], salt: &[u8], key: &mut [u8]) -> bool {
        let params = u8::try_from(self.log_n).ok().and_then(|log_n| Params::new(log_n, self.r, self.p).ok());
        params.is_some_and(|params| scrypt::scrypt(password, salt, &params, key).is_ok())
    }

    pub(super) fn effort(&self) -> Effort {
        let blocks = u64::from(self.r) << self.log_n;
        // The second part is small unless it is hostile, and would refuse what needs 64 MiB otherwise.
        let mebibytes = (u64::from(self.r) * u64::from(self.p)).saturating_mul(128) >> 20;
        let memory = blocks.saturating_mul(128).saturating_add(mebibytes << 20);
        Effort::new(memory, blocks.saturating_mul(u64::from(self.p)), SPEED)
    }
}

impl Scrypt {
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new(vec![0; self.key.len()]);
        self.cost.derive(password, &self.salt, &mut key) && text::is_equal(&key, &self.key)
    }

    pub(super) fn effort(&self) -> Effort {
        self.cost.effort()
    }
}
