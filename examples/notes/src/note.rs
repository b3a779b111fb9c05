//! Notes. Only their owner has access. Every function takes a `Person` or `Member`, which only Doorcode's access policy
//! can create.

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
    /// UUID v7, so that IDs sort by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The owner.
    pub user_id: Uuid,
    /// The text.
    pub text: String,
    /// The time at which the note was written.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// Maximum number of characters in a note.
const MAX_TEXT: usize = 2_000;

fn own(person: Person<'_>) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(person.user().id))
}

/// A range of a user's notes, newest first.
pub async fn list(ctx: &Ctx, person: Person<'_>, slice: &Slice) -> Result<Vec<Model>> {
    let order = if slice.oldest_first { sea_orm::Order::Asc } else { sea_orm::Order::Desc };
    let mut query = own(person).order_by(Column::Id, order).limit(slice.most);
    if let Some(id) = slice.older_than {
        query = query.filter(Column::Id.lt(id));
    }
    if let Some(id) = slice.newer_than {
        query = query.filter(Column::Id.gt(id));
    }
    Ok(query.all(ctx.db.read()).await?)
}

/// The number of a user's notes.
pub async fn count(ctx: &Ctx, person: Person<'_>) -> Result<u64> {
    Ok(own(person).count(ctx.db.read()).await?)
}

/// Adds a note.
pub async fn add(ctx: &Ctx, member: Member<'_>, text: &str) -> Result<Model> {
    let text = text.trim();
    if !(1..=MAX_TEXT).contains(&text.chars().count()) {
        return Err(Error::invalid("text", format!("A note must have 1 to {MAX_TEXT} characters.")));
    }
    let now = ctx.now();
    let note = Model { id: ctx.new_id(now), user_id: member.user().id, text: text.to_owned(), created_at: now };
    db::insert(ctx.db.write(), note.clone()).await?;
    Ok(note)
}

/// Deletes a note of the user. For notes of other users, the error is the same as for missing ones.
pub async fn delete(ctx: &Ctx, member: Member<'_>, id: Uuid) -> Result<()> {
    let own = Entity::delete_by_id(id).filter(Column::UserId.eq(member.user().id));
    match own.exec(ctx.db.write()).await?.rows_affected {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
