//! The manifest of trusted documents, as frontend tools write it: a JSON object from ids to documents (Relay, GraphQL
//! Code Generator) or Apollo's list of operations. Checks that each id is the SHA-256 of its document, so that a
//! reviewed id cannot run another document. Does not parse the documents.

use std::{collections::BTreeMap, path::Path};

use aws_lc_rs::digest;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use crate::files;

const MAX_BYTES: u64 = 32 * 1024 * 1024;

/// SHA-256 of a document's text.
pub type DocumentId = [u8; 32];

/// Trusted documents by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    texts: BTreeMap<DocumentId, String>,
}

impl Manifest {
    /// Reads a manifest file.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence that starts with its setting.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::parse(&files::read_named(path, MAX_BYTES)?)
    }

    fn parse(json: &[u8]) -> Result<Self, String> {
        let Entries(entries) = serde_json::from_slice(json)
            .map_err(|error| format!("names a file that is not a manifest of documents (line {})", error.line()))?;
        let mut texts = BTreeMap::new();
        for (id, text) in entries {
            let digest = document_id(&text);
            if parse_id(&id) != Some(digest) {
                return Err(format!("has an id that is not the SHA-256 of its document: `{}`", printable_id(&id)));
            }
            texts.insert(digest, text);
        }
        if texts.is_empty() {
            return Err("names a manifest with no documents".to_owned());
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

/// Parses an id: 64 hexadecimal digits, optionally after `sha256:` as the GraphQL over HTTP specification writes it.
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

/// An id as hexadecimal digits.
pub fn written(id: &DocumentId) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// An id that is safe to show: only characters of an id, cut to the length of one.
fn printable_id(id: &str) -> String {
    id.chars().filter(|&char: &char| char.is_ascii_alphanumeric() || char == ':').take(71).collect()
}

/// Ids and documents, from either file format.
struct Entries(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

#[derive(Deserialize)]
struct Operation {
    id: String,
    body: String,
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object from ids to documents, or Apollo's manifest")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "operations" => {
                    let operations: Vec<Operation> = map.next_value()?;
                    entries.extend(operations.into_iter().map(|operation| (operation.id, operation.body)));
                }
                "format" if map.next_value::<String>()? != "apollo-persisted-query-manifest" => {
                    return Err(A::Error::custom("unknown format"));
                }
                "format" => {}
                "version" => drop(map.next_value::<IgnoredAny>()?),
                _ => entries.push((key, map.next_value()?)),
            }
        }
        Ok(Entries(entries))
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
    fn reads_manifests_of_relay_code_generator_and_apollo() {
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
    fn an_id_that_does_not_match_its_document_is_refused() {
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
    fn other_files_are_refused() {
        for text in ["", "[]", "{}", "null", "{\"a\": 1}", "{\"operations\": {}}", "{\"operations\": []}"] {
            assert!(Manifest::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&json!({ "format": "another", "operations": [] })).is_err());
        let missing = Manifest::read(Path::new("no-such-file")).unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
