//! Analysis of code by configurable prompts, on Doorcode. `prompt`, `analysis`, `result` and `system` each own tables and
//! decide who may use them. `queue` is the part of an analysis that workers see. `worker` takes jobs from it and asks a
//! `provider` for findings. `graphql` has the resolvers, and `migration` the tables with their first content.

pub mod analysis;
pub mod file;
pub mod graphql;
pub mod migration;
pub mod prompt;
pub mod provider;
pub mod queue;
pub mod result;
pub mod settings;
pub mod system;
pub mod template;
pub mod values;
pub mod worker;

use doorcode::{
    app::Task,
    cli::Application,
    domain::{
        Ctx,
        access::{Actor, Grant, Member, Scope, Viewer},
    },
    error::Result,
};

/// The scopes for API keys.
pub const GRANTS: &[Grant] = graphql::GRANTS;

/// The worker. It runs in the server, and alone with the command `worker`.
pub const TASKS: &[Task] = &[Task {
    name: "worker",
    about: "Runs queued analyses, without serving",
    run: |ctx, stop| Box::pin(worker::run(ctx, stop)),
}];

/// The application.
pub const APPLICATION: Application = Application::new("VerificAI", graphql::api).with_grants(GRANTS).with_tasks(TASKS);

/// A caller who may change something: a signed-in user with the role USER, or a key with a scope for it.
#[derive(Clone, Copy)]
pub struct Author<'a>(Actor<'a>);

impl<'a> Author<'a> {
    /// Checks the caller's permission for a request for `field`. Doorcode has checked the role of a key's owner.
    pub async fn require(ctx: &Ctx, viewer: &'a Viewer, scope: Scope, field: &'static str) -> Result<Self> {
        let actor = viewer.actor(scope)?;
        if actor.key().is_none() {
            Member::require(ctx, viewer, field).await?;
        }
        Ok(Self(actor))
    }

    /// The caller, who may also read.
    pub fn actor(self) -> Actor<'a> {
        self.0
    }
}
