//! The tables `analyses` and `analysis_files`, for the people who own them. Only owners see an analysis, and [`Own`]
//! proves it. `queue` changes the same rows for workers.

use std::{collections::HashMap, ops::Deref};

use chrono::NaiveDate;
use doorcode::{
    db,
    domain::{Check, Ctx, access::Actor, range_query::Slice},
    error::{Error, Result},
    graphql::Batch,
};
use sea_orm::{DatabaseTransaction, PaginatorTrait, QueryOrder, entity::prelude::*, sea_query::Expr};

use crate::{
    Author,
    file::{self, FileFlaw, NewFile},
    prompt::{self, Active, UnknownVariable},
    result,
    system::{self, System},
    values::{self, AnalysisStatus, FileStatus, Variables},
};

/// An analysis.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "analyses")]
pub struct Model {
    /// UUID v7, so that lists are ordered by age.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The owner.
    pub owner_id: Uuid,
    /// The prompt.
    pub prompt_id: Uuid,
    /// The version of the prompt that was active at the start.
    pub prompt_version: i32,
    /// The state.
    pub status: AnalysisStatus,
    /// How much of the current attempt is done, in percent.
    pub progress: i32,
    /// How often a worker has started it.
    pub attempts: i32,
    /// Its place in the queue: see [`crate::queue`].
    pub turn: i64,
    /// A name that the client chose. A second start with the same key returns this analysis.
    pub idempotency_key: String,
    /// The hash of everything that the client sent.
    pub request_hash: String,
    /// The values of the prompt's variables.
    pub variables: Variables,
    /// The worker that has it.
    pub lease_id: Option<Uuid>,
    /// When other workers may take it.
    pub lease_until: Option<DateTimeUtc>,
    /// When a worker may take it, while it is queued.
    pub ready_at: DateTimeUtc,
    /// The time of creation.
    pub created_at: DateTimeUtc,
    /// The start of the first attempt.
    pub started_at: Option<DateTimeUtc>,
    /// The end.
    pub finished_at: Option<DateTimeUtc>,
    /// Why the latest attempt failed, for the user.
    pub error: Option<String>,
    /// The number of tokens that were sent, in all attempts. A worker updates it with its lease.
    pub tokens_in: i64,
    /// The number of tokens in the answers, in all attempts.
    pub tokens_out: i64,
    /// The cost in millionths of a dollar, of all attempts.
    pub cost: i64,
    /// The day in UTC when it last used something.
    pub used_on: Option<NaiveDate>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Files of analyses.
pub mod files {
    use sea_orm::entity::prelude::*;

    use crate::values::FileStatus;

    /// A file of an analysis. Its text is in another table, so that lists do not read it.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "analysis_files")]
    pub struct Model {
        /// The analysis.
        #[sea_orm(primary_key, auto_increment = false)]
        pub analysis_id: Uuid,
        /// The place in the request, from 0.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        /// The path.
        pub name: String,
        /// The size in bytes.
        pub bytes: i32,
        /// The SHA-256 hash of the text, in hexadecimal digits.
        pub sha256: String,
        /// The language that the name suggests.
        pub language: String,
        /// The state.
        pub status: FileStatus,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Texts of files.
pub mod texts {
    use sea_orm::entity::prelude::*;

    /// The text of a file. Deleted when the analysis ends, because only workers read it.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "analysis_texts")]
    pub struct Model {
        /// The analysis.
        #[sea_orm(primary_key, auto_increment = false)]
        pub analysis_id: Uuid,
        /// The place of the file.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        /// The text.
        pub text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Maximum number of analyses of a user that are not finished.
pub const MAX_UNFINISHED: u64 = 10_000;

/// An analysis of the caller. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Own(Model);

impl Deref for Own {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0
    }
}

impl Own {
    /// The key of its files.
    pub fn files(&self) -> Files {
        Files(self.0.id)
    }

    /// The key of its result.
    pub fn result(&self) -> result::Of {
        result::Of(self.0.id)
    }
}

/// Finds an analysis of the caller. For others, the error is the same as for missing ones.
pub async fn find(ctx: &Ctx, actor: Actor<'_>, id: Uuid) -> Result<Own> {
    let own = Entity::find_by_id(id).filter(Column::OwnerId.eq(actor.user().id));
    own.one(ctx.db.read()).await?.map(Own).ok_or(Error::NotFound)
}

/// Reads an analysis again.
pub async fn refresh(ctx: &Ctx, own: &Own) -> Result<Own> {
    let again = Entity::find_by_id(own.0.id).one(ctx.db.read());
    ctx.db.in_time(again).await?.map(Own).ok_or(Error::NotFound)
}

fn select(actor: Actor<'_>, status: Option<AnalysisStatus>) -> Select<Entity> {
    let own = Entity::find().filter(Column::OwnerId.eq(actor.user().id));
    if let Some(status) = status { own.filter(Column::Status.eq(status)) } else { own }
}

/// A page of the caller's analyses, newest first.
pub async fn list(ctx: &Ctx, actor: Actor<'_>, status: Option<AnalysisStatus>, slice: &Slice) -> Result<Vec<Own>> {
    let page = values::page(select(actor, status), Column::Id, slice);
    Ok(page.all(ctx.db.read()).await?.into_iter().map(Own).collect())
}

/// The number of the caller's analyses.
pub async fn count(ctx: &Ctx, actor: Actor<'_>, status: Option<AnalysisStatus>) -> Result<u64> {
    Ok(select(actor, status).count(ctx.db.read()).await?)
}

/// Loads the files of an analysis, in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Files(Uuid);

impl Batch for Files {
    type Value = Vec<files::Model>;

    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let of = files::Column::AnalysisId.is_in(keys.iter().map(|key| key.0));
        let rows = files::Entity::find().filter(of).order_by_asc(files::Column::Position).all(ctx.db.read()).await?;
        let mut loaded: HashMap<_, Self::Value> = HashMap::new();
        for row in rows {
            loaded.entry(Self(row.analysis_id)).or_default().push(row);
        }
        Ok(loaded)
    }
}

/// What a user wants analysed.
pub struct Order {
    /// The prompt. Its active version is used.
    pub prompt_id: Uuid,
    /// A name that the client chooses.
    pub idempotency_key: String,
    /// The values of the prompt's variables.
    pub variables: Vec<(String, String)>,
    /// The files.
    pub files: Vec<NewFile>,
}

impl Order {
    /// The hash of everything that the client sent. Lengths keep two orders apart that only divide text differently.
    fn hash(&self) -> String {
        let variables = self.variables.iter().flat_map(|(name, value)| [name, value]);
        let files = self.files.iter().flat_map(|file| [&file.name, &file.text]);
        let mut bytes = self.prompt_id.as_bytes().to_vec();
        bytes.extend(self.variables.len().to_be_bytes());
        for text in variables.chain(files) {
            bytes.extend(text.len().to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        file::sha256(&bytes)
    }
}

/// The result of starting an analysis.
pub enum Start {
    /// It is queued, or was before with the same key.
    Started(Box<Own>),
    /// A file is refused.
    Refused(usize, FileFlaw),
    /// The prompt does not have this variable.
    Unknown(UnknownVariable),
    /// The key belongs to another request.
    KeyReused,
    /// [`MAX_UNFINISHED`] are not finished.
    TooMany,
    /// The user's analyses have used this many tokens today, the most that administrators allow.
    NoTokensLeft(i32),
}

/// Queues an analysis. Three statements if the prompt is in the cache, and two more if it is not.
pub async fn start(ctx: &Ctx, author: Author<'_>, order: Order) -> Result<Start> {
    let mut check = Check::default();
    let key = values::text(&mut check, "idempotencyKey", &order.idempotency_key, (1, 100));
    if !(1..=file::MAX_FILES).contains(&order.files.len()) {
        check.field::<(), _>("files", Err(format!("`files` must have 1 to {} entries.", file::MAX_FILES)));
    }
    check.done()?;
    if let Err((position, flaw)) = file::check(&order.files) {
        return Ok(Start::Refused(position, flaw));
    }
    let hash = order.hash();
    let Order { prompt_id, variables, files, .. } = order;
    let mut tried = None;
    loop {
        let active = prompt::active(ctx, author.actor(), prompt_id).await?;
        let values = match prompt::check_variables(&active.version, &variables)? {
            Ok(values) => values,
            Err(unknown) => return Ok(Start::Unknown(unknown)),
        };
        let tx = ctx.db.begin().await?;
        if let Some(own) = insert(ctx, &tx, author, &active, (&key, &hash, values)).await? {
            let (files, texts) = rows(own.id, &files);
            db::insert_all(&tx, files).await?;
            db::insert_all(&tx, texts).await?;
            tx.commit().await?;
            return Ok(Start::Started(Box::new(own)));
        }
        let same_key = select(author.actor(), None).filter(Column::IdempotencyKey.eq(&*key)).one(&tx).await?;
        tx.rollback().await?;
        if let Some(row) = same_key {
            return Ok(if row.request_hash == hash { Start::Started(Box::new(Own(row))) } else { Start::KeyReused });
        }
        // The cached version was not the active one, or the owner has reached a limit.
        if tried == Some(active.version.number) {
            let System { daily_tokens, .. } = system::load(ctx).await?;
            let is_used = result::used_today(ctx, author).await? >= i64::from(daily_tokens);
            return Ok(if is_used { Start::NoTokensLeft(daily_tokens) } else { Start::TooMany });
        }
        tried = Some(active.version.number);
        prompt::forget_active(ctx, prompt_id).await;
    }
}

/// Inserts an analysis, unless its key is taken, its prompt has another active version, or its owner has too many or has
/// used too many tokens today. One statement, which also finds its turn.
async fn insert(
    ctx: &Ctx,
    tx: &DatabaseTransaction,
    author: Author<'_>,
    active: &Active,
    (key, hash, variables): (&str, &str, Variables),
) -> Result<Option<Own>> {
    const SQL: &str = "INSERT INTO analyses (id, owner_id, prompt_id, prompt_version, status, progress, attempts, turn, \
        idempotency_key, request_hash, variables, ready_at, created_at) \
        SELECT $1, $2, id, active_version, 'QUEUED', 0, 0, (SELECT COALESCE(MAX(turn), 1) FROM ( \
            SELECT MAX(turn) + 1 AS turn FROM analyses WHERE owner_id = $2 AND status IN ('QUEUED', 'RUNNING') \
            UNION ALL SELECT MIN(turn) FROM analyses WHERE status = 'QUEUED') turns), \
        $3, $4, $5, $6, $6 FROM prompts WHERE id = $7 AND active_version = $8 AND (SELECT COUNT(*) FROM ( \
            SELECT 1 FROM analyses WHERE owner_id = $2 AND status IN ('QUEUED', 'RUNNING') LIMIT $9) unfinished) < $9 \
        AND (SELECT COALESCE(SUM(tokens_in + tokens_out), 0) FROM analyses WHERE owner_id = $2 AND used_on = $10) \
            < COALESCE((SELECT CAST(CAST(value AS text) AS bigint) FROM system_settings WHERE key = 'daily_tokens'), $11) \
        ON CONFLICT (owner_id, idempotency_key) DO NOTHING RETURNING *";
    let (now, me) = (ctx.now(), author.actor().user().id);
    let most = i64::try_from(MAX_UNFINISHED).unwrap_or(i64::MAX);
    let values = [
        ctx.new_id(now).into(),
        me.into(),
        key.into(),
        hash.into(),
        variables.into(),
        now.into(),
        active.version.prompt_id.into(),
        active.version.number.into(),
        most.into(),
        now.date_naive().into(),
        i64::from(System::default().daily_tokens).into(),
    ];
    let insert = db::statement(ctx.db.backend(), SQL, values);
    Ok(Entity::find().from_raw_sql(insert).one(tx).await?.map(Own))
}

/// The rows of files and of their texts.
fn rows(id: Uuid, files: &[NewFile]) -> (Vec<files::Model>, Vec<texts::Model>) {
    let row = |(position, file): (i32, &NewFile)| {
        let status = if file.text.trim().is_empty() { FileStatus::Skipped } else { FileStatus::Queued };
        let about = files::Model {
            analysis_id: id,
            position,
            name: file.name.clone(),
            bytes: i32::try_from(file.text.len()).unwrap_or(i32::MAX),
            sha256: file::sha256(file.text.as_bytes()),
            language: file::language(&file.name).to_owned(),
            status,
        };
        (about, texts::Model { analysis_id: id, position, text: file.text.clone() })
    };
    (0..).zip(files).map(row).unzip()
}

/// The result of cancelling an analysis.
pub enum Cancellation {
    /// It is cancelled. A worker that has it stops soon, and cannot store a result.
    Cancelled(Own),
    /// It had ended before.
    Finished(Own),
}

/// Deletes the texts of files, in the transaction that ends their analyses. One statement.
pub(crate) async fn delete_texts(tx: &DatabaseTransaction, ended: impl IntoIterator<Item = Uuid>) -> Result<()> {
    texts::Entity::delete_many().filter(texts::Column::AnalysisId.is_in(ended)).exec(tx).await?;
    Ok(())
}

/// Cancels an analysis. Repeating it changes nothing.
pub async fn cancel(ctx: &Ctx, author: Author<'_>, id: Uuid) -> Result<Cancellation> {
    let change = Entity::update_many()
        .col_expr(Column::Status, Expr::value(AnalysisStatus::Cancelled))
        .col_expr(Column::FinishedAt, Expr::value(ctx.now()))
        .col_expr(Column::LeaseId, Expr::value(Option::<Uuid>::None))
        .filter(Column::Id.eq(id))
        .filter(Column::OwnerId.eq(author.actor().user().id))
        .filter(Column::Status.is_in([AnalysisStatus::Queued, AnalysisStatus::Running]));
    let tx = ctx.db.begin().await?;
    if change.exec(&tx).await?.rows_affected == 1 {
        delete_texts(&tx, [id]).await?;
    }
    let own = Entity::find_by_id(id).filter(Column::OwnerId.eq(author.actor().user().id));
    let own = own.one(&tx).await?.map(Own).ok_or(Error::NotFound)?;
    tx.commit().await?;
    let is_cancelled = own.status == AnalysisStatus::Cancelled;
    Ok(if is_cancelled { Cancellation::Cancelled(own) } else { Cancellation::Finished(own) })
}
