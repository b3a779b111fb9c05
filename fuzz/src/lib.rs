//! What the fuzz targets share: the real router over a database of its own, people who are signed in, and what must be
//! true of every answer. A panic anywhere below is a finding, even one that the edge would turn into an answer.

mod door;
mod truth;

pub use door::{Answer, Asked, Door, Who};
pub use truth::{check, check_graphql};

/// Cuts the input of a target at its NUL bytes: so seeds are text, and a dictionary fits all parts.
pub fn parts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, '\0');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Who asks, by the first byte of an input, and the rest of it.
pub fn who(data: &[u8]) -> Option<(Who, &[u8])> {
    let (first, rest) = data.split_first()?;
    let who = match first {
        b'u' => Who::User,
        b'a' => Who::Admin,
        _ => Who::Nobody,
    };
    Some((who, rest))
}
