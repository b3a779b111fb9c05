//! Trusted documents: a server with a manifest runs the operations on it, and those of its own pages, and nothing else.
//! Each is parsed and validated once, at the start, and found by its SHA-256 afterwards. Nothing is added while the server
//! runs, so what strangers send is not kept.

use std::{collections::HashMap, sync::Arc};

use crate::{
    graphql::{
        document::{Document, Documents, Refused},
        error::Code,
    },
    http::{pages::operations, response::Refusal},
    settings::{DocumentId, Manifest, document_id, parse_id},
};

/// The documents of a server, ready to be prepared with variables. One that the schema cannot run is known with its
/// errors, and whoever asks for it gets those.
pub(crate) struct Trusted(HashMap<DocumentId, Result<Arc<Document>, Refused>>);

impl Trusted {
    /// Reads every document of a manifest.
    pub(crate) fn new(manifest: &Manifest, documents: &Documents) -> Self {
        let own: Vec<_> = operations().map(|text| (document_id(text), text)).collect();
        let own = own.iter().map(|(id, text)| (id, *text));
        let mut trusted = HashMap::new();
        for (id, text) in manifest.iter().chain(own) {
            trusted.insert(*id, documents.read(text).map(Arc::new));
        }
        Self(trusted)
    }

    /// The document of an id.
    pub(crate) fn find(&self, id: DocumentId) -> Result<Arc<Document>, Refusal> {
        Ok(self.0.get(&id).cloned().ok_or_else(unlisted)??)
    }

    /// The document of an id as clients write it.
    pub(crate) fn named(&self, id: &str) -> Result<Arc<Document>, Refusal> {
        parse_id(id).ok_or_else(unlisted).and_then(|id| self.find(id))
    }
}

fn unlisted() -> Refusal {
    Refusal::new(Code::BadRequest, "This server runs the documents on its list and no other.")
}
