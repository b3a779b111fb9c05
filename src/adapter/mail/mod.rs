//! Where mail goes: to an SMTP server, or to the inbox of development.

pub mod inbox;
pub mod smtp;
