//! Whether a document is of a schema: what must be known before the library looks, and the whole look for whoever checks
//! a manifest before a server runs with it. Nothing is executed here: there is no domain behind the schema that looks.

use std::{collections::HashSet, sync::Arc};

use async_graphql::{
    Name, Request, Response, Value, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
    parser::{
        parse_schema,
        types::{BaseType, DocumentOperations, ExecutableDocument, Type, TypeKind, TypeSystemDefinition},
    },
};
use async_trait::async_trait;

use super::schema::to_look_at;

/// What every schema has without saying so.
const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

/// The names in a schema.
pub(super) struct Types {
    types: HashSet<String>,
    /// Every change that there is.
    mutations: HashSet<String>,
}

impl Types {
    /// Reads them off the schema's text.
    pub(super) fn of(sdl: &str) -> Self {
        let (mut types, mut mutations) = (HashSet::from(BUILT_IN.map(str::to_owned)), HashSet::new());
        let definitions = parse_schema(sdl).map(|schema| schema.definitions).unwrap_or_default();
        let mut root = None;
        for definition in &definitions {
            match definition {
                TypeSystemDefinition::Type(kind) => drop(types.insert(kind.node.name.node.to_string())),
                TypeSystemDefinition::Schema(schema) => root = schema.node.mutation.as_ref().map(|name| &name.node),
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        for definition in &definitions {
            if let TypeSystemDefinition::Type(kind) = definition
                && Some(&kind.node.name.node) == root
                && let TypeKind::Object(object) = &kind.node.kind
            {
                mutations.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
            }
        }
        Self { types, mutations }
    }

    pub(super) fn has_mutation(&self, name: &str) -> bool {
        self.mutations.contains(name)
    }

    /// The first variable whose type is not there. The library would find it, but it looks at defaults before, and does
    /// not live to tell.
    pub(super) fn unknown_in(&self, document: &ExecutableDocument) -> Option<String> {
        let mut variables = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
        let unknown = variables.find(|variable| !self.types.contains(named(&variable.node.var_type.node)))?;
        Some(format!("The type of the variable `${}` is not in the schema.", unknown.node.name.node))
    }
}

/// What a type is a list of, however often.
fn named(mut kind: &Type) -> &str {
    loop {
        match &kind.base {
            BaseType::Named(name) => return name.as_str(),
            BaseType::List(inner) => kind = inner,
        }
    }
}

/// What the production schema makes of a document.
pub struct Validated {
    /// The names of its operations.
    pub operations: Vec<String>,
    /// What is wrong with it; nothing when it would run.
    pub problems: Vec<String>,
}

/// Looks at a document with the eyes of the production schema.
pub async fn validate(document: ExecutableDocument) -> Validated {
    let operations = names(&document);
    let schema = to_look_at(OnlyLooks);
    if let Some(problem) = Types::of(&schema.sdl()).unknown_in(&document) {
        return Validated { operations, problems: vec![problem] };
    }
    let mut request = Request::new(String::new()).variables(weights(&document));
    if let Some(name) = operations.first() {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document);
    let response = schema.execute(request).await;
    Validated { operations, problems: response.errors.into_iter().map(|error| error.message).collect() }
}

fn names(document: &ExecutableDocument) -> Vec<String> {
    match &document.operations {
        DocumentOperations::Single(_) => Vec::new(),
        DocumentOperations::Multiple(operations) => operations.keys().map(ToString::to_string).collect(),
    }
}

/// A list is weighed by its number, so each has one.
fn weights(document: &ExecutableDocument) -> Variables {
    let mut variables = Variables::default();
    for (_, operation) in document.operations.iter() {
        for definition in &operation.node.variable_definitions {
            let definition = &definition.node;
            if definition.var_type.node.base == BaseType::Named(Name::new("Int")) {
                variables.insert(definition.name.node.clone(), Value::from(1));
            }
        }
    }
    variables
}

/// Ends a request where its execution would begin.
struct OnlyLooks;

impl ExtensionFactory for OnlyLooks {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for OnlyLooks {
    async fn execute(&self, _: &ExtensionContext<'_>, _: Option<&str>, _: NextExecute<'_>) -> Response {
        Response::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn problems(text: &str) -> Vec<String> {
        validate(async_graphql::parser::parse_query(text).unwrap()).await.problems
    }

    #[tokio::test]
    async fn a_document_of_the_schema_has_no_problem_and_any_other_has() {
        for good in [
            "query A($first: Int!, $id: ID!) { users(first: $first) { nodes { id } } node(id: $id) { id } }",
            "mutation B($input: LoginInput!) { login(input: $input) { __typename } }",
            "subscription C { sessionEnded { id } }",
            "query D { me { id } } query E { me { email } }",
        ] {
            assert_eq!(problems(good).await, [""; 0], "{good}");
        }
        for bad in [
            "query A { me { password } }",
            "query A { inbox { id } }",
            "query A($first: String) { users(first: $first) { totalCount } }",
            "mutation B { login { __typename } }",
            "query D { me { id } } query E { me { nothing } }",
            "query A($a: [[Nothing!]] = [[1]]) { me { id } }",
            "query A($a: me = 1) { me { id } }",
        ] {
            assert_ne!(problems(bad).await, [""; 0], "{bad}");
        }
    }
}
