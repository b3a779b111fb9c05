//! A GraphQL request (a call), from an HTTP body or a WebSocket message. Variables stay raw JSON until the document is
//! validated, because parsed values can take a hundred times as much memory.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::settings::{DocumentId, document_id};

pub(crate) struct Call {
    pub document: DocumentRef,
    pub operation_name: Option<String>,
    /// A JSON object.
    pub variables: Option<Box<RawValue>>,
}

/// How a call identifies its document.
pub(crate) enum DocumentRef {
    Text(String),
    Id(String),
    /// Text and ID of the document. A client that uses automatic persisted queries sends both to register a document.
    Both {
        text: String,
        id: String,
    },
}

/// The members of the JSON object in a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    extensions: Option<&'a RawValue>,
}

/// The request extensions. Only Apollo's `persistedQuery` is supported.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: PersistedQuery,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    sha256_hash: String,
}

/// Maximum length of few variables.
const FEW_VARIABLES: usize = 2 * 1024;

impl DocumentRef {
    /// The id of the document, if the call has its text.
    pub(super) fn text_id(&self) -> Option<DocumentId> {
        match self {
            Self::Text(text) => Some(document_id(text)),
            Self::Id(_) | Self::Both { .. } => None,
        }
    }
}

impl Call {
    pub(super) fn has_few_variables(&self) -> bool {
        self.variables.as_deref().is_none_or(|variables| variables.get().len() <= FEW_VARIABLES)
    }

    /// Parses a JSON object. Returns `None` if it is not a valid call.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        // serde also accepts an array for a struct, but the API does not.
        let is_object = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let members: Members<'_> = is_object.then(|| serde_json::from_slice(json).ok()).flatten()?;
        if [members.variables, members.extensions].iter().flatten().any(|raw| !raw.get().starts_with('{')) {
            return None;
        }
        let hash =
            || Some(serde_json::from_str::<Extensions>(members.extensions?.get()).ok()?.persisted_query.sha256_hash);
        let document = match (members.query, members.document_id.or_else(hash)) {
            (Some(text), None) => DocumentRef::Text(text),
            (Some(text), Some(id)) => DocumentRef::Both { text, id },
            (None, Some(id)) => DocumentRef::Id(id),
            (None, None) => return None,
        };
        let variables = members.variables.map(RawValue::to_owned);
        Some(Self { document, operation_name: members.operation_name, variables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If the objects in this body were parsed, they would take a megabyte.
    #[test]
    fn a_call_that_waits_takes_less_than_twice_the_memory_of_its_body() {
        let objects = vec![r#"{"":0}"#; 2_300].join(",");
        for member in ["variables", "extensions"] {
            let body = format!(r#"{{"query":"{{ __typename }}","{member}":{{"a":[{objects}]}}}}"#);
            let mut call = None;
            let taken = allocation_counter::measure(|| call = Call::read(body.as_bytes()));
            assert!(call.is_some());
            assert!(taken.bytes_max < 2 * body.len() as u64, "{member}: {} bytes", taken.bytes_max);
        }
    }
}
