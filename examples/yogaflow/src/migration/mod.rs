//! The migrations of this application: its tables, and the content that every installation starts with. They are
//! recorded in a separate table, so that `doorcode migrate` neither sees nor reverts them.

mod catalogue;
mod tables;

use sea_orm_migration::prelude::*;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(tables::Tables), Box::new(catalogue::Catalogue)]
    }

    fn migration_table_name() -> DynIden {
        "yogaflow_migrations".into_iden()
    }
}
