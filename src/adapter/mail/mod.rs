//! Mail transports: one sends over SMTP, the other delivers to the development inbox.

pub mod inbox;
pub mod smtp;
