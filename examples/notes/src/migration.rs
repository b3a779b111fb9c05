//! The migrations of this application. They are recorded in a separate table, so that `doorcode migrate` neither sees
//! nor reverts them.

use sea_orm_migration::{
    prelude::*,
    schema::{pk_uuid, text, timestamp_with_time_zone, uuid},
};

/// All migrations, oldest first.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Notes)]
    }

    fn migration_table_name() -> DynIden {
        "notes_migrations".into_iden()
    }
}

struct Notes;

impl MigrationName for Notes {
    fn name(&self) -> &'static str {
        "m20261121_000001_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Notes {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // When Doorcode erases a user, the database erases their notes.
        let owner = ForeignKey::create()
            .name("notes_user_id_fkey")
            .from("notes", "user_id")
            .to("users", "id")
            .on_delete(ForeignKeyAction::Cascade)
            .take();
        let notes = Table::create()
            .table("notes")
            .col(pk_uuid("id"))
            .col(uuid("user_id"))
            .col(text("text"))
            .col(timestamp_with_time_zone("created_at"))
            .foreign_key(&mut owner.clone())
            .take();
        manager.create_table(notes).await?;
        let index = Index::create().name("notes_user_id_id_idx").table("notes").col("user_id").col("id").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("notes").take()).await
    }
}
