//! The delivery loop. Temporary failures are retried until the letter expires; an expired letter is never sent. A
//! letter is marked as sent right after the next hop accepted it, so a duplicate is possible only if the process dies
//! in between.

use std::sync::Arc;

use tokio::{sync::watch, time::sleep_until};

use super::dispatcher::Dispatcher;
use crate::{domain::Ctx, error::Result, ports::MailTransport};

/// Runs until `stop`, then finishes the attempts under way.
pub async fn run(ctx: Arc<Ctx>, transport: Arc<dyn MailTransport>, mut stop: watch::Receiver<bool>) {
    let mut dispatcher = Dispatcher::new(Arc::clone(&ctx), transport);
    while !*stop.borrow() {
        if dispatcher.work().await {
            continue;
        }
        let next_poll = dispatcher.next_poll();
        tokio::select! {
            () = dispatcher.attempt_ended() => {}
            () = ctx.outbox_filled.notified() => dispatcher.wake(),
            () = sleep_until(next_poll) => dispatcher.wake(),
            stopping = stop.changed() => if stopping.is_err() { break },
        }
    }
    dispatcher.stop().await;
}

/// Sends due letters, at most one claim, and returns their number. For tests, which control the clock.
pub async fn deliver_due(ctx: &Arc<Ctx>, transport: &Arc<dyn MailTransport>) -> Result<u64> {
    let mut dispatcher = Dispatcher::new(Arc::clone(ctx), Arc::clone(transport));
    let taken = dispatcher.claim().await?;
    dispatcher.finish().await;
    Ok(taken)
}
