//! Checks the size of a document, with its fragments expanded, before validation and without the schema. Each fragment
//! is measured only once. A fragment that contains itself is refused here.

use std::collections::HashMap;

use apollo_compiler::{
    Name,
    ast::{Definition, Document, FragmentDefinition, OperationDefinition, OperationType, Selection},
};

use super::Refused;
use crate::graphql::error::Code;

/// Maximum number of selections in an operation with its fragments expanded.
const SELECTIONS: usize = 1_000;
const OPERATIONS: usize = 16;
const QUERY_ROOTS: usize = 20;

/// Facts about a document that is within the limits.
pub(super) struct Found {
    /// Whether it selects introspection fields.
    pub introspects: bool,
    /// The number of selections in the largest operation, with fragments expanded.
    pub selections: usize,
}

pub(super) fn check(document: &Document) -> Result<Found, Refused> {
    if document.definitions.is_empty() {
        return Err(Refused::one(Code::ParseFailed, "Syntax error: the document is empty."));
    }
    let operations: Vec<_> = document.definitions.iter().filter_map(Definition::as_operation_definition).collect();
    if operations.len() > OPERATIONS {
        return Err(Refused::too_large(format!("A document can have at most {OPERATIONS} operations.")));
    }
    let fragments = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    let fragments = fragments.map(|fragment| (&fragment.name, &**fragment)).collect();
    let mut survey = Survey { fragments, measured: HashMap::new(), introspects: false };
    let names: Vec<_> = survey.fragments.keys().copied().collect();
    for name in names {
        survey.fragment(name)?;
    }
    let mut most = 0;
    for operation in operations {
        let selections = survey.set(&operation.selection_set)?;
        if selections > SELECTIONS {
            return Err(too_many_selections());
        }
        survey.check_roots(operation)?;
        most = most.max(selections);
    }
    Ok(Found { introspects: survey.introspects, selections: most })
}

fn too_many_selections() -> Refused {
    Refused::too_large(format!("An operation can have at most {SELECTIONS} selections with its fragments expanded."))
}

struct Survey<'a> {
    fragments: HashMap<&'a Name, &'a FragmentDefinition>,
    /// The number of selections in each fragment. `None` while a fragment is being measured: a spread of that fragment
    /// is then a cycle.
    measured: HashMap<&'a Name, Option<usize>>,
    introspects: bool,
}

impl<'a> Survey<'a> {
    /// Counts the selections in a set. The recursion is limited for two reasons. The parser limits how deep brackets
    /// nest. A chain of fragments ends at the first repeated fragment, and the parser limits the number of tokens and
    /// so the number of fragments.
    fn set(&mut self, set: &'a [Selection]) -> Result<usize, Refused> {
        let mut total: usize = 0;
        for selection in set {
            let inner = match selection {
                Selection::Field(field) => {
                    self.introspects |= matches!(field.name.as_str(), "__schema" | "__type");
                    self.set(&field.selection_set)?
                }
                Selection::InlineFragment(inline) => self.set(&inline.selection_set)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.fragment_name)?,
            };
            total = total.saturating_add(inner).saturating_add(1);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name) -> Result<usize, Refused> {
        // Validation refuses unknown fragments.
        let Some(fragment) = self.fragments.get(name).copied() else { return Ok(0) };
        match self.measured.get(name) {
            Some(Some(selections)) => return Ok(*selections),
            Some(None) => return Err(Refused::invalid("A fragment cannot contain itself.")),
            None => {}
        }
        self.measured.insert(name, None);
        let selections = self.set(&fragment.selection_set)?;
        if selections > SELECTIONS {
            return Err(too_many_selections());
        }
        self.measured.insert(name, Some(selections));
        Ok(selections)
    }

    fn check_roots(&self, operation: &OperationDefinition) -> Result<(), Refused> {
        let roots = self.roots(&operation.selection_set);
        match operation.operation_type {
            OperationType::Mutation if roots > 1 => {
                Err(Refused::too_large("A mutation can have only one root field. Send one request for each."))
            }
            OperationType::Query if roots > QUERY_ROOTS => {
                Err(Refused::too_large(format!("A query can have at most {QUERY_ROOTS} root fields.")))
            }
            _ => Ok(()),
        }
    }

    /// Counts the root fields. Called after all fragments were measured, so there is no cycle and the number of
    /// selections is within the limit.
    fn roots(&self, set: &[Selection]) -> usize {
        let count = |selection: &Selection| match selection {
            Selection::Field(_) => 1,
            Selection::InlineFragment(inline) => self.roots(&inline.selection_set),
            Selection::FragmentSpread(spread) => {
                self.fragments.get(&spread.fragment_name).map_or(0, |fragment| self.roots(&fragment.selection_set))
            }
        };
        set.iter().map(count).sum()
    }
}
