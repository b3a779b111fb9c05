//! The manifest of trusted documents, as the tools of frontends write it: one JSON object from ids to documents (Relay,
//! GraphQL Code Generator) or Apollo's list of operations. An id is the SHA-256 of its document, and is checked, so that
//! nobody can have another document run under an id that was reviewed. Whether a document is GraphQL is not known here.

use std::{collections::BTreeMap, path::Path};

use aws_lc_rs::digest;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use crate::files;

/// More than any frontend has, and little enough to be read at every start.
const LARGEST: u64 = 32 * 1024 * 1024;

/// SHA-256 of a document's text.
pub type DocumentId = [u8; 32];

/// The documents that a server runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    texts: BTreeMap<DocumentId, String>,
}

impl Manifest {
    /// Reads a manifest, or says what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&files::read_named(path, LARGEST)?)
    }

    fn parse(json: &[u8]) -> Result<Self, String> {
        let Listed(listed) = serde_json::from_slice(json)
            .map_err(|error| format!("names a file that is no manifest of documents (line {})", error.line()))?;
        let mut texts = BTreeMap::new();
        for (id, text) in listed {
            let digest = document_id(&text);
            if parse_id(&id) != Some(digest) {
                return Err(format!("has an id that is not the SHA-256 of its document, `{}`", shortened(&id)));
            }
            texts.insert(digest, text);
        }
        if texts.is_empty() {
            return Err("names a manifest without documents".to_owned());
        }
        Ok(Self { texts })
    }

    /// Every document with its id.
    pub fn iter(&self) -> impl Iterator<Item = (&DocumentId, &str)> {
        self.texts.iter().map(|(id, text)| (id, text.as_str()))
    }
}

/// The id of a document.
pub fn document_id(text: &str) -> DocumentId {
    let mut id = [0; 32];
    id.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    id
}

/// An id as clients write it: 64 hexadecimal digits, after `sha256:` if they follow the specification of GraphQL over
/// HTTP.
pub fn parse_id(text: &str) -> Option<DocumentId> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut id = [0; 32];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(id)
}

/// An id as people read it.
pub fn written(id: &DocumentId) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// What stands in the file may be anything, and is only shown as far as an id could be.
fn shortened(id: &str) -> String {
    id.chars().filter(|&char: &char| char.is_ascii_alphanumeric() || char == ':').take(71).collect()
}

/// Ids and documents in either form of the file.
struct Listed(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Either)
    }
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = Listed;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object from ids to documents, or Apollo's manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        let mut listed = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "operations" => {
                    let operations: Vec<Operation> = map.next_value()?;
                    listed.extend(operations.into_iter().map(|operation| (operation.id, operation.body)));
                }
                "format" if map.next_value::<String>()? != "apollo-persisted-query-manifest" => {
                    return Err(A::Error::custom("another format"));
                }
                "format" => {}
                "version" => drop(map.next_value::<IgnoredAny>()?),
                _ => listed.push((key, map.next_value()?)),
            }
        }
        Ok(Listed(listed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn id(text: &str) -> String {
        written(&document_id(text))
    }

    fn parse(json: &Value) -> Result<Manifest, String> {
        Manifest::parse(json.to_string().as_bytes())
    }

    #[test]
    fn the_manifests_of_relay_code_generator_and_apollo_are_read() {
        let (one, two) = ("query One { me { id } }", "query Two { me { email } }");
        let flat = parse(&json!({ id(one): one, id(two): two })).unwrap();
        assert_eq!(flat.iter().count(), 2);
        let prefixed = |text| format!("sha256:{}", id(text));
        assert_eq!(parse(&json!({ prefixed(one): one, prefixed(two): two })).unwrap(), flat);
        let apollo = json!({
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [
                { "id": id(one), "name": "One", "type": "query", "body": one },
                { "id": id(two).to_uppercase(), "name": "Two", "type": "query", "body": two },
            ],
        });
        assert_eq!(parse(&apollo).unwrap(), flat);
        assert_eq!(id("").as_str(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_id_that_is_not_its_documents_own_is_refused() {
        let text = "query One { me { id } }";
        let another = id("query Two { me { email } }");
        let (prefixed, algorithm) = (format!("sha256:{another}"), format!("sha512:{}", id(text)));
        for id in [another, prefixed, algorithm, "9e107d9d372bb6826bd81d3542a419d6".into(), String::new()] {
            let wrong = parse(&json!({ id: text })).unwrap_err();
            assert!(wrong.contains("not the SHA-256"), "{wrong}");
        }
        let hostile = parse(&json!({ "\u{1b}[2J\n": text })).unwrap_err();
        assert!(!hostile.chars().any(char::is_control), "{hostile:?}");
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for text in ["", "[]", "{}", "null", "{\"a\": 1}", "{\"operations\": {}}", "{\"operations\": []}"] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&json!({ "format": "another", "operations": [] })).is_err());
        let missing = Manifest::read(Path::new("no-such-file")).unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
