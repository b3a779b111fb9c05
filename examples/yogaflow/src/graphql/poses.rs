//! Poses.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use doorcode::{
    domain::access::Admin,
    graphql::{
        error::ApiError,
        parts,
        relay::{self, Connection, Listed, Page},
    },
};

use super::{POSE, PoseInUse, YogaProblemCode};
use crate::{
    pose::{self, Deletion, Draft, Filter},
    values::{Difficulty, PoseCategory, TargetArea},
};

/// A pose.
pub(crate) struct Pose(pub pose::Model);

/// A pose.
#[Object]
impl Pose {
    /// The ID of the pose.
    async fn id(&self) -> ID {
        POSE.encode(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The name in Sanskrit.
    async fn sanskrit_name(&self) -> &str {
        &self.0.sanskrit_name
    }

    /// The kind of pose.
    async fn category(&self) -> PoseCategory {
        self.0.category
    }

    /// How hard it is.
    async fn difficulty(&self) -> Difficulty {
        self.0.difficulty
    }

    /// What it is.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// The steps into the pose.
    async fn instructions(&self) -> &[String] {
        &self.0.instructions.0
    }

    /// What it is good for.
    async fn benefits(&self) -> &[String] {
        &self.0.benefits.0
    }

    /// When to avoid it.
    async fn contraindications(&self) -> &[String] {
        &self.0.contraindications.0
    }

    /// The parts of the body that it works on.
    async fn target_areas(&self) -> &[TargetArea] {
        &self.0.target_areas.0
    }

    /// Addresses of pictures.
    async fn image_urls(&self) -> &[String] {
        &self.0.image_urls.0
    }
}

impl Listed for Pose {
    const NAME: &'static str = "Pose";
    type List = Filter;

    async fn count(ctx: &Context<'_>, filter: &Filter) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(pose::count(domain, viewer.person()?, filter).await?)
    }
}

/// A filter for poses. A pose must match all given fields.
#[derive(InputObject, Default)]
struct PoseFilter {
    /// Part of the name or the Sanskrit name, ignoring case (at most 80 characters).
    search: Option<String>,
    /// Only this kind.
    category: Option<PoseCategory>,
    /// Only this difficulty.
    difficulty: Option<Difficulty>,
    /// Only poses that work on this part of the body.
    target_area: Option<TargetArea>,
}

#[derive(Default)]
pub(super) struct PoseQuery;

#[Object]
impl PoseQuery {
    /// Lists poses by name.
    async fn poses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only poses that match.", default)] filter: PoseFilter,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Pose>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let PoseFilter { search, category, difficulty, target_area } = filter;
        let filter = Filter { search, category, difficulty, target_area }.checked()?;
        let page = Page::by_text(first, after.as_deref(), last, before.as_deref())?;
        let poses = pose::list(domain, viewer.person()?, &filter, &page).await?;
        Ok(Connection::new(&page, poses, |pose| relay::text_cursor(&pose.name), Pose, filter))
    }

    /// A pose. Fails with `NOT_FOUND` if it does not exist.
    async fn pose(&self, ctx: &Context<'_>, #[graphql(desc = "The ID of the pose.")] id: ID) -> Result<Pose, ApiError> {
        let (domain, viewer) = parts(ctx);
        let person = viewer.person()?;
        Ok(Pose(pose::find(domain, person, POSE.decode("id", &id)?).await?))
    }
}

/// Everything about a pose.
#[derive(InputObject)]
struct PoseInput {
    /// The name (1 to 80 characters), unique.
    name: String,
    /// The name in Sanskrit (at most 80 characters).
    #[graphql(default)]
    sanskrit_name: String,
    /// The kind of pose.
    category: PoseCategory,
    /// How hard it is.
    difficulty: Difficulty,
    /// What it is (1 to 1,000 characters).
    description: String,
    /// The steps into the pose (at most 20, each at most 300 characters).
    #[graphql(default)]
    instructions: Vec<String>,
    /// What it is good for (at most 20).
    #[graphql(default)]
    benefits: Vec<String>,
    /// When to avoid it (at most 20).
    #[graphql(default)]
    contraindications: Vec<String>,
    /// The parts of the body that it works on.
    #[graphql(default)]
    target_areas: Vec<TargetArea>,
    /// Addresses of pictures, beginning with https:// (at most 20).
    #[graphql(default)]
    image_urls: Vec<String>,
}

impl From<PoseInput> for Draft {
    fn from(input: PoseInput) -> Self {
        Self {
            name: input.name,
            sanskrit_name: input.sanskrit_name,
            category: input.category,
            difficulty: input.difficulty,
            description: input.description,
            instructions: input.instructions,
            benefits: input.benefits,
            contraindications: input.contraindications,
            target_areas: input.target_areas,
            image_urls: input.image_urls,
        }
    }
}

/// A pose was created or changed.
#[derive(SimpleObject)]
struct PoseSaved {
    /// The pose.
    pose: Pose,
}

/// A pose was deleted.
#[derive(SimpleObject)]
struct PoseDeleted {
    /// The ID of the pose.
    pose_id: ID,
}

/// The result of `deletePose`.
#[derive(Union)]
enum DeletePoseResult {
    Deleted(PoseDeleted),
    InUse(PoseInUse),
}

#[derive(Default)]
pub(super) struct PoseMutation;

#[Object]
impl PoseMutation {
    /// Adds a pose. Requires the role ADMIN.
    async fn create_pose(&self, ctx: &Context<'_>, input: PoseInput) -> Result<PoseSaved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "createPose").await?;
        Ok(PoseSaved { pose: Pose(pose::create(domain, admin, input.into()).await?) })
    }

    /// Replaces everything about a pose. Requires the role ADMIN.
    async fn update_pose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the pose.")] id: ID,
        input: PoseInput,
    ) -> Result<PoseSaved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "updatePose").await?;
        Ok(PoseSaved { pose: Pose(pose::update(domain, admin, POSE.decode("id", &id)?, input.into()).await?) })
    }

    /// Deletes a pose that no sequence uses. Requires the role ADMIN.
    async fn delete_pose(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the pose.")] id: ID,
    ) -> Result<DeletePoseResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "deletePose").await?;
        Ok(match pose::delete(domain, admin, POSE.decode("id", &id)?).await? {
            Deletion::Deleted => DeletePoseResult::Deleted(PoseDeleted { pose_id: id }),
            Deletion::InUse(sequences) => DeletePoseResult::InUse(PoseInUse {
                message: format!("{sequences} sequences use this pose. Change or delete them first."),
                code: YogaProblemCode::PoseInUse,
                sequences: i32::try_from(sequences).unwrap_or(i32::MAX),
            }),
        })
    }
}
