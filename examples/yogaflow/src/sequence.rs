//! The tables `sequences`, `sequence_poses` and `user_favorites`. A sequence is a preset, public, or private to its
//! owner. [`Visible`] proves that the caller may read a sequence, and [`Owned`] that they may change it.

use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
};

use chrono::{DateTime, Utc};
use doorcode::{
    db,
    domain::{
        Check, Ctx,
        access::{Member, Person},
        range_query::Slice,
    },
    error::{Error, Result},
    graphql::Batch,
};
use sea_orm::{
    Condition, ConnectionTrait, DatabaseTransaction, IntoActiveModel, Order, PaginatorTrait, QueryOrder, QuerySelect,
    QueryTrait, entity::prelude::*, sea_query::OnConflict,
};

use crate::{
    pose,
    values::{self, Difficulty, Style, TargetArea},
};

/// Who sees a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Visibility {
    /// Everyone. It came with the application and has no owner.
    #[sea_orm(string_value = "PRESET")]
    Preset,
    /// Everyone.
    #[sea_orm(string_value = "PUBLIC")]
    Public,
    /// Its owner.
    #[sea_orm(string_value = "PRIVATE")]
    Private,
}

/// A sequence.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sequences")]
pub struct Model {
    /// UUID v7, so that lists are ordered by age.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The owner; a preset has none.
    pub owner_id: Option<Uuid>,
    /// Who sees it.
    pub visibility: Visibility,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// The part of the body that it works on.
    pub focus_area: TargetArea,
    /// The style.
    pub style: Style,
    /// The duration of all poses.
    pub seconds: i32,
    /// The time of creation.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// Poses in a sequence.
pub mod step {
    use sea_orm::entity::prelude::*;

    /// A pose in a sequence.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sequence_poses")]
    pub struct Model {
        /// The sequence.
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence_id: Uuid,
        /// The place in the sequence, from 0.
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        /// The pose.
        pub pose_id: Uuid,
        /// How long to hold it.
        pub seconds: i32,
        /// What to pay attention to.
        pub notes: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Favorites.
pub mod favorite {
    use sea_orm::entity::prelude::*;

    /// A sequence that a user marked.
    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_favorites")]
    pub struct Model {
        /// The user.
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: Uuid,
        /// The sequence.
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence_id: Uuid,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Maximum number of poses in a sequence.
pub const MAX_POSES: usize = 60;
/// Maximum number of sequences of a user.
pub const MAX_OWN: u64 = 200;

/// A sequence that the caller may read. Only this module makes one.
#[derive(Clone, Debug)]
pub struct Visible(Model);

impl Deref for Visible {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0
    }
}

/// A sequence that the caller may change. Only this module makes one.
pub struct Owned(Model);

impl Owned {
    /// Finds a sequence of the caller. For sequences of others, the error is the same as for missing ones.
    pub async fn require(ctx: &Ctx, member: Member<'_>, id: Uuid) -> Result<Self> {
        let own = Entity::find_by_id(id).filter(Column::OwnerId.eq(member.user().id));
        own.one(ctx.db.write()).await?.map(Self).ok_or(Error::NotFound)
    }
}

fn visible_to(user: Uuid) -> Condition {
    let public = Column::Visibility.is_in([Visibility::Preset, Visibility::Public]);
    Condition::any().add(public).add(Column::OwnerId.eq(user))
}

/// Finds a sequence that the caller may read. For others, the error is the same as for missing ones.
pub async fn find(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<Visible> {
    let visible = Entity::find_by_id(id).filter(visible_to(person.user().id));
    visible.one(ctx.db.read()).await?.map(Visible).ok_or(Error::NotFound)
}

/// Where the sequences of a list come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "SequenceSource")]
pub enum Source {
    /// Those that came with the application.
    Presets,
    /// Those that users made public, including yours.
    Public,
    /// Yours.
    Own,
    /// Your favorites.
    Favorites,
}

/// Which sequences a list has.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Where they come from. Each source is one range of an index.
    pub source: Source,
    /// Only this difficulty.
    pub difficulty: Option<Difficulty>,
    /// Only this focus.
    pub focus_area: Option<TargetArea>,
    /// Only this style.
    pub style: Option<Style>,
}

impl Filter {
    fn select(self, person: Person<'_>) -> Select<Entity> {
        let me = person.user().id;
        let source = match self.source {
            Source::Presets => Condition::all().add(Column::Visibility.eq(Visibility::Preset)),
            Source::Public => Condition::all().add(Column::Visibility.eq(Visibility::Public)),
            Source::Own => Condition::all().add(Column::OwnerId.eq(me)),
            Source::Favorites => {
                let favorites = favorite::Entity::find().select_only().column(favorite::Column::SequenceId);
                let favorites = favorites.filter(favorite::Column::UserId.eq(me)).into_query();
                // A sequence that is no longer public stays a favorite, but only its owner sees it.
                Condition::all().add(Column::Id.in_subquery(favorites)).add(visible_to(me))
            }
        };
        let conditions = source
            .add_option(self.difficulty.map(|difficulty| Column::Difficulty.eq(difficulty)))
            .add_option(self.focus_area.map(|area| Column::FocusArea.eq(area)))
            .add_option(self.style.map(|style| Column::Style.eq(style)));
        Entity::find().filter(conditions)
    }
}

/// A page of sequences, newest first.
pub async fn list(ctx: &Ctx, person: Person<'_>, filter: Filter, slice: &Slice) -> Result<Vec<Visible>> {
    Ok(page(filter.select(person), Column::Id, slice).all(ctx.db.read()).await?.into_iter().map(Visible).collect())
}

/// Limits a list that is ordered by id to a page of it.
pub fn page<E: EntityTrait>(list: Select<E>, id: E::Column, slice: &Slice) -> Select<E> {
    let bounds = Condition::all()
        .add_option(slice.older_than.map(|than| id.lt(than)))
        .add_option(slice.newer_than.map(|than| id.gt(than)));
    let order = if slice.oldest_first { Order::Asc } else { Order::Desc };
    list.filter(bounds).order_by(id, order).limit(slice.most)
}

/// The number of sequences that match.
pub async fn count(ctx: &Ctx, person: Person<'_>, filter: Filter) -> Result<u64> {
    Ok(filter.select(person).count(ctx.db.read()).await?)
}

/// The number of sequences that use a pose, for administrators, who may not see them.
pub async fn count_with_pose(ctx: &Ctx, pose: Uuid) -> Result<u64> {
    let uses = step::Entity::find().select_only().column(step::Column::SequenceId).distinct();
    Ok(uses.filter(step::Column::PoseId.eq(pose)).count(ctx.db.read()).await?)
}

/// Loads the poses of a sequence, in order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Steps(Uuid);

/// Loads whether a sequence is a favorite of a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IsFavorite(Uuid, Uuid);

impl Visible {
    /// The key of its poses.
    pub fn steps(&self) -> Steps {
        Steps(self.0.id)
    }

    /// Whether it is one of the caller's favorites.
    pub fn is_favorite(&self, person: Person<'_>) -> IsFavorite {
        IsFavorite(person.user().id, self.0.id)
    }
}

impl Batch for Steps {
    type Value = Vec<(step::Model, pose::Model)>;

    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, Self::Value>> {
        let wanted = step::Column::SequenceId.is_in(keys.iter().map(|key| key.0));
        let steps = step::Entity::find().filter(wanted).order_by_asc(step::Column::Position).all(ctx.db.read()).await?;
        let used: HashSet<_> = steps.iter().map(|step| step.pose_id).collect();
        let poses = pose::Entity::find().filter(pose::Column::Id.is_in(used)).all(ctx.db.read()).await?;
        let poses: HashMap<_, _> = poses.into_iter().map(|pose| (pose.id, pose)).collect();
        let mut loaded: HashMap<_, Self::Value> = HashMap::new();
        for step in steps {
            if let Some(pose) = poses.get(&step.pose_id) {
                loaded.entry(Self(step.sequence_id)).or_default().push((step, pose.clone()));
            }
        }
        Ok(loaded)
    }
}

impl Batch for IsFavorite {
    type Value = bool;

    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, bool>> {
        let rows = favorite::Entity::find().filter(favorite::Column::UserId.is_in(keys.iter().map(|key| key.0)));
        let rows = rows.filter(favorite::Column::SequenceId.is_in(keys.iter().map(|key| key.1)));
        let rows = rows.all(ctx.db.read()).await?;
        Ok(rows.into_iter().map(|row| (Self(row.user_id, row.sequence_id), true)).collect())
    }
}

/// Everything about a sequence that its owner sets.
pub struct Draft {
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// The part of the body that it works on.
    pub focus_area: TargetArea,
    /// The style.
    pub style: Style,
    /// Whether everyone sees it.
    pub public: bool,
    /// Its poses in order: pose, seconds and notes.
    pub poses: Vec<(Uuid, i32, String)>,
}

impl Draft {
    fn checked(self, id: Uuid, owner: Uuid, created_at: DateTime<Utc>) -> Result<(Model, Vec<step::Model>)> {
        let mut check = Check::default();
        let name = values::text(&mut check, "name", &self.name, (1, 80));
        let description = values::text(&mut check, "description", &self.description, (0, 1_000));
        if !(1..=MAX_POSES).contains(&self.poses.len()) {
            check.field::<(), _>("poses", Err(format!("`poses` must have 1 to {MAX_POSES} entries.")));
        }
        let mut steps = Vec::new();
        for (position, (pose_id, seconds, notes)) in (0..).zip(self.poses.into_iter().take(MAX_POSES)) {
            let seconds = values::number(&mut check, "poses.seconds", seconds, (5, 1_800));
            let notes = values::text(&mut check, "poses.notes", &notes, (0, 300));
            steps.push(step::Model { sequence_id: id, position, pose_id, seconds, notes });
        }
        check.done()?;
        let visibility = if self.public { Visibility::Public } else { Visibility::Private };
        let (difficulty, focus_area, style) = (self.difficulty, self.focus_area, self.style);
        let seconds = steps.iter().map(|step| step.seconds).sum();
        let owner_id = Some(owner);
        let sequence =
            Model { id, owner_id, visibility, name, description, difficulty, focus_area, style, seconds, created_at };
        Ok((sequence, steps))
    }
}

/// Inserts the poses of a sequence. The foreign key refuses a pose that does not exist.
async fn insert_steps(tx: &DatabaseTransaction, steps: Vec<step::Model>) -> Result<()> {
    db::insert_all(tx, steps).await.map_err(|error| match error {
        Error::Conflict => Error::invalid("poses.poseId", "`poses.poseId` names a pose that does not exist."),
        error => error,
    })
}

/// The result of creating a sequence.
pub enum Creation {
    /// It was created.
    Created(Visible),
    /// The user has [`MAX_OWN`] sequences.
    TooMany,
}

/// Adds a sequence with its poses.
pub async fn create(ctx: &Ctx, member: Member<'_>, draft: Draft) -> Result<Creation> {
    let now = ctx.now();
    let me = member.user().id;
    let (sequence, steps) = draft.checked(ctx.new_id(now), me, now)?;
    let tx = ctx.db.begin().await?;
    member.lock(&tx).await?;
    if Entity::find().filter(Column::OwnerId.eq(me)).count(&tx).await? >= MAX_OWN {
        return Ok(Creation::TooMany);
    }
    db::insert(&tx, sequence.clone()).await?;
    insert_steps(&tx, steps).await?;
    tx.commit().await?;
    Ok(Creation::Created(Visible(sequence)))
}

/// Replaces everything about a sequence, including its poses, in one transaction.
pub async fn update(ctx: &Ctx, owned: Owned, draft: Draft) -> Result<Visible> {
    let (id, owner) = (owned.0.id, owned.0.owner_id.ok_or(Error::NotFound)?);
    let (sequence, steps) = draft.checked(id, owner, owned.0.created_at)?;
    let tx = ctx.db.begin().await?;
    // Locks the row, so that the poses of two updates do not mix.
    let row = sequence.clone().into_active_model().reset_all();
    let changed = Entity::update_many().set(row).filter(Column::Id.eq(id)).exec(&tx).await?;
    if changed.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    step::Entity::delete_many().filter(step::Column::SequenceId.eq(id)).exec(&tx).await?;
    insert_steps(&tx, steps).await?;
    tx.commit().await?;
    Ok(Visible(sequence))
}

/// Deletes a sequence. Practices of it keep its name and style.
pub async fn delete(ctx: &Ctx, owned: Owned) -> Result<()> {
    let deleted = Entity::delete_by_id(owned.0.id).exec(ctx.db.write()).await?.rows_affected;
    if deleted == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Marks a sequence as a favorite. Does nothing if it is one.
pub async fn add_favorite(ctx: &Ctx, member: Member<'_>, sequence: &Visible) -> Result<()> {
    let row = favorite::Model { user_id: member.user().id, sequence_id: sequence.id };
    let once = OnConflict::columns([favorite::Column::UserId, favorite::Column::SequenceId]).do_nothing().to_owned();
    let row = row.into_active_model().reset_all();
    let insert = favorite::Entity::insert(row).on_conflict(once).into_query();
    ctx.db.write().execute(&insert).await.map_err(|error| match error.into() {
        // It was deleted meanwhile.
        Error::Conflict => Error::NotFound,
        error => error,
    })?;
    Ok(())
}

/// Removes a favorite. Does nothing if the sequence is none.
pub async fn remove_favorite(ctx: &Ctx, member: Member<'_>, sequence: Uuid) -> Result<()> {
    favorite::Entity::delete_by_id((member.user().id, sequence)).exec(ctx.db.write()).await?;
    Ok(())
}
