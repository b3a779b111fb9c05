//! Adds metrics and trace spans to any limiter.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tracing::Instrument;

use crate::{
    observability::{metrics::Metrics, spans},
    ports::{Charge, Limiter, LimiterUnavailable, Verdict},
};

/// Records the duration and outcome of every limiter call as metrics, and traces each `take` as a span.
pub struct Measured {
    limiter: Arc<dyn Limiter>,
    store: &'static str,
    metrics: Metrics,
}

impl Measured {
    /// Wraps a limiter. `store` is where it keeps its counts, `memory` or `redis`, for the spans.
    pub fn new(limiter: Arc<dyn Limiter>, store: &'static str, metrics: Metrics) -> Self {
        Self { limiter, store, metrics }
    }

    fn note<T>(&self, took: Duration, outcome: &Result<T, LimiterUnavailable>) {
        self.metrics.limited(took, outcome.is_err());
    }
}

#[async_trait]
impl Limiter for Measured {
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable> {
        let begun = Instant::now();
        let span = spans::limiter("take", self.store, || charges.iter().map(|charge| charge.rule));
        let verdict = self.limiter.take(charges, now).instrument(span).await;
        self.note(begun.elapsed(), &verdict);
        verdict
    }

    async fn ping(&self) -> Result<(), LimiterUnavailable> {
        let begun = Instant::now();
        let answer = self.limiter.ping().await;
        self.note(begun.elapsed(), &answer);
        answer
    }
}
