//! Hostile, malformed or oversized documents, each with the expected status and code. The contract tests send the
//! documents in process. The attack tests send them over a socket to a separate server process.

/// The HTTP status and error code of a refused request.
pub(crate) type Refusal = (u16, &'static str);

/// The name of an attack, the document, and how the server must refuse it.
pub(crate) type Hostile = (&'static str, String, Refusal);

pub(crate) const GUARD: Refusal = (422, "DOCUMENT_TOO_LARGE");
pub(crate) const PARSE: Refusal = (400, "GRAPHQL_PARSE_FAILED");
pub(crate) const INVALID: Refusal = (422, "GRAPHQL_VALIDATION_FAILED");
pub(crate) const INPUT: Refusal = (422, "BAD_USER_INPUT");
pub(crate) const BYTES: Refusal = (413, "DOCUMENT_TOO_LARGE");

pub(crate) fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

/// Documents that try a hundred codes in one request, one document for each way to write that in GraphQL.
pub(crate) fn guesses(challenge: &str, code: &str) -> Vec<Hostile> {
    let guess =
        |n: usize| format!("g{n}: verify(input: {{challenge: \"{challenge}\", code: \"{code}\"}}) {{__typename}} ");
    let shared = "verify(input: $i) {__typename}";
    let parts = format!("fragment a on Mutation {{ {shared} }} fragment b on Mutation {{ b: {shared} }}");
    vec![
        ("100 aliases", format!("mutation {{ {} }}", many(100, guess)), GUARD),
        ("two root fields", format!("mutation {{ {} }}", many(2, guess)), GUARD),
        ("one and a __typename", format!("mutation {{ __typename {} }}", guess(0)), GUARD),
        ("fragments", format!("mutation($i: VerifyInput!) {{ ...a ...b }} {parts}"), GUARD),
        (
            "inline fragments",
            format!("mutation {{ ... {{ {} }} ... on Mutation {{ {} }} }}", guess(0), guess(1)),
            GUARD,
        ),
        ("another operation beside it", format!("query A {{ __typename }} mutation B {{ {} }}", many(2, guess)), GUARD),
    ]
}

/// Documents with too many fields, aliases, directives, fragments or operations.
pub(crate) fn floods() -> Vec<Hostile> {
    let alias = |n: usize| format!("a{n}: __typename ");
    let fan = |levels: usize| {
        many(levels, |n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1))
            + &format!("fragment f{levels} on Query {{ __typename }}")
    };
    let chain = |length: usize| many(length, |n| format!("fragment f{n} on Query {{ ...f{} }} ", n + 1));
    let skip = |n: usize| "@skip(if: false) ".repeat(n);
    vec![
        ("101 aliases of __typename", format!("{{ {} }}", many(101, alias)), GUARD),
        ("__typename x 500", format!("{{ {} }}", "__typename ".repeat(500)), GUARD),
        ("21 root fields", format!("{{ {} }}", many(21, alias)), GUARD),
        ("1,001 fields", format!("{{ me {{ {} }} }}", "id ".repeat(1_000)), GUARD),
        ("2,001 tokens", format!("{{ me {{ {} }} }}", "id ".repeat(2_000)), GUARD),
        ("directives on a field", format!("{{ __typename {} }}", skip(250)), INVALID),
        ("a default of a type that is not there", "query($a: [[Nothing!]] = [[1]]) { __typename }".into(), INVALID),
        ("a default of what is no type", "query($a: [me] = [1]) { __typename }".into(), INVALID),
        ("five directives", format!("{{ __typename {} }}", skip(5)), INVALID),
        ("directives on an inline fragment", format!("{{ ... {} {{ __typename }} }}", skip(250)), INVALID),
        ("directives on an operation", format!("query {} {{ __typename }}", "@a ".repeat(900)), INVALID),
        ("directives on a spread", format!("{{ ...f {} }} fragment f on Query {{ __typename }}", skip(250)), INVALID),
        (
            "directives on a fragment",
            format!("{{ ...f }} fragment f on Query {} {{ __typename }}", "@a ".repeat(900)),
            INVALID,
        ),
        ("directives on a variable", format!("query($a: Int {}) {{ __typename }}", "@a ".repeat(900)), INVALID),
        ("a fragment of itself", "{ ...a } fragment a on Query { ...a }".into(), INVALID),
        (
            "an unused cycle of two fragments",
            "{ __typename } fragment a on Query { ...b } fragment b on Query { ...a }".into(),
            INVALID,
        ),
        ("a long cycle", format!("{{ ...f0 }} {} fragment f150 on Query {{ ...f0 }}", chain(150)), INVALID),
        ("a fan of 2^30", format!("{{ ...f0 }} {}", fan(30)), GUARD),
        ("an unused fan of fragments", format!("{{ __typename }} {}", fan(30)), GUARD),
        (
            "200 unused fragments",
            format!("{{ __typename }} {}", many(200, |n| format!("fragment f{n} on Query {{ me {{ id }} }} "))),
            GUARD,
        ),
        (
            "150 unused fragments",
            format!("{{ __typename }} {}", many(150, |n| format!("fragment f{n} on Query {{ __typename }} "))),
            INVALID,
        ),
        (
            "20,000 unused fragments",
            format!("{{ __typename }} {}", many(20_000, |n| format!("fragment f{n} on Query {{ __typename }} "))),
            BYTES,
        ),
        ("20,000 variables", format!("query({}) {{ __typename }}", many(20_000, |n| format!("$a{n}: Int "))), BYTES),
        ("300 unused variables", format!("query({}) {{ __typename }}", many(300, |n| format!("$a{n}: Int "))), INVALID),
        ("20,000 operations", many(20_000, |n| format!("query Q{n} {{ __typename }} ")), BYTES),
        ("17 operations", many(17, |n| format!("query Q{n} {{ __typename }} ")), GUARD),
    ]
}

/// Small documents that an earlier version took seconds and gigabytes to process: values that are copied for every
/// fragment spread, errors that repeat such values, conflicts between many fields, and lists of lists.
pub(crate) fn multipliers() -> Vec<Hostile> {
    [copies(), lists_of_lists()].concat()
}

fn copies() -> Vec<Hostile> {
    let spreads = |count: usize| "...f ".repeat(count);
    let listed = format!("fragment f on User {{ sessions(after: [{}]) {{ totalCount }} }}", "$x ".repeat(400));
    let operations = many(16, |n| format!("query Q{n}($x: String) {{ me {{ {} }} }} ", spreads(40)));
    let conflict = |n: usize| format!("a: sessions(first: {n}) {{ ... {{ ... {{ a: totalCount }} }} }} ");
    let merged = |n: usize| {
        let (next, after) = (n + 1, n + 2);
        format!(
            "fragment f{n} on User {{ sessions {{ nodes {{ user {{ ...f{next} ...f{after} }} }} }} \
             sessions {{ nodes {{ user {{ ...f{next} }} }} }} }} "
        )
    };
    vec![
        ("16 operations of spreads of a list of variables", format!("{operations}{listed}"), INPUT),
        (
            "spreads of a list of variables",
            format!("query($x: String) {{ me {{ {} }} }} {listed}", spreads(240)),
            INPUT,
        ),
        ("1,500 literals", format!("{{ users(first: [{}]) {{ totalCount }} }}", "1 ".repeat(1_500)), INPUT),
        (
            "a text of odd characters",
            format!("{{ users(first: \"{}\") {{ totalCount }} }}", "\u{301}".repeat(7_000)),
            INPUT,
        ),
        (
            "a condition that is a list",
            format!("query($x: Boolean) {{ me {{ id @skip(if: [{}]) }} }}", "$x ".repeat(975)),
            INVALID,
        ),
        ("conflicting arguments in fragments", format!("{{ me {{ {} }} }}", many(100, conflict)), INVALID),
        (
            "conflicting names",
            format!(
                "{{ me {{ {} }} }}",
                many(300, |n| format!("a: id a: {} ", if n % 2 == 0 { "email" } else { "name" }))
            ),
            INVALID,
        ),
        (
            "fragments that select from each other",
            format!(
                "{{ me {{ ...f0 }} }} {} fragment f40 on User {{ id }} fragment f41 on User {{ id }}",
                many(40, merged)
            ),
            GUARD,
        ),
    ]
}

fn lists_of_lists() -> Vec<Hostile> {
    let of_types = |inner: &str| format!("{{ __schema {{ types {{ fields {{ type {{ {inner} }} }} }} }} }}");
    let nested = "subject { auditEvents(first: 100) { nodes { ".repeat(4);
    vec![
        (
            "lists of the schema in lists of the schema",
            of_types("fields { type { fields { type { fields { name } } } } }"),
            GUARD,
        ),
        (
            "lists in lists of a hundred",
            format!("{{ auditEvents(first: 100) {{ nodes {{ {nested} id {} }} }} }}", "} } } ".repeat(4)),
            GUARD,
        ),
        (
            "a hundred names of a list for each of a hundred",
            format!(
                "{{ users(first: 100) {{ nodes {{ {} }} }} }}",
                many(100, |n| format!("a{n}: sessions(first: {}) {{ totalCount }} ", n + 1))
            ),
            GUARD,
        ),
        (
            "the same export under many names",
            format!(
                "mutation {{ exportData {{ ... on DataExported {{ {} }} }} }}",
                many(900, |n| format!("a{n}: data "))
            ),
            GUARD,
        ),
    ]
}

/// Documents that are deeply nested, very long, or incomplete.
pub(crate) fn broken() -> Vec<Hostile> {
    let nest = |n: usize, open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(n), close.repeat(n));
    let node = |literal: &str| format!("{{ node(id: {literal}) {{ id }} }}");
    let sessions = nest(6, "sessions { nodes { user { ", "id", "} } } ");
    vec![
        ("deep selections", nest(40, "{ me ", "{ id }", "}"), GUARD),
        ("selections opened 8,000 times", "{a".repeat(7_000), GUARD),
        ("deeper than an operation goes", format!("{{ me {{ {sessions} }} }}"), GUARD),
        ("deep lists", node(&nest(40, "[", "1", "]")), GUARD),
        ("lists opened 16,000 times", node(&"[".repeat(16_000)), GUARD),
        ("deep objects", node(&nest(40, "{a: ", "1", "}")), GUARD),
        (
            "nested, but within the bound",
            node(&nest(25, "[{a: ", "1", "}]").replace("[{a: ", "[").replace("}]", "]")),
            INPUT,
        ),
        ("deep list types", format!("query($a: {}) {{ __typename }}", nest(40, "[", "Int", "]")), GUARD),
        ("a long list", node(&format!("[{}]", "1 ".repeat(1_900))), INPUT),
        ("a list that is longer", node(&format!("[{}]", "1 ".repeat(5_000))), GUARD),
        ("an integer of 15,000 digits", format!("{{ inbox(first: {}) {{ id }} }}", "9".repeat(15_000)), INPUT),
        ("an integer of 200,000 digits", format!("{{ inbox(first: {}) {{ id }} }}", "9".repeat(200_000)), BYTES),
        ("an integer beyond 32 bits", "{ inbox(first: 2147483648) { id } }".into(), INPUT),
        ("a float for an integer", "{ inbox(first: 1.5) { id } }".into(), INPUT),
        ("a float with a long exponent", format!("{{ inbox(first: 1e{}) {{ id }} }}", "9".repeat(10_000)), INPUT),
        ("an unfinished block string", node("\"\"\"").replace(") { id } }", &"a".repeat(15_000)), PARSE),
        ("an unfinished string", format!("{{ node(id: \"{}", "a".repeat(15_000)), PARSE),
        ("backslashes", format!("{{ node(id: \"{}", "\\".repeat(8_000)), PARSE),
        ("quotes", format!("{{ node(id: {}", "\"".repeat(8_001)), PARSE),
        ("a comment and nothing else", format!("#{}", "a".repeat(15_000)), PARSE),
        ("commas and nothing else", ",".repeat(15_000), GUARD),
        ("brackets behind an empty string", node(&format!("\"\"{}", "[".repeat(100))), PARSE),
        ("brackets behind a line end", format!("{{ # \"\r{}", "[".repeat(100)), PARSE),
        ("NUL", "{ \0 }".into(), PARSE),
        ("another alphabet", "{ ме { id } }".into(), PARSE),
    ]
}
