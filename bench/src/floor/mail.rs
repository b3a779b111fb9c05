//! Sends the floor's queued mail: one statement to claim letters, one to store the outcomes, one SMTP connection.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use chrono::TimeDelta;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream},
    net::TcpStream,
    sync::Notify,
    time::timeout,
};
use tokio_postgres::{
    Row, Statement,
    types::{ToSql, Type},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Settings, now, random,
    store::{Connection, Pool},
};
use crate::certificate;

/// Maximum number of letters of one statement.
const BATCH: usize = 16;

/// Eight random digits.
pub(super) fn draw_code() -> Result<String> {
    let number = u64::from_be_bytes(random()?) % 100_000_000;
    Ok(format!("{number:08}"))
}

#[derive(Deserialize)]
struct Letter {
    to: String,
    code: String,
}

pub(super) struct Sender {
    pool: Arc<Pool>,
    filled: Arc<Notify>,
    /// For M3, which is prepared once for each number of letters.
    connection: Connection,
    settle: Vec<Option<Statement>>,
    key: LessSafeKey,
    smtp: SocketAddr,
    tls: TlsConnector,
    open: Option<BufStream<TlsStream<TcpStream>>>,
}

impl Sender {
    pub(super) async fn new(settings: &Settings, pool: Arc<Pool>, filled: Arc<Notify>, key: &[u8]) -> Result<Self> {
        let tls = TlsConnector::from(Arc::new(certificate::client(&settings.authority)?));
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).context("a bad key")?);
        let connection = Connection::open(&settings.database).await?;
        Ok(Self { pool, filled, connection, settle: vec![None; BATCH + 1], key, smtp: settings.smtp, tls, open: None })
    }

    pub(super) async fn run(mut self) -> Result<()> {
        loop {
            let now = now();
            let rows = {
                let connection = self.pool.take().await?;
                let until = now + TimeDelta::seconds(90);
                connection.client.query(&connection.m2, &[&now, &until, &i64::try_from(BATCH)?]).await?
            };
            if rows.is_empty() {
                drop(timeout(Duration::from_secs(1), self.filled.notified()).await);
                continue;
            }
            for row in &rows {
                let letter = self.open_letter(row)?;
                self.send(&letter).await?;
            }
            self.store(&rows).await?;
        }
    }

    fn open_letter(&self, row: &Row) -> Result<Letter> {
        let mut sealed: Vec<u8> = row.get("sealed");
        if sealed.len() < NONCE_LEN {
            bail!("a letter is too short");
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[..NONCE_LEN])?;
        let plain = self.key.open_in_place(nonce, Aad::empty(), &mut sealed[NONCE_LEN..])?;
        Ok(serde_json::from_slice(plain)?)
    }

    async fn store(&mut self, rows: &[Row]) -> Result<()> {
        if self.settle[rows.len()].is_none() {
            self.settle[rows.len()] = Some(prepare_settle(&self.connection, rows.len()).await?);
        }
        let Some(statement) = &self.settle[rows.len()] else { bail!("not prepared") };
        let now = now();
        let mut values: Vec<Box<dyn ToSql + Sync + Send>> = vec![Box::new(now)];
        for row in rows {
            values.push(Box::new(row.get::<_, uuid::Uuid>("id")));
            values.push(Box::new(row.get::<_, i32>("attempts")));
            values.push(Box::new(row.get::<_, chrono::DateTime<chrono::Utc>>("claimed_until")));
            values.push(Box::new("SENT"));
            values.push(Box::new(row.get::<_, i32>("attempts")));
            values.push(Box::new(now));
            values.push(Box::new(None::<String>));
        }
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        self.connection.client.execute(statement, &values).await?;
        Ok(())
    }

    async fn send(&mut self, letter: &Letter) -> Result<()> {
        if self.open.is_none() {
            let stream = TcpStream::connect(self.smtp).await?;
            stream.set_nodelay(true)?;
            let name = certificate::NAME.try_into()?;
            let mut stream = BufStream::new(self.tls.connect(name, stream).await?);
            reply(&mut stream, "220").await?;
            say(&mut stream, "EHLO floor\r\n", "250").await?;
            self.open = Some(stream);
        }
        let Some(stream) = self.open.as_mut() else { bail!("not connected") };
        let Letter { to, code } = letter;
        say(stream, "MAIL FROM:<no-reply@bench.example>\r\n", "250").await?;
        say(stream, &format!("RCPT TO:<{to}>\r\n"), "250").await?;
        say(stream, "DATA\r\n", "354").await?;
        let text = format!("From: no-reply@bench.example\r\nTo: {to}\r\nSubject: Code\r\n\r\n{code}\r\n.\r\n");
        say(stream, &text, "250").await
    }
}

/// M3 for this number of letters.
async fn prepare_settle(connection: &Connection, letters: usize) -> Result<Statement> {
    let mut types = vec![Type::TIMESTAMPTZ];
    let mut rows = Vec::new();
    for letter in 0..letters {
        let first = 2 + letter * 7;
        let row: Vec<_> = (first..first + 7).map(|number| format!("${number}")).collect();
        rows.push(format!("({})", row.join(", ")));
        types.extend([Type::UUID, Type::INT4, Type::TIMESTAMPTZ, Type::TEXT, Type::INT4, Type::TIMESTAMPTZ]);
        types.push(Type::TEXT);
    }
    let sql = format!(
        "UPDATE outbox SET state = v.column4, attempts = v.column5, next_attempt_at = v.column6, \
         last_error = v.column7, claimed_until = NULL, \
         sealed = CASE WHEN v.column4 = 'PENDING' THEN outbox.sealed END, \
         finished_at = CASE WHEN v.column4 <> 'PENDING' THEN $1 END \
         FROM (VALUES {}) AS v WHERE outbox.id = v.column1 AND outbox.attempts = v.column2 \
         AND outbox.claimed_until = v.column3 AND outbox.state = 'PENDING'",
        rows.join(", ")
    );
    Ok(connection.client.prepare_typed(&sql, &types).await?)
}

type Stream = BufStream<TlsStream<TcpStream>>;

async fn say(stream: &mut Stream, text: &str, expected: &str) -> Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    reply(stream, expected).await
}

async fn reply(stream: &mut Stream, expected: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || !line.starts_with(expected) {
            bail!("the mail catcher said {line:?}");
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(());
        }
    }
}
