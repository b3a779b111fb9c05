//! Analyses, their files and results.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, NaiveDate, Utc};
use doorcode::graphql::{
    error::ApiError,
    load, parts,
    relay::{self, Connection, Listed, Page},
};

use super::{
    ANALYSES_READ, ANALYSES_WRITE, ANALYSIS, DailyTokensUsed, FileRefused, IdempotencyKeyReused, PROMPT,
    TooManyAnalyses, UnknownPromptVariable, limit,
    prompts::{VariableInput, pairs},
};
use crate::{
    Author,
    analysis::{self, Cancellation, MAX_UNFINISHED, Order, Own, Start, files},
    file::NewFile,
    result::{self, Finding, Usage},
    values::{AnalysisStatus, FileStatus},
};

/// An analysis.
struct Analysis(Own);

/// An analysis.
#[Object]
impl Analysis {
    /// The ID of the analysis.
    async fn id(&self) -> ID {
        ANALYSIS.encode(self.0.id)
    }

    /// The ID of the prompt.
    async fn prompt_id(&self) -> ID {
        PROMPT.encode(self.0.prompt_id)
    }

    /// The version of the prompt that was active at the start.
    async fn prompt_version(&self) -> i32 {
        self.0.prompt_version
    }

    /// The state.
    async fn status(&self) -> AnalysisStatus {
        self.0.status
    }

    /// How much of the current attempt is done, in percent.
    async fn progress(&self) -> i32 {
        self.0.progress
    }

    /// How often a worker has started it.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// The key that the client chose.
    async fn idempotency_key(&self) -> &str {
        &self.0.idempotency_key
    }

    /// The time of creation.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// The start of the first attempt.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// The end.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }

    /// Why the latest attempt failed. There may be another one: see `status`.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The files, in the order of the request.
    async fn files(&self, ctx: &Context<'_>) -> Result<Vec<AnalysisFile>, ApiError> {
        Ok(load(ctx, self.0.files()).await?.unwrap_or_default().into_iter().map(AnalysisFile::from).collect())
    }

    /// The result, if the analysis succeeded.
    async fn result(&self, ctx: &Context<'_>) -> Result<Option<AnalysisResult>, ApiError> {
        Ok(load(ctx, self.0.result()).await?.map(AnalysisResult::from))
    }
}

impl Listed for Analysis {
    const NAME: &'static str = "Analysis";
    type List = Option<AnalysisStatus>;

    async fn count(ctx: &Context<'_>, status: &Option<AnalysisStatus>) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(analysis::count(domain, viewer.actor(ANALYSES_READ)?, *status).await?)
    }
}

/// A file of an analysis.
#[derive(SimpleObject)]
struct AnalysisFile {
    /// The path.
    name: String,
    /// The size in bytes.
    bytes: i32,
    /// The SHA-256 hash of the text, in hexadecimal digits.
    sha256: String,
    /// The language that the name suggests.
    language: String,
    /// The state.
    status: FileStatus,
}

impl From<files::Model> for AnalysisFile {
    fn from(files::Model { name, bytes, sha256, language, status, .. }: files::Model) -> Self {
        Self { name, bytes, sha256, language, status }
    }
}

/// The result of an analysis.
#[derive(SimpleObject)]
struct AnalysisResult {
    /// What was found, by file. Of more than 200 findings, the most severe.
    findings: Vec<Finding>,
    /// The number of tokens that were sent, in all attempts.
    tokens_in: i32,
    /// The number of tokens in the answers, in all attempts.
    tokens_out: i32,
    /// The model that answered.
    model: String,
    /// The cost in dollars, of all attempts.
    cost: f64,
    /// The time of the result.
    created_at: DateTime<Utc>,
}

fn whole(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn dollars(millionths: i64) -> f64 {
    f64::from(whole(millionths)) / 1e6
}

impl From<result::Model> for AnalysisResult {
    fn from(row: result::Model) -> Self {
        Self {
            findings: result::most_severe(row.findings.0),
            tokens_in: whole(row.tokens_in),
            tokens_out: whole(row.tokens_out),
            model: row.model,
            cost: dollars(row.cost),
            created_at: row.created_at,
        }
    }
}

/// What the analyses of a day used, with attempts that failed.
#[derive(SimpleObject)]
struct UsageDay {
    /// The day in UTC.
    day: NaiveDate,
    /// The number of analyses that succeeded.
    analyses: i32,
    /// The number of tokens that were sent.
    tokens_in: i32,
    /// The number of tokens in the answers.
    tokens_out: i32,
    /// The cost in dollars.
    cost: f64,
}

#[derive(Default)]
pub(super) struct AnalysisQuery;

#[Object]
impl AnalysisQuery {
    /// Lists your analyses, newest first. API keys need the scope `ANALYSES_READ`.
    async fn analyses(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only analyses in this state.")] status: Option<AnalysisStatus>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Analysis>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = analysis::list(domain, viewer.actor(ANALYSES_READ)?, status, &page.slice()).await?;
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), Analysis, status))
    }

    /// One of your analyses. Fails with `NOT_FOUND` for others. API keys need the scope `ANALYSES_READ`.
    async fn analysis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the analysis.")] id: ID,
    ) -> Result<Analysis, ApiError> {
        let (domain, viewer) = parts(ctx);
        let actor = viewer.actor(ANALYSES_READ)?;
        Ok(Analysis(analysis::find(domain, actor, ANALYSIS.decode("id", &id)?).await?))
    }

    /// What you used on each of the latest days with any, oldest first. An analysis counts on the last day on which it
    /// used something. API keys need the scope `ANALYSES_READ`.
    async fn usage_by_day(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of latest days to look at (1 to 366).", default = 30)] days: i32,
    ) -> Result<Vec<UsageDay>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let used = result::usage(domain, viewer.actor(ANALYSES_READ)?, days).await?;
        let day = |Usage { day, analyses, tokens_in, tokens_out, cost }| UsageDay {
            day,
            analyses: whole(analyses),
            tokens_in: whole(tokens_in),
            tokens_out: whole(tokens_out),
            cost: dollars(cost),
        };
        Ok(used.into_iter().map(day).collect())
    }
}

/// A file to analyse.
#[derive(InputObject)]
struct FileInput {
    /// A relative path, such as `src/main.rs` (at most 200 bytes).
    name: String,
    /// The text (at most 1 MiB).
    text: String,
}

/// Input of `startAnalysis`.
#[derive(InputObject)]
struct StartAnalysisInput {
    /// The ID of the prompt. Its active version is used.
    prompt_id: ID,
    /// A name of your choice for this start (1 to 100 characters). Repeat it to try again without a second analysis.
    idempotency_key: String,
    /// The values of the prompt's variables.
    #[graphql(default)]
    variables: Vec<VariableInput>,
    /// The files (1 to 20). The request can have 2 MiB.
    files: Vec<FileInput>,
}

/// The analysis is queued, or was before with the same key.
#[derive(SimpleObject)]
struct AnalysisStarted {
    /// The analysis.
    analysis: Analysis,
}

/// The result of `startAnalysis`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "a request has one of these")]
enum StartAnalysisResult {
    Started(AnalysisStarted),
    Refused(FileRefused),
    Unknown(UnknownPromptVariable),
    KeyReused(IdempotencyKeyReused),
    TooMany(TooManyAnalyses),
    NoTokensLeft(DailyTokensUsed),
}

/// The analysis is cancelled.
#[derive(SimpleObject)]
struct AnalysisCancelled {
    /// The analysis.
    analysis: Analysis,
}

/// The analysis had ended before, and stays as it is.
#[derive(SimpleObject)]
struct AnalysisFinished {
    /// The analysis.
    analysis: Analysis,
}

/// The result of `cancelAnalysis`.
#[derive(Union)]
enum CancelAnalysisResult {
    Cancelled(AnalysisCancelled),
    Finished(AnalysisFinished),
}

#[derive(Default)]
pub(super) struct AnalysisMutation;

#[Object]
impl AnalysisMutation {
    /// Queues an analysis of files. Requires the role USER. API keys need the scope `ANALYSES_WRITE`. Fails with
    /// `NOT_FOUND` for prompts of others.
    async fn start_analysis(
        &self,
        ctx: &Context<'_>,
        input: StartAnalysisInput,
    ) -> Result<StartAnalysisResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let author = Author::require(domain, viewer, ANALYSES_WRITE, "startAnalysis").await?;
        let prompt_id = PROMPT.decode("promptId", &input.prompt_id)?;
        let names: Vec<_> = input.files.iter().map(|file| file.name.clone()).collect();
        let files = input.files.into_iter().map(|FileInput { name, text }| NewFile { name, text }).collect();
        let idempotency_key = input.idempotency_key;
        let order = Order { prompt_id, idempotency_key, variables: pairs(input.variables), files };
        Ok(match analysis::start(domain, author, order).await? {
            Start::Started(own) => StartAnalysisResult::Started(AnalysisStarted { analysis: Analysis(*own) }),
            Start::Refused(position, flaw) => {
                let message = flaw.advice(names.get(position).map_or("", |name| name));
                let position = i32::try_from(position).unwrap_or(i32::MAX);
                StartAnalysisResult::Refused(FileRefused::new(message, position, flaw))
            }
            Start::Unknown(unknown) => StartAnalysisResult::Unknown(unknown.into()),
            Start::KeyReused => {
                let message = "This key belongs to another request. Use a new key for each analysis.";
                StartAnalysisResult::KeyReused(IdempotencyKeyReused::new(message))
            }
            Start::TooMany => {
                let message = format!("{MAX_UNFINISHED} of your analyses are not finished. Try again later.");
                StartAnalysisResult::TooMany(TooManyAnalyses::new(message, limit(MAX_UNFINISHED)))
            }
            Start::NoTokensLeft(most) => {
                let message = format!("Your analyses have used {most} tokens today. Try again tomorrow (UTC).");
                StartAnalysisResult::NoTokensLeft(DailyTokensUsed::new(message, most))
            }
        })
    }

    /// Cancels an analysis. A worker that has it stops within seconds. Requires the role USER. API keys need the scope
    /// `ANALYSES_WRITE`. Fails with `NOT_FOUND` for analyses of others.
    async fn cancel_analysis(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the analysis.")] id: ID,
    ) -> Result<CancelAnalysisResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let author = Author::require(domain, viewer, ANALYSES_WRITE, "cancelAnalysis").await?;
        Ok(match analysis::cancel(domain, author, ANALYSIS.decode("id", &id)?).await? {
            Cancellation::Cancelled(own) => {
                CancelAnalysisResult::Cancelled(AnalysisCancelled { analysis: Analysis(own) })
            }
            Cancellation::Finished(own) => CancelAnalysisResult::Finished(AnalysisFinished { analysis: Analysis(own) }),
        })
    }
}
