//! Mail: what it says (`message`, `words`, `template`), how it waits (`outbox`, `payload`), how it leaves (`delivery`,
//! `dispatcher`, `attempt`), and where it lands in development (`inbox`). A mail is written in the transaction of what
//! caused it and sent by a loop of its own.

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
