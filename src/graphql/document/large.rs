//! The mutation of an application that accepts a large body, for example to upload text. Only the strings in its
//! variables may be large: everything outside them is limited like any other body, because parsed values can take a
//! hundred times as much memory as their text.

use apollo_compiler::{ast::OperationType, executable::Operation, executable::Selection};
use serde_json::value::RawValue;

use super::Refused;

/// Maximum size of an ordinary body in bytes.
pub(crate) const BODY: usize = 16 * 1024;

/// A mutation, and the maximum size of its body in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LargeBody {
    pub mutation: &'static str,
    pub bytes: usize,
}

impl LargeBody {
    /// Whether an operation consists of this mutation only.
    pub(super) fn is_for(&self, operation: &Operation) -> bool {
        let selections = &operation.selection_set.selections;
        let is_named = |selection: &Selection| selection.as_field().is_some_and(|field| field.name == self.mutation);
        operation.operation_type == OperationType::Mutation && selections.len() == 1 && selections.iter().all(is_named)
    }
}

/// Refuses variables above the usual limit, unless `large` is set and only their strings are long.
pub(super) fn check(variables: &RawValue, large: bool) -> Result<(), Refused> {
    let json = variables.get();
    if json.len() <= BODY {
        return Ok(());
    }
    if !large {
        return Err(Refused::too_large(format!("The variables of this operation exceed {BODY} bytes.")));
    }
    if outside_strings(json) > BODY {
        return Err(Refused::too_large(format!("The variables exceed {BODY} bytes, not counting text in strings.")));
    }
    Ok(())
}

/// The number of bytes outside strings. Quotes count.
fn outside_strings(json: &str) -> usize {
    let (mut inside, mut escaped, mut outside) = (false, false, 0_usize);
    for byte in json.bytes() {
        match (inside, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => {
                inside = !inside;
                outside = outside.saturating_add(1);
            }
            (true, ..) => {}
            (false, ..) => outside = outside.saturating_add(1),
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_in_strings_is_not_counted() {
        for (json, bytes) in [
            (r#"{"a":"text"}"#, 7),
            (r#"{"a":"\"}{"}"#, 7),
            (r#"{"a":"\\","b":[1,2]}"#, 16),
            (r#"["","",""]"#, 10),
            (r#"{"a":"ä€"}"#, 7),
        ] {
            assert_eq!(outside_strings(json), bytes, "{json}");
        }
    }

    #[test]
    fn long_variables_are_only_for_the_large_mutation_and_only_in_strings() {
        let raw = |json: String| RawValue::from_string(json).unwrap();
        let text = raw(format!(r#"{{"a":"{}"}}"#, "x".repeat(1_000_000)));
        let values = raw(format!(r#"{{"a":[{}0]}}"#, "0,".repeat(BODY)));
        let empty = raw(format!(r#"{{"a":[{}""]}}"#, r#""","#.repeat(BODY)));
        assert!(check(&text, true).is_ok());
        assert!(check(&raw("{}".to_owned()), false).is_ok());
        for (json, large) in [(&text, false), (&values, true), (&empty, true), (&values, false)] {
            assert!(check(json, large).is_err());
        }
    }
}
