//! The text of an API key: `dc_`, the id and `_`, then a secret and a checksum, all in hexadecimal. The checksum lets
//! secret scanners and this server recognise a key without asking a database.

use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    domain::vault::{self, Digest},
    ports::Entropy,
};

/// How every API key begins.
pub const PREFIX: &str = "dc_";
const SECRET_BYTES: usize = 32;
/// Length of the checksum: the first four bytes of a SHA-256.
const CHECKSUM: usize = 8;
/// Length of the text before the secret.
const START: usize = PREFIX.len() + uuid::fmt::Simple::LENGTH + 1;
const LENGTH: usize = START + 2 * SECRET_BYTES + CHECKSUM;

/// The public part of a key, which names it.
pub fn prefix(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}

/// The id in the public part of a key. `None` for anything else, such as a whole key.
pub fn id_of(prefix: &str) -> Option<Uuid> {
    let id = prefix.strip_prefix(PREFIX).filter(|id| id.len() == uuid::fmt::Simple::LENGTH)?;
    Uuid::try_parse(id).ok()
}

/// Creates the text of a key, and its hash for the table.
pub(super) fn generate(entropy: &dyn Entropy, id: Uuid) -> (SecretString, Digest) {
    let secret = vault::random::<SECRET_BYTES>(entropy);
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    text.push_str(&prefix(id));
    text.push('_');
    push_hex(&mut text, &*secret);
    let checksum = checksum(&text);
    text.push_str(&checksum);
    let hash = vault::sha256(text.as_bytes());
    (SecretString::from(text.as_str()), hash)
}

fn checksum(body: &str) -> String {
    let mut text = String::with_capacity(CHECKSUM);
    push_hex(&mut text, &vault::sha256_bytes(body.as_bytes())[..CHECKSUM / 2]);
    text
}

/// Without a buffer of its own, in which a secret would stay.
fn push_hex(text: &mut String, bytes: &[u8]) {
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        text.extend(char::from_digit(digit.into(), 16));
    }
}

/// A well-formed key that a client presented. It may still be wrong.
#[derive(Clone, Debug)]
pub struct Presented {
    id: Uuid,
    hash: Digest,
}

impl Presented {
    /// Reads a key. `None` if its form or its checksum is wrong. There is one spelling of each key.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let rest = text.strip_prefix(PREFIX).filter(|_| text.len() == LENGTH)?;
        let (id, secret) = rest.split_once('_').filter(|(id, secret)| is_hex(id) && is_hex(secret))?;
        let id = Uuid::try_parse(id).ok().filter(|_| id.len() == uuid::fmt::Simple::LENGTH)?;
        let (body, sum) = text.split_at_checked(LENGTH - CHECKSUM).filter(|_| secret.len() == LENGTH - START)?;
        // The checksum is no secret: it can be computed from what was presented.
        (checksum(body) == sum).then(|| Self { id, hash: vault::sha256(text.as_bytes()) })
    }

    /// The id in the key.
    pub fn id(&self) -> Uuid {
        self.id
    }

    pub(super) fn hash(&self) -> &Digest {
        &self.hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::try_from(at % 256).unwrap());
        }
    }

    fn key() -> String {
        generate(&Counting, Uuid::from_u128(7)).0.expose_secret().to_owned()
    }

    fn parse(text: &str) -> Option<Presented> {
        Presented::parse(&SecretString::from(text))
    }

    #[test]
    fn a_key_is_read_back_with_its_id_and_its_hash() {
        let (key, hash) = generate(&Counting, Uuid::from_u128(7));
        let presented = Presented::parse(&key).unwrap();
        assert_eq!(presented.id(), Uuid::from_u128(7));
        assert!(*presented.hash() == hash);
        assert_eq!(key.expose_secret().len(), 108);
        assert_eq!(id_of(&prefix(presented.id())), Some(presented.id()));
        assert_eq!(id_of(key.expose_secret()), None);
        assert!(key.expose_secret().starts_with("dc_00000000000000000000000000000007_000102"));
    }

    #[test]
    fn a_key_with_any_character_changed_is_refused() {
        let key = key();
        for at in 0..key.len() {
            for other in ["0", "1", "f", "F", "_", "é", " ", ""] {
                let changed = format!("{}{other}{}", &key[..at], &key[at + 1..]);
                assert!(changed == key || parse(&changed).is_none(), "{changed}");
            }
        }
    }

    #[test]
    fn a_key_in_another_spelling_is_refused() {
        let key = key();
        let id = &key[3..35];
        let hyphens = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
        for text in [
            key.to_uppercase(),
            key.replacen("dc_", "", 1),
            key.replace(id, &hyphens),
            format!("{key}0"),
            format!(" {key}"),
            String::new(),
            "dc_".into(),
            "dc__".into(),
        ] {
            assert!(parse(&text).is_none(), "{text}");
        }
    }
}
