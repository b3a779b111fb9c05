//! Tests limits, costs and merged operations with the development schema.

use serde_json::{Value as Json, json, value::to_raw_value};

use super::*;
use crate::graphql::sdl;

fn documents() -> &'static Documents {
    static DOCUMENTS: std::sync::OnceLock<Documents> = std::sync::OnceLock::new();
    DOCUMENTS.get_or_init(|| Documents::new(&sdl(true), true))
}

fn prepare(text: &str, name: Option<&str>, variables: Json) -> Result<(Executable, Operation), Refused> {
    let variables: Box<RawValue> = serde_json::from_value(variables).unwrap();
    documents().prepare(&documents().read(text)?, name, Some(&variables))
}

fn run(text: &str, name: Option<&str>) -> Result<Operation, Code> {
    prepare(text, name, json!({})).map(|(_, operation)| operation).map_err(|refused| refused.0[0].code)
}

fn cost(text: &str) -> u64 {
    run(text, None).unwrap_or_else(|code| panic!("{text}: {code:?}")).cost
}

/// Returns the merged operation as text, without arguments.
fn merged(text: &str, variables: Json) -> String {
    fn write(set: &async_graphql::parser::types::SelectionSet) -> String {
        use async_graphql::parser::types::Selection;
        let parts: Vec<_> = set
            .items
            .iter()
            .map(|selection| match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let alias = field.alias.as_ref().map(|alias| format!("{}: ", alias.node)).unwrap_or_default();
                    let inner = write(&field.selection_set.node);
                    format!(
                        "{alias}{}{}",
                        field.name.node,
                        if inner.is_empty() { inner } else { format!(" {{ {inner} }}") }
                    )
                }
                Selection::InlineFragment(inline) => {
                    let on = inline.node.type_condition.as_ref().map(|condition| condition.node.on.node.to_string());
                    format!("... on {} {{ {} }}", on.unwrap(), write(&inline.node.selection_set.node))
                }
                Selection::FragmentSpread(_) => panic!("no fragment reaches the library"),
            })
            .collect();
        parts.join(" ")
    }
    let (executable, _) = prepare(text, None, variables).unwrap();
    assert!(executable.fragments.is_empty());
    let (_, operation) = executable.operations.iter().next().unwrap();
    assert!(operation.node.variable_definitions.is_empty());
    write(&operation.node.selection_set.node)
}

#[test]
fn a_mutation_has_one_root_field() {
    let login = "login(input: { email: \"a\" }) { __typename }";
    assert_eq!(run(&format!("mutation {{ a: {login} }}"), None).unwrap().mutation(), Some("login"));
    for text in [
        "mutation { a: LOGIN b: LOGIN }",
        "mutation { ...f LOGIN } fragment f on Mutation { LOGIN }",
        "mutation { ... on Mutation { LOGIN } ... { LOGIN } }",
        "query Q { me { id } } mutation M { LOGIN __typename }",
    ] {
        let text = text.replace("LOGIN", login);
        assert_eq!(run(&text, text.contains("query Q").then_some("Q")), Err(Code::DocumentTooLarge), "{text}");
    }
    assert!(run(&format!("{{ {} }}", "__typename ".repeat(20)), None).is_ok());
    assert_eq!(run(&format!("{{ {} }}", "__typename ".repeat(21)), None), Err(Code::DocumentTooLarge));
}

#[test]
fn a_subscription_has_one_root_field_a_low_cost_and_no_pages() {
    assert!(run("subscription { sessionEnded { id } }", None).is_ok());
    let spread = "subscription { ...f } fragment f on Subscription { sessionEnded { id } }";
    assert!(run(spread, None).is_ok(), "a fragment at the root is one field");
    let event = |fields: &str| run(&format!("subscription {{ auditEventAdded {{ {fields} }} }}"), None);
    assert_eq!(
        run("subscription { a: sessionEnded { id } b: sessionEnded { id } }", None),
        Err(Code::ValidationFailed)
    );
    let aliases = |count: usize| (0..count).map(|n| format!("a{n}: id ")).collect::<Vec<_>>().concat();
    assert!(event(&aliases(199)).is_ok());
    assert_eq!(event(&aliases(200)), Err(Code::DocumentTooLarge));
    assert_eq!(event("actor { ... { a: sessions { totalCount } } }"), Err(Code::DocumentTooLarge));
    let both = "query Q { me { sessions { nodes { id } } } } subscription S { sessionEnded { id } }";
    assert!(run(both, Some("S")).is_ok());
}

#[test]
fn fragments_are_expanded_before_counting_and_cycles_are_refused() {
    let level = |n: u32| format!(" fragment f{n} on Query {{ ...f{0} ...f{0} }}", n + 1);
    let levels: Vec<_> = (0..20).map(level).collect();
    let fan = format!("{{ ...f0 }} {} fragment f20 on Query {{ me {{ id }} }}", levels.concat());
    assert_eq!(run(&fan, None), Err(Code::DocumentTooLarge));
    let cycle = "{ me { id } } fragment a on User { ...b } fragment b on User { ...a }";
    assert_eq!(run(cycle, None), Err(Code::ValidationFailed));
    assert_eq!(run("{ ...a } fragment a on Query { ...a }", None), Err(Code::ValidationFailed));
}

#[test]
fn operation_name_selects_the_operation() {
    let two = "query A { me { id } } mutation B { logout { __typename } }";
    assert_eq!(run(two, Some("B")).unwrap().mutation(), Some("logout"));
    assert_eq!(run(two, None), Err(Code::ValidationFailed));
    assert_eq!(run(two, Some("C")), Err(Code::ValidationFailed));
    assert_eq!(run("{ me { id } }", Some("A")), Err(Code::ValidationFailed));
    assert_eq!(run("query A { me { id } }", None).unwrap().name.as_deref(), Some("A"));
    let many: Vec<_> = (0..17).map(|n| format!("query Q{n} {{ me {{ id }} }} ")).collect();
    assert_eq!(run(&many.concat(), Some("Q0")), Err(Code::DocumentTooLarge));
}

#[test]
fn introspection_is_detected_in_fragments_and_aliases() {
    assert!(run("{ ...f } fragment f on Query { x: __schema { __typename } }", None).unwrap().introspects);
    assert!(run("{ ... { __type(name: \"A\") { name } } }", None).unwrap().introspects);
    assert!(!run("{ me { __typename } }", None).unwrap().introspects);
    assert!(run(INTROSPECTION, None).is_ok(), "the query of developer tools is allowed");
}

#[test]
fn introspection_can_be_disabled() {
    let closed = Documents::new(&sdl(false), false);
    for text in [
        "{ __schema { __typename } }",
        "{ me { id } ... { __type(name: \"A\") { name } } }",
        "{ me { __schema { x } } }",
    ] {
        let Refused(errors) = closed.read(text).map(drop).unwrap_err();
        assert_eq!(errors[0].message, "Introspection is disabled. Use the published schema.", "{text}");
    }
    assert!(closed.read("{ me { __typename } }").is_ok());
}

#[test]
fn repeated_fields_are_merged_and_conditions_evaluated() {
    assert_eq!(
        merged(
            "{ me { id id ...f } ...g } fragment f on User { id email } fragment g on Query { me { name } }",
            json!({})
        ),
        "me { id email name }"
    );
    let conditional =
        "query($x: Boolean!) { me { id @skip(if: $x) ... @include(if: $x) { email } name @include(if: false) } }";
    assert_eq!(merged(conditional, json!({ "x": true })), "me { email }");
    assert_eq!(merged(conditional, json!({ "x": false })), "me { id }");
    assert_eq!(merged("{ node(id: 1) { id ... on Node { id } } }", json!({})), "node { id }");
    let by_type = "{ node(id: 1) { id ... on User { id email } ... on Session { id } } }";
    assert_eq!(
        merged(by_type, json!({})),
        "node { ... on ApiKey { id } ... on AuditEvent { id } ... on Device { id } ... on Session { id } \
         ... on User { id email } }"
    );
    let login =
        "mutation { login(input: { email: \"a\" }) { ... on CodeSent { challenge } ... on Problem { message } } }";
    assert_eq!(
        merged(login, json!({})),
        "login { ... on CodeSent { challenge } ... on InvalidCredentials { message } ... on InvalidEmail { message } \
         ... on RateLimited { message } }"
    );
}

#[test]
fn variables_are_replaced_and_absent_ones_omitted() {
    let text = "query($n: Int, $f: UserFilter, $r: [Role!], $d: Int = 7) { \
        users(first: $n, filter: $f) { totalCount } a: users(last: $d, filter: { roles: $r }) { totalCount } }";
    let (executable, _) = prepare(text, None, json!({ "r": ["ADMIN"] })).unwrap();
    let shown = format!("{:?}", executable.operations.iter().next().unwrap().1.node.selection_set);
    assert!(!shown.contains("Variable"), "{shown}");
    assert!(!shown.contains("first"), "an argument without a value is omitted: {shown}");
    assert!(shown.contains("ADMIN") && shown.contains('7'), "{shown}");
}

#[test]
fn a_required_variable_needs_a_value_of_its_type() {
    let of = |text: &str, variables: Json| {
        prepare(text, None, variables).map(drop).map_err(|Refused(errors)| (errors[0].code, errors[0].flaws.clone()))
    };
    let text = "query($id: ID!, $n: Int) { user(id: $id) { id } me { sessions(first: $n) { totalCount } } }";
    assert!(of(text, json!({ "id": "a" })).is_ok());
    for (variables, field) in [
        (json!({}), "id"),
        (json!({ "id": null }), "id"),
        (json!({ "id": ["a", "b"] }), "id"),
        (json!({ "id": 1, "n": "1" }), "n"),
        (json!({ "id": 1, "n": 1.5 }), "n"),
        (json!({ "id": 1, "n": 2_147_483_648_u64 }), "n"),
    ] {
        let (code, flaws) = of(text, variables.clone()).unwrap_err();
        assert_eq!((code, &*flaws[0].field), (Code::BadUserInput, field), "{variables}");
    }
    let verify = "mutation($input: VerifyInput!) { verify(input: $input) { __typename } }";
    let (_, flaws) = of(verify, json!({ "input": { "code": 12_345_678, "secret": "s3cret-value" } })).unwrap_err();
    let problems: Vec<_> = flaws.iter().map(|flaw| (&*flaw.field, &*flaw.message)).collect();
    assert_eq!(
        problems,
        [
            ("input", "`input` has a key that is not a field of VerifyInput."),
            ("challenge", "`challenge` is required."),
            ("code", "`code` must be of type String."),
        ]
    );
}

#[test]
fn literals_are_checked_like_variables_and_no_error_repeats_a_value() {
    const SECRET: &str = "s3cret-value";
    for (text, field) in [
        ("mutation { verify(input: { challenge: 1, code: \"s3cret-value\" }) { __typename } }", "challenge"),
        ("mutation { verify(input: { challenge: \"s3cret-value\", code: [1] }) { __typename } }", "code"),
        ("mutation { verify(input: { challenge: \"s3cret-value\" }) { __typename } }", "code"),
        (
            "mutation { verify(input: { challenge: \"a\", code: \"b\", code: \"s3cret-value\" }) { __typename } }",
            "code",
        ),
        ("mutation { verify(input: \"s3cret-value\") { __typename } }", "input"),
        ("{ users(filter: { roles: [\"s3cret-value\"] }) { totalCount } }", "filter.roles"),
        ("{ users(first: 99999999999) { totalCount } }", "first"),
        ("{ users(first: 1e999) { totalCount } }", "first"),
        ("{ node(id: [\"s3cret-value\"]) { id } }", "id"),
    ] {
        let Refused(errors) = prepare(text, None, json!({})).map(drop).unwrap_err();
        assert_eq!((errors[0].code, &*errors[0].flaws[0].field), (Code::BadUserInput, field), "{text}");
        assert!(!format!("{errors:?}").contains(SECRET), "{errors:?}");
    }
}

#[test]
fn an_unknown_key_is_not_repeated() {
    for (text, variables) in [
        ("query($f: UserFilter) { users(filter: $f) { totalCount } }", json!({ "f": { "a\u{202e}SECRET": 1 } })),
        ("{ users(filter: { SECRET: 1 }) { totalCount } }", json!({})),
    ] {
        let Refused(errors) = prepare(text, None, variables).map(drop).unwrap_err();
        assert!(errors[0].message.contains("has a key that is not a field of UserFilter."), "{}", errors[0].message);
        assert!(!format!("{errors:?}").contains("SECRET"), "{errors:?}");
    }
}

#[test]
fn a_date_time_is_checked_before_execution() {
    let of =
        |text: &str, variables: Json| prepare(text, None, variables).map(drop).map_err(|refused| refused.0[0].code);
    let filter = |ty: &str, value: &str| {
        format!("query($v: DateTime{ty}) {{ users(filter: {{ createdFrom: {value} }}) {{ totalCount }} }}")
    };
    let moment = "2026-11-28T00:00:00Z";
    assert_eq!(of(&filter("", "$v"), json!({ "v": moment })), Ok(()));
    assert_eq!(of(&filter("", "$v"), json!({})), Ok(()));
    assert_eq!(of(&filter("", "$v"), json!({ "v": null })), Ok(()));
    assert_eq!(of(&filter(&format!(" = \"{moment}\""), "$v"), json!({})), Ok(()));
    for wrong in [json!([moment]), json!({ "a": 1 }), json!(1), json!(true), json!("yesterday"), json!("")] {
        assert_eq!(of(&filter("", "$v"), json!({ "v": wrong })), Err(Code::BadUserInput), "{wrong}");
    }
    for wrong in ["[$v]", "{ a: $v }", "[\"a\"]", "{ a: 1 }", "1", "1.5", "true", "A", "\"yesterday\"", "\"\""] {
        assert_eq!(of(&filter("", wrong), json!({ "v": moment })), Err(Code::BadUserInput), "{wrong}");
    }
    assert_eq!(of(&filter(" = [1]", "$v"), json!({})), Err(Code::BadUserInput), "defaults are checked too");
    assert_eq!(of(&filter(" = \"now\"", "$v"), json!({})), Err(Code::BadUserInput), "defaults are parsed too");
}

/// Returns documents for an application's schema, which has a scalar that accepts any value.
fn anything() -> Documents {
    let schema = "schema { query: Query } scalar Any input In { any: Any } \
        type Query { a(any: Any, all: [Any!], in: In): Int }";
    Documents::new(schema, false)
}

#[test]
fn an_application_scalar_accepts_a_variable_only_as_its_whole_value() {
    let documents = anything();
    let of = |argument: &str| {
        let read = documents.read(&format!("query($v: Any!) {{ a({argument}) }}"));
        read.map(drop).map_err(|refused| refused.0[0].code)
    };
    for argument in ["any: $v", "in: { any: $v }", "all: [$v]", "any: $v, all: [[1], { b: [2] }]"] {
        assert_eq!(of(argument), Ok(()), "{argument}");
    }
    for argument in ["any: [$v]", "any: { b: $v }", "in: { any: [{ b: $v }] }", "all: [[$v]]"] {
        assert_eq!(of(argument), Err(Code::BadUserInput), "{argument}");
    }
}

#[test]
fn copies_of_a_variable_are_refused_before_allocation() {
    let documents = anything();
    let prepare = |document: &Document, value: Json| {
        let variables = to_raw_value(&json!({ "v": value })).unwrap();
        documents.prepare(document, None, Some(&variables)).map(drop).map_err(|refused| refused.0[0].code)
    };
    let aliases: Vec<_> = (0..20).map(|n| format!("a{n}: a(any: $v)")).collect();
    let aliases = documents.read(&format!("query($v: Any) {{ {} }}", aliases.join(" "))).unwrap();
    let list = documents.read(&format!("query($v: Any!) {{ a(all: [{}]) }}", "$v".repeat(1_900))).unwrap();
    assert_eq!(prepare(&aliases, json!("x".repeat(1_000))), Ok(()));
    assert_eq!(prepare(&list, json!(1)), Ok(()));
    let objects = json!(vec![json!({ "": 0 }); 1_500]);
    for document in [&aliases, &list] {
        let mut outcome = Ok(());
        let taken = allocation_counter::measure(|| outcome = prepare(document, objects.clone()));
        assert_eq!(outcome, Err(Code::DocumentTooLarge));
        assert!(taken.bytes_max < 6 * 1024 * 1024, "{} bytes", taken.bytes_max);
    }
}

#[test]
fn the_counted_size_of_a_value_is_at_least_its_memory() {
    for value in [
        json!(vec![json!({ "": 0 }); 1_000]),
        json!(vec![0; 1_000]),
        json!(vec!["x".repeat(15); 1_000]),
        json!({ "a": "x".repeat(10_000) }),
        Json::Object((0..1_000).map(|n| (n.to_string(), json!([]))).collect()),
    ] {
        let value = async_graphql::Value::from_json(value).unwrap();
        let mut copy = None;
        let taken = allocation_counter::measure(|| copy = Some(value.clone())).bytes_current;
        assert_eq!(copy, Some(value.clone()));
        assert!(i64::try_from(memory::size(&value)).unwrap() >= taken, "{} for {taken}", memory::size(&value));
    }
}

#[test]
fn errors_are_few_and_short_with_a_position() {
    let unknown: Vec<_> = (0..500).map(|n| format!("x{n} ")).collect();
    let Refused(errors) =
        prepare(&format!("{{\n  me {{ {} }} }}", unknown.concat()), None, json!({})).map(drop).unwrap_err();
    assert_eq!(errors.len(), ERRORS);
    assert_eq!(errors[0].at, Some(Pos { line: 2, column: 8 }));
    let long = format!("{{ me {{ {} }} }}", "x".repeat(14_000));
    let Refused(errors) = prepare(&long, None, json!({})).map(drop).unwrap_err();
    assert!(errors[0].message.chars().count() <= MESSAGE + 1, "{}", errors[0].message);
    let Refused(errors) = prepare("{ me { id } }\n  \"s3cret", None, json!({})).map(drop).unwrap_err();
    assert_eq!((errors[0].code, errors.len()), (Code::ParseFailed, 1));
    assert!(!errors[0].message.contains("s3cret"), "{}", errors[0].message);
}

#[test]
fn operation_costs() {
    assert_eq!(cost("{ me { id email } }"), 3);
    assert_eq!(cost("{ me { id id ... { id } } }"), 2, "a repeated field counts once");
    assert_eq!(cost("{ me { sessions(first: 3) { nodes { id } totalCount } } }"), 1 + 41 + (1 + 3) + 1);
    assert_eq!(cost("{ me { sessions { edges { node { id } } } } }"), 1 + 41 + 1 + 20 * 2, "a page without a number");
    assert_eq!(cost("{ me { devices { id } } }"), 1 + 41 + 20);
    let page = |n: usize| json!({ "n": n });
    let paged =
        |variables| prepare("query($n: Int) { users(first: $n) { nodes { id } } }", None, variables).unwrap().1.cost;
    assert_eq!(paged(page(50)) - paged(page(10)), 40, "a number in a variable counts");
    let day = "\"2026-01-01T00:00:00Z\"";
    let count = |n: u8| format!("s{n}: auditStatistics(from: {day}, before: {day}) {{ intervals }} ");
    let counts = |times: u8| run(&format!("{{ {} }}", (0..times).map(count).collect::<String>()), None);
    assert!(counts(3).is_ok());
    assert_eq!(counts(4), Err(Code::DocumentTooLarge), "one operation counts at most three ranges");
    let alias = "a".repeat(640);
    assert_eq!(cost(&format!("{{ me {{ {alias}: id }} }}")), 1 + 1 + 10, "long names count");
    let node = |bytes: usize| cost(&format!("{{ node(id: \"{}\") {{ id }} }}", "a".repeat(bytes)));
    assert_eq!(node(6_400) - node(0), 100, "arguments count");
    let wide =
        "{ users(first: 100) { nodes { sessions(first: 100) { nodes { id ipAddress userAgent createdAt } } } } }";
    assert_eq!(run(wide, None), Err(Code::DocumentTooLarge));
    let everything = "{ users(first: 100) { nodes { id email name role status createdAt \
        sessions { totalCount nodes { id createdAt userAgent ipAddress } } \
        auditEvents { nodes { id kind at actor { id } subject { id } } } devices { id } } } }";
    assert!(run(everything, None).is_ok());
}

#[test]
fn an_abstract_field_costs_its_most_expensive_type() {
    let both = "{ node(id: 1) { ... on User { email name } ... on Session { id createdAt lastSeenAt } } }";
    assert_eq!(cost(both), 1 + 3);
}

#[test]
fn introspection_lists_cost_their_length_in_the_schema() {
    let deep = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(run(deep, None), Err(Code::DocumentTooLarge));
    let picked = "{ __type(name: \"User\") { fields { name type { name kind } args { name } } } }";
    assert!(run(picked, None).is_ok());
}

#[test]
fn document_limits_are_exact() {
    let operations = |count: usize| {
        let each: Vec<_> = (0..count).map(|at| format!("query q{at} {{ __typename }}")).collect();
        each.join(" ")
    };
    assert!(run(&operations(16), Some("q0")).is_ok());
    assert_eq!(run(&operations(17), Some("q0")).err(), Some(Code::DocumentTooLarge));
    // One root field with the other selections below it.
    let selections = |count: usize| format!("{{ me {{ {} }} }}", "id ".repeat(count - 1));
    assert!(run(&selections(1_000), None).is_ok());
    assert_eq!(run(&selections(1_001), None).err(), Some(Code::DocumentTooLarge));
    assert_eq!(run(&selections(1_500), None).err(), Some(Code::DocumentTooLarge));
}
