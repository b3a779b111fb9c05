//! Doorcode's schema as reversible migrations, the same on SQLite and PostgreSQL. Never edit a released migration; add
//! a new file.

use sea_orm_migration::prelude::{MigrationTrait, async_trait};
pub use sea_orm_migration::{MigratorTrait, SchemaManager, seaql_migrations};

mod m20261121_000001_people;
mod m20261121_000002_codes;
mod m20261121_000003_mail;
mod m20261121_000004_audit;
mod m20261121_000005_keys;
mod m20261121_000006_people_management;
mod m20261121_000007_purge;
mod m20261128_000008_limits;
mod m20261128_000009_labels;
mod m20261129_000010_credentials;
mod m20261129_000011_search;
mod m20261129_000012_api_keys;
mod m20261129_000013_clients;
mod m20261129_000014_external_ids;
mod m20261130_000015_console;
mod parts;

/// Runs the migrations. Call it through `doorcode::db::migrate`, which takes the migration lock.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_people::Migration),
            Box::new(m20261121_000002_codes::Migration),
            Box::new(m20261121_000003_mail::Migration),
            Box::new(m20261121_000004_audit::Migration),
            Box::new(m20261121_000005_keys::Migration),
            Box::new(m20261121_000006_people_management::Migration),
            Box::new(m20261121_000007_purge::Migration),
            Box::new(m20261128_000008_limits::Migration),
            Box::new(m20261128_000009_labels::Migration),
            Box::new(m20261129_000010_credentials::Migration),
            Box::new(m20261129_000011_search::Migration),
            Box::new(m20261129_000012_api_keys::Migration),
            Box::new(m20261129_000013_clients::Migration),
            Box::new(m20261129_000014_external_ids::Migration),
            Box::new(m20261130_000015_console::Migration),
        ]
    }
}
