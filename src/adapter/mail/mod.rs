//! Mail transports: SMTP, and the development inbox.

pub mod inbox;
pub mod smtp;
