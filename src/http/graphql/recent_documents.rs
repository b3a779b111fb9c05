//! Documents that clients sent recently, parsed and validated. Most clients send a few documents again and again, and
//! validating one takes longer than executing it. Only small documents are kept, so that neither the cache nor the
//! preparation of an operation is large. Documents with strings are not kept: such a document is rarely sent again, and
//! a string may be a password.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use crate::{
    graphql::document::Document,
    observability::metrics::{Lookups, Metrics},
    settings::DocumentId,
};

/// Maximum length of all texts together. A parsed document takes up to a hundred times as much memory as its text.
const MAX_TEXT: u64 = 256 * 1024;
/// How many documents to expect. Only a hint for the cache.
const EXPECTED: usize = 500;

#[derive(Clone)]
struct TextLength;

impl Weighter<DocumentId, Arc<Document>> for TextLength {
    fn weight(&self, _: &DocumentId, document: &Arc<Document>) -> u64 {
        document.length() as u64
    }
}

/// A bounded cache, by the SHA-256 hash of the text. Documents that are used least are removed first.
pub(crate) struct RecentDocuments {
    documents: Cache<DocumentId, Arc<Document>, TextLength>,
    lookups: Lookups,
}

impl RecentDocuments {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self { documents: Cache::with_weighter(EXPECTED, MAX_TEXT, TextLength), lookups: metrics.lookups("documents") }
    }

    pub(crate) fn find(&self, id: &DocumentId) -> Option<Arc<Document>> {
        self.lookups.count(self.documents.get(id))
    }

    pub(crate) fn insert(&self, id: DocumentId, document: &Arc<Document>) {
        if document.is_small() && !document.has_strings() {
            self.documents.insert(id, Arc::clone(document));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graphql::{document::Documents, sdl},
        settings::document_id,
    };

    /// Fields with aliases take the most memory for the length of their text.
    fn document(documents: &Documents, number: usize, fields: usize) -> (DocumentId, Arc<Document>) {
        let fields: Vec<_> = (0..fields).map(|field| format!("a{field}:id")).collect();
        let text = format!("{{me{{n{number}:id {}}}}}", fields.join(" "));
        (document_id(&text), Arc::new(documents.read(&text).unwrap()))
    }

    #[test]
    fn documents_take_a_bounded_amount_of_memory_and_large_ones_are_not_kept() {
        let documents = Documents::new(&sdl(false), false);
        let recent = RecentDocuments::new(&Metrics::default());
        let taken = allocation_counter::measure(|| {
            for number in 0..1_000 {
                let (id, document) = document(&documents, number, 150);
                recent.insert(id, &document);
            }
        });
        assert!(recent.documents.weight() <= MAX_TEXT);
        assert!(taken.bytes_current < 32 * 1024 * 1024, "{} bytes", taken.bytes_current);
        let (id, large) = document(&documents, 0, 300);
        recent.insert(id, &large);
        assert!(recent.find(&id).is_none());
    }

    #[test]
    fn a_document_with_a_string_is_not_kept() {
        let documents = Documents::new(&sdl(false), false);
        let recent = RecentDocuments::new(&Metrics::default());
        let login =
            |value: &str| format!("mutation($p:String){{login(input:{{email:{value},password:$p}}){{__typename}}}}");
        for (value, is_kept) in [("\"a@b.c\"", false), ("\"\"\"a@b.c\"\"\"", false), ("$e", true)] {
            let text = login(value).replace("($p", if is_kept { "($e:String!,$p" } else { "($p" });
            let id = document_id(&text);
            recent.insert(id, &Arc::new(documents.read(&text).unwrap()));
            assert_eq!(recent.find(&id).is_some(), is_kept, "{text}");
        }
    }
}
