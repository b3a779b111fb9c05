//! Limits the memory for the arguments of an operation. A document can use one variable hundreds of times, and each use
//! copies the value. Memory for a copy is reserved before the value is copied.

use async_graphql::Value;

use super::Refused;

/// Maximum size of all arguments of an operation, in bytes. A body of 16 KiB needs much less, unless it copies
/// variables.
const LIMIT: usize = 1024 * 1024;
/// Size of a value without its heap memory.
pub(super) const VALUE: usize = size_of::<Value>();
/// Size of an object entry in bytes, without its value and the text of its name: a bucket, an index and a shared name.
/// A map allocates space for four entries at once, so this is the size of the first entry.
const ENTRY: usize = 448;

/// The number of bytes that are left for the arguments of an operation.
pub(super) struct MemoryBudget(usize);

impl Default for MemoryBudget {
    fn default() -> Self {
        Self::with(0)
    }
}

impl MemoryBudget {
    /// The usual budget and some more, for a large body.
    pub(super) fn with(more: usize) -> Self {
        Self(LIMIT.saturating_add(more))
    }

    /// Reserves memory. Fails, which refuses the operation, if too little is left.
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), Refused> {
        let Some(left) = self.0.checked_sub(bytes) else {
            let message = "Arguments can use at most 1 MiB of memory, counting a copy for each use of a variable.";
            return Err(Refused::too_large(message));
        };
        self.0 = left;
        Ok(())
    }
}

/// Returns the size of an object entry in bytes, without its value.
pub(super) fn entry(name: &str) -> usize {
    name.len().saturating_add(ENTRY)
}

/// Returns the size of a value in bytes, including its heap memory.
pub(super) fn size(value: &Value) -> usize {
    let more = match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| entry(name).saturating_add(size(value))).sum(),
        _ => 0,
    };
    more.saturating_add(VALUE)
}
