//! Notes, with Doorcode's sign-in: how an application merges its own types with Doorcode's schema. The table is in
//! `migration`, what may be done with it in `note`, the schema in `graphql`.

pub mod graphql;
pub mod migration;
pub mod note;
