//! Trusted documents: a server with a manifest runs the operations on it, and those of its own pages, and nothing else.
//! Each is parsed and measured once, at the start, and found by its SHA-256 afterwards, so whoever sends an id alone is
//! spared both. Nothing is ever added while the server runs: what strangers send is not kept.

use std::collections::HashMap;

use async_graphql::parser::types::ExecutableDocument;

use super::{answer::Refusal, guard, pages::operations};
use crate::{
    config::{DocumentId, Manifest, document_id, parse_id, written},
    graphql::error::Code,
};

/// The documents of a server, parsed.
pub(super) struct Trusted(HashMap<DocumentId, ExecutableDocument>);

impl Trusted {
    /// Takes what may run. A document that may not is left out, so that asking for it is refused.
    pub(super) fn new(manifest: &Manifest) -> Self {
        let own: Vec<_> = operations().map(|text| (document_id(text), text)).collect();
        let own = own.iter().map(|(id, text)| (id, *text));
        let mut documents = HashMap::new();
        for (id, text) in manifest.iter().chain(own) {
            match admit(text) {
                Ok(document) => drop(documents.insert(*id, document)),
                Err(refusal) => {
                    let why = refusal.error.message;
                    tracing::error!(id = written(id), why, "a document of the list cannot run");
                }
            }
        }
        Self(documents)
    }

    /// The document of an id.
    pub(super) fn find(&self, id: DocumentId) -> Result<ExecutableDocument, Refusal> {
        self.0.get(&id).cloned().ok_or_else(unlisted)
    }

    /// The document of an id as clients write it.
    pub(super) fn named(&self, id: &str) -> Result<ExecutableDocument, Refusal> {
        parse_id(id).ok_or_else(unlisted).and_then(|id| self.find(id))
    }
}

fn unlisted() -> Refusal {
    Refusal::new(Code::BadRequest, "This server runs the documents on its list and no other.")
}

fn admit(text: &str) -> Result<ExecutableDocument, Refusal> {
    let document = parse(text)?;
    guard::document::survey(&document)?;
    Ok(document)
}

/// Parses a text that both passes of the guard let through, or says why not.
pub fn read_document(text: &str) -> Result<ExecutableDocument, String> {
    admit(text).map_err(|refusal| refusal.error.message)
}

/// Parses a text that the first pass lets through. The second is about the operation that is chosen.
pub(super) fn parse(text: &str) -> Result<ExecutableDocument, Refusal> {
    guard::text::check(text).map_err(|unfit| match unfit {
        guard::text::Unfit::OpenString => Refusal::new(Code::ParseFailed, guard::text::explain(unfit)),
        _ => Refusal::document(guard::text::explain(unfit)),
    })?;
    async_graphql::parser::parse_query(text)
        .map_err(|error| Refusal::new(Code::ParseFailed, format!("This is not GraphQL. {}", position(&error))))
}

/// Where a document stops being GraphQL, without echoing it.
fn position(error: &async_graphql::parser::Error) -> String {
    let first = error.positions().next();
    first.map_or_else(String::new, |at| format!("See line {}, column {}.", at.line, at.column))
}
