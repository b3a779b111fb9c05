//! Runs the work of an endpoint outside GraphQL under the limits of an operation: in a slot, within the time limit, and
//! in its own task, so that a client that disconnects cannot cancel it halfway.

use tracing::Instrument;

use super::{Server, response::Refusal};
use crate::{
    error::Result,
    graphql::{
        TimedOut,
        error::{ApiError, Code},
    },
};

/// Runs `work` under the limits of an operation.
///
/// # Errors
/// The error of `work`, `UNAVAILABLE` when time is up, `INTERNAL` if it panicked.
pub(super) async fn run<T: Send + 'static>(
    server: &Server,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T, Refusal> {
    let (api, db) = (server.api.clone(), server.ctx.db.clone());
    let admitted = async move {
        let done = api.admit(work).await;
        // Waiting for a slot does not mean that the database is slow.
        if let Err(TimedOut::Unfinished) = done {
            db.suspect();
        }
        done
    };
    match tokio::spawn(admitted.in_current_span()).await {
        Ok(Ok(done)) => done.map_err(|error| ApiError::from(error).into()),
        Ok(Err(_)) => {
            tracing::error!("a request timed out");
            let message = "The request timed out because the server is busy. Try again in a few seconds.";
            Err(Refusal::new(Code::Unavailable, message))
        }
        // The panic hook has already logged the panic.
        Err(_) => Err(Refusal::new(Code::Internal, "Something went wrong on our side.")),
    }
}
