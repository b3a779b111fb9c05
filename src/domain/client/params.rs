//! The parameters of OAuth requests: form-encoded pairs, each at most once (RFC 6749, 3.1 and 3.2).

use url::form_urlencoded;

/// Maximum number of parameters. A request has about ten.
const MOST: usize = 50;

/// The parameters of a request. One without a value counts as missing.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes a query or a body.
    pub fn parse(encoded: &str) -> Self {
        let pairs = form_urlencoded::parse(encoded.as_bytes()).into_owned().take(MOST);
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a parameter. `None` if it is missing, or sent more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// Whether a parameter was sent more than once.
    pub fn repeat(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| self.0[..at].iter().any(|(earlier, _)| earlier == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_has_no_value() {
        let params = Params::parse("a=1&b=2&b=3&c=&d=%20x+y&%61=");
        assert_eq!(params.get("a"), Some("1"));
        assert_eq!((params.get("b"), params.get("c"), params.get("e")), (None, None, None));
        assert_eq!(params.get("d"), Some(" x y"));
        assert!(params.repeat());
        assert!(!Params::parse("a=1&b=2&a=").repeat());
    }
}
