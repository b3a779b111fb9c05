//! The page about permissions against the schema and against what the server does: every field, every role, one's own
//! and other people's. A field without a row fails, as does a row without a field.

mod changes;
mod fields;
mod live;
mod page;
mod people;
mod reads;

use std::collections::BTreeSet;

use crate::harness::TestApp;
use page::Page;

/// What only some servers have.
const NOT_IN_PRODUCTION: [&str; 3] = ["Query.inbox", "Query._entities", "Query._service"];

#[tokio::test(flavor = "multi_thread")]
async fn the_page_has_a_row_for_every_field_and_no_other() {
    let app = TestApp::with(people::unhindered).await;
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
    assert!(superfluous.is_empty(), "docs/integrate/permissions.md has rows for what is not there: {superfluous:?}");
    let gone: Vec<_> = page.untabled.iter().filter(|name| !objects.iter().any(|(known, _)| known == name)).collect();
    assert!(gone.is_empty(), "docs/integrate/permissions.md names types that are not there: {gone:?}");
}

#[test]
fn production_has_every_row_but_those_of_other_servers() {
    let page = Page::read();
    let is_tabled = |field: &String| !page.untabled.contains(field.split('.').next().unwrap());
    let published: BTreeSet<_> = fields::of_production().into_iter().filter(is_tabled).collect();
    let rows = page.rows.keys().filter(|row| !NOT_IN_PRODUCTION.contains(&row.as_str())).cloned();
    assert_eq!(published, rows.collect());
}

/// What is reached through an interface is reached without asking whose it is, so there is nothing to reach.
#[tokio::test(flavor = "multi_thread")]
async fn an_interface_gives_nothing_but_an_id_or_a_message_with_its_code() {
    let app = TestApp::with(people::unhindered).await;
    let types = fields::of(&app).await;
    let interfaces = types.iter().filter(|(_, kind)| kind.kind == "INTERFACE");
    let fields = interfaces.flat_map(|(name, kind)| kind.fields.keys().map(move |field| format!("{name}.{field}")));
    assert_eq!(fields.collect::<Vec<_>>(), ["Node.id", "Problem.code", "Problem.message"]);
    // Whatever has an id that `node` takes has a table.
    let page = Page::read();
    for name in &types["Node"].possible {
        assert!(types[name].interfaces.contains(&"Node".to_owned()));
        page.row(&format!("{name}.id"));
    }
}

#[test]
#[should_panic(expected = "is no word of the page")]
fn a_cell_has_words_of_the_page_alone() {
    Page::parse(
        "\n## User\n\n| field | anonymous | GUEST | USER | MANAGER | ADMIN |\n| --- | --- | --- | --- | --- | --- |\n\
                 | `id` | — | own | own | everybody | all |\n",
    );
}
