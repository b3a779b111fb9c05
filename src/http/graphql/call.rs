//! A request of GraphQL over HTTP, in a body or in a message on a socket. Its variables stay text until the document says
//! which of them count: as values they take a hundred times the memory.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A request. It has a document, or the id of one that the server knows.
pub(crate) struct Call {
    pub document: Named,
    pub operation_name: Option<String>,
    /// A JSON object.
    pub variables: Option<Box<RawValue>>,
}

/// How a call names its document.
pub(crate) enum Named {
    Text(String),
    Id(String),
    /// Both, as clients send them that hope to make the document known.
    Both {
        text: String,
        id: String,
    },
}

/// What stands in a request's body.
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

/// The one extension that is read: Apollo's clients name a document in their own way.
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

impl Call {
    /// Reads a JSON object; nothing when it is no call.
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        // serde would take an array for a struct; the contract does not.
        let is_object = json.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let members: Members<'_> = is_object.then(|| serde_json::from_slice(json).ok()).flatten()?;
        if [members.variables, members.extensions].iter().flatten().any(|raw| !raw.get().starts_with('{')) {
            return None;
        }
        let hash =
            || Some(serde_json::from_str::<Extensions>(members.extensions?.get()).ok()?.persisted_query.sha256_hash);
        let document = match (members.query, members.document_id.or_else(hash)) {
            (Some(text), None) => Named::Text(text),
            (Some(text), Some(id)) => Named::Both { text, id },
            (None, Some(id)) => Named::Id(id),
            (None, None) => return None,
        };
        let variables = members.variables.map(RawValue::to_owned);
        Some(Self { document, operation_name: members.operation_name, variables })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of this body take a megabyte.
    #[test]
    fn a_call_that_waits_takes_little_more_memory_than_its_bytes() {
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
