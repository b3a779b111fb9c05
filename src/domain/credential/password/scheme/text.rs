//! What the notations share: fields, numbers, base64 and the comparison of keys.

use aws_lc_rs::constant_time;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

/// What does not fit in a hash.
pub(super) struct Malformed(pub(super) &'static str);

pub(super) type Result<T> = std::result::Result<T, Malformed>;

/// Fewer bytes would let many passwords match.
const MIN_KEY: usize = 16;
const MAX_KEY: usize = 128;
const MAX_SALT: usize = 128;

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The fields between dollar signs.
pub(super) fn fields<const N: usize>(text: &str) -> Result<[&str; N]> {
    let fields: Vec<_> = text.split('$').collect();
    fields.try_into().map_err(|_| Malformed("the number of parts between the dollar signs is not right"))
}

/// A whole number of at most ten digits.
pub(super) fn number(digits: &str) -> Result<u32> {
    let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_decimal.then(|| digits.parse().ok()).flatten();
    number.ok_or(Malformed("one of its parameters is not a whole number"))
}

/// The value of each of these parameters in a list such as `ln=14,r=8,p=1`, in this order.
pub(super) fn parameters<'a, const N: usize>(list: &'a str, names: [&str; N]) -> Result<[&'a str; N]> {
    let wrong = || Malformed("its parameters are not those of this kind of hash");
    let mut pairs = list.split(',');
    let mut values = [""; N];
    for (value, name) in values.iter_mut().zip(names) {
        let (found, text) = pairs.next().and_then(|pair| pair.split_once('=')).ok_or_else(wrong)?;
        if found != name {
            return Err(wrong());
        }
        *value = text;
    }
    if pairs.next().is_some() { Err(wrong()) } else { Ok(values) }
}

/// Base64 in the standard alphabet, or with passlib's `.` in place of `+`.
pub(super) fn base64(text: &str) -> Result<Vec<u8>> {
    BASE64.decode(text.replace('.', "+")).map_err(|_| Malformed("one of its parts is not base64"))
}

/// A salt in base64.
pub(super) fn salt(text: &str) -> Result<Vec<u8>> {
    plain_salt(base64(text)?)
}

/// A salt as it stands.
pub(super) fn plain_salt(salt: Vec<u8>) -> Result<Vec<u8>> {
    let fits = (1..=MAX_SALT).contains(&salt.len());
    if fits { Ok(salt) } else { Err(Malformed("its salt is not 1 to 128 bytes long")) }
}

/// The result of the hash, in base64.
pub(super) fn key(text: &str) -> Result<Zeroizing<Vec<u8>>> {
    let key = Zeroizing::new(base64(text)?);
    let fits = (MIN_KEY..=MAX_KEY).contains(&key.len());
    if fits { Ok(key) } else { Err(Malformed("its last part is not 16 to 128 bytes long")) }
}

/// Compares in constant time.
pub(super) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}
