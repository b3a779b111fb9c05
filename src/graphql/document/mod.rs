//! Turns the text of a document into an operation that the GraphQL library executes, in four steps: parse, check
//! limits, validate, merge. This module replaces the library's parser, validation and limits, because their time grows
//! faster than the length of the document. The merged operation has no fragments, variables or repeated fields, and its
//! cost is known before it runs. Limits bound the time and memory of every step.

#![warn(clippy::arithmetic_side_effects)]

mod bounds;
mod input;
mod large;
mod memory;
mod merge;
mod sizes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use apollo_compiler::{
    ExecutableDocument, Name, Schema,
    ast::{DirectiveList, OperationType as Kind},
    executable::Operation as Definition,
    parser::Parser,
    schema::{ExtendedType, FieldDefinition},
    validation::{DiagnosticList, Valid},
};
use async_graphql::{
    Pos,
    parser::types::{ExecutableDocument as Executable, OperationType},
};
use serde_json::value::RawValue;

use self::{memory::MemoryBudget, sizes::Sizes};
use super::error::{ApiError, Code};
pub(crate) use large::{BODY, LargeBody};

/// Maximum cost of an operation. [`merge`] defines the costs.
pub(crate) const COST: u64 = 40_000;
/// Maximum nesting of brackets of any kind.
const NESTING: usize = 32;
/// Maximum number of tokens, including whitespace, commas and comments.
const TOKENS: usize = 4_000;
/// Maximum number of errors in a response.
const ERRORS: usize = 10;
/// Maximum length of an error message, in characters. A limit is needed because a message can repeat names from the
/// document.
const MESSAGE: usize = 200;

/// Maximum length and number of selections of a small document.
const SMALL_TEXT: usize = 4 * 1024;
const SMALL_SELECTIONS: usize = 200;

/// The introspection query that developer tools send, with all options of the reference implementation.
const INTROSPECTION: &str = include_str!("introspection.graphql");

/// The errors of a refused document. There is at least one error.
#[derive(Clone, Debug)]
pub(crate) struct Refused(pub Vec<ApiError>);

impl Refused {
    fn one(code: Code, message: impl Into<String>) -> Self {
        Self(vec![ApiError::new(code, message)])
    }

    fn too_large(message: impl Into<String>) -> Self {
        Self::one(Code::DocumentTooLarge, message)
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::one(Code::ValidationFailed, message)
    }

    /// A syntax error. The message does not repeat the document.
    fn syntax(errors: &DiagnosticList) -> Self {
        let first = errors.iter().next().and_then(|error| position(&error));
        let at = first.map_or_else(String::new, |at| format!(" at line {}, column {}", at.line, at.column));
        Self(vec![ApiError { at: first, ..ApiError::new(Code::ParseFailed, format!("Syntax error{at}.")) }])
    }

    /// Validation errors.
    fn by_rules(errors: &DiagnosticList) -> Self {
        let errors = errors.iter().take(ERRORS);
        Self(
            errors
                .map(|error| ApiError {
                    at: position(&error),
                    ..ApiError::new(Code::ValidationFailed, sentence(&error.error.to_string()))
                })
                .collect(),
        )
    }
}

fn position<T: apollo_compiler::diagnostic::ToCliReport>(
    error: &apollo_compiler::diagnostic::Diagnostic<'_, T>,
) -> Option<Pos> {
    let start = error.line_column_range()?.start;
    Some(Pos { line: start.line, column: start.column })
}

/// Converts a validator message to a sentence of limited length.
fn sentence(message: &str) -> String {
    let mut chars = message.chars().take(MESSAGE);
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let rest: String = chars.collect();
    let more = if message.chars().nth(MESSAGE).is_some() { "…" } else { "." };
    format!("{first}{rest}{more}")
}

/// A valid document.
pub(crate) struct Document {
    valid: Valid<ExecutableDocument>,
    text: String,
    /// The number of selections in the largest operation, with fragments expanded.
    selections: usize,
    /// The byte offset at which each line starts.
    lines: Vec<usize>,
}

impl Document {
    /// The names of the named operations.
    pub(crate) fn operation_names(&self) -> Vec<String> {
        self.valid.operations.named.keys().map(ToString::to_string).collect()
    }

    /// Whether the text contains strings. They may be secrets, such as a password that belongs into a variable.
    pub(crate) fn has_strings(&self) -> bool {
        self.text.contains('"')
    }

    /// Whether an operation of this document is prepared within microseconds, given few variables.
    pub(crate) fn is_small(&self) -> bool {
        self.text.len() <= SMALL_TEXT && self.selections <= SMALL_SELECTIONS
    }

    /// The length of the text in bytes.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// The number of operations.
    pub(crate) fn operations(&self) -> usize {
        self.valid.operations.iter().count()
    }

    fn choose(&self, wanted: Option<&str>) -> Result<&Definition, Refused> {
        let missing = if wanted.is_some() {
            "The document has no operation with that name."
        } else {
            "The document has several operations. Set `operationName`."
        };
        self.valid.operations.get(wanted).map(|operation| &**operation).map_err(|_| Refused::invalid(missing))
    }

    fn position(&self, offset: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        Pos { line, column: before.saturating_add(1) }
    }
}

/// Facts about the operation that will be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The name of the operation in the document.
    pub name: Option<String>,
    pub kind: OperationType,
    /// The names of the root fields, without aliases.
    pub roots: Vec<String>,
    /// Whether it selects introspection fields.
    pub introspects: bool,
    pub cost: u64,
}

impl Operation {
    /// Returns the root field if this is a mutation.
    pub(crate) fn mutation(&self) -> Option<&str> {
        (self.kind == OperationType::Mutation).then(|| self.roots.first().map(String::as_str)).flatten()
    }
}

/// Parses, validates and merges documents for one schema.
pub(crate) struct Documents {
    schema: Valid<Schema>,
    /// The possible types of each interface and union.
    possible: HashMap<Name, Vec<Name>>,
    sizes: Sizes,
    /// Maximum cost of an introspection query: the cost of the developer tools' query plus 25%. `None` if introspection
    /// is off.
    introspection: Option<u64>,
    /// The mutation that accepts a large body.
    large: Option<LargeBody>,
}

impl Documents {
    /// Parses the schema. If `introspection` is true, clients may query the schema.
    pub(crate) fn new(sdl: &str, introspection: bool) -> Self {
        let schema = parse_schema(sdl).validate().unwrap_or_else(|flawed| {
            tracing::error!(%flawed, "the schema is invalid");
            Valid::assume_valid(flawed.partial)
        });
        let possible =
            schema.types.iter().filter_map(|(name, kind)| Some((name.clone(), objects(&schema, name, kind)?)));
        let possible = possible.collect();
        let sizes = Sizes::of(&schema);
        let mut documents = Self { schema, possible, sizes, introspection: Some(u64::MAX), large: None };
        let tools = documents.read(INTROSPECTION).and_then(|document| documents.weigh(&document));
        documents.introspection =
            introspection.then(|| COST.max(tools.map_or(0, |cost| cost.saturating_add(cost / 4))));
        documents
    }

    /// Parses and validates a document.
    pub(crate) fn read(&self, text: &str) -> Result<Document, Refused> {
        let mut parser = Parser::new().recursion_limit(NESTING).token_limit(TOKENS);
        let parsed = parser.parse_ast(text, "document");
        if parser.tokens_reached() > TOKENS {
            return Err(Refused::too_large(format!(
                "A document can have at most {TOKENS} tokens, including whitespace and commas."
            )));
        }
        if parser.recursion_reached() > NESTING {
            return Err(Refused::too_large(format!("Brackets can nest at most {NESTING} levels deep.")));
        }
        let parsed = parsed.map_err(|flawed| Refused::syntax(&flawed.errors))?;
        let bounds::Found { introspects, selections } = bounds::check(&parsed)?;
        if introspects && self.introspection.is_none() {
            return Err(Refused::invalid("Introspection is disabled. Use the published schema."));
        }
        let typed = parsed.to_executable(&self.schema).map_err(|flawed| Refused::by_rules(&flawed.errors))?;
        input::check_literals(&self.schema, &typed)?;
        let valid = typed.validate(&self.schema).map_err(|flawed| Refused::by_rules(&flawed.errors))?;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1))).collect();
        Ok(Document { valid, text: text.to_owned(), selections, lines })
    }

    /// Prepares the named operation for execution. `variables` is a JSON object.
    pub(crate) fn prepare(
        &self,
        document: &Document,
        operation: Option<&str>,
        variables: Option<&RawValue>,
    ) -> Result<(Executable, Operation), Refused> {
        let definition = document.choose(operation)?;
        variables.map_or(Ok(()), |variables| large::check(variables, self.is_large(definition)))?;
        let variables = input::coerce(&self.schema, definition, variables)?;
        let (executable, operation) = merge::merge(self, document, definition, &variables)?;
        let most = self.introspection.filter(|_| operation.introspects).unwrap_or(COST);
        if operation.cost > most {
            return Err(Refused::too_large(too_expensive(operation.cost, most)));
        }
        Ok((executable, operation))
    }

    /// Accepts large variables for a mutation.
    pub(crate) fn accept(&mut self, large: LargeBody) {
        self.large = Some(large);
    }

    /// The mutation that accepts a large body.
    pub(crate) fn large_body(&self) -> Option<LargeBody> {
        self.large
    }

    fn is_large(&self, definition: &Definition) -> bool {
        self.large.is_some_and(|large| large.is_for(definition))
    }

    /// The memory for the arguments of an operation.
    fn memory(&self, definition: &Definition) -> MemoryBudget {
        let large = self.large.filter(|large| large.is_for(definition));
        MemoryBudget::with(large.map_or(0, |large| large.bytes))
    }

    /// Returns the cost of the most expensive operation in a document. Variables have no values here, so a page whose
    /// length is a variable counts as a page without `first` or `last`.
    pub(crate) fn weigh(&self, document: &Document) -> Result<u64, Refused> {
        let mut most = 0;
        for operation in document.valid.operations.iter() {
            most = most.max(merge::merge(self, document, operation, &input::Variables::default())?.1.cost);
        }
        Ok(most)
    }

    /// The type of a field, without list and non-null.
    pub(super) fn type_of(&self, owner: &str, field: &str) -> Option<&str> {
        let field = self.schema.type_field(owner, field).ok()?;
        Some(field.ty.inner_named_type().as_str())
    }

    /// Whether the schema has this mutation.
    pub(crate) fn has_mutation(&self, name: &str) -> bool {
        let root = self.schema.root_operation(Kind::Mutation);
        root.is_some_and(|root| self.schema.type_field(root, name).is_ok())
    }
}

/// The result of validating a document against the production schema.
pub struct Validated {
    /// The names of the operations.
    pub operations: Vec<String>,
    /// Error messages, empty if the document is valid.
    pub problems: Vec<String>,
    /// Whether the document would be invalid with any schema, for example because of a syntax error.
    pub unfit: bool,
}

/// Validates documents against the production schema.
pub fn validate<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Validated> {
    let documents = Documents::new(&super::sdl(false), false);
    let check = |text| match documents.read(text).and_then(|document| Ok((documents.weigh(&document)?, document))) {
        Ok((cost, document)) => {
            let problems = (cost > COST).then(|| too_expensive(cost, COST)).into_iter().collect();
            Validated { operations: document.operation_names(), problems, unfit: false }
        }
        Err(Refused(errors)) => {
            let unfit = errors.iter().any(|error| matches!(error.code, Code::ParseFailed | Code::DocumentTooLarge));
            let problems = errors.into_iter().map(|error| error.message).collect();
            Validated { operations: Vec::new(), problems, unfit }
        }
    };
    texts.into_iter().map(check).collect()
}

fn too_expensive(cost: u64, most: u64) -> String {
    format!("This operation costs {cost} (maximum {most}). Request fewer fields or shorter pages.")
}

/// Parses the schema. Adds the introspection field `isOneOf`, because the validator does not know it.
fn parse_schema(sdl: &str) -> Schema {
    let mut schema = Schema::parse(sdl, "schema.graphql").unwrap_or_else(|flawed| flawed.partial);
    let field = |name: Name| FieldDefinition {
        description: None,
        name,
        arguments: Vec::new(),
        ty: apollo_compiler::ty!(Boolean),
        directives: DirectiveList::default(),
    };
    if let Some(ExtendedType::Object(object)) = schema.types.get_mut("__Type") {
        let name = apollo_compiler::name!("isOneOf");
        object.make_mut().fields.insert(name.clone(), field(name).into());
    }
    schema
}

/// Returns the object types of an interface or union. `None` for other types.
fn objects(schema: &Schema, name: &Name, kind: &ExtendedType) -> Option<Vec<Name>> {
    match kind {
        ExtendedType::Union(union) => Some(union.members.iter().map(|member| member.name.clone()).collect()),
        ExtendedType::Interface(_) => {
            let all = schema.types.iter().filter(|(_, kind)| kind.is_object()).map(|(object, _)| object);
            Some(all.filter(|object| schema.is_subtype(name, object)).cloned().collect())
        }
        _ => None,
    }
}
