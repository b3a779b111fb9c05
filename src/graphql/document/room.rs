//! How much memory the values of one operation may take. A variable of a few bytes can stand in a document hundreds of
//! times, and every place gets a copy, so the room for a copy is taken before the copy is made.

use async_graphql::Value;

use super::Refused;

/// Maximum size of all arguments of an operation in memory, in bytes: several times what 16 KiB of text and numbers
/// take.
const MOST: usize = 1024 * 1024;
/// The size of a value without what it points to.
pub(super) const VALUE: usize = size_of::<Value>();
/// What an entry of an object takes beside its value and its text: a bucket, an index and a shared name. A map with one
/// entry has room for four, so this is what a first entry takes.
const ENTRY: usize = 448;

/// What is left of the bytes that the arguments of an operation may take.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Room {
    /// Takes a number of bytes, or refuses the operation.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Refused> {
        let Some(left) = self.0.checked_sub(bytes) else {
            let message =
                "The arguments of an operation take at most 1 MiB of memory, with a copy wherever a variable stands.";
            return Err(Refused::too_large(message));
        };
        self.0 = left;
        Ok(())
    }
}

/// What an entry of an object takes, without its value.
pub(super) fn entry(name: &str) -> usize {
    name.len().saturating_add(ENTRY)
}

/// The size of a value in memory, in bytes.
pub(super) fn size(value: &Value) -> usize {
    let more = match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| entry(name).saturating_add(size(value))).sum(),
        _ => 0,
    };
    more.saturating_add(VALUE)
}
