//! What an analysis has used, with the attempts that failed. Until now, only results had it. Also deletes the texts of
//! analyses that have ended, as the end of an analysis does from now on.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, date_null},
};

pub(super) struct Usage;

impl MigrationName for Usage {
    fn name(&self) -> &'static str {
        "m20261130_000003_usage"
    }
}

const NUMBERS: [&str; 3] = ["tokens_in", "tokens_out", "cost"];

#[async_trait::async_trait]
impl MigrationTrait for Usage {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NUMBERS {
            let column = big_integer(name).default(0).take();
            manager.alter_table(Table::alter().table("analyses").add_column(column).take()).await?;
        }
        manager.alter_table(Table::alter().table("analyses").add_column(date_null("used_on")).take()).await?;
        for sql in [
            "CREATE INDEX analyses_owner_id_used_on_idx ON analyses (owner_id, used_on)",
            "UPDATE analyses SET (tokens_in, tokens_out, cost, used_on) = (SELECT r.tokens_in, r.tokens_out, r.cost, r.day \
             FROM analysis_results r WHERE r.analysis_id = analyses.id) \
             WHERE id IN (SELECT analysis_id FROM analysis_results)",
            "DELETE FROM analysis_texts WHERE analysis_id IN \
             (SELECT id FROM analyses WHERE status NOT IN ('QUEUED', 'RUNNING'))",
        ] {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX analyses_owner_id_used_on_idx").await?;
        for name in NUMBERS.into_iter().chain(["used_on"]) {
            manager.alter_table(Table::alter().table("analyses").drop_column(name).take()).await?;
        }
        Ok(())
    }
}
