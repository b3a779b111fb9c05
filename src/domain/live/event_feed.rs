//! The events that one connection may receive, for as long as it may. The permission is the session's. It is checked again
//! when something happens to the user, when a message may have been missed, and by a timer; an access token that expires
//! in the meantime does not end it. A feed delivers nothing while its permission cannot be checked, and keeps little for a
//! slow reader.

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

/// How often the right to listen is asked for when nothing happens: idle time runs out, and messages can be missed.
const CHECK_EVERY: Duration = Duration::from_secs(30);
/// What one subscription may have waiting.
const WAITING: usize = 64;
/// A right that could not be checked is asked for again so often, with a pause between, before the feed closes.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Ended sessions that are remembered as told.
const REMEMBERED: usize = 1_000;

/// Why a feed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedEnd {
    /// The session is over, or the person may not sign in any more.
    Over,
    /// The person's role is another now: a new access token will say which.
    OtherRole,
    /// The listener was too slow, or the right to listen could not be checked. Worth coming back.
    Missed,
}

/// The feed of one connection. Dropping it ends it.
pub struct EventFeed {
    listeners: Arc<Listeners>,
    silence: watch::Receiver<Option<FeedEnd>>,
    hearing: JoinHandle<()>,
}

impl Drop for EventFeed {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

/// The subscriptions of one feed.
#[derive(Default)]
struct Listeners(Mutex<Option<Lists>>);

#[derive(Default)]
struct Lists {
    events: Vec<(Watch, mpsc::Sender<Seen>)>,
    ends: Vec<mpsc::Sender<SignedIn>>,
}

/// Which events somebody wants, and what they see of whom.
struct Watch {
    filter: Filter,
    /// A manager's: of anybody whom an event is about.
    access: ReadAccess,
}

impl EventFeed {
    /// For somebody who is signed in, as the caller's look-up found them. It begins to hear, and then looks at the session at once: what happened to that
    /// between the caller's look-up and now is found so.
    pub fn open(ctx: &Arc<Ctx>, holder: &SignedIn) -> Self {
        let listeners = Arc::new(Listeners(Mutex::new(Some(Lists::default()))));
        let (tell, silence) = watch::channel(None);
        let news = ctx.live.news.subscribe();
        let hearing = Hearing {
            ctx: Arc::clone(ctx),
            holder: Holder::of(holder),
            news,
            clock: clock(),
            listeners: Arc::clone(&listeners),
            told: HashSet::new(),
        };
        let hearing = tokio::spawn(async move {
            let why = hearing.run().await;
            tell.send_replace(Some(why));
        });
        Self { listeners, silence, hearing }
    }

    /// The events from now on that fit.
    pub fn events(&self, manager: Manager<'_>, filter: Filter) -> Result<mpsc::Receiver<Seen>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let watch = Watch { filter, access: manager.access_to(Uuid::nil()) };
        self.listeners.with(|lists| lists.events.push((watch, sender))).map(|()| receiver).ok_or(Error::Unauthenticated)
    }

    /// The person's own sessions as they end.
    pub fn ended_sessions(&self, _person: Person<'_>) -> Result<mpsc::Receiver<SignedIn>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        self.listeners.with(|lists| lists.ends.push(sender)).map(|()| receiver).ok_or(Error::Unauthenticated)
    }

    /// Resolves when there is nothing more to hear. By then every subscription has all that it will get.
    pub fn silence(&self) -> impl Future<Output = FeedEnd> + Send + 'static {
        let mut silence = self.silence.clone();
        async move {
            let silent = silence.wait_for(Option::is_some).await.map(|why| *why);
            // An error means that the task is gone without a word, which a fault of ours would do.
            silent.ok().flatten().unwrap_or(FeedEnd::Missed)
        }
    }
}

impl Listeners {
    /// Nothing once all is over.
    fn with<T>(&self, act: impl FnOnce(&mut Lists) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act)
    }

    /// Every subscription gets what it has waiting, and then its end.
    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Gives a listener one thing; whether there was room. One who went needs none.
fn give<T>(listener: &mpsc::Sender<T>, what: T) -> bool {
    !matches!(listener.try_send(what), Err(TrySendError::Full(_)))
}

impl Lists {
    /// The people whom the filters that fit an event name, where these may be hidden from the listener.
    fn named(&self, event: &audit_events::Model) -> Vec<ReadAccess> {
        let fitting = self.events.iter().map(|(watch, _)| watch).filter(|watch| watch.filter.fits(event));
        let fitting = fitting.filter(|watch| !watch.access.sees_deleted());
        fitting.flat_map(|watch| watch.filter.people().filter_map(|person| watch.access.of_another(person))).collect()
    }

    fn give_event(&mut self, event: &audit_events::Model, hidden: &[Uuid]) -> bool {
        self.events.retain(|(_, listener)| !listener.is_closed());
        let mut room = true;
        let is_shown = |watch: &Watch| watch.filter.people().all(|person| !hidden.contains(&person));
        let fits = |(watch, _): &&(Watch, _)| watch.filter.fits(event) && is_shown(watch);
        for (watch, listener) in self.events.iter().filter(fits) {
            // The list would say the same: whoever an event is about is as visible here as there.
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

struct Hearing {
    ctx: Arc<Ctx>,
    holder: Holder,
    news: broadcast::Receiver<News>,
    clock: Interval,
    listeners: Arc<Listeners>,
    /// Sessions whose end was told: each ends once.
    told: HashSet<Uuid>,
}

impl Hearing {
    async fn run(mut self) -> FeedEnd {
        let why = loop {
            let heard = tokio::select! {
                heard = self.news.recv() => heard,
                _ = self.clock.tick() => Ok(News::Gap),
            };
            let outcome = match heard {
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

    /// What happened to the person comes first: whether they may hear it at all depends on it.
    async fn event(&mut self, event: &audit_events::Model) -> Result<(), FeedEnd> {
        if event.subject_id == Some(self.holder.user) {
            self.tell_ends(event).await?;
            self.check().await?;
        }
        let hidden = self.hidden(event).await?;
        room(self.listeners.with(|lists| lists.give_event(event, &hidden)))
    }

    /// The people named by filters that fit an event who are hidden from the listener, as in `auditEvents`. A statement
    /// only where a manager's filter names somebody.
    async fn hidden(&self, event: &audit_events::Model) -> Result<Vec<Uuid>, FeedEnd> {
        let named = self.listeners.with(|lists| lists.named(event)).unwrap_or_default();
        if named.is_empty() {
            return Ok(Vec::new());
        }
        let ctx = &*self.ctx;
        let shown = insist(|| user::list::find_each(ctx, &named)).await?;
        let is_hidden = |person: &Uuid| shown.iter().all(|(access, _)| access.user_id() != *person);
        Ok(named.iter().map(|access| access.user_id()).filter(is_hidden).collect())
    }

    async fn tell_ends(&mut self, event: &audit_events::Model) -> Result<(), FeedEnd> {
        let wanted = self.listeners.with(|lists| !lists.ends.is_empty());
        if wanted != Some(true) {
            return Ok(());
        }
        let (ctx, person, at) = (&*self.ctx, self.holder.user, event.at);
        let ended = insist(|| live_access::ended_at(ctx, person, at)).await?;
        ended.into_iter().try_for_each(|ended| self.tell_end(&ended))
    }

    fn tell_end(&mut self, ended: &SignedIn) -> Result<(), FeedEnd> {
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        if ended.session.ended_at.is_none() || !self.told.insert(ended.session.id) {
            return Ok(());
        }
        room(self.listeners.with(|lists| lists.give_end(ended)))
    }

    /// Whether the session still gives the right to listen. When it ended, that is told before the silence.
    async fn check(&mut self) -> Result<(), FeedEnd> {
        let (ctx, holder) = (&*self.ctx, self.holder);
        match insist(|| live_access::check(ctx, holder)).await? {
            LiveAccess::Holds => Ok(()),
            LiveAccess::OtherRole => Err(FeedEnd::OtherRole),
            LiveAccess::Over(ended) => {
                // A listener without room misses this, too; it is over for them either way.
                let _ = ended.map(|ended| self.tell_end(&ended));
                Err(FeedEnd::Over)
            }
        }
    }
}

fn room(given: Option<bool>) -> Result<(), FeedEnd> {
    if given == Some(false) { Err(FeedEnd::Missed) } else { Ok(()) }
}

/// Asks the database until it answers, a few times. Meanwhile nothing is given out.
async fn insist<T, F: Future<Output = Result<T>>>(mut ask: impl FnMut() -> F) -> Result<T, FeedEnd> {
    for _ in 0..TRIES {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => tracing::debug!(%error, "somebody who listens could not be checked"),
        }
        sleep(PAUSE).await;
    }
    tracing::warn!("the right to listen could not be checked: a listener was let go");
    Err(FeedEnd::Missed)
}
