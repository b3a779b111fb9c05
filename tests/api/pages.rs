//! The server side of the hosted pages.

pub(crate) mod browser;
mod session;
