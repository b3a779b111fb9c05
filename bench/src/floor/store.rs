//! The floor's connections and statements. The statements are those that Doorcode sends; `docs/sql.md` lists them, and
//! the names here are its ids.

use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use anyhow::Result;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::{Client, NoTls, Statement};

const SESSION: &str = "sessions.id, sessions.user_id, device_id, sessions.created_at, last_seen_at, idle_expires_at, \
    expires_at, ended_at, end_reason, user_agent, ip_address, refresh_hash, previous_hash, rotated_at, successor, \
    remembered, client_id, disowned_at";
const USER: &str = "users.id, users.email, users.name, users.role, users.status, users.created_at, users.updated_at, \
    users.last_sign_in_at, users.version, users.name_key, users.locale, users.deleted_at";

const C1: &str = "SELECT u.status, u.role, u.locale, u.created_at AS since, d.id AS device_id, \
    d.user_id AS device_user_id, c.id AS challenge_id, l.mailed AS link_mailed, \
    (SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes WHERE budget_key IN ($10) AND attempted_at > $4) \
    AS day_units, \
    (SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes WHERE budget_key IN ($10) AND attempted_at > $5) \
    AS month_units \
    FROM (SELECT 1 AS one) AS base LEFT JOIN users u ON u.email = $1 \
    LEFT JOIN devices d ON d.user_id = u.id AND (d.token_hash = $2 OR d.id = $8) AND d.expires_at > $6 \
    LEFT JOIN email_codes c ON c.handle_hash = $3 AND c.address_key IN ($10) AND c.purpose = $9 \
    AND c.consumed_at IS NULL AND c.attempts < $7 AND c.expires_at > $6 \
    LEFT JOIN sign_in_links l ON l.address_key IN ($10) AND l.consumed_at IS NULL AND l.expires_at > $6 \
    ORDER BY l.mailed DESC LIMIT 1";
const C2: &str = "INSERT INTO email_codes (id, handle_hash, purpose, address_key, budget_key, email, device_id, fixed, \
    code_hash, expires_at, attempts, units, created_at, remember) \
    VALUES ($1, $2, 'sign_in', $3, $4, $5, $6, FALSE, $7, $8, 0, 0, $9, TRUE)";
const C3: &str = "SELECT handle_hash, purpose, user_id, budget_key, device_id, attempts, consumed_at, expires_at, \
    earlier_expires_at, units, attempted_at FROM email_codes \
    WHERE budget_key = (SELECT budget_key FROM email_codes WHERE handle_hash = $1) \
    AND (handle_hash = $1 OR (units > 0 AND attempted_at > $2) OR (consumed_at IS NULL AND expires_at > $3)) \
    ORDER BY id FOR UPDATE";
const C4: &str = "UPDATE email_codes SET attempts = attempts + 1, units = units + $3, attempted_at = $2 \
    WHERE handle_hash = $1 AND purpose IN ('sign_in', 'register') AND attempts < $4 AND consumed_at IS NULL \
    AND expires_at > $2 \
    AND (SELECT COALESCE(SUM(b.units), 0) FROM email_codes b \
    WHERE b.budget_key = email_codes.budget_key AND b.attempted_at > $5) <= $6 \
    AND (SELECT COALESCE(SUM(b.units), 0) FROM email_codes b \
    WHERE b.budget_key = email_codes.budget_key AND b.attempted_at > $7) <= $8 RETURNING *";
const C5: &str = "UPDATE email_codes SET consumed_at = $1, units = units - $2, sealed = NULL \
    WHERE id = $3 AND consumed_at IS NULL";
const U1: &str = "INSERT INTO users (id, email, role, status, created_at, updated_at, last_sign_in_at, locale, name, \
    name_key) VALUES ($1, $2, $3, 'ACTIVE', $4, $4, $4, $5, $6, $7) ON CONFLICT (email) DO UPDATE \
    SET last_sign_in_at = excluded.last_sign_in_at, locale = COALESCE(users.locale, excluded.locale) \
    WHERE users.status = 'ACTIVE' RETURNING *, EXISTS (SELECT 1 FROM devices d WHERE d.user_id = users.id) \
    OR EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id) AS was_here";
const D1_KNOWN: &str = "UPDATE devices SET token_hash = $1, last_used_at = $2, expires_at = $3, user_agent = $4, \
    ip_address = $5 WHERE id = $6 AND user_id = $7";
const D1_NEW: &str = "INSERT INTO devices (token_hash, created_at, last_used_at, expires_at, user_agent, ip_address, \
    id, user_id) VALUES ($1, $2, $2, $3, $4, $5, $6, $7)";
const S1: &str = "INSERT INTO sessions (id, user_id, device_id, created_at, last_seen_at, idle_expires_at, expires_at, \
    user_agent, ip_address, refresh_hash, remembered) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, TRUE)";
const S1_PROOF: &str = "INSERT INTO authentications (proof_id, session_id, method, at) VALUES ($1, $2, 'otp', $3)";
const S5: &str = "UPDATE sessions SET refresh_hash = $1, previous_hash = $2, rotated_at = $3, successor = $4, \
    idle_expires_at = $5, last_seen_at = $3 WHERE id = $6 AND refresh_hash = $2 AND ended_at IS NULL RETURNING *";
const S7: &str = "UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at <= $3";
const M1: &str = "INSERT INTO outbox (id, kind, state, sealed, attempts, created_at, next_attempt_at, expires_at) \
    VALUES ($1, 'code', 'PENDING', $2, 0, $3, $3, $4)";
const M2: &str = "UPDATE outbox SET claimed_until = $2, attempts = attempts + 1 WHERE id IN (SELECT id FROM outbox \
    WHERE state = 'PENDING' AND next_attempt_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $1) \
    ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING *";
const A1: &str = "INSERT INTO audit_events (id, at, kind, actor_id, subject_id, ip_address, user_agent, request_id, \
    detail, count) VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, 1)";

/// A connection with its prepared statements.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) c1: Statement,
    pub(super) c2: Statement,
    pub(super) c3: Statement,
    pub(super) c4: Statement,
    pub(super) c5: Statement,
    pub(super) u1: Statement,
    pub(super) d1_known: Statement,
    pub(super) d1_new: Statement,
    pub(super) s1: Statement,
    pub(super) s1_proof: Statement,
    pub(super) s2: Statement,
    pub(super) s2_proofs: Statement,
    pub(super) s5: Statement,
    pub(super) s7: Statement,
    pub(super) m1: Statement,
    pub(super) m2: Statement,
    pub(super) a1: Statement,
}

impl Connection {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("SET jit = off; SET statement_timeout = '10s'").await?;
        let s2 = format!(
            "SELECT {SESSION}, {USER} FROM sessions LEFT JOIN users ON sessions.user_id = users.id \
             WHERE sessions.id = $1 LIMIT $2"
        );
        let s2_proofs = format!(
            "SELECT {SESSION}, {USER}, authentications.* FROM sessions LEFT JOIN users ON sessions.user_id = users.id \
             LEFT JOIN authentications ON sessions.id = authentications.session_id WHERE sessions.id = $1"
        );
        Ok(Self {
            c1: client.prepare(C1).await?,
            c2: client.prepare(C2).await?,
            c3: client.prepare(C3).await?,
            c4: client.prepare(C4).await?,
            c5: client.prepare(C5).await?,
            u1: client.prepare(U1).await?,
            d1_known: client.prepare(D1_KNOWN).await?,
            d1_new: client.prepare(D1_NEW).await?,
            s1: client.prepare(S1).await?,
            s1_proof: client.prepare(S1_PROOF).await?,
            s2: client.prepare(&s2).await?,
            s2_proofs: client.prepare(&s2_proofs).await?,
            s5: client.prepare(S5).await?,
            s7: client.prepare(S7).await?,
            m1: client.prepare(M1).await?,
            m2: client.prepare(M2).await?,
            a1: client.prepare(A1).await?,
            client,
        })
    }
}

/// A fixed number of connections.
pub(super) struct Pool {
    slots: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(super) async fn open(url: &str, size: usize) -> Result<Self> {
        let mut idle = Vec::with_capacity(size);
        for _ in 0..size {
            idle.push(Connection::open(url).await?);
        }
        Ok(Self { slots: Semaphore::new(size), idle: Mutex::new(idle) })
    }

    pub(super) async fn take(&self) -> Result<Taken<'_>> {
        let permit = self.slots.acquire().await?;
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Taken { pool: self, connection, _permit: permit })
    }
}

/// A connection that returns to the pool.
pub(super) struct Taken<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    _permit: SemaphorePermit<'a>,
}

impl Deref for Taken<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        // A permit is only given while a connection is idle, and `drop` alone takes it out.
        self.connection.as_ref().unwrap_or_else(|| unreachable!("a permit without a connection"))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        // Fields are dropped after this, so the permit is free only when the connection is idle again.
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.connection.take());
    }
}
