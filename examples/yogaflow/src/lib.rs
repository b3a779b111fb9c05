//! Yoga: poses, sequences of poses, practices and achievements, on Doorcode. Each of `pose`, `sequence`, `practice`
//! and `achievement` owns its tables and decides who may use them. `graphql` has the resolvers, and `migration` the
//! tables with their first content.

pub mod achievement;
mod days;
pub mod graphql;
pub mod migration;
pub mod pose;
pub mod practice;
pub mod sequence;
pub mod values;

use doorcode::{cli::Application, domain::access::Grant};

/// The scopes for API keys.
pub const GRANTS: &[Grant] = &[graphql::PRACTICE_READ];

/// The application.
pub const APPLICATION: Application = Application::new("YogaFlow", graphql::api).with_grants(GRANTS);
