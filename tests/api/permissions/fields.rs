//! The types and fields of the schema, from introspection. The schema is complete, because the server is a development
//! server with federation.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use doorcode::graphql::sdl;
use serde_json::{Value, json};

use crate::harness::TestApp;

const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } subscriptionType { name } \
    types { kind name interfaces { name } possibleTypes { name } fields(includeDeprecated: true) { name \
    type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

#[derive(Clone, Debug)]
pub(super) struct Type {
    pub(super) kind: String,
    /// The name of each field, and whether it needs a selection.
    pub(super) fields: BTreeMap<String, bool>,
    /// The type of each field, without list and non-null.
    pub(super) of: BTreeMap<String, String>,
    pub(super) interfaces: Vec<String>,
    pub(super) possible: Vec<String>,
}

pub(super) type Types = BTreeMap<String, Type>;

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether a type, after removing list and non-null wrappers, is an object, interface or union.
fn is_composite(kind: &Value) -> bool {
    match kind["ofType"].as_object() {
        Some(_) => is_composite(&kind["ofType"]),
        None => ["OBJECT", "INTERFACE", "UNION"].iter().any(|composite| kind["kind"] == *composite),
    }
}

fn named(kind: &Value) -> String {
    if kind["ofType"].is_object() { named(&kind["ofType"]) } else { text(&kind["name"]) }
}

pub(super) async fn of(app: &TestApp) -> Types {
    let answer = app.guest().query(INTROSPECTION, json!({})).await;
    let schema = answer.field("__schema");
    for (root, name) in [("queryType", "Query"), ("mutationType", "Mutation"), ("subscriptionType", "Subscription")] {
        assert_eq!(schema[root]["name"], name);
    }
    let names = |value: &Value| list(value).iter().map(|kind| text(&kind["name"])).collect();
    let read = |kind: &Value| {
        let field = |field: &Value| (text(&field["name"]), is_composite(&field["type"]));
        let fields = list(&kind["fields"]).iter().map(field).collect();
        let of = list(&kind["fields"]).iter().map(|field| (text(&field["name"]), named(&field["type"]))).collect();
        let (interfaces, possible) = (names(&kind["interfaces"]), names(&kind["possibleTypes"]));
        (text(&kind["name"]), Type { kind: text(&kind["kind"]), fields, of, interfaces, possible })
    };
    let types = list(&schema["types"]).iter().map(read);
    types.filter(|(name, _)| !name.starts_with("__")).collect()
}

/// Fields of object types in the published production schema.
pub(super) fn of_production() -> BTreeSet<String> {
    // Skip the description of the schema, because the library's parser does not accept it.
    let sdl = sdl(false);
    let (_, rest) = sdl.split_once("\nschema {").unwrap();
    let document = parse_schema(format!("schema {{{rest}")).unwrap();
    let types = document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(kind) => Some(&kind.node),
        _ => None,
    });
    let fields = types.filter_map(|kind| match &kind.kind {
        TypeKind::Object(object) => Some((&kind.name.node, &object.fields)),
        _ => None,
    });
    fields.flat_map(|(of, fields)| fields.iter().map(move |field| format!("{of}.{}", field.node.name))).collect()
}
