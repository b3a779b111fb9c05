//! Prompts and their versions.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};
use doorcode::graphql::{
    error::ApiError,
    load, parts,
    relay::{self, Connection, Listed, Page},
};

use super::{PROMPT, PROMPTS_READ, PROMPTS_WRITE, TooManyPrompts, UnknownPromptVariable, limit};
use crate::{
    Author,
    prompt::{self, Draft, Owned, Saved, Visible, version},
    values::{Parameters, PromptKind},
};

/// A prompt.
struct Prompt(Visible);

/// A prompt.
#[Object]
impl Prompt {
    /// The ID of the prompt.
    async fn id(&self) -> ID {
        PROMPT.encode(self.0.id)
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it looks for.
    async fn kind(&self) -> PromptKind {
        self.0.kind
    }

    /// Whether it came with the application. A preset cannot be changed.
    async fn preset(&self) -> bool {
        self.0.owner_id.is_none()
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The number of the version that new analyses use.
    async fn active_version(&self) -> i32 {
        self.0.active_version
    }

    /// The version that new analyses use.
    async fn active(&self, ctx: &Context<'_>) -> Result<Option<PromptVersion>, ApiError> {
        Ok(load(ctx, self.0.active()).await?.map(PromptVersion))
    }

    /// The newest 20 versions, newest first. `previewPrompt` and `activatePrompt` also accept older ones.
    async fn versions(&self, ctx: &Context<'_>) -> Result<Vec<PromptVersion>, ApiError> {
        Ok(load(ctx, self.0.versions()).await?.unwrap_or_default().into_iter().map(PromptVersion).collect())
    }
}

impl Listed for Prompt {
    const NAME: &'static str = "Prompt";
    type List = ();

    async fn count(ctx: &Context<'_>, (): &()) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(prompt::count(domain, viewer.actor(PROMPTS_READ)?).await?)
    }
}

/// A version of a prompt. It never changes.
struct PromptVersion(version::Model);

/// A version of a prompt. It never changes.
#[Object]
impl PromptVersion {
    /// The number, from 1.
    async fn number(&self) -> i32 {
        self.0.number
    }

    /// The text, with variables such as `{{code}}`.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The names of the variables that an analysis has to set.
    async fn variables(&self) -> &[String] {
        &self.0.variables.0
    }

    /// The model to ask. The offline rules ignore it.
    async fn model(&self) -> &str {
        &self.0.model
    }

    /// Parameters of the model.
    async fn parameters(&self) -> &Parameters {
        &self.0.parameters
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The value of a variable.
#[derive(InputObject)]
pub(super) struct VariableInput {
    /// The name.
    name: String,
    /// The value (at most 1,000 characters).
    value: String,
}

/// Converts variables for the domain.
pub(super) fn pairs(variables: Vec<VariableInput>) -> Vec<(String, String)> {
    variables.into_iter().map(|VariableInput { name, value }| (name, value)).collect()
}

/// A filled prompt.
#[derive(SimpleObject)]
struct PromptPreview {
    /// What the model would read.
    text: String,
}

/// The result of `previewPrompt`.
#[derive(Union)]
enum PreviewPromptResult {
    Preview(PromptPreview),
    Unknown(UnknownPromptVariable),
}

#[derive(Default)]
pub(super) struct PromptQuery;

#[Object]
impl PromptQuery {
    /// Lists your prompts and the presets, newest first. API keys need the scope `PROMPTS_READ`.
    async fn prompts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Prompt>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = prompt::list(domain, viewer.actor(PROMPTS_READ)?, &page.slice()).await?;
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), Prompt, ()))
    }

    /// One of your prompts or a preset. Fails with `NOT_FOUND` for others. API keys need the scope `PROMPTS_READ`.
    async fn prompt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the prompt.")] id: ID,
    ) -> Result<Prompt, ApiError> {
        let (domain, viewer) = parts(ctx);
        let actor = viewer.actor(PROMPTS_READ)?;
        Ok(Prompt(prompt::find(domain, actor, PROMPT.decode("id", &id)?).await?))
    }

    /// What the model would read, if at most 32 KiB are inserted. API keys need the scope `PROMPTS_READ`.
    async fn preview_prompt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the prompt.")] id: ID,
        #[graphql(desc = "The number of the version. Without one, the active version.")] version: Option<i32>,
        #[graphql(desc = "The values of the prompt's variables.", default)] variables: Vec<VariableInput>,
        #[graphql(desc = "The name of a file.", default_with = "\"example.rs\".to_owned()")] file: String,
        #[graphql(
            desc = "The text of the file (at most 10,000 characters).",
            default_with = "\"fn main() {}\".to_owned()"
        )]
        code: String,
    ) -> Result<PreviewPromptResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let actor = viewer.actor(PROMPTS_READ)?;
        let found = prompt::find(domain, actor, PROMPT.decode("id", &id)?).await?;
        let version = found.version(domain, version.unwrap_or(found.active_version)).await?;
        Ok(match prompt::check_variables(&version, &pairs(variables))? {
            Ok(values) => {
                let text = prompt::preview(&version, &values, &file, &code)?;
                PreviewPromptResult::Preview(PromptPreview { text })
            }
            Err(unknown) => PreviewPromptResult::Unknown(unknown.into()),
        })
    }
}

/// A version of a prompt.
#[derive(InputObject)]
struct PromptVersionInput {
    /// The text (1 to 10,000 characters). It must contain `{{code}}` once, and can contain `{{file}}`, `{{language}}` and
    /// the declared variables. It can use at most 50 variables, with repetitions.
    text: String,
    /// The names of the variables that an analysis has to set (at most 20, of lower-case letters, digits and `_`).
    #[graphql(default)]
    variables: Vec<String>,
    /// The model to ask. The offline rules ignore it.
    model: String,
    /// How much answers vary (0 to 2, default 0).
    temperature: Option<f64>,
    /// Maximum length of an answer for one file (1 to 32,000 tokens, default 4,000).
    max_tokens: Option<i32>,
}

impl PromptVersionInput {
    fn draft(self) -> Draft {
        let Self { text, variables, model, temperature, max_tokens } = self;
        Draft { text, variables, model, parameters: Parameters { temperature, max_tokens } }
    }
}

/// Input of `createPrompt`.
#[derive(InputObject)]
struct CreatePromptInput {
    /// The name (1 to 80 characters).
    name: String,
    /// What it looks for.
    kind: PromptKind,
    /// The first version, which is active.
    version: PromptVersionInput,
}

/// The prompt is saved.
#[derive(SimpleObject)]
struct PromptSaved {
    /// The prompt.
    prompt: Prompt,
}

/// The result of `createPrompt` and `addPromptVersion`.
#[derive(Union)]
enum SavePromptResult {
    Saved(PromptSaved),
    Unknown(UnknownPromptVariable),
    TooMany(TooManyPrompts),
}

impl From<Saved> for SavePromptResult {
    fn from(saved: Saved) -> Self {
        match saved {
            Saved::Saved(prompt) => Self::Saved(PromptSaved { prompt: Prompt(prompt) }),
            Saved::Unknown(unknown) => Self::Unknown(unknown.into()),
            Saved::TooMany => {
                let message = format!("You can have {0} prompts, and a prompt {0} versions.", prompt::MAX);
                Self::TooMany(TooManyPrompts::new(message, limit(prompt::MAX)))
            }
        }
    }
}

#[derive(Default)]
pub(super) struct PromptMutation;

#[Object]
impl PromptMutation {
    /// Adds a prompt. Requires the role USER. API keys need the scope `PROMPTS_WRITE`.
    async fn create_prompt(&self, ctx: &Context<'_>, input: CreatePromptInput) -> Result<SavePromptResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let author = Author::require(domain, viewer, PROMPTS_WRITE, "createPrompt").await?;
        let CreatePromptInput { name, kind, version } = input;
        Ok(prompt::create(domain, author, &name, kind, version.draft()).await?.into())
    }

    /// Adds a version to one of your prompts. Activate it to use it. Requires the role USER. API keys need the scope
    /// `PROMPTS_WRITE`. Fails with `NOT_FOUND` for presets and prompts of others.
    async fn add_prompt_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the prompt.")] prompt_id: ID,
        input: PromptVersionInput,
    ) -> Result<SavePromptResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let author = Author::require(domain, viewer, PROMPTS_WRITE, "addPromptVersion").await?;
        let owned = Owned::require(domain, author, PROMPT.decode("promptId", &prompt_id)?).await?;
        Ok(prompt::add_version(domain, owned, input.draft()).await?.into())
    }

    /// Makes a version, newer or older, the one that new analyses use. Requires the role USER. API keys need the scope
    /// `PROMPTS_WRITE`. Fails with `NOT_FOUND` for presets and prompts of others.
    async fn activate_prompt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the prompt.")] prompt_id: ID,
        #[graphql(desc = "The number of the version.")] version: i32,
    ) -> Result<PromptSaved, ApiError> {
        let (domain, viewer) = parts(ctx);
        let author = Author::require(domain, viewer, PROMPTS_WRITE, "activatePrompt").await?;
        let owned = Owned::require(domain, author, PROMPT.decode("promptId", &prompt_id)?).await?;
        Ok(PromptSaved { prompt: Prompt(prompt::activate(domain, owned, version).await?) })
    }
}
