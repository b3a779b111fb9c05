//! Mail: content (`message`, `words`, `template`), the queue (`outbox`, `payload`), sending (`delivery`, `dispatcher`,
//! `attempt`) and the development `inbox`. A mail is queued in the transaction that causes it and sent by a background
//! loop.

mod attempt;
pub mod delivery;
mod device;
mod dispatcher;
pub mod inbox;
pub mod message;
pub mod outbox;
mod payload;
mod plain;
pub mod template;
mod words;
