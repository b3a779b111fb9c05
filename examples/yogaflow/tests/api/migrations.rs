//! Both sets of migrations on one database.

use doorcode::db::migrate;
use sea_orm::DbBackend;
use sea_orm_migration::{MigratorTrait, SchemaManager};
use yogaflow::migration::Migrator;

use crate::harness::Yoga;

#[tokio::test]
async fn both_sets_of_migrations_are_independent() {
    let yoga = Yoga::new().await;
    let db = &yoga.app.ctx.db;
    assert!(migrate::is_current(db).await.unwrap() && migrate::is_current_with::<Migrator>(db).await.unwrap());
    let doorcodes = migrate::status(db).await.unwrap();
    assert!(doorcodes.iter().all(|(name, applied)| *applied && !name.contains("catalogue")));
    migrate::up_with::<Migrator>(db).await.unwrap();
    // Reverting and repeating Doorcode's latest migration leaves the application's tables alone.
    migrate::down(db, 1).await.unwrap();
    assert!(!migrate::is_current(db).await.unwrap() && migrate::is_current_with::<Migrator>(db).await.unwrap());
    migrate::up_with::<Migrator>(db).await.unwrap();
    assert_eq!(yoga.rows("poses").await, 40);
    // A migrator without its own table is refused, because its migrations would mix with Doorcode's.
    assert!(migrate::up_with::<Unnamed>(db).await.is_err());
    let postgres = db.backend() == DbBackend::Postgres;
    assert!(
        !postgres || migrate::down(db, u32::MAX).await.is_err(),
        "users cannot be dropped while other tables refer to them"
    );
}

#[tokio::test]
async fn the_migrations_can_be_reverted_and_repeated() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.add(&ada, "Mine", true).await;
    yoga.practise(&ada, &id, 60).await;
    let db = &yoga.app.ctx.db;
    Migrator::down(db.write(), None).await.unwrap();
    assert!(!SchemaManager::new(db.read()).has_table("poses").await.unwrap());
    migrate::up_with::<Migrator>(db).await.unwrap();
    assert_eq!((yoga.rows("poses").await, yoga.rows("sequences").await), (40, 8));
}

struct Unnamed;

impl MigratorTrait for Unnamed {
    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        Vec::new()
    }
}
