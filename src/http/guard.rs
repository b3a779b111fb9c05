//! What is refused before a document is parsed, validated or executed, and why each bound is there: a document no
//! larger than a postcard must not take the process down. `text` looks at the raw text in one pass; `document` at the
//! parsed document with its fragments. Neither knows the schema.

pub(super) mod document;
pub(super) mod text;
