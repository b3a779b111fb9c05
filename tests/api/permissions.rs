//! Compares docs/integrate/permissions.md ("the permissions page") with the schema and the server: every field, as
//! every role, for the caller's own data and that of other users. The page must have one row for each field.

mod changes;
mod fields;
mod keys;
mod live;
mod page;
mod people;
mod reads;

use std::collections::BTreeSet;

use crate::harness::TestApp;
use page::Page;

/// Fields that a production server without federation does not have.
const NOT_IN_PRODUCTION: [&str; 3] = ["Query.inbox", "Query._entities", "Query._service"];

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_page_has_exactly_one_row_per_field() {
    let app = TestApp::with(people::wide_limits).await;
    let (page, types) = (Page::read(), fields::of(&app).await);
    let objects: Vec<_> = types.iter().filter(|(_, kind)| kind.kind == "OBJECT").collect();
    let is_untabled = |name: &String| page.untabled.contains(name);
    let tabled = objects.iter().filter(|(name, _)| !is_untabled(name));
    let fields = tabled.flat_map(|(name, kind)| kind.fields.keys().map(move |field| format!("{name}.{field}")));
    let fields: BTreeSet<_> = fields.collect();
    let rows: BTreeSet<_> = page.rows.keys().cloned().collect();
    let lacks: Vec<_> = fields.difference(&rows).collect();
    assert!(lacks.is_empty(), "docs/integrate/permissions.md needs a row for each of {lacks:?}");
    let superfluous: Vec<_> = rows.difference(&fields).collect();
    assert!(superfluous.is_empty(), "docs/integrate/permissions.md has rows for unknown fields: {superfluous:?}");
    let gone: Vec<_> = page.untabled.iter().filter(|name| !objects.iter().any(|(known, _)| known == name)).collect();
    assert!(gone.is_empty(), "docs/integrate/permissions.md names unknown types: {gone:?}");
}

#[test]
fn the_production_schema_has_every_row_except_those_of_other_servers() {
    let page = Page::read();
    let is_tabled = |field: &String| !page.untabled.contains(field.split('.').next().unwrap());
    let published: BTreeSet<_> = fields::of_production().into_iter().filter(is_tabled).collect();
    let rows = page.rows.keys().filter(|row| !NOT_IN_PRODUCTION.contains(&row.as_str())).cloned();
    assert_eq!(published, rows.collect());
}

/// Interfaces do not check who owns an object, so they may only expose fields that every caller may read.
#[tokio::test(flavor = "multi_thread")]
async fn interfaces_only_expose_an_id_or_a_message_with_its_code() {
    let app = TestApp::with(people::wide_limits).await;
    let types = fields::of(&app).await;
    let interfaces = types.iter().filter(|(_, kind)| kind.kind == "INTERFACE");
    let fields = interfaces.flat_map(|(name, kind)| kind.fields.keys().map(move |field| format!("{name}.{field}")));
    assert_eq!(fields.collect::<Vec<_>>(), ["Node.id", "Problem.code", "Problem.message"]);
    // Every type that `node` can return must have a table on the page.
    let page = Page::read();
    for name in &types["Node"].possible {
        assert!(types[name].interfaces.contains(&"Node".to_owned()));
        page.row(&format!("{name}.id"));
    }
}

#[test]
#[should_panic(expected = "is not a defined word")]
fn cells_only_use_the_defined_words() {
    Page::parse(
        "\n## User\n\n| field | anonymous | GUEST | USER | MANAGER | ADMIN | API key |\n| --- | --- | --- | --- | --- | --- | --- |\n\
                 | `id` | — | own | own | everybody | all | — |\n",
    );
}
