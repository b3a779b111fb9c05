//! Firebase's scrypt: the derived key encrypts the signer key of the project, and the result is the hash. The notation
//! carries the parameters of the project: `n=14,r=8,p=1,ss=SEPARATOR,sk=SIGNER$SALT$HASH`.

use aws_lc_rs::{
    cipher::{AES_256, AES_CTR_IV_LEN, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use zeroize::Zeroizing;

use super::{
    Effort, Scheme,
    of_scrypt::Cost,
    text::{self, Malformed, Result},
};

const KEY: usize = 32;

pub(in super::super) struct Firebase {
    cost: Cost,
    /// Of the user, then the separator of the project.
    salt: Vec<u8>,
    signer_key: Zeroizing<Vec<u8>>,
    hash: Zeroizing<Vec<u8>>,
}

pub(super) fn read(rest: &str) -> Result<Scheme> {
    let [list, salt, hash] = text::fields(rest)?;
    let [log_n, r, p, separator, signer_key] = text::parameters(list, ["n", "r", "p", "ss", "sk"])?;
    let cost = Cost::new(text::number(log_n)?, text::number(r)?, text::number(p)?)?;
    let salt = text::plain_salt([text::salt(salt)?, text::base64(separator)?].concat())?;
    let (signer_key, hash) = (text::key(signer_key)?, text::key(hash)?);
    if signer_key.len() != hash.len() {
        return Err(Malformed("its hash is not as long as the signer key of the project"));
    }
    Ok(Scheme::Firebase(Firebase { cost, salt, signer_key, hash }))
}

impl Firebase {
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new([0; KEY]);
        if !self.cost.derive(password, &self.salt, &mut *key) {
            return false;
        }
        let mut text = self.signer_key.clone();
        encrypt(&*key, &mut text).is_some() && text::is_equal(&text, &self.hash)
    }

    pub(super) fn effort(&self) -> Effort {
        self.cost.effort()
    }
}

/// AES-256 in counter mode from zero, as Firebase does. Each key encrypts one text only.
fn encrypt(key: &[u8], text: &mut [u8]) -> Option<()> {
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let start = EncryptionContext::Iv128(FixedLength::from([0; AES_CTR_IV_LEN]));
    key.less_safe_encrypt(text, start).ok().map(drop)
}
