//! An example application that merges its own types with Doorcode's schema. The table is in `migration`, its operations
//! are in `note`, and the GraphQL types are in `graphql`.

pub mod graphql;
pub mod migration;
pub mod note;
