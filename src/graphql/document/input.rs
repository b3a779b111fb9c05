//! Values in documents and variables: whether they have the type that is expected, and the form that resolvers get.
//! Errors name the input field and never repeat a value.

use apollo_compiler::{
    ExecutableDocument, Schema,
    ast::{Type, Value as Literal},
    executable::{Field, Operation, Selection, SelectionSet},
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Number, Value, indexmap::IndexMap};
use serde_json::{Map, Value as Json};

use super::{ERRORS, Refused};
use crate::{error::Flaw, graphql::error::ApiError};

/// The values of the variables that have one.
pub(super) type Variables = std::collections::HashMap<Name, Value>;

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

/// Gives every variable of an operation its value: the client's or the default.
pub(super) fn coerce(
    schema: &Schema,
    operation: &Operation,
    mut given: Map<String, Json>,
) -> Result<Variables, Refused> {
    let mut check = Check { schema, from_json: true, flaws: Vec::new() };
    let mut variables = Variables::default();
    for definition in &operation.variables {
        let name = Name::new(definition.name.as_str());
        let value = match (given.remove(name.as_str()), &definition.default_value) {
            (Some(json), _) => {
                let value = Value::from_json(json).unwrap_or(Value::Null);
                check.value(&definition.ty, &value, &Path::Root(&name));
                Some(value)
            }
            (None, Some(default)) => literal(default, None),
            (None, None) => {
                if definition.ty.is_non_null() {
                    check.flaw(&Path::Root(&name), "is required");
                }
                None
            }
        };
        variables.extend(value.map(|value| (name, value)));
    }
    check.done()?;
    Ok(variables)
}

/// A value in a document with its variables replaced; nothing when it is a variable without a value. Without variables,
/// each stands for null.
pub(super) fn literal(value: &Literal, variables: Option<&Variables>) -> Option<Value> {
    Some(match value {
        Literal::Null => Value::Null,
        Literal::Boolean(value) => (*value).into(),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Enum(name) => Value::Enum(Name::new(name.as_str())),
        Literal::Int(number) => self::number(number.as_str()),
        Literal::Float(number) => self::number(number.as_str()),
        Literal::Variable(name) => return variables.map_or(Some(Value::Null), |all| all.get(name.as_str()).cloned()),
        Literal::List(items) => {
            Value::List(items.iter().map(|item| literal(item, variables).unwrap_or(Value::Null)).collect())
        }
        Literal::Object(fields) => {
            let fields = fields.iter().filter_map(|(name, value)| {
                let value = literal(value, variables)?;
                Some((Name::new(name.as_str()), value))
            });
            Value::Object(fields.collect())
        }
    })
}

/// A number out of every range is null, which no type for numbers takes.
fn number(text: &str) -> Value {
    text.parse::<Number>().map_or(Value::Null, Value::Number)
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

    /// Lists and objects are looked into as they are written, since variables may stand anywhere in them.
    fn literal(&mut self, ty: &Type, value: &Literal, path: &Path<'_>) {
        match (value, ty) {
            (Literal::Variable(_), _) => {}
            (Literal::Int(_) | Literal::Float(_), _) if literal(value, None) == Some(Value::Null) => {
                self.flaw(path, "is out of the range of numbers");
            }
            (Literal::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
                for item in items {
                    self.literal(inner, item, path);
                }
            }
            (Literal::Object(fields), _) => {
                let Some(ExtendedType::InputObject(object)) = self.schema.types.get(ty.inner_named_type()) else {
                    return self.value(ty, &Value::Object(IndexMap::default()), path);
                };
                let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
                self.names(object, &names, path);
                for (name, value) in fields {
                    if let Some(field) = object.fields.get(name) {
                        self.literal(&field.ty, value, &Path::Field(path, name));
                    }
                }
            }
            (value, _) => self.value(ty, &literal(value, None).unwrap_or(Value::Null), path),
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
        for (at, name) in given.iter().enumerate() {
            if !object.fields.contains_key(*name) {
                self.flaw(&Path::Field(path, name), &format!("is not a field of {}", object.name));
            } else if given[..at].contains(name) {
                self.flaw(&Path::Field(path, name), "is given twice");
            }
            // The first errors are enough, and looking for more would take a time that grows with the square.
            if self.flaws.len() >= ERRORS {
                return;
            }
        }
        for (name, field) in &object.fields {
            if field.is_required() && !given.contains(&name.as_str()) {
                self.flaw(&Path::Field(path, name), "is required");
            }
        }
    }
}

/// Whether a value is one of a built-in scalar; an application's own scalars read theirs.
fn is_scalar(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("Int", Value::Number(number)) => number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        ("ID", Value::Number(number)) => number.as_i64().is_some(),
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Boolean(_)) => true,
        ("Int" | "ID" | "Float" | "String" | "Boolean", _) => false,
        _ => true,
    }
}
