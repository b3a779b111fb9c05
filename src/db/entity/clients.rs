//! The `clients` table: applications registered on the command line.

use sea_orm::entity::prelude::*;

/// A registered application.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// `client_id`, chosen by the operator.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Name, for people.
    pub name: String,
    /// Redirect URIs, separated by spaces.
    pub redirect_uris: String,
    /// The `aud` claim of its access tokens. `None`: the audience of the server.
    pub audience: Option<String>,
    /// A `data:` URL of an image.
    pub logo: Option<String>,
    /// Registration.
    pub created_at: DateTimeUtc,
}

/// Joined with nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
