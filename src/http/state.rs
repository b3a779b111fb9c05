//! The state that all HTTP handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{
    SocketCaps,
    access_log::sampling::Sampler,
    graphql::{LargeBodies, recent_documents::RecentDocuments, trusted_documents::Trusted, turns::Turns, websocket},
    health, metrics,
    response::backpressure::{Unread, UnreadCaps},
};
use crate::{domain::Ctx, graphql::Api};

/// The state that all HTTP handlers share.
pub struct Server {
    pub(super) ctx: Arc<Ctx>,
    pub(super) api: Api,
    /// The trusted documents. `None` if clients may send any document.
    pub(super) trusted: Option<Trusted>,
    /// Documents that clients sent recently. Stays empty if there are trusted documents.
    pub(super) recent: RecentDocuments,
    pub(super) turns: Turns,
    pub(super) large_bodies: LargeBodies,
    pub(super) https: bool,
    pub(super) draining: AtomicBool,
    pub(super) sockets: websocket::SocketSlots,
    /// Responses that clients have not read yet.
    pub(super) unread: Unread,
    pub(super) sampler: Sampler,
    pub(super) last_outcome: health::LastOutcome,
    pub(super) sessions_counted: metrics::LastCount,
}

impl Server {
    /// Creates a server for Doorcode's own schema.
    pub fn new(ctx: Arc<Ctx>) -> Arc<Self> {
        Self::with(ctx, SocketCaps::default())
    }

    /// Creates a server for Doorcode's own schema with these WebSocket limits.
    pub fn with(ctx: Arc<Ctx>, caps: SocketCaps) -> Arc<Self> {
        let api = Api::new(&ctx);
        Self::build(ctx, api, caps)
    }

    /// Creates a server for the schema `api`, such as an application's schema that contains Doorcode's types.
    pub fn of(ctx: Arc<Ctx>, api: Api) -> Arc<Self> {
        Self::build(ctx, api, SocketCaps::default())
    }

    fn build(ctx: Arc<Ctx>, api: Api, caps: SocketCaps) -> Arc<Self> {
        let https = ctx.settings.is_https();
        let sockets = websocket::SocketSlots::new(caps);
        let trusted = ctx.settings.documents.as_deref().map(|list| Trusted::new(list, api.documents()));
        let draining = AtomicBool::new(false);
        let unread = Unread::new(UnreadCaps::default());
        let sampler = Sampler::default();
        let (last_outcome, sessions_counted) = (Arc::default(), metrics::LastCount::default());
        let (recent, turns) = (RecentDocuments::new(&ctx.metrics), Turns::default());
        Arc::new(Self {
            ctx,
            api,
            trusted,
            recent,
            turns,
            large_bodies: LargeBodies::default(),
            https,
            draining,
            sockets,
            unread,
            sampler,
            last_outcome,
            sessions_counted,
        })
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
