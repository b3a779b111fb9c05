//! What the parser made of a text, in the measures of the guard: the fewest tokens that it can have been written with,
//! and how deep its brackets nest.

use std::convert::Infallible;

use async_graphql::{
    Positioned, Value,
    parser::types::{
        BaseType, Directive, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type, VariableDefinition,
    },
};

/// A value as a constant one, for the type of others has no name outside its crate: a variable is a word.
macro_rules! constant {
    ($value:expr) => {
        $value.node.clone().into_const_with(|name| Ok::<_, Infallible>(Value::Enum(name))).unwrap()
    };
}

/// Of a whole document.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) tokens: usize,
    pub(super) nesting: usize,
    /// Operations and fragments.
    pub(super) definitions: usize,
    depth: usize,
}

impl Parsed {
    pub(super) fn of(document: &ExecutableDocument) -> Self {
        let mut parsed = Self::default();
        for (name, operation) in document.operations.iter() {
            parsed.definitions += 1;
            parsed.tokens += if name.is_some() { 2 } else { 0 };
            parsed.operation(&operation.node);
        }
        for fragment in document.fragments.values() {
            parsed.definitions += 1;
            parsed.tokens += 4;
            parsed.directives(&fragment.node.directives);
            parsed.set(&fragment.node.selection_set.node);
        }
        parsed
    }

    fn operation(&mut self, operation: &OperationDefinition) {
        if !operation.variable_definitions.is_empty() {
            self.within(|parsed| {
                for definition in &operation.variable_definitions {
                    parsed.variable(&definition.node);
                }
            });
        }
        self.directives(&operation.directives);
        self.set(&operation.selection_set.node);
    }

    fn variable(&mut self, definition: &VariableDefinition) {
        self.tokens += 3;
        self.kind(&definition.var_type.node);
        self.directives(&definition.directives);
        if let Some(default) = &definition.default_value {
            self.tokens += 1;
            self.value(&default.node);
        }
    }

    fn kind(&mut self, kind: &Type) {
        self.tokens += usize::from(!kind.nullable);
        match &kind.base {
            BaseType::Named(_) => self.tokens += 1,
            BaseType::List(inner) => self.within(|parsed| parsed.kind(inner)),
        }
    }

    fn set(&mut self, set: &SelectionSet) {
        if set.items.is_empty() {
            return;
        }
        self.within(|parsed| {
            for selection in &set.items {
                parsed.selection(&selection.node);
            }
        });
    }

    fn selection(&mut self, selection: &Selection) {
        match selection {
            Selection::Field(field) => {
                self.tokens += if field.node.alias.is_some() { 3 } else { 1 };
                self.arguments(field.node.arguments.iter().map(|(_, value)| constant!(value)));
                self.directives(&field.node.directives);
                self.set(&field.node.selection_set.node);
            }
            Selection::FragmentSpread(spread) => {
                self.tokens += 2;
                self.directives(&spread.node.directives);
            }
            Selection::InlineFragment(inline) => {
                self.tokens += if inline.node.type_condition.is_some() { 3 } else { 1 };
                self.directives(&inline.node.directives);
                self.set(&inline.node.selection_set.node);
            }
        }
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        for directive in directives {
            self.tokens += 2;
            self.arguments(directive.node.arguments.iter().map(|(_, value)| constant!(value)));
        }
    }

    fn arguments(&mut self, values: impl ExactSizeIterator<Item = Value>) {
        if values.len() > 0 {
            self.within(|parsed| {
                for value in values {
                    parsed.tokens += 2;
                    parsed.value(&value);
                }
            });
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::List(values) => self.within(|parsed| values.iter().for_each(|value| parsed.value(value))),
            Value::Object(fields) => self.within(|parsed| {
                for value in fields.values() {
                    parsed.tokens += 2;
                    parsed.value(value);
                }
            }),
            _ => self.tokens += 1,
        }
    }

    /// Something in brackets of its own.
    fn within(&mut self, inner: impl FnOnce(&mut Self)) {
        self.tokens += 2;
        self.depth += 1;
        self.nesting = self.nesting.max(self.depth);
        inner(self);
        self.depth -= 1;
    }
}
