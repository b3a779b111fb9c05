//! Trusted documents. A server with a manifest runs only the documents in the manifest and those of the built-in pages.
//! Each document is parsed and validated once, at startup, and is found by its SHA-256 hash. Clients cannot add
//! documents.

use std::{collections::HashMap, sync::Arc};

use crate::{
    graphql::{
        document::{Document, Documents, Refused},
        error::Code,
    },
    http::{pages::operations, response::Refusal},
    settings::{DocumentId, Manifest, document_id, parse_id},
};

/// The trusted documents by ID. For a document that is not valid, the map contains its errors, which callers receive.
pub(crate) struct Trusted(HashMap<DocumentId, Result<Arc<Document>, Refused>>);

impl Trusted {
    /// Parses and validates every document in the manifest and in the built-in pages.
    pub(crate) fn new(manifest: &Manifest, documents: &Documents) -> Self {
        let own: Vec<_> = operations().into_iter().map(|text| (document_id(&text), text)).collect();
        let own = own.iter().map(|(id, text)| (id, text.as_str()));
        let mut trusted = HashMap::new();
        for (id, text) in manifest.iter().chain(own) {
            trusted.insert(*id, documents.read(text).map(Arc::new));
        }
        Self(trusted)
    }

    /// Finds a document by its ID.
    pub(crate) fn find(&self, id: DocumentId) -> Result<Arc<Document>, Refusal> {
        Ok(self.0.get(&id).cloned().ok_or_else(unlisted)??)
    }

    /// Finds a document by the ID that a client sent, which may be malformed.
    pub(crate) fn named(&self, id: &str) -> Result<Arc<Document>, Refusal> {
        parse_id(id).ok_or_else(unlisted).and_then(|id| self.find(id))
    }
}

fn unlisted() -> Refusal {
    Refusal::new(Code::BadRequest, "This server only runs trusted documents, and this is not one of them.")
}
