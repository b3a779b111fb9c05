//! The worker: takes analyses from the queue, asks the provider about each file and stores the result. Any number of
//! workers can run, in servers or alone. A worker may be killed at any time: see `queue`.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use doorcode::{
    domain::Ctx,
    error::{Error, Result},
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    prompt,
    provider::{self, Failure, Provider, Question, Reply},
    queue::{self, Job, Used},
    result::{self, Findings},
    settings::Settings,
    system::{self, System},
};

/// How fast a worker acts.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long a worker keeps an analysis without extending the lease. Longer than clocks differ.
    pub lease: Duration,
    /// How often it extends the lease. It notices a cancellation then.
    pub extend: Duration,
    /// How often it looks for work while there is none.
    pub look: Duration,
    /// How often it looks for abandoned work, and reads the settings of administrators.
    pub recover: Duration,
    /// The first pause before another attempt. Each further one is twice as long, up to the longest.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            extend: Duration::from_secs(5),
            look: Duration::from_millis(500),
            recover: Duration::from_secs(5),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_mins(5),
        }
    }
}

/// Works on one analysis at a time, in any number of loops.
pub struct Worker {
    ctx: Arc<Ctx>,
    provider: Arc<dyn Provider>,
    pace: Pace,
    system: RwLock<System>,
}

/// How far an attempt is.
#[derive(Default)]
struct Attempt {
    /// In percent.
    progress: AtomicI32,
    /// The numbers of tokens that were sent and in the answers.
    tokens: Mutex<(i64, i64)>,
}

impl Attempt {
    fn add(&self, (sent, answered): (i64, i64)) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        *tokens = (tokens.0 + sent, tokens.1 + answered);
    }
}

/// How work on an analysis ended.
enum Ended {
    Done(result::Model),
    Failed(Failure),
    /// Another worker has it, or it was cancelled.
    Lost,
    /// The process stops.
    Stopped,
}

/// Runs as many loops as the settings say, until `stop`.
///
/// # Errors
/// If a setting is wrong.
pub async fn run(ctx: Arc<Ctx>, stop: watch::Receiver<bool>) -> Result<()> {
    let settings = Settings::load()?;
    if settings.workers == 0 {
        tracing::info!("no worker runs in this process, because VERIFICAI_WORKERS is 0");
        return Ok(());
    }
    let provider = provider::of(&settings)?;
    Arc::new(Worker::new(ctx, provider, Pace::default())).run(settings.workers, stop).await
}

impl Worker {
    /// A worker with this provider.
    pub fn new(ctx: Arc<Ctx>, provider: Arc<dyn Provider>, pace: Pace) -> Self {
        Self { ctx, provider, pace, system: RwLock::default() }
    }

    /// Runs loops until `stop`.
    ///
    /// # Errors
    /// If a loop panics.
    pub async fn run(self: Arc<Self>, loops: usize, stop: watch::Receiver<bool>) -> Result<()> {
        let mut running = JoinSet::new();
        let worker = Arc::clone(&self);
        let mut stopped = stop.clone();
        running.spawn(async move {
            while !*stopped.borrow() {
                if let Err(error) = worker.recover().await {
                    tracing::warn!(%error, "a worker cannot look for abandoned analyses; it tries again");
                }
                drop(timeout(worker.pace.recover, stopped.changed()).await);
            }
        });
        for _ in 0..loops {
            running.spawn(Arc::clone(&self).work_until(stop.clone()));
        }
        while let Some(ended) = running.join_next().await {
            ended.map_err(|error| Error::Internal(format!("a worker ended: {error}")))?;
        }
        Ok(())
    }

    /// Reads the settings of administrators, and takes analyses from workers that died.
    pub async fn recover(&self) -> Result<()> {
        let system = self.ctx.db.in_time(system::load(&self.ctx)).await?;
        *self.system.write().unwrap_or_else(PoisonError::into_inner) = system;
        let recovered = queue::recover(&self.ctx, system.max_attempts).await?;
        if recovered > 0 {
            tracing::warn!(recovered, "took over analyses from workers that stopped");
        }
        Ok(())
    }

    fn system(&self) -> System {
        *self.system.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work_until(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let pause = match self.work(&stop).await {
                Ok(true) => continue,
                Ok(false) => self.pace.look,
                Err(error) => {
                    tracing::warn!(%error, "a worker cannot reach the queue; it tries again");
                    2 * self.pace.look
                }
            };
            drop(timeout(self.jitter(pause), stop.changed()).await);
        }
    }

    /// Works on the next analysis. Returns whether there was one.
    pub async fn work(&self, stop: &watch::Receiver<bool>) -> Result<bool> {
        if self.system().paused || self.provider.admit().is_err() {
            return Ok(false);
        }
        let Some(job) = queue::take(&self.ctx, self.pace.lease).await? else { return Ok(false) };
        let taken_at = Instant::now();
        let (attempt, extended) = (Attempt::default(), RwLock::new(taken_at));
        let mut stopped = stop.clone();
        let ended = tokio::select! {
            ended = self.analyse(&job, &attempt) => ended,
            () = self.keep(&job, &attempt, &extended) => Ended::Lost,
            _ = stopped.wait_for(|stop| *stop) => Ended::Stopped,
        };
        let used = self.used(&attempt);
        let extended = *extended.read().unwrap_or_else(PoisonError::into_inner);
        // The answer may have been expensive: while the database is away, try again until the lease ends.
        loop {
            let stored = self.store(&job, &ended, used).await;
            match stored {
                Err(Error::Unavailable(why)) if extended.elapsed() < self.pace.lease && !*stop.borrow() => {
                    tracing::warn!(why, analysis = %job.id, "a worker cannot store what it has; it tries again");
                    sleep(self.pace.look).await;
                }
                stored => return stored.map(|()| true),
            }
        }
    }

    async fn store(&self, job: &Job, ended: &Ended, used: Used) -> Result<()> {
        let ctx = &self.ctx;
        let kept = match ended {
            Ended::Done(result) => queue::succeed(ctx, job, result.clone()).await?,
            Ended::Failed(failure) if failure.is_final || job.attempts >= self.system().max_attempts => {
                queue::fail(ctx, job, &failure.why, used).await?
            }
            Ended::Failed(failure) => {
                let pause = failure.after.unwrap_or_default().max(self.pause(job.attempts));
                queue::retry(ctx, job, &failure.why, ctx.now() + pause, used).await?
            }
            Ended::Stopped => queue::give_back(ctx, job, used).await?,
            Ended::Lost => false,
        };
        if !kept {
            tracing::info!(analysis = %job.id, "the analysis was cancelled, or another worker has it");
        }
        Ok(())
    }

    /// Extends the lease. Returns when the worker no longer has the analysis.
    async fn keep(&self, job: &Job, attempt: &Attempt, extended: &RwLock<Instant>) {
        loop {
            sleep(self.pace.extend).await;
            let before = Instant::now();
            let progress = attempt.progress.load(Ordering::Relaxed);
            match queue::extend(&self.ctx, job, self.pace.lease, progress, self.used(attempt)).await {
                Ok(true) => *extended.write().unwrap_or_else(PoisonError::into_inner) = before,
                Ok(false) => return,
                // Storing the result tells later whether the worker still has it.
                Err(error) => tracing::warn!(%error, analysis = %job.id, "a worker cannot extend its lease"),
            }
        }
    }

    /// Asks the provider about each file.
    async fn analyse(&self, job: &Job, attempt: &Attempt) -> Ended {
        match self.ask(job, attempt).await {
            Ok(Ok(result)) => Ended::Done(result),
            Ok(Err(failure)) => Ended::Failed(failure),
            // The analysis was erased with its owner.
            Err(Error::NotFound) => Ended::Lost,
            Err(error) => Ended::Failed(Failure::temporary(format!("The worker had a problem: {}", public(&error)))),
        }
    }

    async fn ask(&self, job: &Job, attempt: &Attempt) -> Result<Result<result::Model, Failure>> {
        let ctx = &self.ctx;
        let version = ctx.db.in_time(prompt::version(ctx, job.prompt_id, job.prompt_version)).await?;
        let files = ctx.db.in_time(queue::files(ctx, job)).await?;
        let mut total = Reply { model: self.provider.model(&version.model).to_owned(), ..Reply::default() };
        for (done, file) in files.iter().enumerate() {
            let about = (&*file.name, &*file.language, &*file.text);
            let Some(text) = prompt::fill(&version, &job.variables, about, prompt::MAX_INSERTED) else {
                let why = "The prompt and one file are too long together. Use `{{code}}` only once in the prompt.";
                return Ok(Err(Failure::permanent(why)));
            };
            let question = Question { prompt: &text, file, model: &version.model, parameters: &version.parameters };
            match self.provider.ask(question).await {
                Ok(reply) => {
                    attempt.add((reply.tokens_in, reply.tokens_out));
                    total.add(reply);
                }
                Err(failure) => {
                    attempt.add(failure.tokens);
                    return Ok(Err(failure));
                }
            }
            let percent = i32::try_from(100 * (done + 1) / files.len()).unwrap_or_default();
            attempt.progress.store(percent, Ordering::Relaxed);
        }
        let now = ctx.now();
        let Reply { findings, model, .. } = total;
        let Used { tokens_in, tokens_out, cost } = job.total(self.used(attempt));
        Ok(Ok(result::Model {
            analysis_id: job.id,
            owner_id: job.owner_id,
            day: now.date_naive(),
            findings: Findings(findings),
            tokens_in,
            tokens_out,
            model,
            cost,
            created_at: now,
        }))
    }

    /// What an attempt has used so far.
    fn used(&self, attempt: &Attempt) -> Used {
        let (tokens_in, tokens_out) = *attempt.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let System { price_in, price_out, .. } = self.system();
        let price = tokens_in * i64::from(price_in) + tokens_out * i64::from(price_out);
        Used { tokens_in, tokens_out, cost: if self.provider.is_free() { 0 } else { price / 1_000 } }
    }

    /// The pause before another attempt.
    fn pause(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(16);
        self.jitter((self.pace.first_pause * 2_u32.pow(doublings)).min(self.pace.longest_pause))
    }

    /// A random time between half of `most` and `most`, so that workers and attempts spread.
    fn jitter(&self, most: Duration) -> Duration {
        let mut byte = [0];
        self.ctx.entropy.fill(&mut byte);
        most / 2 + most * u32::from(byte[0]) / 510
    }
}

/// What a user may know about an error.
fn public(error: &Error) -> &'static str {
    if let Error::Unavailable(_) = error { "the database was away." } else { "something went wrong on our side." }
}
