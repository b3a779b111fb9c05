//! Who finds things in code: a model behind an HTTP API, or rules that work offline.

mod breaker;
pub mod http;
pub mod offline;

use std::{mem, sync::Arc, time::Duration};

use async_trait::async_trait;
use doorcode::error::Result;

use crate::{
    queue::File,
    result::{self, Finding},
    settings::Settings,
    values::Parameters,
};

/// A question about one file.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The filled text of the prompt.
    pub prompt: &'a str,
    /// The file, which is also in the text.
    pub file: &'a File,
    /// The model to ask.
    pub model: &'a str,
    /// Parameters of the model.
    pub parameters: &'a Parameters,
}

/// The answer about one file, or about several added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// What was found.
    pub findings: Vec<Finding>,
    /// The number of tokens that were sent.
    pub tokens_in: i64,
    /// The number of tokens in the answer.
    pub tokens_out: i64,
    /// The model that answered.
    pub model: String,
}

impl Reply {
    /// Adds the answer about another file. Of more than 200 findings, the most severe are kept.
    pub fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.findings = result::most_severe(mem::take(&mut self.findings));
        self.tokens_in += other.tokens_in;
        self.tokens_out += other.tokens_out;
        self.model = other.model;
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason, for the owner of the analysis. Contains no part of the answer.
    pub why: String,
    /// The shortest pause before another attempt.
    pub after: Option<Duration>,
    /// Whether another attempt cannot help.
    pub is_final: bool,
    /// The numbers of tokens that were sent and in the answer, if there was one.
    pub tokens: (i64, i64),
}

impl Failure {
    /// Another attempt may help.
    pub fn temporary(why: impl Into<String>) -> Self {
        Self { why: why.into(), after: None, is_final: false, tokens: (0, 0) }
    }

    /// Another attempt cannot help.
    pub fn permanent(why: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::temporary(why) }
    }
}

/// Finds things in code.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Asks about one file. Returns within a bounded time.
    async fn ask(&self, question: Question<'_>) -> Result<Reply, Failure>;

    /// Whether a question makes sense now. If not, the time to wait. Workers take no analysis meanwhile.
    fn admit(&self) -> Result<(), Duration> {
        Ok(())
    }

    /// Whether answers cost nothing.
    fn is_free(&self) -> bool {
        false
    }

    /// The model that answers, if `wanted` is asked for.
    fn model<'a>(&self, wanted: &'a str) -> &'a str {
        wanted
    }
}

/// The provider that the settings choose.
///
/// # Errors
/// If TLS cannot be set up.
pub fn of(settings: &Settings) -> Result<Arc<dyn Provider>> {
    Ok(match &settings.provider {
        Some(http) => Arc::new(http::HttpProvider::new(http)?),
        None => Arc::new(offline::Rules),
    })
}
