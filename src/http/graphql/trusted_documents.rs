//! Trusted documents: a server with a manifest runs only its operations and those of the built-in pages. Each is
//! parsed and validated once at startup and found by its SHA-256 hash. Nothing is added at run time.

use std::{collections::HashMap, sync::Arc};

use crate::{
    graphql::{
        document::{Document, Documents, Refused},
        error::Code,
    },
    http::{pages::operations, response::Refusal},
    settings::{DocumentId, Manifest, document_id, parse_id},
};

/// The trusted documents by id. One that does not validate is kept with its errors, which are returned to callers.
pub(crate) struct Trusted(HashMap<DocumentId, Result<Arc<Document>, Refused>>);

impl Trusted {
    /// Parses and validates every document of a manifest.
    pub(crate) fn new(manifest: &Manifest, documents: &Documents) -> Self {
        let own: Vec<_> = operations().map(|text| (document_id(text), text)).collect();
        let own = own.iter().map(|(id, text)| (id, *text));
        let mut trusted = HashMap::new();
        for (id, text) in manifest.iter().chain(own) {
            trusted.insert(*id, documents.read(text).map(Arc::new));
        }
        Self(trusted)
    }

    /// Finds a document by id.
    pub(crate) fn find(&self, id: DocumentId) -> Result<Arc<Document>, Refusal> {
        Ok(self.0.get(&id).cloned().ok_or_else(unlisted)??)
    }

    /// Finds a document by the id a client sent.
    pub(crate) fn named(&self, id: &str) -> Result<Arc<Document>, Refusal> {
        parse_id(id).ok_or_else(unlisted).and_then(|id| self.find(id))
    }
}

fn unlisted() -> Refusal {
    Refusal::new(Code::BadRequest, "This server only runs trusted documents, and this is not one of them.")
}
