//! Notes and who may do what with them: their owner everything, everybody else nothing. Whoever calls these functions
//! shows a `Person` or a `Member`, which only Doorcode's policy makes.

use doorcode::{
    db,
    domain::{
        Ctx,
        access::{Member, Person},
        range_query::Slice,
    },
    error::{Error, Result},
};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};

/// A note.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notes")]
pub struct Model {
    /// UUID v7, so that the order of ids is the order of time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// Characters in a note.
const LONGEST: usize = 2_000;

fn own(person: Person<'_>) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(person.user().id))
}

/// A part of a person's notes, latest first.
pub async fn list(ctx: &Ctx, person: Person<'_>, slice: &Slice) -> Result<Vec<Model>> {
    let order = if slice.oldest_first { sea_orm::Order::Asc } else { sea_orm::Order::Desc };
    let mut part = own(person).order_by(Column::Id, order).limit(slice.most);
    if let Some(id) = slice.older_than {
        part = part.filter(Column::Id.lt(id));
    }
    if let Some(id) = slice.newer_than {
        part = part.filter(Column::Id.gt(id));
    }
    Ok(part.all(ctx.db.read()).await?)
}

/// How many notes a person has.
pub async fn count(ctx: &Ctx, person: Person<'_>) -> Result<u64> {
    Ok(own(person).count(ctx.db.read()).await?)
}

/// Writes a note.
pub async fn add(ctx: &Ctx, member: Member<'_>, text: &str) -> Result<Model> {
    let text = text.trim();
    if !(1..=LONGEST).contains(&text.chars().count()) {
        return Err(Error::invalid("text", format!("A note has 1 to {LONGEST} characters.")));
    }
    let now = ctx.now();
    let note = Model { id: ctx.new_id(now), user_id: member.user().id, text: text.to_owned(), created_at: now };
    db::insert(ctx.db.write(), note.clone()).await?;
    Ok(note)
}

/// Deletes a note of one's own; somebody else's is as absent as one that never was.
pub async fn delete(ctx: &Ctx, member: Member<'_>, id: Uuid) -> Result<()> {
    let own = Entity::delete_by_id(id).filter(Column::UserId.eq(member.user().id));
    match own.exec(ctx.db.write()).await?.rows_affected {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
