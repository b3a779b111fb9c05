//! Values in documents and variables: whether they have the type that is expected, and the form that resolvers get.
//! Errors name the input field and never repeat a value or a key that the schema does not have.

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
    room::{self, Room},
};
use crate::{
    email_address::EmailAddress,
    error::Flaw,
    graphql::error::{ApiError, Code},
};

/// The values of the variables that have one, each with its size in memory.
pub(super) type Variables = HashMap<Name, (Value, usize)>;

/// Our one scalar that takes objects, which gateways may write with variables in them.
const REPRESENTATION: &str = "_Any";

/// Checks every argument that is written into the document, in operations and fragments alike.
pub(super) fn check_literals(schema: &Schema, document: &ExecutableDocument) -> Result<(), Refused> {
    let mut check = Check { schema, from_json: false, flaws: Vec::new() };
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.selection_set);
    for set in operations.chain(fragments) {
        check.arguments(set);
    }
    check.done()
}

/// Gives every variable of an operation its value: the client's or the default. Variables that the operation does not
/// declare are never built.
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
                literal(default, &Variables::default(), &mut Room::default())?
            }
            (None, None) => {
                if definition.ty.is_non_null() {
                    check.flaw(&path, "is required");
                }
                None
            }
        };
        variables.extend(value.map(|value| {
            let size = room::size(&value);
            (name, (value, size))
        }));
    }
    check.done()?;
    Ok(variables)
}

fn read<'a, T: serde::Deserialize<'a>>(json: &'a RawValue) -> Result<T, Refused> {
    // What is deeper than a parser goes, or a number beyond all numbers.
    let unread = |_| Refused::one(Code::BadRequest, "The `variables` cannot be read as JSON.");
    serde_json::from_str(json.get()).map_err(unread)
}

/// A value in a document with its variables replaced; nothing when it is a variable without a value. Every part takes
/// its room before it is built or copied.
pub(super) fn literal(value: &Literal, variables: &Variables, room: &mut Room) -> Result<Option<Value>, Refused> {
    if let Literal::Variable(name) = value {
        let Some((value, size)) = variables.get(name.as_str()) else { return Ok(None) };
        room.take(*size)?;
        return Ok(Some(value.clone()));
    }
    room.take(room::VALUE)?;
    Ok(Some(match value {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Boolean(value) => (*value).into(),
        Literal::String(text) => {
            room.take(text.len())?;
            Value::String(text.clone())
        }
        Literal::Enum(name) => Value::Enum(Name::new(name.as_str())),
        Literal::Int(number) => self::number(number.as_str()),
        Literal::Float(number) => self::number(number.as_str()),
        Literal::List(items) => {
            let items = items.iter().map(|item| Ok(literal(item, variables, room)?.unwrap_or(Value::Null)));
            Value::List(items.collect::<Result<_, Refused>>()?)
        }
        Literal::Object(fields) => {
            let mut object = IndexMap::new();
            for (name, value) in fields {
                if let Some(value) = literal(value, variables, room)? {
                    room.take(room::entry(name))?;
                    object.insert(Name::new(name.as_str()), value);
                }
            }
            Value::Object(object)
        }
    }))
}

/// The value of a condition.
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

/// A number out of every range is null, which no type for numbers takes.
fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// What a literal is checked as: a scalar, and a list or an object without what is in it, which no type but an
/// application's own scalar takes; nothing for a number out of every range.
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

/// Where a value stands.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Field(&'a Path<'a>, &'a str),
}

impl Path<'_> {
    /// As errors name it. Mutations have one argument, `input`, which says nothing.
    fn text(&self) -> String {
        match self {
            Self::Root(name) | Self::Field(Path::Root("input"), name) => (*name).to_owned(),
            Self::Field(parent, name) => format!("{}.{name}", parent.text()),
        }
    }
}

struct Check<'a> {
    schema: &'a Schema,
    /// JSON has no enum values: they come as strings.
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

    /// Lists and objects are looked into as they are written, since variables may stand in them wherever the schema
    /// gives their place a type.
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
            // Nothing says what a list or an object in the place of a scalar may hold.
            (Literal::List(_) | Literal::Object(_), _, Some(ExtendedType::Scalar(scalar)))
                if scalar.name.as_str() != REPRESENTATION && holds_variable(value) =>
            {
                self.flaw(path, "takes a variable only as its whole value");
            }
            _ => match constant(value) {
                Some(value) => self.value(ty, &value, path),
                None => self.flaw(path, "is out of the range of numbers"),
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
            // One value stands for a list of one.
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

    /// Every name is known and given once, and nothing required is missing.
    fn names(&mut self, object: &InputObjectType, given: &[&str], path: &Path<'_>) {
        // The key may be a secret in the wrong place, so it is not repeated.
        if !given.iter().all(|name| object.fields.contains_key(*name)) {
            self.flaw(path, &format!("has a key that is not a field of {}", object.name));
        }
        for (name, _) in &object.fields {
            if given.iter().filter(|given| **given == name.as_str()).count() > 1 {
                self.flaw(&Path::Field(path, name), "is given twice");
            }
        }
        for (name, field) in &object.fields {
            if field.is_required() && !given.contains(&name.as_str()) {
                self.flaw(&Path::Field(path, name), "is required");
            }
        }
    }
}

/// Whether a resolver can read a value of a scalar that is known here; an application's own scalars read theirs.
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
