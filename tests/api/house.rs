//! The rules of the house, read off the source: which part may name which, what every file begins with, who owns a
//! table. Every check is tried on a sample that breaks it, so that none can go blind. They read text and run nothing.

mod asvs;
mod deploy;
mod security;
mod source;
mod text;

use std::{collections::BTreeSet, fs};

use source::{Source, root, sources, tokens, without_tests};

/// A part of the program and the paths that it never names.
const NEVER: [(&str, &[&str]); 9] = [
    (
        "domain",
        &[
            "crate::http",
            "crate::graphql",
            "crate::app",
            "crate::cli",
            "crate::telemetry",
            "axum",
            "async_graphql",
            "tower",
            "tower_http",
            "redis",
            "lettre",
            "clap",
        ],
    ),
    ("db", &["crate::http", "crate::graphql", "crate::app", "crate::cli", "axum", "async_graphql"]),
    ("graphql", &["crate::http", "crate::app", "crate::cli", "sea_orm", "axum", "redis", "lettre"]),
    ("http", &["crate::app", "crate::cli", "crate::db", "sea_orm", "redis", "lettre"]),
    ("adapter", &["sea_orm", "axum", "async_graphql"]),
    ("config", &["crate::http", "crate::graphql", "crate::app", "crate::cli", "sea_orm", "axum", "async_graphql"]),
    ("cli", &["sea_orm", "axum", "async_graphql"]),
    ("telemetry", &["crate::http", "crate::graphql", "crate::domain", "crate::db", "sea_orm", "async_graphql"]),
    ("ports", &["sea_orm", "axum", "async_graphql", "redis", "lettre"]),
];

/// A part and all that it may name of the crate beside itself.
const ONLY: [(&str, &[&str]); 6] = [
    (
        "adapter",
        &[
            "crate::ports",
            "crate::files",
            "crate::finding",
            "crate::metrics",
            "crate::trace",
            "crate::domain::mail::inbox",
        ],
    ),
    ("ports", &[]),
    ("files", &[]),
    ("finding", &[]),
    ("metrics", &[]),
    ("trace", &[]),
];

/// A table and the place in `domain/` that its rows belong to.
const OWNERS: [(&str, &str); 9] = [
    ("users", "src/domain/user"),
    ("devices", "src/domain/device"),
    ("sessions", "src/domain/session"),
    ("email_codes", "src/domain/sign_in/"),
    ("sign_in_links", "src/domain/sign_in/link"),
    ("email_changes", "src/domain/user/email_change"),
    ("outbox", "src/domain/mail/"),
    ("audit_events", "src/domain/audit"),
    ("signing_keys", "src/domain/keys"),
];

/// Who reaches into another's table all the same, and why.
const GUESTS: [(&str, &str, &str); 6] = [
    ("src/domain/sign_in/challenge", "users", "one statement answers all that a sign-in asks, for everybody alike"),
    ("src/domain/sign_in/challenge", "devices", "as above: a known device must not show in the time it takes"),
    ("src/domain/sign_in/challenge", "sign_in_links", "as above: nor must a link that is under way"),
    ("src/domain/user", "devices", "the statement that lets somebody in also tells whether they were here before"),
    ("src/domain/user", "sessions", "as above"),
    ("src/domain/session", "users", "a request finds its session and person with one statement"),
];

#[test]
fn every_part_names_only_what_lies_below_it() {
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().flat_map(broken_direction));

    let breaks = |path, text| !broken_direction(&Source::new(path, text)).is_empty();
    assert!(breaks("src/domain/user.rs", "use axum::Router;"));
    assert!(breaks("src/domain/user.rs", "use crate::{db, http::{self, guard}};"));
    assert!(breaks("src/domain/user.rs", "fn f() { crate::graphql::sdl(); }"));
    assert!(breaks("src/domain/mail/outbox.rs", "use super::super::super::app::App;"));
    assert!(breaks("src/db/mod.rs", "use crate::{config::Settings, domain::{Error, user}};"));
    assert!(breaks("src/graphql/user.rs", "use std::fmt;\nuse sea_orm::EntityTrait as _;"));
    assert!(breaks("src/adapter/smtp.rs", "use crate::config::Settings;"));
    assert!(breaks("src/adapter/inbox.rs", "use crate::domain::mail;"));
    assert!(breaks("src/cli.rs", "use crate::adapter::system;"));
    assert!(breaks("src/main.rs", "fn main() { doorcode::adapter::system::start() }"));
    assert!(breaks("src/http/mod.rs", "use crate::*;"));
    assert!(!breaks("src/app.rs", "use crate::adapter::smtp::Smtp;\nuse sea_orm::Database;"));
    assert!(!breaks("src/db/mod.rs", "use crate::{config::Settings, domain::Error};"));
    assert!(!breaks("src/domain/user.rs", "// use axum::Router;\nconst A: &str = \"axum::Router\";"));
    assert!(!breaks("src/domain/user.rs", "#[cfg(test)]\nmod tests { use axum::Router; }"));
}

fn broken_direction(source: &Source) -> Vec<String> {
    let layer = source.layer();
    let own = format!("crate::{layer}");
    let never = NEVER.iter().filter(|(part, _)| *part == layer).flat_map(|(_, never)| *never);
    let never: Vec<_> = never.copied().collect();
    let only = ONLY.iter().find(|(part, _)| *part == layer).map(|(_, only)| *only);
    let sea_orm_lives_here = matches!(layer.as_str(), "domain" | "db" | "app");
    let adapters_are_chosen_here = matches!(layer.as_str(), "adapter" | "app");
    let mut broken = Vec::new();
    for path in source.paths().iter().map(|path| path.join("::")) {
        let ours = path == "crate" || path.starts_with("crate::");
        let refused = never.iter().any(|never| is_below(&path, never))
            || is_below(&path, "crate::*")
            || (is_below(&path, "crate::adapter") && !adapters_are_chosen_here)
            || (is_below(&path, "sea_orm") && !sea_orm_lives_here)
            || (layer == "db" && is_below(&path, "crate::domain") && !is_below(&path, "crate::domain::Error"))
            || only.is_some_and(|only| {
                ours && !is_below(&path, &own) && !only.iter().any(|allowed| is_below(&path, allowed))
            });
        if refused {
            broken.push(format!("{}: names {path}", source.path));
        }
    }
    broken
}

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn time_and_randomness_come_from_one_file() {
    let program = without_tests(sources(&["src", "migration/src"]));
    assert_holds(program.iter().flat_map(wild_sources));
    assert!(wild_sources(&Source::new("src/adapter/system.rs", "fn f() { chrono::Utc::now() }")).is_empty());
    for bad in [
        "fn f() { Utc::now() }",
        "fn f() { std::time::SystemTime::now() }",
        "use aws_lc_rs::{digest, rand};",
        "fn f() { rand::random() }",
        "use rand::thread_rng;",
        "fn f() { Uuid::now_v7() }",
        "fn f() { Uuid::new_v4() }",
    ] {
        assert!(!wild_sources(&Source::new("src/a.rs", bad)).is_empty(), "{bad}");
    }
}

#[test]
fn randomness_is_the_systems_and_nothing_else() {
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().flat_map(own_randomness));
    let system =
        |fill: &str| Source::new("src/adapter/system.rs", &format!("impl Entropy for SystemEntropy {{ {fill} }}"));
    let fill = |body: &str| system(&format!("fn fill(&self, buffer: &mut [u8]) {{ {body} }}"));
    assert!(own_randomness(&fill("let a = aws_lc_rs::rand::fill(buffer); // from here\n if a.is_err() {}")).is_empty());
    for bad in [
        "seeded(Utc::now()).fill(buffer);",
        "let a = aws_lc_rs::rand::fill(buffer); buffer[0] = 7;",
        "aws_lc_rs::rand::fill(&mut [0; 8]); buffer.fill(7);",
        "use aws_lc_rs as other; rand::fill(buffer);",
        "// aws_lc_rs::rand::fill(buffer)",
    ] {
        assert!(!own_randomness(&fill(bad)).is_empty(), "{bad}");
    }
    assert!(!own_randomness(&Source::new("src/vault.rs", "impl Entropy for Mine {}")).is_empty());
    assert!(!own_randomness(&Source::new("src/adapter/system.rs", "")).is_empty());
}

/// Whatever gives randomness beside the system: another implementation, or the one that does more than ask for it.
fn own_randomness(source: &Source) -> Vec<String> {
    const ASKS: &str = "aws_lc_rs :: rand :: fill ( buffer )";
    const IMPLEMENTS: &str = "impl Entropy for";
    let code = tokens(&source.code).join(" ");
    let mut implementations = code.split(IMPLEMENTS).skip(1);
    if source.path != "src/adapter/system.rs" {
        return implementations.map(|_| format!("{}: gives randomness of its own", source.path)).collect();
    }
    let (Some(only), None) = (implementations.next(), implementations.next()) else {
        return vec![format!("{}: gives randomness once", source.path)];
    };
    // Up to the next item.
    let body = only.split("pub fn").next().unwrap_or_default();
    let uses = body.split_whitespace().filter(|token| *token == "buffer").count();
    let holds = body.contains(ASKS) && uses == 2;
    (!holds)
        .then(|| format!("{}: does something else with the buffer than to have the system fill it", source.path))
        .into_iter()
        .collect()
}

fn wild_sources(source: &Source) -> Vec<String> {
    const WILD: [&str; 8] =
        ["rand", "thread_rng", "getrandom", "fastrand", "StdRng", "SmallRng", "RandomState", "seed_from_u64"];
    const WILD_ENDS: [&str; 5] = ["Utc::now", "Local::now", "SystemTime::now", "Uuid::now_v7", "Uuid::new_v4"];
    if source.path == "src/adapter/system.rs" {
        return Vec::new();
    }
    let paths = source.paths();
    let wild = paths.iter().filter(|path| {
        let end = path[path.len().saturating_sub(2)..].join("::");
        path.iter().any(|name| WILD.contains(&name.as_str())) || WILD_ENDS.contains(&end.as_str())
    });
    wild.map(|path| format!("{}: uses {}", source.path, path.join("::"))).collect()
}

#[test]
fn every_table_has_one_owner() {
    let entities = fs::read_to_string(root().join("src/db/entity.rs")).unwrap();
    let tables: BTreeSet<_> =
        entities.split("table_name = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(tables, OWNERS.iter().map(|(table, _)| *table).collect(), "OWNERS names every table");
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().flat_map(trespasses));
    for (guest, table, _) in GUESTS {
        let visits = |source: &&Source| source.path.starts_with(guest) && tables_of(source).contains(table);
        assert!(program.iter().any(|source| visits(&source)), "{guest} needs no leave for {table} any more");
    }

    let breaks = |path, text| !trespasses(&Source::new(path, text)).is_empty();
    assert!(breaks("src/domain/audit.rs", "use crate::db::{self, entity::users};\nfn f() { users::Entity::find() }"));
    assert!(breaks("src/domain/audit.rs", "use crate::db::entity;\nfn f() { entity::users::Entity::find() }"));
    assert!(breaks(
        "src/domain/audit.rs",
        "use crate::db::entity::users as people;\nfn f() { people::Entity::find() }"
    ));
    assert!(breaks("src/domain/audit.rs", "use crate::db::entity::*;"));
    assert!(breaks("src/domain/audit.rs", "use crate::db::entity as rows;"));
    assert!(breaks("src/domain/audit.rs", "const A: &str = \"UPDATE users SET a = 1\";"));
    assert!(breaks("src/graphql/user.rs", "use crate::db::entity::users::{self, Column};"));
    assert!(!breaks("src/graphql/user.rs", "use crate::db::entity::users;\nstruct User(users::Model);"));
    assert!(!breaks("src/domain/user.rs", "use crate::db::entity::users;\nfn f() { users::Entity::find() }"));
}

/// What a file outside the owner does with the rows of a table. To hold a row somebody else read is no trespass.
fn trespasses(source: &Source) -> Vec<String> {
    if source.path.starts_with("src/db/") {
        return Vec::new();
    }
    let mut broken: Vec<_> = tables_of(source)
        .into_iter()
        .filter(|table| !OWNERS.contains(&(table, owner_prefix(source, table))))
        .filter(|table| !GUESTS.iter().any(|(guest, of, _)| of == table && source.path.starts_with(guest)))
        .map(|table| format!("{}: reaches into {table}", source.path))
        .collect();
    let veiled = source
        .paths()
        .iter()
        .map(|path| path.join("::"))
        .find(|path| path.contains("entity::*") || path.contains("entity::as "));
    broken.extend(veiled.map(|path| format!("{}: hides tables behind {path}", source.path)));
    broken
}

/// The owner of a table, if this file belongs to it.
fn owner_prefix(source: &Source, table: &str) -> &'static str {
    let owner = OWNERS.iter().find(|(owned, _)| *owned == table).map_or("", |(_, owner)| *owner);
    if source.path.starts_with(owner) { owner } else { "" }
}

/// Tables whose rows a file reads or writes, by entity or by SQL.
fn tables_of(source: &Source) -> BTreeSet<&'static str> {
    let paths = source.paths();
    // A table may go by another name in a file.
    let mut names: Vec<(String, &str)> = Vec::new();
    for (table, _) in OWNERS {
        for path in &paths {
            let Some(at) = path.windows(2).position(|pair| pair[0] == "entity" && pair[1] == table) else {
                continue;
            };
            let alias = path.get(at + 2).and_then(|next| next.strip_prefix("as "));
            names.push((alias.unwrap_or(table).to_owned(), table));
        }
    }
    let mut tables = BTreeSet::new();
    for path in &paths {
        for pair in path.windows(2) {
            let table = names.iter().find(|(name, _)| *name == pair[0]).map(|(_, table)| *table);
            let is_row = matches!(pair[1].as_str(), "Model" | "self") || pair[1].starts_with("as ");
            tables.extend(table.filter(|_| !is_row));
        }
    }
    let words: Vec<_> =
        source.strings.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    for pair in words.windows(2) {
        let is_sql = matches!(pair[0], "FROM" | "INTO" | "UPDATE" | "JOIN" | "TABLE");
        tables.extend(OWNERS.iter().map(|(table, _)| *table).filter(|table| is_sql && pair[1] == *table));
    }
    tables
}

fn assert_holds(broken: impl Iterator<Item = String>) {
    let broken: BTreeSet<_> = broken.collect();
    assert!(broken.is_empty(), "{}", broken.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Who makes lists that nobody decides by: these alone read from a standby, which may be behind.
const LISTERS: [&str; 6] = [
    "src/domain/slice.rs",
    "src/domain/audit/list.rs",
    "src/domain/device.rs",
    "src/domain/session.rs",
    "src/domain/user/list.rs",
    "src/graphql/loader.rs",
];

#[test]
fn nothing_but_lists_is_read_from_a_standby() {
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().filter_map(may_lag));
    let breaks = |path, text| may_lag(&Source::new(path, text)).is_some();
    assert!(breaks("src/domain/session/refresh.rs", "fn f() { ctx.db\n.lists().all(statement) }"));
    assert!(breaks("src/domain/sign_in/challenge.rs", "fn f() { slice::lists_of(ctx, [sight]) }"));
    assert!(!breaks("src/domain/slice.rs", "fn f() { ctx.db.lists() }"));
    assert!(!breaks("src/domain/token.rs", "// lists()\nfn f() { ctx.db.read() }"));
}

fn may_lag(source: &Source) -> Option<String> {
    let asks = tokens(&source.code).windows(2).any(|pair| matches!(pair, ["lists" | "lists_of", "("]));
    let may = source.path.starts_with("src/db/") || LISTERS.contains(&source.path.as_str());
    (asks && !may).then(|| format!("{}: reads from a standby", source.path))
}
