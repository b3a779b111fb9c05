//! The table `poses`: everyone who is signed in reads poses, and administrators change them.

use doorcode::{
    db,
    domain::{
        Check, Ctx,
        access::{Admin, Person},
    },
    error::{Error, Result},
    graphql::relay::Page,
};
use sea_orm::{
    Condition, ExprTrait, IntoActiveModel, Order, QueryOrder, QuerySelect, entity::prelude::*, sea_query::LikeExpr,
};

use crate::{
    sequence,
    values::{self, Areas, Difficulty, PoseCategory, TargetArea, Texts},
};

/// A pose.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "poses")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The name, unique. Lists are ordered by it.
    pub name: String,
    /// The name in Sanskrit.
    pub sanskrit_name: String,
    /// Both names in lower case, for searching.
    pub search: String,
    /// The kind of pose.
    pub category: PoseCategory,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// What it is.
    pub description: String,
    /// The steps into the pose.
    pub instructions: Texts,
    /// What it is good for.
    pub benefits: Texts,
    /// When to avoid it.
    pub contraindications: Texts,
    /// The parts of the body that it works on.
    pub target_areas: Areas,
    /// Pictures.
    pub image_urls: Texts,
}

impl ActiveModelBehavior for ActiveModel {}

/// Which poses a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Part of a name, ignoring case.
    pub search: Option<String>,
    /// Only this kind.
    pub category: Option<PoseCategory>,
    /// Only this difficulty.
    pub difficulty: Option<Difficulty>,
    /// Only poses that work on this part of the body.
    pub target_area: Option<TargetArea>,
}

impl Filter {
    /// The filter, if it can be searched for.
    pub fn checked(mut self) -> Result<Self> {
        let mut check = Check::default();
        self.search = self.search.map(|term| values::text(&mut check, "search", &term, (0, 80)));
        check.done()?;
        Ok(self)
    }

    fn select(&self) -> Select<Entity> {
        // The term is not a pattern: `%` and `_` stand for themselves.
        let pattern = |term: &str| {
            let term = term.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
            LikeExpr::new(format!("%{term}%")).escape('\\')
        };
        let area = |area: TargetArea| format!("%\"{}\"%", area.to_value());
        let conditions = Condition::all()
            .add_option(self.search.as_deref().map(|term| Column::Search.into_expr().like(pattern(term))))
            .add_option(self.category.map(|category| Column::Category.eq(category)))
            .add_option(self.difficulty.map(|difficulty| Column::Difficulty.eq(difficulty)))
            .add_option(
                self.target_area.map(|wanted| Column::TargetAreas.into_expr().cast_as("text").like(area(wanted))),
            );
        Entity::find().filter(conditions)
    }
}

/// A page of poses in the order of their names.
pub async fn list(ctx: &Ctx, _: Person<'_>, filter: &Filter, page: &Page<String>) -> Result<Vec<Model>> {
    let bounds = Condition::all()
        .add_option(page.after.as_deref().map(|name| Column::Name.gt(name)))
        .add_option(page.before.as_deref().map(|name| Column::Name.lt(name)));
    let order = if page.backward { Order::Desc } else { Order::Asc };
    let query = filter.select().filter(bounds).order_by(Column::Name, order).limit(page.fetch());
    Ok(query.all(ctx.db.read()).await?)
}

/// The number of poses that match.
pub async fn count(ctx: &Ctx, _: Person<'_>, filter: &Filter) -> Result<u64> {
    Ok(filter.select().count(ctx.db.read()).await?)
}

/// A pose by its id.
pub async fn find(ctx: &Ctx, _: Person<'_>, id: Uuid) -> Result<Model> {
    Entity::find_by_id(id).one(ctx.db.read()).await?.ok_or(Error::NotFound)
}

/// Everything about a pose but its id.
pub struct Draft {
    /// The name.
    pub name: String,
    /// The name in Sanskrit.
    pub sanskrit_name: String,
    /// The kind of pose.
    pub category: PoseCategory,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// What it is.
    pub description: String,
    /// The steps into the pose.
    pub instructions: Vec<String>,
    /// What it is good for.
    pub benefits: Vec<String>,
    /// When to avoid it.
    pub contraindications: Vec<String>,
    /// The parts of the body that it works on.
    pub target_areas: Vec<TargetArea>,
    /// Pictures.
    pub image_urls: Vec<String>,
}

impl Draft {
    fn checked(self, id: Uuid) -> Result<Model> {
        let mut check = Check::default();
        let mut texts = |field, texts: Vec<String>, length| {
            if texts.len() > 20 {
                check.field::<(), _>(field, Err(format!("`{field}` can have at most 20 entries.")));
            }
            Texts(texts.iter().take(20).map(|text| values::text(&mut check, field, text, (1, length))).collect())
        };
        let instructions = texts("instructions", self.instructions, 300);
        let benefits = texts("benefits", self.benefits, 300);
        let contraindications = texts("contraindications", self.contraindications, 300);
        let image_urls = texts("imageUrls", self.image_urls, 500);
        // Any other scheme could run a script where the address becomes a link.
        if !image_urls.0.iter().all(|url| url.starts_with("https://")) {
            check.field::<(), _>("imageUrls", Err("`imageUrls` must begin with https://."));
        }
        let name = values::text(&mut check, "name", &self.name, (1, 80));
        let sanskrit_name = values::text(&mut check, "sanskritName", &self.sanskrit_name, (0, 80));
        let description = values::text(&mut check, "description", &self.description, (1, 1_000));
        check.done()?;
        let mut target_areas = self.target_areas;
        target_areas.sort_unstable();
        target_areas.dedup();
        Ok(Model {
            id,
            search: format!("{name} {sanskrit_name}").to_lowercase(),
            name,
            sanskrit_name,
            category: self.category,
            difficulty: self.difficulty,
            description,
            instructions,
            benefits,
            contraindications,
            target_areas: Areas(target_areas),
            image_urls,
        })
    }
}

fn name_taken(error: Error) -> Error {
    if matches!(error, Error::Conflict) { Error::invalid("name", "Another pose has this name.") } else { error }
}

/// Adds a pose.
pub async fn create(ctx: &Ctx, _: Admin<'_>, draft: Draft) -> Result<Model> {
    let pose = draft.checked(ctx.new_id(ctx.now()))?;
    db::insert(ctx.db.write(), pose.clone()).await.map_err(name_taken)?;
    Ok(pose)
}

/// Replaces everything about a pose.
pub async fn update(ctx: &Ctx, _: Admin<'_>, id: Uuid, draft: Draft) -> Result<Model> {
    let pose = draft.checked(id)?;
    let changed = Entity::update_many().set(pose.clone().into_active_model().reset_all()).filter(Column::Id.eq(id));
    let changed = changed.exec(ctx.db.write()).await.map_err(|error| name_taken(error.into()))?;
    if changed.rows_affected == 1 { Ok(pose) } else { Err(Error::NotFound) }
}

/// Whether a pose was deleted.
pub enum Deletion {
    /// It is gone.
    Deleted,
    /// This number of sequences use it.
    InUse(u64),
}

/// Deletes a pose that no sequence uses.
pub async fn delete(ctx: &Ctx, _: Admin<'_>, id: Uuid) -> Result<Deletion> {
    match Entity::delete_by_id(id).exec(ctx.db.write()).await.map_err(Error::from) {
        Ok(deleted) if deleted.rows_affected == 1 => Ok(Deletion::Deleted),
        Ok(_) => Err(Error::NotFound),
        // The foreign key of the sequences refuses it.
        Err(Error::Conflict) => Ok(Deletion::InUse(sequence::count_with_pose(ctx, id).await?)),
        Err(error) => Err(error),
    }
}
