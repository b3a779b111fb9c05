//! What a console for administrators reads and does: statistics, filters and details of the audit trail, sessions of
//! other users, and links to set a password.

mod details;
mod filters;
mod reset;
mod sessions;
mod statistics;

use serde_json::{Value, json};

use crate::harness::{Answer, Client};

/// Reads the trail with a filter.
async fn trail(client: &Client<'_>, filter: Value) -> Answer {
    let query = "query($filter: AuditFilter) { auditEvents(first: 100, filter: $filter) { \
                 totalCount nodes { kind ipAddress sessionId subject { email } } } }";
    client.query(query, json!({ "filter": filter })).await
}

/// The kinds of the events that match a filter, newest first.
async fn kinds(client: &Client<'_>, filter: Value) -> Vec<String> {
    let answer = trail(client, filter).await;
    let found = answer.field("auditEvents");
    let kinds: Vec<_> = found["nodes"].as_array().unwrap().iter().map(|node| text(&node["kind"])).collect();
    assert_eq!(found["totalCount"], kinds.len(), "{}", answer.text);
    kinds
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
