//! Cryptography with the server secret: keyed hashes, encryption ("sealing") and tags. Each purpose has a separate HKDF
//! label, so no key serves two purposes. During rotation there are several secrets, newest first. Also holds plain
//! SHA-256 for long random values. All comparisons are constant-time.

use aws_lc_rs::{aead, digest, hkdf, hmac};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

pub use crate::db::digest::Digest;
use crate::{
    error::{Error, Result},
    ports::Entropy,
};

/// What a derived key is for. Labels must never change, because the keys are derived from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Keyed hashes of one-time codes.
    Code,
    /// Keyed hashes of email addresses in budgets and rate limits.
    Address,
    /// Tags that prove that we issued a refresh token.
    RefreshTag,
    /// Encryption of mail in the outbox.
    Outbox,
    /// Encryption of sign-in links.
    Link,
    /// Keyed hashes of link tokens, so that replacing the secret invalidates every link.
    LinkToken,
    /// Encryption of the private keys that sign access tokens.
    SigningKey,
    /// Seals password hashes.
    Password,
    /// Seals what registrations leave until they are complete.
    Registration,
    /// Tags that prove that we issued a link to disown a session.
    Disown,
}

impl Purpose {
    const ALL: [Self; 10] = [
        Self::Code,
        Self::Address,
        Self::RefreshTag,
        Self::Outbox,
        Self::Link,
        Self::LinkToken,
        Self::SigningKey,
        Self::Password,
        Self::Registration,
        Self::Disown,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::Code => b"doorcode/1/code",
            Self::Address => b"doorcode/1/address",
            Self::RefreshTag => b"doorcode/1/refresh-tag",
            Self::Outbox => b"doorcode/1/outbox",
            Self::Link => b"doorcode/1/link",
            Self::LinkToken => b"doorcode/1/link-token",
            Self::SigningKey => b"doorcode/1/signing-key",
            Self::Password => b"doorcode/1/password",
            Self::Registration => b"doorcode/1/registration",
            Self::Disown => b"doorcode/1/disown",
        }
    }
}

/// The keys derived from one server secret, by purpose.
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
        keys.try_into()
            .map(Self)
            .map_err(|_| Error::Internal("key derivation did not yield one key per purpose".into()))
    }

    fn of(&self, purpose: Purpose) -> &hmac::Key {
        &self.0[purpose as usize]
    }
}

/// The keyed hashes of one value under every secret.
#[derive(Clone)]
pub struct Macs {
    /// The hash under the newest secret: the one to store.
    pub newest: Digest,
    /// The hashes that older rows may have; empty unless secrets are rotating.
    pub older: Vec<Digest>,
}

impl Macs {
    /// All hashes, newest first.
    pub fn all(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

/// Hashes and encrypts with keys derived from the server secrets.
pub struct Vault {
    newest: Keys,
    older: Vec<Keys>,
}

impl Vault {
    /// Derives every key. `secrets` is ordered newest first and must not be empty.
    pub fn new(secrets: &[SecretString]) -> Result<Self> {
        let (newest, older) =
            secrets.split_first().ok_or_else(|| Error::Internal("there is no server secret".into()))?;
        Ok(Self { newest: Keys::derive(newest)?, older: older.iter().map(Keys::derive).collect::<Result<_>>()? })
    }

    fn all(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.newest).chain(&self.older)
    }

    /// Whether there are older secrets besides the newest.
    pub fn is_rotating(&self) -> bool {
        !self.older.is_empty()
    }

    /// Computes a keyed hash over `parts` under the newest secret. It covers the length of each part, so that bytes
    /// cannot move from one part to the next.
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> Digest {
        Digest::new(mac_under(self.newest.of(purpose), parts))
    }

    /// The pseudonym of an email address in rate limits, the audit trail and logs, under the newest secret.
    pub fn address_label(&self, email: &str) -> String {
        label(&self.mac(Purpose::Address, &[email.as_bytes()]))
    }

    /// The pseudonyms of an email address under every secret.
    pub fn address_labels(&self, email: &str) -> impl Iterator<Item = String> + use<> {
        let macs = self.macs(Purpose::Address, &[email.as_bytes()]);
        std::iter::once(macs.newest).chain(macs.older).map(|mac| label(&mac))
    }

    /// Computes [`Self::mac`] under every secret, for lookups while secrets are rotating.
    pub fn macs(&self, purpose: Purpose, parts: &[&[u8]]) -> Macs {
        let older = self.older.iter().map(|keys| Digest::new(mac_under(keys.of(purpose), parts))).collect();
        Macs { newest: self.mac(purpose, parts), older }
    }

    /// Whether `expected` is the keyed hash of the parts under any secret. Always compares all of them.
    pub fn mac_matches(&self, purpose: Purpose, parts: &[&[u8]], expected: &Digest) -> bool {
        self.macs(purpose, parts).all().filter(|own| *own == expected).count() > 0
    }

    /// Computes a tag: the first bytes of a keyed hash, sent in the clear with the data it covers.
    pub fn tag<const N: usize>(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; N] {
        cut(&mac_under(self.newest.of(purpose), parts))
    }

    /// Whether `tag` is the tag of the parts under any secret. Always compares all of them.
    pub fn tag_matches<const N: usize>(&self, purpose: Purpose, parts: &[&[u8]], tag: [u8; N]) -> bool {
        let tag = Digest::new(tag);
        let own = |keys: &Keys| Digest::new(cut::<N>(&mac_under(keys.of(purpose), parts)));
        self.all().filter(|keys| own(keys) == tag).count() > 0
    }

    /// Encrypts `plain` under the newest secret, bound to `context`: it decrypts only with the same context.
    pub fn seal(&self, purpose: Purpose, context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
        seal_under(&row_key(self.newest.of(purpose), context), context, plain, entropy)
    }

    /// Re-encrypts under the newest secret a value that only an older one decrypts. Returns `None` if the newest
    /// already decrypts it or if no secret does.
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

    /// Decrypts a value that any of the secrets encrypted for this purpose and context.
    pub fn open(&self, purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.all().find_map(|keys| open_under(&row_key(keys.of(purpose), context), context, sealed))
    }
}

/// Encrypts under a key derived from `token`, so that only the token's holder can decrypt. Used for the grace period of
/// refresh tokens.
pub fn seal_for_holder(token: &[u8], context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let key = holder_key(token)?;
    seal_under(&key, context, plain, entropy)
}

/// Decrypts the result of [`seal_for_holder`] with the same token.
pub fn open_as_holder(token: &[u8], context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = holder_key(token).ok()?;
    open_under(&key, context, sealed)
}

/// SHA-256, only for values with at least 128 random bits, which cannot be guessed.
pub fn sha256(value: &[u8]) -> Digest {
    Digest::new(sha256_bytes(value))
}

/// The same as bytes, for keys of maps in memory. Not for comparing secrets, which takes constant time.
pub fn sha256_bytes(value: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, value);
    std::array::from_fn(|at| digest.as_ref()[at])
}

/// The pseudonym for a keyed hash in rate limits and the audit trail: its first half as text.
pub fn label(key: &Digest) -> String {
    encode(&key.as_bytes()[..16])
}

/// `N` random bytes, wiped when dropped.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy.fill(&mut *bytes);
    bytes
}

/// Encodes a token or handle as unpadded base64url.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The URL of a page with a token in the fragment, which browsers never send to a server. Allocated at full length,
/// because growing the string would leave copies of the token in memory.
pub fn link(issuer: &str, name: &str, token: &[u8]) -> SecretString {
    let token = Zeroizing::new(encode(token));
    let parts = [issuer, "/#", name, "=", &token];
    let mut url = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        url.push_str(part);
    }
    url.into()
}

/// Decodes a token or handle of exactly `N` bytes. Text of any other length is rejected without decoding.
pub fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    <[u8; N]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}

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

/// Derives a separate key for each context, so that random nonces practically never repeat under one key.
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
        .map_err(|_| Error::Internal("the cipher rejected its key".into()))
}

fn seal_under(key: &[u8; 32], context: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>> {
    let nonce = *random::<{ aead::NONCE_LEN }>(entropy);
    let mut sealed = plain.to_vec();
    cipher(key)?
        .seal_in_place_append_tag(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(context), &mut sealed)
        .map_err(|_| Error::Internal("encryption failed".into()))?;
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
        let unrelated = vault(&["new1"]);
        assert!(unrelated.open(Purpose::SigningKey, b"k", &sealed).is_none());
        assert!(!unrelated.mac_matches(Purpose::Code, &[b"a", b"b"], &hash));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let vault = vault(&["abcd"]);
        assert_ne!(vault.mac(Purpose::Code, &[b"ab", b"c"]), vault.mac(Purpose::Code, &[b"a", b"bc"]));
    }

    #[test]
    fn tokens_of_the_wrong_length_are_rejected() {
        let text = encode(&[1; 16]);
        assert_eq!(*decode::<16>(&text).unwrap(), [1; 16]);
        assert!(decode::<16>(&format!("{text}A")).is_none());
        assert!(decode::<16>("").is_none());
        assert!(decode::<16>(&"é".repeat(11)).is_none());
    }
}
