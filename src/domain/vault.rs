//! Everything that depends on the server secret: keyed hashes, sealing, tags. One HKDF label per purpose,
//! so that no key ever serves two; several secrets while they rotate, the newest first. Plain SHA-256 for
//! values that are long and random stands here too. Nothing here prints, stores or compares in variable time.

use aws_lc_rs::{aead, digest, hkdf, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use crate::db::digest::Digest;
use crate::{
    error::{Error, Result},
    ports::Entropy,
};

/// What a derived key is for. The label is part of the key: it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Keyed hashes of one-time codes.
    Code,
    /// Keyed hashes of addresses, in budgets and limits.
    Address,
    /// The tag that tells our refresh tokens from anybody's.
    RefreshTag,
    /// Sealing mail in the outbox.
    Outbox,
    /// Sealing sign-in links.
    Link,
    /// Keyed hashes of their tokens: with another secret alone no link of before works.
    LinkToken,
    /// Sealing the private keys of access tokens.
    SigningKey,
}

impl Purpose {
    const ALL: [Self; 7] =
        [Self::Code, Self::Address, Self::RefreshTag, Self::Outbox, Self::Link, Self::LinkToken, Self::SigningKey];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Code => b"doorcode/1/code",
            Self::Address => b"doorcode/1/address",
            Self::RefreshTag => b"doorcode/1/refresh-tag",
            Self::Outbox => b"doorcode/1/outbox",
            Self::Link => b"doorcode/1/link",
            Self::LinkToken => b"doorcode/1/link-token",
            Self::SigningKey => b"doorcode/1/signing-key",
        }
    }
}

/// The keys of one server secret, by purpose.
struct Keys([hmac::Key; Purpose::ALL.len()]);

impl Keys {
    fn derive(secret: &SecretString) -> Result<Self> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorcode/1").extract(secret.expose_secret().as_bytes());
        let mut keys = Vec::with_capacity(Purpose::ALL.len());
        for purpose in Purpose::ALL {
            let mut key = Zeroizing::new([0; 32]);
            expand(&root, purpose.label(), &mut key)?;
            keys.push(hmac::Key::new(hmac::HMAC_SHA256, &*key));
        }
        keys.try_into().map(Self).map_err(|_| Error::Internal("a key per purpose".into()))
    }

    fn of(&self, purpose: Purpose) -> &hmac::Key {
        &self.0[purpose as usize]
    }
}

/// One keyed hash under every secret.
#[derive(Clone)]
pub struct Macs {
    /// What is written.
    pub newest: Digest,
    /// What rows of before the newest secret have; nothing unless secrets rotate.
    pub older: Vec<Digest>,
}

impl Macs {
    /// All of them, newest first.
    pub fn all(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

/// The server secret at work.
pub struct Vault {
    newest: Keys,
    older: Vec<Keys>,
}

impl Vault {
    /// Derives every key; `secrets` is newest first and never empty.
    pub fn new(secrets: &[SecretString]) -> Result<Self> {
        let (newest, older) =
            secrets.split_first().ok_or_else(|| Error::Internal("there is no server secret".into()))?;
        Ok(Self { newest: Keys::derive(newest)?, older: older.iter().map(Keys::derive).collect::<Result<_>>()? })
    }

    fn all(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// Whether there are older secrets beside the newest.
    pub fn is_rotating(&self) -> bool {
        !self.older.is_empty()
    }

    /// A keyed hash over parts, under the newest secret. Each part goes in with its length, so that no two
    /// lists of parts hash alike.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        Digest::new(mac_under(self.newest.of(purpose), parts))
    }

    /// What limits, the audit trail and the log call an address under the newest secret.
    pub fn address_label(&self, email: &str) -> String {
        label(&self.mac(Purpose::Address, &[email.as_bytes()]))
    }

    /// What the audit trail has called an address under any of the secrets.
    pub fn address_labels(&self, email: &str) -> impl Iterator<Item = String> + use<> {
        let macs = self.macs(Purpose::Address, &[email.as_bytes()]);
        std::iter::once(macs.newest).chain(macs.older).map(|mac| label(&mac))
    }

    /// The same under every secret: what to look for while secrets rotate.
    pub fn macs(&self, purpose: Purpose, parts: &[&[u8]]) -> Macs {
        let older = self.older.iter().map(|keys| Digest::new(mac_under(keys.of(purpose), parts))).collect();
        Macs { newest: self.mac(purpose, parts), older }
    }

    /// Whether `expected` is the keyed hash of the parts under any secret. Looks at all of them.
    pub fn mac_matches(&self, purpose: Purpose, parts: &[&[u8]], expected: &Digest) -> bool {
        self.macs(purpose, parts).all().filter(|own| *own == expected).count() > 0
    }

    /// The first bytes of a keyed hash: a tag that travels with what it is over, in the open.
    pub fn tag<const N: usize>(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; N] {
        cut(&mac_under(self.newest.of(purpose), parts))
    }

    /// Whether this is the tag of the parts under any secret. Looks at all of them.
    pub fn tag_matches<const N: usize>(&self, purpose: Purpose, parts: &[&[u8]], tag: [u8; N]) -> bool {
        let tag = Digest::new(tag);
        let own = |keys: &Keys| Digest::new(cut::<N>(&mac_under(keys.of(purpose), parts)));
        self.all().filter(|keys| own(keys) == tag).count() > 0
    }

    /// Seals `plain` under the newest secret, bound to `context`: a sealed value moved elsewhere does not open.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
        seal_under(&row_key(self.newest.of(purpose), context), context, plain, entropy)
    }

    /// Seals anew, under the newest secret, what only an older one opens; nothing when there is no need or no way.
    pub fn reseal(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Option<Vec<u8>>> {
        if !self.is_rotating() || open_under(&row_key(self.newest.of(purpose), context), context, sealed).is_some() {
            return Ok(None);
        }
        self.open(purpose, context, sealed).map(|plain| self.seal(purpose, context, &plain, entropy)).transpose()
    }

    /// Opens what any of the secrets sealed for this purpose and context.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.all().find_map(|keys| open_under(&row_key(keys.of(purpose), context), context, sealed))
    }
}

/// Seals under a key that only the holder of `token` can derive: what is kept for the refresh grace.
pub fn seal_for_holder(token: &[u8], context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let key = holder_key(token)?;
    seal_under(&key, context, plain, entropy)
}

/// Opens what [`seal_for_holder`] sealed, given the same token.
pub fn open_as_holder(token: &[u8], context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = holder_key(token).ok()?;
    open_under(&key, context, sealed)
}

/// SHA-256, for values of 128 random bits or more, which no dictionary holds.
pub fn sha256(value: &[u8]) -> Digest {
    Digest::new(digest::digest(&digest::SHA256, value).as_ref())
}

/// What limits and the audit trail call an address: half of its keyed hash, as text.
pub fn label(key: &Digest) -> String {
    encode(&key.as_bytes()[..16])
}

/// `N` random bytes, wiped when dropped.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy.fill(&mut *bytes);
    bytes
}

/// How tokens and handles are written.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A page's URL with a token behind the `#`, which no server is ever sent. Of its full length from the start, so that no
/// copy stays behind where it grew.
pub fn link(issuer: &str, name: &str, token: &[u8]) -> SecretString {
    let token = Zeroizing::new(encode(token));
    let parts = [issuer, "/#", name, "=", &token];
    let mut url = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        url.push_str(part);
    }
    url.into()
}

/// Reads a token or handle of exactly `N` bytes; anything longer is not even decoded.
pub fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    <[u8; N]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

/// The first bytes of a hash; it has at least as many.
fn cut<const N: usize>(hash: &[u8; 32]) -> [u8; N] {
    const { assert!(N <= 32) };
    std::array::from_fn(|at| hash[at])
}

fn mac_under(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.sign().as_ref());
    out
}

/// A key of its own for each context, so that no nonce can ever repeat under one key in practice.
fn row_key(key: &hmac::Key, context: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(mac_under(key, &[b"row", context]))
}

fn holder_key(token: &[u8]) -> Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doorcode/1").extract(token);
    expand(&root, b"doorcode/1/refresh-successor", &mut key)?;
    Ok(key)
}

fn expand(root: &hkdf::Prk, label: &[u8], out: &mut [u8; 32]) -> Result<()> {
    root.expand(&[label], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out))
        .map_err(|_| Error::Internal("key derivation failed".into()))
}

fn cipher(key: &[u8; 32]) -> Result<aead::LessSafeKey> {
    aead::UnboundKey::new(&aead::AES_256_GCM, key)
        .map(aead::LessSafeKey::new)
        .map_err(|_| Error::Internal("the cipher refused its key".into()))
}

fn seal_under(key: &[u8; 32], context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let nonce = *random::<{ aead::NONCE_LEN }>(entropy);
    let mut sealed = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(context), &mut sealed)
        .map_err(|_| Error::Internal("sealing failed".into()))?;
    sealed.splice(0..0, nonce);
    Ok(sealed)
}

fn open_under(key: &[u8; 32], context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_first_chunk::<{ aead::NONCE_LEN }>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = cipher(key)
        .ok()?
        .open_in_place(aead::Nonce::assume_unique_for_key(*nonce), aead::Aad::from(context), &mut plain)
        .ok()?
        .len();
    plain.truncate(length);
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter;
    impl Entropy for Counter {
        fn fill(&self, buffer: &mut [u8]) {
            for (value, byte) in (7u8..).zip(buffer) {
                *byte = value;
            }
        }
    }

    fn vault(secrets: &[&str]) -> Vault {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(secret.repeat(8))).collect();
        Vault::new(&secrets).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_context_and_for_its_purpose() {
        let vault = vault(&["abcd"]);
        let sealed = vault.seal(Purpose::Outbox, b"row 1", b"12345678", &Counter).unwrap();
        assert!(!sealed.windows(8).any(|window| window == b"12345678"));
        assert_eq!(vault.open(Purpose::Outbox, b"row 1", &sealed).unwrap().as_slice(), b"12345678");
        assert!(vault.open(Purpose::Outbox, b"row 2", &sealed).is_none());
        assert!(vault.open(Purpose::Link, b"row 1", &sealed).is_none());
        assert!(vault.open(Purpose::Outbox, b"row 1", &sealed[..sealed.len() - 1]).is_none());
        assert!(vault.open(Purpose::Outbox, b"row 1", b"short").is_none());
    }

    #[test]
    fn an_older_secret_still_opens_and_matches_while_a_foreign_one_does_not() {
        let old = vault(&["old1"]);
        let sealed = old.seal(Purpose::SigningKey, b"k", b"key", &Counter).unwrap();
        let hash = old.mac(Purpose::Code, &[b"a", b"b"]);
        let rotated = vault(&["new1", "old1"]);
        assert!(rotated.open(Purpose::SigningKey, b"k", &sealed).is_some());
        assert!(rotated.mac_matches(Purpose::Code, &[b"a", b"b"], &hash));
        let foreign = vault(&["new1"]);
        assert!(foreign.open(Purpose::SigningKey, b"k", &sealed).is_none());
        assert!(!foreign.mac_matches(Purpose::Code, &[b"a", b"b"], &hash));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let vault = vault(&["abcd"]);
        assert_ne!(vault.mac(Purpose::Code, &[b"ab", b"c"]), vault.mac(Purpose::Code, &[b"a", b"bc"]));
    }

    #[test]
    fn tokens_of_another_length_are_not_decoded() {
        let text = encode(&[1; 16]);
        assert_eq!(*decode::<16>(&text).unwrap(), [1; 16]);
        assert!(decode::<16>(&format!("{text}A")).is_none());
        assert!(decode::<16>("").is_none());
        assert!(decode::<16>(&"é".repeat(11)).is_none());
    }
}
