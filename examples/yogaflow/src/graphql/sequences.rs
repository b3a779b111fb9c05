//! Sequences and favorites.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};
use doorcode::{
    domain::access::Member,
    graphql::{
        error::ApiError,
        load, parts,
        relay::{self, Connection, Listed, Page},
    },
};

use super::{POSE, SEQUENCE, TooManySequences, YogaProblemCode, poses::Pose};
use crate::{
    sequence::{self, Creation, Draft, Filter, MAX_OWN, Owned, Source, Visibility, Visible},
    values::{Difficulty, Style, TargetArea},
};

/// A sequence of poses: a preset, public, or your own.
pub(crate) struct Sequence(pub Visible);

/// A sequence of poses: a preset, public, or your own.
#[Object]
impl Sequence {
    /// The ID of the sequence.
    async fn id(&self) -> ID {
        SEQUENCE.encode(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// How hard it is.
    async fn difficulty(&self) -> Difficulty {
        self.0.difficulty
    }

    /// The part of the body that it works on.
    async fn focus_area(&self) -> TargetArea {
        self.0.focus_area
    }

    /// The style.
    async fn style(&self) -> Style {
        self.0.style
    }

    /// The duration in seconds.
    async fn seconds(&self) -> i32 {
        self.0.seconds
    }

    /// Whether it came with the application.
    async fn preset(&self) -> bool {
        self.0.visibility == Visibility::Preset
    }

    /// Whether all users see it.
    async fn public(&self) -> bool {
        self.0.visibility != Visibility::Private
    }

    /// Whether it is yours, so that you may change it.
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
    async fn mine(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(self.0.owner_id == Some(parts(ctx).1.person()?.user().id))
    }

    /// Whether it is one of your favorites.
    async fn favorite(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        Ok(load(ctx, self.0.is_favorite(parts(ctx).1.person()?)).await?.unwrap_or_default())
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Its poses in order, at most 60.
    async fn poses(&self, ctx: &Context<'_>) -> Result<Vec<SequencePose>, ApiError> {
        let steps = load(ctx, self.0.steps()).await?.unwrap_or_default();
        let pose = |(step, pose): (sequence::step::Model, _)| SequencePose {
            pose: Pose(pose),
            seconds: step.seconds,
            notes: step.notes,
        };
        Ok(steps.into_iter().map(pose).collect())
    }
}

/// A pose in a sequence.
#[derive(SimpleObject)]
struct SequencePose {
    /// The pose.
    pose: Pose,
    /// How long to hold it, in seconds.
    seconds: i32,
    /// What to pay attention to.
    notes: String,
}

impl Listed for Sequence {
    const NAME: &'static str = "Sequence";
    type List = Filter;

    async fn count(ctx: &Context<'_>, filter: &Filter) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(sequence::count(domain, viewer.person()?, *filter).await?)
    }
}

/// A filter for sequences. A sequence must match all given fields.
#[derive(InputObject, Default)]
struct SequenceFilter {
    /// Only this difficulty.
    difficulty: Option<Difficulty>,
    /// Only this focus.
    focus_area: Option<TargetArea>,
    /// Only this style.
    style: Option<Style>,
}

#[derive(Default)]
pub(super) struct SequenceQuery;

#[Object]
impl SequenceQuery {
    /// Lists sequences, newest first.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection, a source and a filter")]
    async fn sequences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where the sequences come from.")] source: Source,
        #[graphql(desc = "Only sequences that match.", default)] filter: SequenceFilter,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Sequence>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let SequenceFilter { difficulty, focus_area, style } = filter;
        let filter = Filter { source, difficulty, focus_area, style };
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = sequence::list(domain, viewer.person()?, filter, &page.slice()).await?;
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), Sequence, filter))
    }

    /// A sequence. Fails with `NOT_FOUND` if it does not exist or is private to someone else.
    async fn sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the sequence.")] id: ID,
    ) -> Result<Sequence, ApiError> {
        let (domain, viewer) = parts(ctx);
        let person = viewer.person()?;
        Ok(Sequence(sequence::find(domain, person, SEQUENCE.decode("id", &id)?).await?))
    }
}

/// A pose in a sequence.
#[derive(InputObject)]
struct SequencePoseInput {
    /// The ID of the pose.
    pose_id: ID,
    /// How long to hold it (5 to 1,800 seconds).
    seconds: i32,
    /// What to pay attention to (at most 300 characters).
    #[graphql(default)]
    notes: String,
}

/// Everything about a sequence.
#[derive(InputObject)]
struct SequenceInput {
    /// The name (1 to 80 characters).
    name: String,
    /// What it is for (at most 1,000 characters).
    #[graphql(default)]
    description: String,
    /// How hard it is.
    difficulty: Difficulty,
    /// The part of the body that it works on.
    focus_area: TargetArea,
    /// The style.
    style: Style,
    /// Whether all users see it.
    #[graphql(default)]
    public: bool,
    /// The poses in order (1 to 60).
    poses: Vec<SequencePoseInput>,
}

impl SequenceInput {
    fn draft(self) -> Result<Draft, ApiError> {
        let Self { name, description, difficulty, focus_area, style, public, poses } = self;
        let pose =
            |pose: SequencePoseInput| Ok((POSE.decode("poses.poseId", &pose.pose_id)?, pose.seconds, pose.notes));
        let poses = poses.into_iter().map(pose).collect::<Result<_, ApiError>>()?;
        Ok(Draft { name, description, difficulty, focus_area, style, public, poses })
    }
}

/// A sequence was created or changed.
#[derive(SimpleObject)]
struct SequenceSaved {
    /// The sequence.
    sequence: Sequence,
}

/// The result of `createSequence`.
#[derive(Union)]
enum CreateSequenceResult {
    Saved(SequenceSaved),
    TooMany(TooManySequences),
}

/// A sequence was deleted.
#[derive(SimpleObject)]
struct SequenceDeleted {
    /// The ID of the sequence.
    sequence_id: ID,
}

/// A sequence is not a favorite.
#[derive(SimpleObject)]
struct FavoriteRemoved {
    /// The ID of the sequence.
    sequence_id: ID,
}

#[derive(Default)]
pub(super) struct SequenceMutation;

#[Object]
impl SequenceMutation {
    /// Adds a sequence of your own. Requires the role USER.
    async fn create_sequence(&self, ctx: &Context<'_>, input: SequenceInput) -> Result<CreateSequenceResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "createSequence").await?;
        Ok(match sequence::create(domain, member, input.draft()?).await? {
            Creation::Created(sequence) => CreateSequenceResult::Saved(SequenceSaved { sequence: Sequence(sequence) }),
            Creation::TooMany => CreateSequenceResult::TooMany(TooManySequences {
                message: format!("You can have {MAX_OWN} sequences. Delete one first."),
                code: YogaProblemCode::TooManySequences,
                limit: i32::try_from(MAX_OWN).unwrap_or(i32::MAX),
            }),
        })
    }

    /// Replaces everything about one of your sequences, including its poses. Requires the role USER. Fails with
    /// `NOT_FOUND` for any other sequence.
    async fn update_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of one of your sequences.")] id: ID,
        input: SequenceInput,
    ) -> Result<SequenceSaved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "updateSequence").await?;
        let owned = Owned::require(domain, member, SEQUENCE.decode("id", &id)?).await?;
        Ok(SequenceSaved { sequence: Sequence(sequence::update(domain, owned, input.draft()?).await?) })
    }

    /// Deletes one of your sequences. Practices of it stay in the history. Requires the role USER. Fails with
    /// `NOT_FOUND` for any other sequence.
    async fn delete_sequence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of one of your sequences.")] id: ID,
    ) -> Result<SequenceDeleted, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "deleteSequence").await?;
        sequence::delete(domain, Owned::require(domain, member, SEQUENCE.decode("id", &id)?).await?).await?;
        Ok(SequenceDeleted { sequence_id: id })
    }

    /// Marks a sequence as one of your favorites. Does nothing if it is. Requires the role USER.
    async fn add_favorite(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the sequence.")] sequence_id: ID,
    ) -> Result<SequenceSaved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "addFavorite").await?;
        let sequence = sequence::find(domain, *member, SEQUENCE.decode("sequenceId", &sequence_id)?).await?;
        sequence::add_favorite(domain, member, &sequence).await?;
        Ok(SequenceSaved { sequence: Sequence(sequence) })
    }

    /// Removes a sequence from your favorites. Does nothing if it is none. Requires the role USER.
    async fn remove_favorite(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the sequence.")] sequence_id: ID,
    ) -> Result<FavoriteRemoved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "removeFavorite").await?;
        sequence::remove_favorite(domain, member, SEQUENCE.decode("sequenceId", &sequence_id)?).await?;
        Ok(FavoriteRemoved { sequence_id })
    }
}
