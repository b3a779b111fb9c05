//! Runs the work of a request in its own task, so that a client that disconnects cannot cancel it halfway. Otherwise a
//! sign-in could be charged to a rate limit although its email is rolled back.

use tracing::Instrument;

use super::{Server, response::Refusal};
use crate::graphql::{TimedOut, error::Code};

/// Runs work that waits for a slot and has a time limit, like [`Api::execute`] and [`Api::admit`].
///
/// # Errors
/// `UNAVAILABLE` when time is up, `INTERNAL` if it panicked.
///
/// [`Api::execute`]: crate::graphql::Api::execute
/// [`Api::admit`]: crate::graphql::Api::admit
pub(super) async fn run<T: Send + 'static>(
    server: &Server,
    work: impl Future<Output = Result<T, TimedOut>> + Send + 'static,
) -> Result<T, Refusal> {
    let db = server.ctx.db.clone();
    let task = async move {
        let done = work.await;
        // Waiting for a slot does not mean that the database is slow.
        if let Err(TimedOut::Unfinished) = done {
            db.suspect();
        }
        done
    };
    match tokio::spawn(task.in_current_span()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => {
            tracing::error!("an operation timed out");
            let message = "The request timed out because the server is busy. Try again in a few seconds.";
            Err(Refusal::new(Code::Unavailable, message))
        }
        // The panic hook has already logged the panic.
        Err(_) => Err(Refusal::new(Code::Internal, "Something went wrong on our side.")),
    }
}
