//! Architecture rules, checked on the source text: which modules and libraries a module may use, where time and
//! randomness come from, and which module owns each table. Every check also runs on a sample with errors.

mod asvs;
mod security;
mod source;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use source::{Source, sources, tokens, without_tests};

/// The top-level modules, from the lowest to the highest. A file may only use modules below its own.
const LAYERS: [&str; 17] = [
    "error",
    "email_address",
    "redirect_uri",
    "files",
    "ports",
    "limits",
    "observability",
    "db",
    "settings",
    "domain",
    "graphql",
    "http",
    "adapter",
    "app",
    "seed",
    "doctor",
    "cli",
];

/// Libraries, and the only modules that may use them.
const LIBRARIES: [(&[&str], &[&str]); 5] = [
    (&["async_graphql_axum", "axum", "tower", "tower_http"], &["http"]),
    (&["async_graphql"], &["graphql", "http"]),
    (&["sea_orm"], &["db", "domain", "app", "seed", "doctor"]),
    (&["redis"], &["adapter", "app", "doctor"]),
    (&["lettre"], &["adapter", "doctor", "settings"]),
];

/// For each module, lower modules that it must not use either.
const NEVER: [(&str, &[&str]); 4] = [
    ("adapter", &["crate::db", "crate::domain", "crate::settings", "crate::graphql", "crate::http"]),
    ("http", &["crate::db"]),
    ("observability", &["crate::ports"]),
    ("seed", &["crate::http", "crate::graphql"]),
];

/// Exceptions from the lists above: the adapter of the development inbox stores emails in the domain.
const ALLOWED: [(&str, &str); 1] = [("adapter", "crate::domain::mail::inbox")];

/// The only modules that may use `adapter`. They choose the adapters.
const CHOOSE_ADAPTERS: [&str; 3] = ["adapter", "app", "doctor"];

/// Modules whose submodules must not depend on each other in a cycle.
const WITHOUT_CYCLE: [&str; 7] = ["adapter", "db", "doctor", "http", "observability", "settings", ""];

/// Each table, and the part of `src/domain` that owns its rows.
const OWNERS: [(&str, &str); 15] = [
    ("users", "src/domain/user"),
    ("devices", "src/domain/device"),
    ("sessions", "src/domain/session"),
    ("authentications", "src/domain/session"),
    ("passwords", "src/domain/credential/password"),
    ("api_keys", "src/domain/credential/api_key"),
    ("password_tries", "src/domain/credential/password/tries"),
    ("email_codes", "src/domain/sign_in/"),
    ("sign_in_links", "src/domain/sign_in/link"),
    ("email_changes", "src/domain/user/email_change"),
    ("outbox", "src/domain/mail/"),
    ("audit_events", "src/domain/audit"),
    ("signing_keys", "src/domain/keys"),
    ("clients", "src/domain/client/"),
    ("authorization_codes", "src/domain/client/"),
];

/// Modules that may use a table of another module, the table, and the reason.
const SHARED_TABLES: [(&str, &str, &str); 12] = [
    (
        "src/domain/sign_in/challenge",
        "users",
        "one statement, identical for every address, reads everything that a sign-in needs",
    ),
    ("src/domain/sign_in/challenge", "devices", "as above: the response time must not reveal a known device"),
    ("src/domain/sign_in/challenge", "sign_in_links", "as above: the response time must not reveal a pending link"),
    (
        "src/domain/sign_in/password",
        "users",
        "one statement reads account, device and password, identical for every address",
    ),
    ("src/domain/sign_in/password", "devices", "as above"),
    ("src/domain/sign_in/password", "passwords", "as above"),
    ("src/domain/sign_in/reset", "users", "a reset locks the account before it ends what others may hold of it"),
    ("src/domain/user", "devices", "the statement that signs a user in also returns whether the user is new"),
    ("src/domain/user", "sessions", "as above"),
    ("src/domain/credential/api_key", "users", "a request reads its API key and owner with one statement"),
    ("src/domain/user", "api_keys", "a change by an API key locks the key"),
    ("src/domain/session", "users", "a request reads its session and user with one statement"),
];

#[test]
fn every_module_names_only_modules_below_it() {
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().flat_map(broken_direction));

    let breaks = |path, text| !broken_direction(&Source::new(path, text)).is_empty();
    assert!(breaks("src/domain/user.rs", "use axum::Router;"));
    assert!(breaks("src/domain/user.rs", "use crate::{db, http::{self, guard}};"));
    assert!(breaks("src/domain/user.rs", "fn f() { crate::graphql::sdl(); }"));
    assert!(breaks("src/domain/mail/outbox.rs", "use super::super::super::app::App;"));
    assert!(breaks("src/db/mod.rs", "use crate::{error::Error, settings::Settings};"));
    assert!(breaks("src/graphql/user.rs", "use std::fmt;\nuse sea_orm::EntityTrait as _;"));
    assert!(breaks("src/adapter/mail/smtp.rs", "use crate::settings::Settings;"));
    assert!(breaks("src/adapter/mail/inbox.rs", "use crate::domain::mail;"));
    assert!(breaks("src/cli.rs", "use crate::adapter::system;"));
    assert!(breaks("src/main.rs", "fn main() { doorcode::adapter::system::start() }"));
    assert!(breaks("src/http/mod.rs", "use crate::*;"));
    assert!(!breaks("src/app.rs", "use crate::adapter::mail::smtp::Smtp;\nuse sea_orm::Database;"));
    assert!(!breaks("src/db/mod.rs", "use crate::{error::Error, ports::Clock};"));
    assert!(!breaks("src/domain/user.rs", "// use axum::Router;\nconst A: &str = \"axum::Router\";"));
    assert!(!breaks("src/domain/user.rs", "#[cfg(test)]\nmod tests { use axum::Router; }"));
}

fn broken_direction(source: &Source) -> Vec<String> {
    let layer = source.layer();
    // `main.rs` and `lib.rs` may use all modules.
    let height = LAYERS.iter().position(|name| *name == layer).map_or(LAYERS.len(), |at| at + 1);
    let above: Vec<_> = LAYERS[height..].iter().map(|name| format!("crate::{name}")).collect();
    let never = NEVER.iter().filter(|(name, _)| *name == layer).flat_map(|(_, never)| *never);
    let foreign =
        LIBRARIES.iter().filter(|(_, layers)| !layers.contains(&layer.as_str())).flat_map(|(names, _)| *names);
    let refused: Vec<&str> = above.iter().map(String::as_str).chain(never.copied()).chain(foreign.copied()).collect();
    let is_allowed = |path: &str| ALLOWED.iter().any(|(name, allowed)| *name == layer && is_below(path, allowed));
    let is_refused = |path: &str| {
        (refused.iter().any(|refused| is_below(path, refused)) && !is_allowed(path))
            || is_below(path, "crate::*")
            || (is_below(path, "crate::adapter") && !CHOOSE_ADAPTERS.contains(&layer.as_str()))
    };
    let paths = source.paths().into_iter().map(|path| path.join("::"));
    paths.filter(|path| is_refused(path)).map(|path| format!("{}: names {path}", source.path)).collect()
}

#[test]
fn submodules_have_no_circular_dependencies() {
    let program = without_tests(sources(&["src"]));
    for layer in WITHOUT_CYCLE {
        assert_eq!(cycle(&program, layer), None, "in {layer:?}");
    }
    let sample = |texts: [(&str, &str); 3]| texts.map(|(path, text)| Source::new(path, text));
    let round = sample([
        ("src/http/a.rs", "use super::b::B;"),
        ("src/http/b/inner.rs", "use crate::http::c;"),
        ("src/http/c.rs", "fn f() { crate::http::a::g() }"),
    ]);
    assert_eq!(cycle(&round, "http").map(|layers| layers.len()), Some(3));
    let straight =
        sample([("src/http/a.rs", "use super::b::B;"), ("src/http/b.rs", "use super::c;"), ("src/http/c.rs", "")]);
    assert_eq!(cycle(&straight, "http"), None);
}

/// The submodules of a module that depend on each other in a cycle, if any. `""` is the crate root.
fn cycle(program: &[Source], layer: &str) -> Option<BTreeSet<String>> {
    let parent: Vec<_> = std::iter::once("crate").chain((!layer.is_empty()).then_some(layer)).collect();
    let child = |path: &[String]| {
        let inside = path.len() > parent.len() && path.iter().zip(&parent).all(|(name, parent)| name == parent);
        inside.then(|| path[parent.len()].clone())
    };
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in program {
        let Some(from) = child(&source.module()) else { continue };
        let named = source.paths().into_iter().filter_map(|path| child(&path)).filter(|to| *to != from);
        names.entry(from.clone()).or_default().extend(named);
    }
    // Repeatedly removes the modules that use none of the remaining ones. If modules are left in the end, they form a
    // cycle.
    loop {
        let layers: BTreeSet<_> = names.keys().cloned().collect();
        let before = names.len();
        names.retain(|_, named| named.iter().any(|to| layers.contains(to)));
        if names.len() == before {
            return (before > 0).then_some(layers);
        }
    }
}

fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn time_and_randomness_come_from_one_file() {
    let program = without_tests(sources(&["src", "migration/src"]));
    assert_holds(program.iter().flat_map(forbidden_sources));
    assert!(forbidden_sources(&Source::new("src/adapter/system.rs", "fn f() { chrono::Utc::now() }")).is_empty());
    for bad in [
        "fn f() { Utc::now() }",
        "fn f() { std::time::SystemTime::now() }",
        "use aws_lc_rs::{digest, rand};",
        "fn f() { rand::random() }",
        "use rand::thread_rng;",
        "fn f() { Uuid::now_v7() }",
        "fn f() { Uuid::new_v4() }",
    ] {
        assert!(!forbidden_sources(&Source::new("src/a.rs", bad)).is_empty(), "{bad}");
    }
}

#[test]
fn randomness_comes_only_from_the_system() {
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

/// Violations of the rule that all randomness comes from the operating system: another implementation of `Entropy`, or
/// other code in the function that fills the buffer.
fn own_randomness(source: &Source) -> Vec<String> {
    const ASKS: &str = "aws_lc_rs :: rand :: fill ( buffer )";
    const IMPLEMENTS: &str = "impl Entropy for";
    let code = tokens(&source.code).join(" ");
    let mut implementations = code.split(IMPLEMENTS).skip(1);
    if source.path != "src/adapter/system.rs" {
        return implementations.map(|_| format!("{}: implements its own randomness", source.path)).collect();
    }
    let (Some(only), None) = (implementations.next(), implementations.next()) else {
        return vec![format!("{}: must fill the buffer in exactly one place", source.path)];
    };
    // The function ends before the next item.
    let body = only.split("pub fn").next().unwrap_or_default();
    let uses = body.split_whitespace().filter(|token| *token == "buffer").count();
    let holds = body.contains(ASKS) && uses == 2;
    (!holds).then(|| format!("{}: must only pass the buffer to the system", source.path)).into_iter().collect()
}

fn forbidden_sources(source: &Source) -> Vec<String> {
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
    let entities = sources(&["src/db/entity"]);
    let named = entities.iter().filter_map(|entity| entity.text.split_once("table_name = \""));
    let tables: BTreeSet<_> = named.filter_map(|(_, rest)| rest.split('"').next()).collect();
    assert_eq!(tables, OWNERS.iter().map(|(table, _)| *table).collect(), "OWNERS names every table");
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().flat_map(foreign_table_uses));
    for (guest, table, _) in SHARED_TABLES {
        let visits = |source: &&Source| source.path.starts_with(guest) && tables_of(source).contains(table);
        assert!(program.iter().any(|source| visits(&source)), "remove the exception of {guest} for {table}");
    }

    let breaks = |path, text| !foreign_table_uses(&Source::new(path, text)).is_empty();
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

/// Uses of a table's rows in a file that does not belong to the table's owner. Holding a row that the owner has read is
/// allowed.
fn foreign_table_uses(source: &Source) -> Vec<String> {
    if source.path.starts_with("src/db/") {
        return Vec::new();
    }
    let mut broken: Vec<_> = tables_of(source)
        .into_iter()
        .filter(|table| !OWNERS.contains(&(table, owner_prefix(source, table))))
        .filter(|table| !SHARED_TABLES.iter().any(|(guest, of, _)| of == table && source.path.starts_with(guest)))
        .map(|table| format!("{}: uses the table {table}", source.path))
        .collect();
    let veiled = source
        .paths()
        .iter()
        .map(|path| path.join("::"))
        .find(|path| path.contains("entity::*") || path.contains("entity::as "));
    broken.extend(veiled.map(|path| format!("{}: imports tables under another name: {path}", source.path)));
    broken
}

/// The owner of a table if the file belongs to that owner.
fn owner_prefix(source: &Source, table: &str) -> &'static str {
    let owner = OWNERS.iter().find(|(owned, _)| *owned == table).map_or("", |(_, owner)| *owner);
    if source.path.starts_with(owner) { owner } else { "" }
}

/// The tables whose rows a file reads or writes, through an entity or SQL.
fn tables_of(source: &Source) -> BTreeSet<&'static str> {
    let paths = source.paths();
    // A file may import an entity under another name.
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

/// The only modules that may read from a standby, whose data may be out of date. They read lists, and no decision
/// depends on a list.
const LISTERS: [&str; 6] = [
    "src/domain/range_query.rs",
    "src/domain/audit/list.rs",
    "src/domain/device.rs",
    "src/domain/session.rs",
    "src/domain/user/list.rs",
    "src/graphql/loader.rs",
];

#[test]
fn only_lists_read_from_a_standby() {
    let program = without_tests(sources(&["src"]));
    assert_holds(program.iter().filter_map(may_lag));
    let breaks = |path, text| may_lag(&Source::new(path, text)).is_some();
    assert!(breaks("src/domain/session/refresh.rs", "fn f() { ctx.db\n.lists().all(statement) }"));
    assert!(breaks("src/domain/sign_in/challenge.rs", "fn f() { slice::lists_of(ctx, [sight]) }"));
    assert!(!breaks("src/domain/range_query.rs", "fn f() { ctx.db.lists() }"));
    assert!(!breaks("src/domain/token.rs", "// lists()\nfn f() { ctx.db.read() }"));
}

fn may_lag(source: &Source) -> Option<String> {
    let asks = tokens(&source.code).windows(2).any(|pair| matches!(pair, ["lists" | "lists_of", "("]));
    let may = source.path.starts_with("src/db/") || LISTERS.contains(&source.path.as_str());
    (asks && !may).then(|| format!("{}: reads from a standby", source.path))
}
