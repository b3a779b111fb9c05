//! The GraphQL API: this application's root types, merged with Doorcode's. A resolver parses ids, checks access and
//! makes one domain call.

mod poses;
mod practices;
mod sequences;

use std::sync::Arc;

use async_graphql::{EmptySubscription, MergedObject};
use doorcode::{
    db::entity::Role,
    domain::{
        Ctx,
        access::{Grant, Scope},
    },
    graphql::{Api, relay::OwnKind},
};

const POSE: OwnKind = OwnKind::new('p');
const SEQUENCE: OwnKind = OwnKind::new('s');
const PRACTICE: OwnKind = OwnKind::new('h');
const ACHIEVEMENT: OwnKind = OwnKind::new('a');

/// A scope for API keys: a watch or a calendar reads the practices of the key's owner, and nothing else.
pub const PRACTICE_READ: Grant = Grant {
    scope: Scope { name: "PRACTICE_READ", role: Role::Guest },
    fields: &[
        "Query.practiceHistory",
        "Query.practiceStatistics",
        "Query.practiceCalendar",
        "PracticeConnection.*",
        "PracticeEdge.*",
        "Practice.*",
        "PracticeStatistics.*",
        "PracticeSum.*",
        "PracticeWeek.*",
        "PracticeDay.*",
        "PracticeStyle.*",
    ],
};

#[derive(MergedObject, Default)]
struct YogaQuery(poses::PoseQuery, sequences::SequenceQuery, practices::PracticeQuery);

#[derive(MergedObject, Default)]
struct YogaMutation(poses::PoseMutation, sequences::SequenceMutation, practices::PracticeMutation);

/// The API for the server.
pub fn api(ctx: &Arc<Ctx>) -> Api {
    Api::merged_with::<YogaProblem, _, _, _>(YogaQuery::default(), YogaMutation::default(), EmptySubscription, ctx)
}

/// Defines the problems of this application: results that the user can act on, as in Doorcode's contract. The code is
/// for programs.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $field:ident: $type:ty,)* })+) => {
        /// The kind of a problem.
        #[derive(Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub(crate) enum YogaProblemCode { $($(#[doc = $doc])+ $name,)+ }

        /// A problem of this application that the user can act on.
        #[derive(async_graphql::Interface)]
        #[graphql(
            field(name = "message", ty = "&String", desc = "The message to show to the user."),
            field(name = "code", ty = "&YogaProblemCode", desc = "The kind of problem, for programs.")
        )]
        enum YogaProblem { $($name($name),)+ }

        $(
            $(#[doc = $doc])+
            #[derive(async_graphql::SimpleObject)]
            pub(crate) struct $name {
                /// The message to show to the user.
                message: String,
                /// The kind of problem, for programs.
                code: YogaProblemCode,
                $($(#[doc = $about])+ $field: $type,)*
            }
        )+
    };
}

problems! {
    /// The pose is part of sequences.
    PoseInUse {
        /// The number of sequences that use it.
        sequences: i32,
    }
    /// The user has as many sequences as allowed.
    TooManySequences {
        /// The maximum number.
        limit: i32,
    }
    /// The practice is too short to count. It is still in progress.
    PracticeTooShort {
        /// The number of seconds from which a practice counts.
        shortest: i32,
    }
}
