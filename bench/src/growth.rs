//! Growth: every operation with few and with many rows in the tables, in turn, on databases of their own.

use std::{path::Path, time::Instant};

use anyhow::{Context as _, Result};
use tokio_postgres::NoTls;

use crate::{
    flow::Flow,
    pairs::{self, Amount},
    record::{Crowd, Raw, Record},
    stack::Stack,
    system::{Store, System},
};

/// Concurrent clients, so that those of a sign-in are fewer people than the smallest crowd has.
const CONNECTIONS: u16 = 32;
const PASSWORD_CONNECTIONS: u16 = 2;
const FLOWS: [Flow; 6] = [Flow::Me, Flow::SignIn, Flow::Password, Flow::Refresh, Flow::Users, Flow::Audit];

/// Measures every operation at each size, in turn.
pub(crate) async fn measure(stack: &Stack, program: &Path, sizes: &[u64], amount: Amount, raw: &mut Raw) -> Result<()> {
    let mut systems = Vec::new();
    for size in sizes {
        let name = format!("doorcode-{size}");
        let mut system = System::doorcode(stack, program, Store::Servers, &name).await?;
        let (started, url) = (Instant::now(), stack.database(&database(&name)).await?);
        let megabytes = load(&url, *size).await?;
        system.crowd = *size;
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}: loaded {megabytes:.0} MiB in {seconds:.0} s");
        raw.write(&Record::Crowd(Crowd { system: name, people: *size, size: megabytes, seconds }))?;
        systems.push(system);
    }
    let systems: Vec<&System> = systems.iter().collect();
    for flow in FLOWS {
        let connections = if flow == Flow::Password { PASSWORD_CONNECTIONS } else { CONNECTIONS };
        let amount = Amount { connections, rate: None, ..amount };
        for runs in pairs::measure_in_turn(stack, &systems, flow, amount).await? {
            raw.runs(runs)?;
        }
    }
    Ok(())
}

/// The name of a service's database.
pub(crate) fn database(system: &str) -> String {
    system.replace('-', "_")
}

/// Address of a person of a crowd. The statements below write the same.
pub(crate) fn address(number: u64) -> String {
    format!("grown{number}@d{}.example", number % 64)
}

/// An id of version 7 at a time, as Doorcode creates them: ids are in the order of time. `salt` keeps tables apart.
fn id(salt: &str) -> String {
    format!(
        "(lpad(to_hex((extract(epoch FROM at) * 1000)::int8), 12, '0') || '7' || substr(md5('{salt}' || n), 1, 3) || \
         '8' || substr(md5('{salt}' || n), 4, 15))::uuid"
    )
}

/// Loads rows with plain SQL, spread over the last 20 days. Returns the size of the database in MiB.
async fn load(url: &str, size: u64) -> Result<f64> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    // Indexes are built afterwards and foreign keys are not looked up: all rows are known to be there.
    client.batch_execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'").await?;
    let secondary = "SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                     WHERE i.indrelid = ANY(ARRAY['users', 'devices', 'sessions', 'authentications', \
                     'audit_events']::regclass[]) AND NOT i.indisunique AND NOT i.indisprimary";
    let indexes = client.query(secondary, &[]).await?;
    for index in &indexes {
        client.batch_execute(&format!("DROP INDEX {}", index.get::<_, String>(0))).await?;
    }
    for (what, sql) in statements(size) {
        client.batch_execute(&sql).await.with_context(|| format!("cannot load {what}"))?;
    }
    for index in &indexes {
        client.batch_execute(&index.get::<_, String>(1)).await?;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    let row = client.query_one("SELECT pg_database_size(current_database())", &[]).await?;
    drop(client);
    connection.await??;
    Ok(row.get::<_, i64>(0) as f64 / f64::from(1 << 20))
}

fn statements(size: u64) -> [(&'static str, String); 5] {
    let rows = format!(
        "FROM (SELECT n, now() - interval '20 days' + n * (interval '20 days' / {size}) - interval '1 minute' AS at \
         FROM generate_series(1, {size}) AS n) AS rows"
    );
    let (user, device, session) = (id("user"), id("device"), id("session"));
    let hash = |salt: &str| format!("sha256(('{salt}' || n)::bytea)");
    let agent = "'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '192.0.2.' || n % 200";
    [
        (
            "users",
            format!(
                "INSERT INTO users (id, email, name, name_key, role, status, created_at, updated_at, last_sign_in_at) \
                 SELECT {user}, 'grown' || n || '@d' || n % 64 || '.example', 'Grown ' || n, 'grown ' || n, 'USER', \
                 'ACTIVE', at, at, at {rows}"
            ),
        ),
        (
            "devices",
            format!(
                "INSERT INTO devices (id, user_id, token_hash, created_at, last_used_at, expires_at, user_agent, \
                 ip_address) SELECT {device}, {user}, {}, at, at, at + interval '180 days', {agent} {rows}",
                hash("device")
            ),
        ),
        (
            "sessions",
            format!(
                "INSERT INTO sessions (id, user_id, device_id, created_at, last_seen_at, idle_expires_at, expires_at, \
                 user_agent, ip_address, refresh_hash) SELECT {session}, {user}, {device}, at, at, \
                 at + interval '30 days', at + interval '60 days', {agent}, {} {rows}",
                hash("refresh")
            ),
        ),
        (
            "authentications",
            format!(
                "INSERT INTO authentications (session_id, method, proof_id, at) SELECT {session}, 'otp', {}, at {rows}",
                id("proof")
            ),
        ),
        (
            "audit events",
            format!(
                "INSERT INTO audit_events (id, at, kind, actor_id, subject_id, ip_address, user_agent, request_id, \
                 detail) SELECT {}, at, 'SIGNED_IN', {user}, {user}, '192.0.2.' || n % 200, 'Firefox', \
                 md5('request' || n), '{{}}' {rows}",
                id("event")
            ),
        ),
    ]
}
