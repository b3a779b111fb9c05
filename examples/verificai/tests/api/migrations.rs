//! Both sets of migrations on one database.

use doorcode::db::migrate;
use sea_orm_migration::{MigratorTrait, SchemaManager};
use verificai::migration::Migrator;

use crate::harness::Verificai;

#[tokio::test]
async fn the_migrations_can_be_reverted_and_repeated() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    app.start_one(&ada, "k").await;
    app.work().await;
    let db = &app.app.ctx.db;
    assert!(migrate::is_current(db).await.unwrap() && migrate::is_current_with::<Migrator>(db).await.unwrap());
    let used = "SELECT SUM(tokens_in) FROM analyses";
    let before = app.number(used).await;
    Migrator::down(db.write(), Some(1)).await.unwrap();
    migrate::up_with::<Migrator>(db).await.unwrap();
    assert!(before > 0);
    assert_eq!(app.number(used).await, before, "the usage of earlier analyses is in their results");
    Migrator::down(db.write(), None).await.unwrap();
    assert!(!SchemaManager::new(db.read()).has_table("analyses").await.unwrap());
    assert!(migrate::is_current(db).await.unwrap(), "Doorcode's tables stay");
    migrate::up_with::<Migrator>(db).await.unwrap();
    assert_eq!((app.rows("prompts").await, app.rows("analyses").await), (5, 0));
}
