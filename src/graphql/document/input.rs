//! Checks and converts values in documents and variables. Errors name the input field. They never repeat a value or an
//! unknown key, because it could be a secret.

use std::collections::HashMap;

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::{Type, Value as Literal},
    executable::{Field, Operation, Selection, SelectionSet},
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Number, Value, indexmap::IndexMap};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::{
    ERRORS, Refused,
    memory::{self, MemoryBudget},
};
use crate::{
    email_address::EmailAddress,
    error::Flaw,
    graphql::error::{ApiError, Code},
};

/// Variables that have a value, with the size of the value in memory.
pub(super) type Variables = HashMap<Name, (Value, usize)>;

/// The only scalar of Doorcode's own that accepts objects. Gateways use variables inside these objects.
const REPRESENTATION: &str = "_Any";

/// Checks all literal arguments in operations and fragments.
pub(super) fn check_literals(schema: &Schema, document: &ExecutableDocument) -> Result<(), Refused> {
    let mut check = Check { schema, from_json: false, flaws: Vec::new() };
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.selection_set);
    for set in operations.chain(fragments) {
        check.arguments(set);
    }
    check.done()
}

/// Reads the value of every variable of an operation, from the client or from its default. Ignores variables that the
/// operation does not declare.
pub(super) fn coerce(schema: &Schema, operation: &Operation, given: Option<&RawValue>) -> Result<Variables, Refused> {
    let given: HashMap<String, &RawValue> = given.map(read).transpose()?.unwrap_or_default();
    let mut check = Check { schema, from_json: true, flaws: Vec::new() };
    let mut variables = Variables::default();
    for definition in &operation.variables {
        let name = Name::new(definition.name.as_str());
        let path = Path::Root(&name);
        let value = match (given.get(name.as_str()), &definition.default_value) {
            (Some(json), _) => {
                let value = read(json)?;
                check.value(&definition.ty, &value, &path);
                Some(value)
            }
            (None, Some(default)) => {
                check.literal(&definition.ty, default, &path);
                literal(default, &Variables::default(), &mut MemoryBudget::default())?
            }
            (None, None) => {
                if definition.ty.is_non_null() {
                    check.flaw(&path, "is required");
                }
                None
            }
        };
        variables.extend(value.map(|value| {
            let size = memory::size(&value);
            (name, (value, size))
        }));
    }
    check.done()?;
    Ok(variables)
}

fn read<'a, T: serde::Deserialize<'a>>(json: &'a RawValue) -> Result<T, Refused> {
    // Reading fails if the JSON nests too deep, or a number is out of range.
    let unread = |_| Refused::one(Code::BadRequest, "Cannot read `variables` as JSON.");
    serde_json::from_str(json.get()).map_err(unread)
}

/// Converts a literal to a value, with the values of its variables. Returns `None` if the literal is a variable without
/// a value. Memory for each part is reserved before the part is created or copied.
pub(super) fn literal(
    value: &Literal,
    variables: &Variables,
    budget: &mut MemoryBudget,
) -> Result<Option<Value>, Refused> {
    if let Literal::Variable(name) = value {
        let Some((value, size)) = variables.get(name.as_str()) else { return Ok(None) };
        budget.reserve(*size)?;
        return Ok(Some(value.clone()));
    }
    budget.reserve(memory::VALUE)?;
    Ok(Some(match value {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Boolean(value) => (*value).into(),
        Literal::String(text) => {
            budget.reserve(text.len())?;
            Value::String(text.clone())
        }
        Literal::Enum(name) => Value::Enum(Name::new(name.as_str())),
        Literal::Int(number) => self::number(number.as_str()),
        Literal::Float(number) => self::number(number.as_str()),
        Literal::List(items) => {
            let items = items.iter().map(|item| Ok(literal(item, variables, budget)?.unwrap_or(Value::Null)));
            Value::List(items.collect::<Result<_, Refused>>()?)
        }
        Literal::Object(fields) => {
            let mut object = IndexMap::new();
            for (name, value) in fields {
                if let Some(value) = literal(value, variables, budget)? {
                    budget.reserve(memory::entry(name))?;
                    object.insert(Name::new(name.as_str()), value);
                }
            }
            Value::Object(object)
        }
    }))
}

/// Returns the value of the `if` argument of `@skip` or `@include`.
pub(super) fn condition(value: &Literal, variables: &Variables) -> Option<bool> {
    match value {
        Literal::Boolean(value) => Some(*value),
        Literal::Variable(name) => match variables.get(name.as_str()) {
            Some((Value::Boolean(value), _)) => Some(*value),
            _ => None,
        },
        _ => None,
    }
}

/// Parses a number. A number that is out of range becomes null; the literal checks refuse such a number.
fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// Converts a literal to a value for the type check of a scalar. Returns `None` if a number is out of range. Lists and
/// objects become empty, because only an application's own scalars accept them, and these check their own values.
fn constant(value: &Literal) -> Option<Value> {
    Some(match value {
        Literal::Int(number) => Value::Number(number.as_str().parse().ok()?),
        Literal::Float(number) => Value::Number(number.as_str().parse().ok()?),
        Literal::List(_) => Value::List(Vec::new()),
        Literal::Object(_) => Value::Object(IndexMap::new()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(value) => Value::Boolean(*value),
        Literal::Enum(name) => Value::Enum(Name::new(name.as_str())),
        Literal::Null | Literal::Variable(_) => Value::Null,
    })
}

fn holds_variable(value: &Literal) -> bool {
    match value {
        Literal::Variable(_) => true,
        Literal::List(items) => items.iter().any(|item| holds_variable(item)),
        Literal::Object(fields) => fields.iter().any(|(_, value)| holds_variable(value)),
        _ => false,
    }
}

/// The path to a value.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Field(&'a Path<'a>, &'a str),
}

impl Path<'_> {
    /// Returns the path for error messages. Omits `input`, because it is the only argument of every mutation.
    fn text(&self) -> String {
        match self {
            Self::Root(name) | Self::Field(Path::Root("input"), name) => (*name).to_owned(),
            Self::Field(parent, name) => format!("{}.{name}", parent.text()),
        }
    }
}

struct Check<'a> {
    schema: &'a Schema,
    /// Whether the values are JSON variables, in which enum values are strings.
    from_json: bool,
    flaws: Vec<Flaw>,
}

impl Check<'_> {
    fn done(self) -> Result<(), Refused> {
        if self.flaws.is_empty() { Ok(()) } else { Err(Refused(vec![ApiError::flawed(self.flaws)])) }
    }

    fn flaw(&mut self, path: &Path<'_>, what: &str) {
        if self.flaws.len() < ERRORS {
            let field: String = path.text().chars().take(super::MESSAGE).collect();
            self.flaws.push(Flaw { message: format!("`{field}` {what}."), field: field.into() });
        }
    }

    fn arguments(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.of_field(field);
                    self.arguments(&field.selection_set);
                }
                Selection::InlineFragment(inline) => self.arguments(&inline.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn of_field(&mut self, field: &Field) {
        for argument in &field.arguments {
            let Some(definition) = field.definition.argument_by_name(&argument.name) else { continue };
            self.literal(&definition.ty, &argument.value, &Path::Root(&argument.name));
        }
    }

    /// Checks a literal. Checks the items of lists and objects one by one, because an item can be a variable.
    fn literal(&mut self, ty: &Type, value: &Literal, path: &Path<'_>) {
        let named = self.schema.types.get(ty.inner_named_type());
        match (value, ty, named) {
            (Literal::Variable(_), ..) => {}
            (Literal::List(items), Type::List(inner) | Type::NonNullList(inner), _) => {
                for item in items {
                    self.literal(inner, item, path);
                }
            }
            (Literal::Object(fields), _, Some(ExtendedType::InputObject(object))) => {
                let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
                self.names(object, &names, path);
                for (name, value) in fields {
                    if let Some(field) = object.fields.get(name) {
                        self.literal(&field.ty, value, &Path::Field(path, name));
                    }
                }
            }
            // Inside a scalar, the schema has no types, so a variable in a list or object cannot be checked.
            (Literal::List(_) | Literal::Object(_), _, Some(ExtendedType::Scalar(scalar)))
                if scalar.name.as_str() != REPRESENTATION && holds_variable(value) =>
            {
                self.flaw(path, "accepts a variable only as its whole value");
            }
            _ => match constant(value) {
                Some(value) => self.value(ty, &value, path),
                None => self.flaw(path, "is out of range"),
            },
        }
    }

    fn value(&mut self, ty: &Type, value: &Value, path: &Path<'_>) {
        match (value, ty) {
            (Value::Null, _) if ty.is_non_null() => self.flaw(path, "cannot be null"),
            (Value::Null, _) => {}
            (Value::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
                for item in items {
                    self.value(inner, item, path);
                }
            }
            // GraphQL accepts a single value where a list is expected.
            (value, Type::List(inner) | Type::NonNullList(inner)) => self.value(inner, value, path),
            (value, Type::Named(name) | Type::NonNullNamed(name)) => {
                let fits = match (self.schema.types.get(name), value) {
                    (Some(ExtendedType::InputObject(object)), Value::Object(fields)) => {
                        let names: Vec<_> = fields.keys().map(Name::as_str).collect();
                        self.names(object, &names, path);
                        for (name, value) in fields {
                            if let Some(field) = object.fields.get(name.as_str()) {
                                self.value(&field.ty, value, &Path::Field(path, name));
                            }
                        }
                        true
                    }
                    (Some(ExtendedType::Enum(values)), Value::Enum(name)) => values.values.contains_key(name.as_str()),
                    (Some(ExtendedType::Enum(values)), Value::String(name)) => {
                        self.from_json && values.values.contains_key(name.as_str())
                    }
                    (Some(ExtendedType::Scalar(_)), value) => is_scalar(name, value),
                    _ => false,
                };
                if !fits {
                    self.flaw(path, &format!("must be of type {name}"));
                }
            }
        }
    }

    /// Checks that all keys are known and unique, and that no required key is missing.
    fn names(&mut self, object: &InputObjectType, given: &[&str], path: &Path<'_>) {
        // The message does not repeat the key, which could be a secret in the wrong place.
        if !given.iter().all(|name| object.fields.contains_key(*name)) {
            self.flaw(path, &format!("has a key that is not a field of {}", object.name));
        }
        for (name, _) in &object.fields {
            if given.iter().filter(|given| **given == name.as_str()).count() > 1 {
                self.flaw(&Path::Field(path, name), "is set twice");
            }
        }
        for (name, field) in &object.fields {
            if field.is_required() && !given.contains(&name.as_str()) {
                self.flaw(&Path::Field(path, name), "is required");
            }
        }
    }
}

/// Whether a value is valid for a scalar. Returns true for an application's own scalars, which check their own values.
fn is_scalar(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", Value::Number(number)) => number.as_i64().is_some(),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("DateTime", Value::String(text)) => text.parse::<DateTime<Utc>>().is_ok(),
        ("EmailAddress", Value::String(text)) => EmailAddress::parse(text).is_ok(),
        ("Int" | "ID" | "Float" | "String" | "Boolean" | "DateTime" | "EmailAddress", _) => false,
        _ => true,
    }
}
