//! Mail: what it says (`template`), how it waits (`outbox`), how it leaves (`delivery`), and where it lands in
//! development (`inbox`). A mail is written in the transaction of what caused it and sent by a loop of its own.

pub mod delivery;
pub mod inbox;
pub mod outbox;
mod plain;
pub mod template;
mod words;
