//! The migrations of this application: its tables, and the prompts that every installation starts with. They are recorded
//! in a separate table, so that `doorcode migrate` neither sees nor reverts them.

mod presets;
mod tables;
mod usage;

use sea_orm_migration::prelude::*;

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(tables::Tables), Box::new(presets::Presets), Box::new(usage::Usage)]
    }

    fn migration_table_name() -> DynIden {
        "verificai_migrations".into_iden()
    }
}
