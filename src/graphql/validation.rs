//! Whether a document is of the production schema, for whoever checks a manifest before a server runs with it. Nothing
//! is executed: there is no domain behind the schema that looks.

use std::sync::Arc;

use async_graphql::{
    Name, Request, Response, Value, Variables,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute},
    parser::types::{BaseType, DocumentOperations, ExecutableDocument},
};
use async_trait::async_trait;

use super::schema::to_look_at;

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
    let mut request = Request::new(String::new()).variables(weights(&document));
    if let Some(name) = operations.first() {
        request = request.operation_name(name);
    }
    request.set_parsed_query(document);
    let response = to_look_at(OnlyLooks).execute(request).await;
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
        ] {
            assert_ne!(problems(bad).await, [""; 0], "{bad}");
        }
    }
}
