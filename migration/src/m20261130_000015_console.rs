//! What the console for administrators reads: events by IP address, network, session and hashed email address, their
//! numbers by hour or day, and the sessions of a user that are over.

use std::net::IpAddr;

use sea_orm_migration::{
    prelude::*,
    schema::{text_null, uuid_null},
    sea_orm::{DbBackend, Statement},
};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Name and definition of each new index. Ids are chronological, so a page is an index range.
const ADDED: [(&str, &str); 6] = [
    ("audit_events_ip_address_idx", "audit_events (ip_address, id) WHERE ip_address IS NOT NULL"),
    ("audit_events_network_idx", "audit_events (network, id) WHERE network IS NOT NULL"),
    ("audit_events_session_id_idx", "audit_events (session_id, id) WHERE session_id IS NOT NULL"),
    ("audit_events_address_id_idx", "audit_events ((detail ->> 'address'), id) WHERE detail ->> 'address' IS NOT NULL"),
    // With all columns that the statistics read, so that they never read the rows.
    ("audit_events_statistics_idx", "audit_events (at, kind, count)"),
    ("sessions_user_id_id_idx", "sessions (user_id, id)"),
];
/// The indexes that these replace. Each is a prefix of a new one, or has the same purpose.
const REPLACED: [(&str, &str); 3] = [
    ("audit_events_address_idx", "audit_events ((detail ->> 'address')) WHERE detail ->> 'address' IS NOT NULL"),
    ("audit_events_at_idx", "audit_events (at)"),
    ("sessions_user_id_created_at_idx", "sessions (user_id, created_at)"),
];
/// Maximum rows per statement.
const ROWS: usize = 400;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [text_null("network"), uuid_null("session_id")] {
            let mut column = column;
            manager.alter_table(Table::alter().table("audit_events").add_column(column.take()).take()).await?;
        }
        fill(manager).await?;
        replace(manager, &ADDED, &REPLACED).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        replace(manager, &REPLACED, &ADDED).await?;
        for column in ["network", "session_id"] {
            manager.alter_table(Table::alter().table("audit_events").drop_column(column).take()).await?;
        }
        Ok(())
    }
}

/// Fills the columns of earlier events. The networks are computed once per address, in a temporary table.
async fn fill(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let (db, backend) = (manager.get_connection(), manager.get_database_backend());
    let session = if backend == DbBackend::Postgres {
        "CAST(detail ->> 'session' AS uuid)"
    } else {
        "unhex(replace(detail ->> 'session', '-', ''))"
    };
    let sql = format!("UPDATE audit_events SET session_id = {session} WHERE detail ->> 'session' IS NOT NULL");
    db.execute_unprepared(&sql).await?;

    let sql = "SELECT DISTINCT ip_address FROM audit_events WHERE ip_address IS NOT NULL";
    let rows = db.query_all_raw(Statement::from_string(backend, sql)).await?;
    let addresses = rows.iter().map(|row| row.try_get::<String>("", "ip_address")).collect::<Result<Vec<_>, _>>()?;
    let networks: Vec<_> = addresses.iter().filter_map(|ip| Some((ip, network(ip.parse().ok()?)))).collect();
    db.execute_unprepared("CREATE TEMPORARY TABLE networks (ip text PRIMARY KEY, network text NOT NULL)").await?;
    for networks in networks.chunks(ROWS) {
        // Addresses and networks consist of digits, letters, dots, colons and slashes.
        let rows: Vec<_> = networks.iter().map(|(ip, network)| format!("('{ip}', '{network}')")).collect();
        db.execute_unprepared(&format!("INSERT INTO networks VALUES {}", rows.join(", "))).await?;
    }
    db.execute_unprepared(
        "UPDATE audit_events SET network = (SELECT network FROM networks WHERE ip = audit_events.ip_address) \
         WHERE ip_address IS NOT NULL",
    )
    .await?;
    db.execute_unprepared("DROP TABLE networks").await.map(drop)
}

/// The network of an address, in the same form as `domain/audit/network.rs` writes it.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{}/64", std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

async fn replace(manager: &SchemaManager<'_>, added: &[(&str, &str)], removed: &[(&str, &str)]) -> Result<(), DbErr> {
    let db = manager.get_connection();
    for (name, rest) in added {
        // Operators with a very large table may have created it before, concurrently.
        db.execute_unprepared(&format!("CREATE INDEX IF NOT EXISTS {name} ON {rest}")).await?;
    }
    for (name, _) in removed {
        db.execute_unprepared(&format!("DROP INDEX {name}")).await?;
    }
    Ok(())
}
