//! The delivery loop: keeps the dispatcher at work until the process stops. What may pass is tried until the letter
//! expires, and after that it is never sent. A letter is noted as sent right after the next hop took it: only a process
//! that dies between the two can send it twice.

use std::sync::Arc;

use tokio::{sync::watch, time::sleep_until};

use super::dispatcher::Dispatcher;
use crate::{domain::Ctx, error::Result, ports::MailTransport};

/// Runs until `stop` says so; what is under way then is finished first.
pub async fn run(ctx: Arc<Ctx>, transport: Arc<dyn MailTransport>, mut stop: watch::Receiver<bool>) {
    let mut dispatcher = Dispatcher::new(Arc::clone(&ctx), transport);
    while !*stop.borrow() {
        if dispatcher.work().await {
            continue;
        }
        let look_at = dispatcher.look_at();
        tokio::select! {
            () = dispatcher.one_ends() => {}
            () = ctx.outbox_filled.notified() => dispatcher.look(),
            () = sleep_until(look_at) => dispatcher.look(),
            stopping = stop.changed() => if stopping.is_err() { break },
        }
    }
    dispatcher.stop().await;
}

/// Sends what is due now, at most one claim; how many letters were taken. For tests, which move the clock themselves.
pub async fn deliver_due(ctx: &Arc<Ctx>, transport: &Arc<dyn MailTransport>) -> Result<u64> {
    let mut dispatcher = Dispatcher::new(Arc::clone(ctx), Arc::clone(transport));
    let taken = dispatcher.claim().await?;
    dispatcher.finish().await;
    Ok(taken)
}
