//! The tables `prompts` and `prompt_versions`. Versions never change, and one of them is active. Users see their own
//! prompts and the presets that came with the application. [`Visible`] proves that the caller may read a prompt, and
//! [`Owned`] that they may change it.

use std::{collections::HashMap, ops::Deref, time::Duration};

use doorcode::{
    db,
    domain::{Check, Ctx, access::Actor, range_query::Slice},
    error::{Error, Result},
    graphql::Batch,
};
use sea_orm::{Condition, ExprTrait, PaginatorTrait, QueryOrder, entity::prelude::*, sea_query::Expr};
use serde::{Deserialize, Serialize};

use crate::{
    Author, file, template,
    values::{self, Names, Parameters, PromptKind, Variables},
};

/// A prompt.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "prompts")]
pub struct Model {
    /// UUID v7, so that lists are ordered by age.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The owner; a preset has none.
    pub owner_id: Option<Uuid>,
    /// The name.
    pub name: String,
    /// What it looks for.
    pub kind: PromptKind,
    /// The number of the version that new analyses use.
    pub active_version: i32,
    /// The time of creation.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// Versions of prompts.
pub mod version {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    use crate::values::{Names, Parameters};

    /// A version of a prompt.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "prompt_versions")]
    pub struct Model {
        /// The prompt.
        #[sea_orm(primary_key, auto_increment = false)]
        pub prompt_id: Uuid,
        /// The number, from 1.
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        /// The text, with variables such as `{{code}}`.
        pub text: String,
        /// The names of the variables that an analysis has to set.
        pub variables: Names,
        /// The model to ask.
        pub model: String,
        /// Parameters of the model.
        pub parameters: Parameters,
        /// The time of creation.
        pub created_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Maximum number of prompts of a user, and of versions of a prompt.
pub const MAX: u64 = 100;
/// Maximum size in bytes of everything that is inserted into a text for one file. Only old versions can exceed it.
pub const MAX_INSERTED: usize = 2 * 1024 * 1024;
/// The same for a preview.
const MAX_PREVIEW: usize = 32 * 1024;
/// Maximum length of the code in a preview, in characters.
const MAX_PREVIEW_CODE: usize = 10_000;
/// Maximum number of variables in a text, with repetitions.
const MAX_USES: usize = 50;
/// The number of versions in a list. The cost of an operation assumes it.
const LISTED: i32 = 20;
const CACHED: Duration = Duration::from_mins(10);

/// A prompt that the caller may read. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Visible(Model);

impl Deref for Visible {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0
    }
}

/// A prompt that the caller may change. Only this module makes one.
pub struct Owned(Model);

impl Owned {
    /// Finds a prompt of the caller. For those of others and presets, the error is the same as for missing ones.
    pub async fn require(ctx: &Ctx, author: Author<'_>, id: Uuid) -> Result<Self> {
        let own = Entity::find_by_id(id).filter(Column::OwnerId.eq(author.actor().user().id));
        own.one(ctx.db.write()).await?.map(Self).ok_or(Error::NotFound)
    }
}

fn visible_to(user: Uuid) -> Condition {
    Condition::any().add(Column::OwnerId.eq(user)).add(Column::OwnerId.is_null())
}

/// Finds a prompt that the caller may read.
pub async fn find(ctx: &Ctx, actor: Actor<'_>, id: Uuid) -> Result<Visible> {
    let visible = Entity::find_by_id(id).filter(visible_to(actor.user().id));
    visible.one(ctx.db.read()).await?.map(Visible).ok_or(Error::NotFound)
}

/// A page of the caller's prompts and the presets, newest first.
pub async fn list(ctx: &Ctx, actor: Actor<'_>, slice: &Slice) -> Result<Vec<Visible>> {
    let visible = Entity::find().filter(visible_to(actor.user().id));
    Ok(values::page(visible, Column::Id, slice).all(ctx.db.read()).await?.into_iter().map(Visible).collect())
}

/// The number of the caller's prompts and the presets.
pub async fn count(ctx: &Ctx, actor: Actor<'_>) -> Result<u64> {
    Ok(Entity::find().filter(visible_to(actor.user().id)).count(ctx.db.read()).await?)
}

/// Loads the newest 20 versions of a prompt, newest first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Versions(Uuid);

/// Loads one version of a prompt.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(Uuid, i32);

impl Visible {
    /// The key of its versions.
    pub fn versions(&self) -> Versions {
        Versions(self.0.id)
    }

    /// The key of its active version.
    pub fn active(&self) -> Version {
        Version(self.0.id, self.0.active_version)
    }

    /// A version by its number.
    pub async fn version(&self, ctx: &Ctx, number: i32) -> Result<version::Model> {
        let found = version::Entity::find_by_id((self.0.id, number)).one(ctx.db.read()).await?;
        found.ok_or(Error::NotFound)
    }
}

impl Batch for Versions {
    type Value = Vec<version::Model>;

    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let of = version::Column::PromptId.is_in(keys.iter().map(|key| key.0));
        // Numbers have no gaps, because versions are never deleted.
        let newest = Expr::cust(format!(
            "number > (SELECT MAX(newest.number) - {LISTED} FROM prompt_versions newest \
             WHERE newest.prompt_id = prompt_versions.prompt_id)"
        ));
        let rows = version::Entity::find().filter(of).filter(newest).order_by_desc(version::Column::Number);
        let rows = rows.all(ctx.db.read()).await?;
        let mut loaded: HashMap<_, Self::Value> = HashMap::new();
        for row in rows {
            loaded.entry(Self(row.prompt_id)).or_default().push(row);
        }
        Ok(loaded)
    }
}

impl Batch for Version {
    type Value = version::Model;

    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let one = |key: &Self| version::Column::PromptId.eq(key.0).and(version::Column::Number.eq(key.1));
        let any = keys.iter().fold(Condition::any(), |any, key| any.add(one(key)));
        let rows = version::Entity::find().filter(any).all(ctx.db.read()).await?;
        Ok(rows.into_iter().map(|row| (Self(row.prompt_id, row.number), row)).collect())
    }
}

/// Everything about a version that its author sets.
pub struct Draft {
    /// The text.
    pub text: String,
    /// The names of the variables that an analysis has to set.
    pub variables: Vec<String>,
    /// The model to ask.
    pub model: String,
    /// Parameters of the model.
    pub parameters: Parameters,
}

/// A variable that a text uses and nobody sets, or that is set and nothing uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable(pub String);

/// A result that a wrong variable can prevent.
pub type Checked<T> = Result<T, UnknownVariable>;

impl Draft {
    fn checked(self, prompt_id: Uuid, number: i32, created_at: DateTimeUtc) -> Result<Checked<version::Model>> {
        let mut check = Check::default();
        let text = values::text(&mut check, "text", &self.text, (1, 10_000));
        let model = values::text(&mut check, "model", &self.model, (1, 100));
        let Parameters { temperature, max_tokens } = self.parameters;
        let temperature = temperature.and_then(|it| values::number(&mut check, "temperature", it, (0.0, 2.0)));
        let max_tokens = max_tokens.and_then(|it| values::number(&mut check, "maxTokens", it, (1, 32_000)));
        let mut names = self.variables;
        names.sort();
        names.dedup();
        let is_own = |name: &String| template::is_name(name) && !template::BUILT_IN.contains(&&**name);
        if names.len() > 20 || !names.iter().all(is_own) {
            let rule = "`variables` must be at most 20 names of lower-case letters, digits and `_`, other than `code`, \
                `file` and `language`.";
            check.field::<(), _>("variables", Err(rule));
        }
        if template::variables(&text).filter(|name| *name == "code").count() != 1 {
            check.field::<(), _>("text", Err("`text` must contain `{{code}}` once, where the file is inserted."));
        }
        if template::variables(&text).count() > MAX_USES {
            check.field::<(), _>("text", Err(format!("`text` must use at most {MAX_USES} variables.")));
        }
        check.done()?;
        let is_known = |name: &&str| template::BUILT_IN.contains(name) || names.iter().any(|known| known == name);
        if let Some(unknown) = template::variables(&text).find(|name| !is_known(name)) {
            return Ok(Err(UnknownVariable(unknown.chars().take(40).collect())));
        }
        let (variables, parameters) = (Names(names), Parameters { temperature, max_tokens });
        Ok(Ok(version::Model { prompt_id, number, text, variables, model, parameters, created_at }))
    }
}

/// The result of adding a prompt or a version.
pub enum Saved {
    /// It was added.
    Saved(Visible),
    /// The text uses a variable that is not declared.
    Unknown(UnknownVariable),
    /// There are [`MAX`] of them.
    TooMany,
}

/// Adds a prompt, whose first version is active.
pub async fn create(ctx: &Ctx, author: Author<'_>, name: &str, kind: PromptKind, draft: Draft) -> Result<Saved> {
    let (now, me) = (ctx.now(), author.actor().user().id);
    let id = ctx.new_id(now);
    let mut check = Check::default();
    let name = values::text(&mut check, "name", name, (1, 80));
    check.done()?;
    let first = match draft.checked(id, 1, now)? {
        Ok(first) => first,
        Err(unknown) => return Ok(Saved::Unknown(unknown)),
    };
    let prompt = Model { id, owner_id: Some(me), name, kind, active_version: 1, created_at: now };
    let tx = ctx.db.begin().await?;
    // Requests at the same time can exceed the maximum by a few, which does no harm.
    if Entity::find().filter(Column::OwnerId.eq(me)).count(&tx).await? >= MAX {
        return Ok(Saved::TooMany);
    }
    db::insert(&tx, prompt.clone()).await?;
    db::insert(&tx, first).await?;
    tx.commit().await?;
    Ok(Saved::Saved(Visible(prompt)))
}

/// Adds a version. It is not active yet. Of two requests at once, the key refuses one with `CONFLICT`.
pub async fn add_version(ctx: &Ctx, owned: Owned, draft: Draft) -> Result<Saved> {
    let of = version::Entity::find().filter(version::Column::PromptId.eq(owned.0.id));
    let newest = of.order_by_desc(version::Column::Number).one(ctx.db.write()).await?.map_or(0, |row| row.number);
    if u64::try_from(newest).unwrap_or_default() >= MAX {
        return Ok(Saved::TooMany);
    }
    match draft.checked(owned.0.id, newest + 1, ctx.now())? {
        Ok(row) => db::insert(ctx.db.write(), row).await?,
        Err(unknown) => return Ok(Saved::Unknown(unknown)),
    }
    Ok(Saved::Saved(Visible(owned.0)))
}

/// Makes a version the one that new analyses use.
pub async fn activate(ctx: &Ctx, owned: Owned, number: i32) -> Result<Visible> {
    let exists = version::Entity::find_by_id((owned.0.id, number)).count(ctx.db.write()).await? == 1;
    if !exists {
        return Err(Error::invalid("version", "`version` is not a version of this prompt."));
    }
    let change = Entity::update_many().col_expr(Column::ActiveVersion, Expr::value(number));
    change.filter(Column::Id.eq(owned.0.id)).exec(ctx.db.write()).await?;
    forget_active(ctx, owned.0.id).await;
    Ok(Visible(Model { active_version: number, ..owned.0 }))
}

/// What starting an analysis needs of a prompt. Kept in the cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Active {
    owner_id: Option<Uuid>,
    /// The active version, at the time when it was read.
    pub version: version::Model,
}

fn key_of_active(id: Uuid) -> String {
    format!("active:{id}")
}

/// The active version of a prompt that the caller may read. It can be out of date by a moment, or longer if Redis was
/// away: the statement that stores an analysis compares it. No statement if cached, else two.
pub async fn active(ctx: &Ctx, actor: Actor<'_>, id: Uuid) -> Result<Active> {
    let cached = ctx.cache.get(&key_of_active(id)).await;
    let found = if let Some(active) = cached.and_then(|bytes| serde_json::from_slice::<Active>(&bytes).ok()) {
        active
    } else {
        let prompt = Entity::find_by_id(id).one(ctx.db.write()).await?.ok_or(Error::NotFound)?;
        let version = version(ctx, id, prompt.active_version).await?;
        let active = Active { owner_id: prompt.owner_id, version };
        keep(ctx, &key_of_active(id), &active).await;
        active
    };
    if found.owner_id.is_none_or(|owner| owner == actor.user().id) { Ok(found) } else { Err(Error::NotFound) }
}

/// Removes the active version from the cache of all replicas.
pub async fn forget_active(ctx: &Ctx, id: Uuid) {
    ctx.cache.remove(&key_of_active(id)).await;
}

/// A version, for a worker. A version never changes, so a cached one is right. No statement if cached, else one.
pub async fn version(ctx: &Ctx, id: Uuid, number: i32) -> Result<version::Model> {
    let key = format!("version:{id}:{number}");
    if let Some(cached) = ctx.cache.get(&key).await.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return Ok(cached);
    }
    let found = version::Entity::find_by_id((id, number)).one(ctx.db.write()).await?.ok_or(Error::NotFound)?;
    keep(ctx, &key, &found).await;
    Ok(found)
}

async fn keep(ctx: &Ctx, key: &str, value: &impl Serialize) {
    if let Ok(bytes) = serde_json::to_vec(value) {
        ctx.cache.set(key, bytes.into(), CACHED).await;
    }
}

/// The values of a version's variables that a user set.
pub fn check_variables(version: &version::Model, given: &[(String, String)]) -> Result<Checked<Variables>> {
    let known = &version.variables.0;
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !known.contains(name)) {
        return Ok(Err(UnknownVariable(unknown.chars().take(40).collect())));
    }
    let mut check = Check::default();
    let mut values = Vec::new();
    for name in known {
        let mut of_name = given.iter().filter(|(given, _)| given == name);
        match (of_name.next(), of_name.next()) {
            (Some((_, value)), None) => {
                values.push((name.clone(), values::text(&mut check, "variables", value, (0, 1_000))));
            }
            (None, _) => drop(check.field::<(), _>("variables", Err(format!("The variable `{name}` needs a value.")))),
            (Some(_), Some(_)) => {
                check.field::<(), _>("variables", Err(format!("The variable `{name}` has two values.")));
            }
        }
    }
    check.done()?;
    Ok(Ok(Variables(values)))
}

/// The text for one file. `None` if more than `most` bytes would be inserted.
pub fn fill(
    version: &version::Model,
    variables: &Variables,
    (file, language, code): (&str, &str, &str),
    most: usize,
) -> Option<String> {
    template::fill(&version.text, most, |name| match name {
        "code" => Some(code),
        "file" => Some(file),
        "language" => Some(language),
        name => variables.0.iter().find(|(known, _)| known == name).map(|(_, value)| &**value),
    })
}

/// The text for a file that a user makes up.
pub fn preview(version: &version::Model, variables: &Variables, file: &str, code: &str) -> Result<String> {
    let mut check = Check::default();
    if code.chars().count() > MAX_PREVIEW_CODE {
        check.field::<(), _>("code", Err(format!("`code` must have at most {MAX_PREVIEW_CODE} characters.")));
    }
    let text = fill(version, variables, (file, file::language(file), code), MAX_PREVIEW);
    let text = check.field("code", text.ok_or("The preview is too long. Use shorter `code` or shorter variables."));
    check.finish(text)
}
