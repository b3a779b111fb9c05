//! Reads the session and user of each signed-in request. Requests that arrive while earlier ones are being read share
//! one statement: under load it costs the database and its connections a fraction of one statement for each. A row is
//! always read after the request for it arrived, so an ended session is refused at once.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryResult, QueryTrait, Value};
use tokio::sync::oneshot;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::{
    db::{
        self, Db,
        entity::{sessions, users},
    },
    domain::access::SignedIn,
    error::{Error, Result},
};

/// Number of statements that may run at the same time.
const READERS: usize = 2;
/// Texts exist for 1, 2, 4 … sessions, so that the database prepares a few statements and not one for each number.
const TEXTS: usize = 7;
/// Maximum number of sessions in one statement.
const MOST: usize = 1 << (TEXTS - 1);

/// Reads sessions. A clone shares the queue.
#[derive(Clone)]
pub struct Reader(Arc<Inner>);

struct Inner {
    db: Db,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    readers: usize,
}

struct Waiting {
    id: Uuid,
    /// The span of the request.
    span: Span,
    answer: oneshot::Sender<Result<Option<SignedIn>>>,
}

impl Reader {
    /// Reads from `db`.
    pub fn new(db: Db) -> Self {
        Self(Arc::new(Inner { db, queue: Mutex::default() }))
    }

    /// Finds a session and its user. At most one statement.
    pub async fn find(&self, id: Uuid) -> Result<Option<SignedIn>> {
        let (answer, answered) = oneshot::channel();
        if let Some(turn) = self.0.enqueue(Waiting { id, span: Span::current(), answer }) {
            // A task, so that a client that disconnects does not stop the look-ups of others.
            tokio::spawn(turn.read());
        }
        answered.await.unwrap_or_else(|_| Err(Error::Internal("a session look-up stopped".to_owned())))
    }
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a look-up. Returns a turn if another reader may start.
    fn enqueue(self: &Arc<Self>, waiting: Waiting) -> Option<Turn> {
        let mut queue = self.queue();
        queue.waiting.push_back(waiting);
        (queue.readers < READERS).then(|| {
            queue.readers += 1;
            Turn { inner: Arc::clone(self), over: false }
        })
    }

    async fn answer(&self, mut batch: Vec<Waiting>) {
        batch.sort_unstable_by_key(|waiting| waiting.id);
        let mut found = self.db.in_time(self.find(&batch)).await;
        let mut batch = batch.into_iter().peekable();
        while let Some(Waiting { id, answer, .. }) = batch.next() {
            let is_last = batch.peek().is_none_or(|next| next.id != id);
            let signed_in = match &mut found {
                Err(error) => Err(error.clone()),
                Ok(found) if is_last => found.remove(&id).transpose(),
                Ok(found) => found.get(&id).cloned().transpose(),
            };
            // The caller may have gone.
            _ = answer.send(signed_in);
        }
    }

    /// One statement. A row that cannot be read is an error for its own caller only.
    async fn find(&self, batch: &[Waiting]) -> Result<HashMap<Uuid, Result<SignedIn>>> {
        let mut ids: Vec<_> = batch.iter().map(|waiting| waiting.id).collect();
        ids.dedup();
        let size = ids.len().next_power_of_two();
        let sql = text(self.db.backend(), size);
        let padding = ids.last().copied().unwrap_or_default();
        ids.resize(size, padding);
        let statement = db::statement(self.db.backend(), sql, ids.into_iter().map(Value::from));
        let rows = self.db.read().query_all_raw(statement).await?;
        rows.iter().map(|row| Ok((row.try_get_by_index(0)?, signed_in(row)))).collect()
    }
}

/// Reads a row by position. By name, as the entities do, each of its thirty columns formats a name and looks it up,
/// which takes longer than all else here. The fields are in the order of the columns, which a test checks.
fn signed_in(row: &QueryResult) -> Result<SignedIn> {
    let mut columns = 0..;
    macro_rules! next {
        () => {
            row.try_get_by_index(columns.next().unwrap_or_default())?
        };
    }
    let session = sessions::Model {
        id: next!(),
        user_id: next!(),
        device_id: next!(),
        created_at: next!(),
        last_seen_at: next!(),
        idle_expires_at: next!(),
        expires_at: next!(),
        ended_at: next!(),
        end_reason: next!(),
        user_agent: next!(),
        ip_address: next!(),
        refresh_hash: next!(),
        previous_hash: next!(),
        rotated_at: next!(),
        successor: next!(),
        remembered: next!(),
        client_id: next!(),
        disowned_at: next!(),
        parent_id: next!(),
    };
    let user = users::Model {
        id: next!(),
        email: next!(),
        name: next!(),
        role: next!(),
        status: next!(),
        created_at: next!(),
        updated_at: next!(),
        last_sign_in_at: next!(),
        version: next!(),
        name_key: next!(),
        locale: next!(),
        deleted_at: next!(),
        external_id: next!(),
    };
    Ok(SignedIn { user, session })
}

/// The text of the statement for `size` sessions. Building it from the entities takes as long as executing it, so it is
/// built once.
fn text(backend: DbBackend, size: usize) -> &'static str {
    static POSTGRES: LazyLock<[String; TEXTS]> = LazyLock::new(|| texts(DbBackend::Postgres));
    static SQLITE: LazyLock<[String; TEXTS]> = LazyLock::new(|| texts(DbBackend::Sqlite));
    let texts = if backend == DbBackend::Postgres { &POSTGRES } else { &SQLITE };
    &texts[size.ilog2() as usize]
}

fn texts(backend: DbBackend) -> [String; TEXTS] {
    std::array::from_fn(|power| {
        let wanted = sessions::Column::Id.is_in(vec![Uuid::nil(); 1 << power]);
        sessions::Entity::find().inner_join(users::Entity).select_also(users::Entity).filter(wanted).build(backend).sql
    })
}

/// The right to read. Dropping it lets another reader start, also after a panic.
struct Turn {
    inner: Arc<Inner>,
    over: bool,
}

impl Turn {
    /// Reads until nobody waits.
    async fn read(mut self) {
        while let Some(batch) = self.next() {
            // A trace shows the statement in one of the requests that share it.
            let span = batch.first().map_or_else(Span::none, |first| first.span.clone());
            self.inner.answer(batch).instrument(span).await;
        }
    }

    /// Takes the next look-ups, without those whose callers have gone. Ends the turn if there are none: under the same
    /// lock, so that a look-up that arrives now finds a reader or becomes one.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        let mut queue = self.inner.queue();
        queue.waiting.retain(|waiting| !waiting.answer.is_closed());
        let most = queue.waiting.len().min(MOST);
        if most == 0 {
            queue.readers -= 1;
            self.over = true;
            return None;
        }
        Some(queue.waiting.drain(..most).collect())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            self.inner.queue().readers -= 1;
        }
    }
}
