//! The GraphQL API: this application's root types, merged with Doorcode's. A resolver parses ids, checks access and makes
//! one domain call.

mod analyses;
mod progress;
mod prompts;
mod system;

use std::sync::Arc;

use async_graphql::MergedObject;
use doorcode::{
    db::entity::Role,
    domain::{
        Ctx,
        access::{Grant, Scope},
    },
    graphql::{Api, relay::OwnKind},
};

use crate::{file, prompt::UnknownVariable};

const PROMPT: OwnKind = OwnKind::new('p');
const ANALYSIS: OwnKind = OwnKind::new('a');

const ANALYSES_READ: Scope = Scope { name: "ANALYSES_READ", role: Role::Guest };
const ANALYSES_WRITE: Scope = Scope { name: "ANALYSES_WRITE", role: Role::User };
const PROMPTS_READ: Scope = Scope { name: "PROMPTS_READ", role: Role::Guest };
const PROMPTS_WRITE: Scope = Scope { name: "PROMPTS_WRITE", role: Role::User };

/// The scopes for API keys: a CI job starts an analysis and reads its result.
pub const GRANTS: &[Grant] = &[
    Grant {
        scope: ANALYSES_READ,
        fields: &[
            "Query.analyses",
            "Query.analysis",
            "Query.usageByDay",
            "AnalysisConnection.*",
            "AnalysisEdge.*",
            "Analysis.*",
            "AnalysisFile.*",
            "AnalysisResult.*",
            "Finding.*",
            "UsageDay.*",
        ],
    },
    Grant {
        scope: ANALYSES_WRITE,
        fields: &[
            "Mutation.startAnalysis",
            "Mutation.cancelAnalysis",
            "AnalysisStarted.*",
            "AnalysisCancelled.*",
            "AnalysisFinished.*",
            "Analysis.id",
            "Analysis.status",
            "VerificaiProblem.*",
            "UnknownPromptVariable.*",
            "FileRefused.*",
            "IdempotencyKeyReused.*",
            "TooManyAnalyses.*",
            "DailyTokensUsed.*",
        ],
    },
    Grant {
        scope: PROMPTS_READ,
        fields: &[
            "Query.prompts",
            "Query.prompt",
            "Query.previewPrompt",
            "PromptConnection.*",
            "PromptEdge.*",
            "Prompt.*",
            "PromptVersion.*",
            "ModelParameters.*",
            "PromptPreview.*",
            "VerificaiProblem.*",
            "UnknownPromptVariable.*",
        ],
    },
    Grant {
        scope: PROMPTS_WRITE,
        fields: &[
            "Mutation.createPrompt",
            "Mutation.addPromptVersion",
            "Mutation.activatePrompt",
            "PromptSaved.*",
            "Prompt.id",
            "Prompt.activeVersion",
            "VerificaiProblem.*",
            "UnknownPromptVariable.*",
            "TooManyPrompts.*",
        ],
    },
];

#[derive(MergedObject, Default)]
struct VerificaiQuery(prompts::PromptQuery, analyses::AnalysisQuery, system::SystemQuery);

#[derive(MergedObject, Default)]
struct VerificaiMutation(prompts::PromptMutation, analyses::AnalysisMutation, system::SystemMutation);

/// The API for the server.
pub fn api(ctx: &Arc<Ctx>) -> Api {
    let (query, mutation) = (VerificaiQuery::default(), VerificaiMutation::default());
    let subscription = progress::AnalysisSubscription::default();
    Api::merged_with::<VerificaiProblem, _, _, _>(query, mutation, subscription, ctx)
        .with_large_body("startAnalysis", file::MAX_BODY)
}

/// Defines the problems of this application: results that the user can act on, as in Doorcode's contract. The code is
/// for programs.
macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $about:literal])+ $field:ident: $type:ty,)* })+) => {
        /// The kind of a problem.
        #[derive(Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
        pub(crate) enum VerificaiProblemCode { $($(#[doc = $doc])+ $name,)+ }

        /// A problem of this application that the user can act on.
        #[derive(async_graphql::Interface)]
        #[graphql(
            field(name = "message", ty = "&String", desc = "The message to show to the user."),
            field(name = "code", ty = "&VerificaiProblemCode", desc = "The kind of problem, for programs.")
        )]
        enum VerificaiProblem { $($name($name),)+ }

        $(
            $(#[doc = $doc])+
            #[derive(async_graphql::SimpleObject)]
            pub(crate) struct $name {
                /// The message to show to the user.
                message: String,
                /// The kind of problem, for programs.
                code: VerificaiProblemCode,
                $($(#[doc = $about])+ $field: $type,)*
            }

            impl $name {
                fn new(message: impl Into<String>, $($field: $type),*) -> Self {
                    Self { message: message.into(), code: VerificaiProblemCode::$name, $($field),* }
                }
            }
        )+
    };
}

problems! {
    /// The prompt uses a variable that it does not declare, or does not have one that was set.
    UnknownPromptVariable {
        /// The name of the variable.
        variable: String,
    }
    /// The user has as many prompts, or the prompt as many versions, as allowed.
    TooManyPrompts {
        /// The maximum number.
        limit: i32,
    }
    /// A file cannot be analysed. Nothing was started.
    FileRefused {
        /// The place of the file in `files`, from 0.
        position: i32,
        /// What is wrong with it.
        reason: file::FileFlaw,
    }
    /// The idempotency key belongs to an analysis with other files, variables or another prompt.
    IdempotencyKeyReused {}
    /// The user has as many unfinished analyses as allowed.
    TooManyAnalyses {
        /// The maximum number.
        limit: i32,
    }
    /// The user's analyses have used as many tokens today as allowed.
    DailyTokensUsed {
        /// The maximum number of tokens on a day (UTC).
        limit: i32,
    }
}

impl From<UnknownVariable> for UnknownPromptVariable {
    fn from(UnknownVariable(name): UnknownVariable) -> Self {
        let known = "Declared ones and `code`, `file` and `language` can be used";
        Self::new(format!("The prompt has no variable `{name}`. {known}."), name)
    }
}

/// A limit of the domain, for the API.
fn limit(limit: u64) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}
