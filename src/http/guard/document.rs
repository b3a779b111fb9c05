//! The second pass, between parsing and validation: how large the document is once its fragments are spread, with each
//! fragment measured once. A cycle of fragments ends here. Also what the contract says of documents: one root field in
//! a mutation, at most twenty in a query, and which fields those are.

use std::collections::HashMap;

use async_graphql::{
    Name, Positioned, Variables,
    parser::types::{
        BaseType, DocumentOperations, ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType,
        Selection, SelectionSet,
    },
};

use crate::{
    graphql::{
        TOLD,
        error::{ApiError, Code},
    },
    http::answer::Refusal,
};

/// Selections after all fragments are spread.
const SELECTIONS: usize = 1_000;
/// What one can ask of a page of a list, in every list of every application.
const OF_PAGES: [&str; 4] = ["edges", "nodes", "pageInfo", "totalCount"];
const OPERATIONS: usize = 16;
const QUERY_ROOTS: usize = 20;

/// What the edge needs to know of the operation that will run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// As the document names it.
    pub name: Option<String>,
    pub kind: OperationType,
    /// The fields at its root, without aliases.
    pub roots: Vec<Name>,
    /// Whether it asks for the schema itself.
    pub introspects: bool,
}

impl Operation {
    /// The one field at the root of a mutation.
    pub(crate) fn mutation(&self) -> Option<&str> {
        (self.kind == OperationType::Mutation).then(|| self.roots.first().map(Name::as_str)).flatten()
    }
}

/// Measures every operation, describes the one that was asked for, and settles its variables.
pub(crate) fn check(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &mut Variables,
) -> Result<Operation, Refusal> {
    let mut survey = Survey::of(document)?;
    let (name, chosen) = choose(document, operation_name)?;
    settle(&chosen.node, variables)?;
    Ok(Operation {
        name: name.map(|name| name.as_str().to_owned()),
        kind: chosen.node.ty,
        roots: survey.roots(&chosen.node.selection_set.node),
        introspects: survey.set(&chosen.node.selection_set.node)?.introspects,
    })
}

/// Whether any operation of a document may run, before it is known which one will.
pub(crate) fn survey(document: &ExecutableDocument) -> Result<(), Refusal> {
    Survey::of(document).map(drop)
}

fn too_many_selections() -> Refusal {
    Refusal::document(format!("A document has at most {SELECTIONS} selections once its fragments are spread."))
}

/// A subscription is charged once and answered for every event, so what it asks for is small and has no lists in it:
/// whoever hears of something asks for those with POST, and is charged.
fn check_told(size: Size) -> Result<(), Refusal> {
    if size.selections > TOLD {
        return Err(Refusal::document(format!("A subscription has at most {TOLD} selections.")));
    }
    if size.pages {
        return Err(Refusal::document("A subscription tells no pages of lists: ask for them when something is told."));
    }
    Ok(())
}

fn choose<'a>(
    document: &'a ExecutableDocument,
    wanted: Option<&str>,
) -> Result<(Option<&'a Name>, &'a Positioned<OperationDefinition>), Refusal> {
    let refuse = |message: &str| Err(Refusal::new(Code::ValidationFailed, message));
    match (&document.operations, wanted) {
        (DocumentOperations::Single(operation), None) => Ok((None, operation)),
        (DocumentOperations::Single(_), Some(_)) => refuse("The document has no operation of that name."),
        (DocumentOperations::Multiple(operations), Some(wanted)) => match operations.get_key_value(wanted) {
            Some((name, operation)) => Ok((Some(name), operation)),
            None => refuse("The document has no operation of that name."),
        },
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.iter();
            match (all.next(), all.next()) {
                (Some((name, operation)), None) => Ok((Some(name), operation)),
                _ => refuse("Say with `operationName` which operation to run."),
            }
        }
    }
}

/// A variable that must have a value and has none would reach a resolver as if its argument had not been written. One
/// that need not is left out, but for numbers: a list is weighed by them before it runs, and the library finds no weight
/// in one that is not there.
fn settle(operation: &OperationDefinition, variables: &mut Variables) -> Result<(), Refusal> {
    for definition in &operation.variable_definitions {
        let definition = &definition.node;
        let required = !definition.var_type.node.nullable && definition.default_value.is_none();
        let given = variables.get(definition.name.node.as_str());
        if required && given.is_none_or(|value| *value == async_graphql::Value::Null) {
            let message = format!("The variable `${}` needs a value.", definition.name.node);
            return Err(Refusal::from(ApiError::new(Code::BadUserInput, message)));
        }
        let optional = definition.var_type.node.nullable && definition.default_value.is_none();
        if optional && definition.var_type.node.base == BaseType::Named(Name::new("Int")) {
            variables.entry(definition.name.node.clone()).or_insert(async_graphql::Value::Null);
        }
    }
    Ok(())
}

/// A part of a document with its fragments spread.
#[derive(Clone, Copy, Default)]
struct Size {
    selections: usize,
    introspects: bool,
    /// Whether it asks for a page of a list.
    pages: bool,
}

struct Survey<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// `None` while a fragment is being measured: coming back to it then is a cycle.
    measured: HashMap<&'a str, Option<Size>>,
}

impl<'a> Survey<'a> {
    /// Measures every fragment and every operation.
    fn of(document: &'a ExecutableDocument) -> Result<Self, Refusal> {
        if document.operations.iter().len() > OPERATIONS {
            return Err(Refusal::document(format!("A document has at most {OPERATIONS} operations.")));
        }
        let mut survey = Self { fragments: &document.fragments, measured: HashMap::new() };
        for fragment in document.fragments.keys() {
            survey.fragment(fragment)?;
        }
        for (_, operation) in document.operations.iter() {
            let size = survey.set(&operation.node.selection_set.node)?;
            if size.selections > SELECTIONS {
                return Err(too_many_selections());
            }
            survey.check_roots(&operation.node)?;
            if operation.node.ty == OperationType::Subscription {
                check_told(size)?;
            }
        }
        Ok(survey)
    }

    /// Recursion is bounded: brackets nest at most so deep, and a chain of fragments ends at the first repetition or at
    /// the bound on tokens, whose every fragment costs several.
    fn set(&mut self, set: &'a SelectionSet) -> Result<Size, Refusal> {
        let mut total = Size::default();
        for selection in &set.items {
            let part = match &selection.node {
                Selection::Field(field) => {
                    let inner = self.set(&field.node.selection_set.node)?;
                    let name = field.node.name.node.as_str();
                    let introspects = inner.introspects || matches!(name, "__schema" | "__type");
                    Size { introspects, pages: inner.pages || OF_PAGES.contains(&name), ..inner }
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node)?,
            };
            total.selections = total.selections.saturating_add(part.selections).saturating_add(1);
            total.introspects |= part.introspects;
            total.pages |= part.pages;
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &Name) -> Result<Size, Refusal> {
        // A spread of nothing is for validation to refuse.
        let Some((name, fragment)) = self.fragments.get_key_value(name) else {
            return Ok(Size::default());
        };
        match self.measured.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(Refusal::new(Code::ValidationFailed, "Fragments may not spread themselves."));
            }
            None => {}
        }
        self.measured.insert(name.as_str(), None);
        let size = self.set(&fragment.node.selection_set.node)?;
        if size.selections > SELECTIONS {
            return Err(too_many_selections());
        }
        self.measured.insert(name.as_str(), Some(size));
        Ok(size)
    }

    fn check_roots(&self, operation: &'a OperationDefinition) -> Result<(), Refusal> {
        let roots = self.roots(&operation.selection_set.node).len();
        match operation.ty {
            OperationType::Mutation if roots > 1 => {
                Err(Refusal::document("A mutation has one field at its root; send one request for each."))
            }
            OperationType::Query if roots > QUERY_ROOTS => {
                Err(Refusal::document(format!("A query has at most {QUERY_ROOTS} fields at its root.")))
            }
            // The specification wants one field. The library would run several, and none that a fragment holds.
            OperationType::Subscription if !is_one_field(&operation.selection_set.node) => {
                let message = "A subscription has one field at its root, and not in a fragment.";
                Err(Refusal::new(Code::ValidationFailed, message))
            }
            _ => Ok(()),
        }
    }

    /// Called after every fragment was measured, so that there is no cycle to get lost in.
    fn roots(&self, set: &'a SelectionSet) -> Vec<Name> {
        let mut roots = Vec::new();
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => roots.push(field.node.name.node.clone()),
                Selection::InlineFragment(inline) => roots.extend(self.roots(&inline.node.selection_set.node)),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        roots.extend(self.roots(&fragment.node.selection_set.node));
                    }
                }
            }
        }
        roots
    }
}

fn is_one_field(set: &SelectionSet) -> bool {
    matches!(set.items.as_slice(), [only] if matches!(only.node, Selection::Field(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, name: Option<&str>) -> Result<Operation, Code> {
        let document = async_graphql::parser::parse_query(text).unwrap();
        check(&document, name, &mut Variables::default()).map_err(|refusal| refusal.error.code)
    }

    #[test]
    fn a_mutation_has_one_root_field_however_it_is_written() {
        assert_eq!(run("mutation { a: logout { x } }", None).unwrap().mutation(), Some("logout"));
        for text in [
            "mutation { a: verify b: verify }",
            "mutation { ...f verify } fragment f on Mutation { verify }",
            "mutation { ... on Mutation { verify } ... { verify } }",
            "query { me } mutation M { verify __typename }",
        ] {
            let text = text.replace("query {", "query Q {");
            assert_eq!(run(&text, text.contains("query Q").then_some("Q")), Err(Code::DocumentTooLarge), "{text}");
        }
        assert!(run(&format!("{{ {} }}", "__typename ".repeat(20)), None).is_ok());
        assert_eq!(run(&format!("{{ {} }}", "__typename ".repeat(21)), None), Err(Code::DocumentTooLarge));
    }

    #[test]
    fn a_subscription_has_one_root_field_and_no_fragment_there() {
        assert!(run("subscription { sessionEnded { id } }", None).is_ok());
        for text in [
            "subscription { a b }",
            "subscription { ... { a } }",
            "subscription { ...f } fragment f on Subscription { a }",
        ] {
            assert_eq!(run(text, None), Err(Code::ValidationFailed), "{text}");
        }
    }

    #[test]
    fn a_subscription_is_small_and_has_no_pages_of_lists() {
        let of = |fields: &str| run(&format!("subscription {{ a {{ {fields} }} }}"), None);
        assert!(of(&"b ".repeat(199)).is_ok());
        assert_eq!(of(&"b ".repeat(200)), Err(Code::DocumentTooLarge));
        for page in OF_PAGES {
            assert_eq!(of(&format!("b {{ ... {{ c: {page} }} }}")), Err(Code::DocumentTooLarge), "{page}");
        }
        let spread = "subscription { a { ...f } } fragment f on A { b { nodes { c } } }";
        assert_eq!(run(spread, None), Err(Code::DocumentTooLarge));
        assert!(run("query Q { a { nodes { c } } } subscription S { a { b } }", Some("S")).is_ok());
    }

    #[test]
    fn fragments_are_measured_spread_and_cycles_are_refused() {
        let level = |n: u32| format!(" fragment f{n} on Query {{ ...f{0} ...f{0} }}", n + 1);
        let levels: Vec<_> = (0..20).map(level).collect();
        let fan = format!("{{ ...f0 }} {} fragment f20 on Query {{ me {{ id }} }}", levels.join(""));
        assert_eq!(run(&fan, None), Err(Code::DocumentTooLarge));
        let cycle = "{ me { id } } fragment a on User { ...b } fragment b on User { ...a }";
        assert_eq!(run(cycle, None), Err(Code::ValidationFailed));
        assert_eq!(run("{ ...a } fragment a on Query { ...a }", None), Err(Code::ValidationFailed));
    }

    #[test]
    fn the_operation_that_runs_is_the_one_that_was_named() {
        let two = "query A { me { id } } mutation B { logout { x } }";
        assert_eq!(run(two, Some("B")).unwrap().mutation(), Some("logout"));
        assert_eq!(run(two, None), Err(Code::ValidationFailed));
        assert_eq!(run(two, Some("C")), Err(Code::ValidationFailed));
        assert_eq!(run("{ me { id } }", Some("A")), Err(Code::ValidationFailed));
        assert_eq!(run("query A { me { id } }", None).unwrap().name.as_deref(), Some("A"));
        let many: Vec<_> = (0..17).map(|n| format!("query Q{n} {{ me {{ id }} }} ")).collect();
        let many = many.join("");
        assert_eq!(run(&many, Some("Q0")), Err(Code::DocumentTooLarge));
    }

    #[test]
    fn introspection_is_seen_wherever_it_hides() {
        assert!(run("{ ...f } fragment f on Query { x: __schema { a } }", None).unwrap().introspects);
        assert!(run("{ ... { __type(name: \"A\") { a } } }", None).unwrap().introspects);
        assert!(!run("{ me { __typename } }", None).unwrap().introspects);
    }

    #[test]
    fn a_required_variable_needs_a_value() {
        assert_eq!(run("query A($x: Int!) { me { id } }", None), Err(Code::BadUserInput));
        assert!(run("query A($x: Int! = 1, $y: Int) { me { id } }", None).is_ok());
    }

    #[test]
    fn a_number_that_was_left_out_is_null_and_everything_else_stays_left_out() {
        let text = "query A($a: Int, $b: Int = 5, $c: String, $d: [Int], $e: Int) { me { id } }";
        let document = async_graphql::parser::parse_query(text).unwrap();
        let mut variables = Variables::from_json(serde_json::json!({ "e": 7 }));
        check(&document, None, &mut variables).unwrap();
        assert_eq!(serde_json::to_value(&variables).unwrap(), serde_json::json!({ "a": null, "e": 7 }));
    }
}
