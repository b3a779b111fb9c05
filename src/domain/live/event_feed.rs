//! The live events of one connection. Access depends on the session. It is checked again after an event about the user,
//! after a gap and periodically; an expired access token does not end the feed. While access cannot be checked, the
//! feed delivers nothing. Its buffers are bounded.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc::{self, error::TrySendError},
        watch,
    },
    task::JoinHandle,
    time::{Interval, MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use super::News;
use crate::{
    db::entity::audit_events,
    domain::{
        Ctx,
        access::{Manager, Person, ReadAccess, SignedIn},
        audit::list::{Filter, Seen},
        session::live_access::{self, Holder, LiveAccess},
        user,
    },
    error::{Error, Result},
};

/// Interval of access checks without events: sessions can time out, and messages can be missed.
const CHECK_EVERY: Duration = Duration::from_secs(30);
/// Buffer size of a subscription.
const WAITING: usize = 64;
/// Tries of a failed access check before the feed closes, and the pause between them.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum number of ended sessions remembered as delivered.
const REMEMBERED: usize = 1_000;

/// Why a feed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedEnd {
    /// The session ended, or the user may no longer sign in.
    Over,
    /// The user's role changed; a new access token has the new role.
    OtherRole,
    /// The subscriber was too slow, or access could not be checked. The client may reconnect.
    Missed,
}

/// The feed of one connection. Dropping it ends the feed.
pub struct EventFeed {
    listeners: Arc<Listeners>,
    ended: watch::Receiver<Option<FeedEnd>>,
    task: JoinHandle<()>,
}

impl Drop for EventFeed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Default)]
struct Listeners(Mutex<Option<Lists>>);

#[derive(Default)]
struct Lists {
    events: Vec<(Watch, mpsc::Sender<Seen>)>,
    ends: Vec<mpsc::Sender<SignedIn>>,
}

/// The filter and access of a subscription.
struct Watch {
    filter: Filter,
    /// A manager's access to any subject.
    access: ReadAccess,
}

impl EventFeed {
    /// Opens the feed of a signed-in user. It subscribes first and then checks the session at once, so it misses no
    /// change since the caller's look-up.
    pub fn open(ctx: &Arc<Ctx>, holder: &SignedIn) -> Self {
        let listeners = Arc::new(Listeners(Mutex::new(Some(Lists::default()))));
        let (end, ended) = watch::channel(None);
        let news = ctx.live.news.subscribe();
        let task = FeedTask {
            ctx: Arc::clone(ctx),
            holder: Holder::of(holder),
            news,
            clock: clock(),
            listeners: Arc::clone(&listeners),
            ended_sessions: HashSet::new(),
        };
        let task = tokio::spawn(async move {
            let why = task.run().await;
            end.send_replace(Some(why));
        });
        Self { listeners, ended, task }
    }

    /// Subscribes to matching events from now on.
    pub fn events(&self, manager: Manager<'_>, filter: Filter) -> Result<mpsc::Receiver<Seen>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let watch = Watch { filter, access: manager.access_to(Uuid::nil()) };
        self.listeners.with(|lists| lists.events.push((watch, sender))).map(|()| receiver).ok_or(Error::Unauthenticated)
    }

    /// Subscribes to the ends of the user's own sessions.
    pub fn ended_sessions(&self, _person: Person<'_>) -> Result<mpsc::Receiver<SignedIn>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.listeners.with(|lists| lists.ends.push(sender)).map(|()| receiver).ok_or(Error::Unauthenticated)
    }

    /// Resolves when the feed has ended. By then, each subscription holds all its events.
    pub fn silence(&self) -> impl Future<Output = FeedEnd> + Send + 'static {
        let mut ended = self.ended.clone();
        async move {
            let end = ended.wait_for(Option::is_some).await.map(|why| *why);
            // An error means that the task panicked.
            end.ok().flatten().unwrap_or(FeedEnd::Missed)
        }
    }
}

impl Listeners {
    /// `None` after the feed was closed.
    fn with<T>(&self, act: impl FnOnce(&mut Lists) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act)
    }

    /// Closes all subscriptions. They still deliver what is buffered.
    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Sends an item to a subscription. Returns false if its buffer is full; a closed subscription is no problem.
fn give<T>(listener: &mpsc::Sender<T>, what: T) -> bool {
    !matches!(listener.try_send(what), Err(TrySendError::Full(_)))
}

impl Lists {
    /// Users named by matching filters who may be hidden from the subscriber.
    fn named(&self, event: &audit_events::Model) -> Vec<ReadAccess> {
        let fitting = self.events.iter().map(|(watch, _)| watch).filter(|watch| watch.filter.fits(event));
        let fitting = fitting.filter(|watch| !watch.access.sees_deleted());
        fitting
            .flat_map(|watch| watch.filter.people_behind(event).filter_map(|person| watch.access.of_another(person)))
            .collect()
    }

    fn give_event(&mut self, event: &audit_events::Model, hidden: &[Uuid]) -> bool {
        self.events.retain(|(_, listener)| !listener.is_closed());
        let mut room = true;
        let is_shown = |watch: &Watch| watch.filter.people_behind(event).all(|person| !hidden.contains(&person));
        let fits = |(watch, _): &&(Watch, _)| watch.filter.fits(event) && is_shown(watch);
        for (watch, listener) in self.events.iter().filter(fits) {
            // Same rule as in the list: the subject is as visible here as there.
            if let Some(access) = watch.access.of_another(event.subject_id.unwrap_or_default()) {
                room &= give(listener, (event.clone(), access));
            }
        }
        room
    }

    fn give_end(&mut self, ended: &SignedIn) -> bool {
        self.ends.retain(|listener| !listener.is_closed());
        self.ends.iter().fold(true, |room, listener| room & give(listener, ended.clone()))
    }
}

fn clock() -> Interval {
    let mut clock = interval(CHECK_EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

struct FeedTask {
    ctx: Arc<Ctx>,
    holder: Holder,
    news: broadcast::Receiver<News>,
    clock: Interval,
    listeners: Arc<Listeners>,
    /// Sessions whose end was delivered, to deliver each end once.
    ended_sessions: HashSet<Uuid>,
}

impl FeedTask {
    async fn run(mut self) -> FeedEnd {
        let why = loop {
            let message = tokio::select! {
                message = self.news.recv() => message,
                _ = self.clock.tick() => Ok(News::Gap),
            };
            let outcome = match message {
                Ok(News::Event(event)) => self.event(&event).await,
                Ok(News::Gap) => self.check().await,
                Err(RecvError::Lagged(_)) => Err(FeedEnd::Missed),
                Err(RecvError::Closed) => Err(FeedEnd::Over),
            };
            if let Err(why) = outcome {
                break why;
            }
        };
        self.listeners.close();
        why
    }

    /// Handle events about the user first: they may end the access.
    async fn event(&mut self, event: &audit_events::Model) -> Result<(), FeedEnd> {
        if event.subject_id == Some(self.holder.user) {
            self.deliver_ends(event).await?;
            self.check().await?;
        }
        let hidden = self.hidden(event).await?;
        room(self.listeners.with(|lists| lists.give_event(event, &hidden)))
    }

    /// Users named by matching filters who are hidden from the subscriber, as in `auditEvents`. Runs a statement only
    /// if a manager's filter names a user.
    async fn hidden(&self, event: &audit_events::Model) -> Result<Vec<Uuid>, FeedEnd> {
        let named = self.listeners.with(|lists| lists.named(event)).unwrap_or_default();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let ctx = &*self.ctx;
        let shown = retry(|| user::list::find_each(ctx, &named)).await?;
        let is_hidden = |person: &Uuid| shown.iter().all(|(access, _)| access.user_id() != *person);
        Ok(named.iter().map(|access| access.user_id()).filter(is_hidden).collect())
    }

    async fn deliver_ends(&mut self, event: &audit_events::Model) -> Result<(), FeedEnd> {
        let wanted = self.listeners.with(|lists| !lists.ends.is_empty());
        if wanted != Some(true) {
            return Ok(());
        }
        let (ctx, person, at) = (&*self.ctx, self.holder.user, event.at);
        let ended = retry(|| live_access::ended_at(ctx, person, at)).await?;
        ended.into_iter().try_for_each(|ended| self.deliver_end(&ended))
    }

    fn deliver_end(&mut self, ended: &SignedIn) -> Result<(), FeedEnd> {
        if self.ended_sessions.len() >= REMEMBERED {
            self.ended_sessions.clear();
        }
        if ended.session.ended_at.is_none() || !self.ended_sessions.insert(ended.session.id) {
            return Ok(());
        }
        room(self.listeners.with(|lists| lists.give_end(ended)))
    }

    /// Checks that the session still gives access. Delivers its end before closing the feed.
    async fn check(&mut self) -> Result<(), FeedEnd> {
        let (ctx, holder) = (&*self.ctx, self.holder);
        match retry(|| live_access::check(ctx, holder)).await? {
            LiveAccess::Holds => Ok(()),
            LiveAccess::OtherRole => Err(FeedEnd::OtherRole),
            LiveAccess::Over(ended) => {
                // A full subscription misses this, but it closes in any case.
                let _ = ended.map(|ended| self.deliver_end(&ended));
                Err(FeedEnd::Over)
            }
        }
    }
}

fn room(given: Option<bool>) -> Result<(), FeedEnd> {
    if given == Some(false) { Err(FeedEnd::Missed) } else { Ok(()) }
}

/// Retries a query a few times; the feed waits meanwhile.
async fn retry<T, F: Future<Output = Result<T>>>(mut ask: impl FnMut() -> F) -> Result<T, FeedEnd> {
    for _ in 0..TRIES {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => tracing::debug!(%error, "cannot check the access of a live subscriber"),
        }
        sleep(PAUSE).await;
    }
    tracing::warn!("cannot check the access of a live subscriber: closing its feed");
    Err(FeedEnd::Missed)
}
