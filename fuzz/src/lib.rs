//! Shared by the fuzz targets: the real router on a temporary database, signed-in users, and assertions about every
//! response. Every panic is a finding, even one that the server would turn into a response.

mod door;
mod truth;

pub use door::{Answer, Asked, Door, Who};
pub use truth::{check, check_graphql};

/// Splits the input of a target at NUL bytes, so that seeds are text and one dictionary fits all parts.
pub fn parts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, '\0');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The caller, from the first byte of the input, and the rest of the input.
pub fn who(data: &[u8]) -> Option<(Who, &[u8])> {
    let (first, rest) = data.split_first()?;
    let who = match first {
        b'u' => Who::User,
        b'a' => Who::Admin,
        _ => Who::Nobody,
    };
    Some((who, rest))
}
