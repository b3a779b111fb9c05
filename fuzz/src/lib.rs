//! Shared code of the fuzz targets: the real router with a new database, signed-in users, and invariants of responses.
//! Every panic is a finding, even if the router would turn it into a response.

mod door;
mod truth;

pub use door::{Answer, Asked, Door, Who};
pub use truth::{check, check_graphql};

/// Splits an input at NUL bytes into its parts. Missing parts are empty.
pub fn parts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, '\0');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Reads the caller from the first byte of an input. Returns the caller and the rest of the input.
pub fn who(data: &[u8]) -> Option<(Who, &[u8])> {
    let (first, rest) = data.split_first()?;
    let who = match first {
        b'u' => Who::User,
        b'a' => Who::Admin,
        _ => Who::Nobody,
    };
    Some((who, rest))
}
