//! What a client accepts: the media type of the response, and the weights in headers such as `Accept`.

use axum::http::{HeaderValue, StatusCode};

/// The media type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum MediaType {
    /// Always `application/graphql-response+json`.
    GraphQlResponse,
    /// Always `application/json`.
    Json,
    /// `application/json` on success, `application/graphql-response+json` on error. For clients that don't name the
    /// newer type in `Accept`. The newer type on an error shows that this server sent the error and not a proxy.
    Legacy,
}

impl MediaType {
    pub(super) fn of(self, status: StatusCode) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Legacy if status.is_success() => "application/json; charset=utf-8",
            Self::Legacy | Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// Chooses the media type by the `Accept` header. Returns `None` if the client accepts no supported type. A client
    /// that names the newer type gets the type with the higher weight, or the newer type if the weights are equal. A
    /// client that does not name the newer type gets `Legacy`.
    pub(in crate::http) fn negotiate(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept else {
            return Some(Self::Legacy);
        };
        let newer = preference("application/graphql-response+json", accept);
        let older = preference("application/json", accept);
        match (newer.weight, older.weight) {
            (0, 0) => None,
            (_, 1..) if !newer.is_named() => Some(Self::Legacy),
            (newer, older) if older > newer => Some(Self::Json),
            _ => Some(Self::GraphQlResponse),
        }
    }
}

/// How much a client prefers a media type. A more specific range overrides a wildcard, even if its weight is lower.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    specific: u8,
    /// The `q` parameter, in thousandths.
    weight: u16,
}

impl Preference {
    const NAMED: u8 = 3;

    const fn is_named(self) -> bool {
        self.specific == Self::NAMED
    }
}

/// Returns the preference for a media type, from the most specific range that matches.
fn preference(kind: &str, accept: &str) -> Preference {
    let mut best = Preference::default();
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specific = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            range if range == kind => Preference::NAMED,
            "application/*" => 2,
            "*/*" => 1,
            _ => continue,
        };
        best = best.max(Preference { specific, weight: weight(parts) });
    }
    best
}

/// Whether `Accept` names HTML explicitly, as browsers do when they open a page.
pub(in crate::http) fn accepts_html(accept: &str) -> bool {
    let html = preference("text/html", accept);
    html.is_named() && html.weight > 0
}

/// The weight in the parameters of a range, in thousandths.
pub(in crate::http) fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    let quality = parameters.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let thousandths = quality.map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0)).clamp(0.0, 1.0) * 1000.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let weight = thousandths as u16;
    weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_accept_header_that_names_html_accepts_html() {
        for accept in ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/HTML;q=0.1"] {
            assert!(accepts_html(accept), "{accept}");
        }
        for accept in ["", "*/*", "text/*", "text/html;q=0", "text/htmlx", "application/json"] {
            assert!(!accepts_html(accept), "{accept}");
        }
    }

    #[test]
    fn the_media_type_depends_on_the_ranges_and_weights_in_accept() {
        use MediaType::{GraphQlResponse, Json, Legacy};
        let cases = [
            (None, Some(Legacy)),
            (Some("*/*"), Some(Legacy)),
            (Some("application/*"), Some(Legacy)),
            (Some("application/json"), Some(Legacy)),
            (Some("application/json;charset=utf-8;q=0.1"), Some(Legacy)),
            (Some("*/*;q=0.1, application/json"), Some(Legacy)),
            (Some("application/json, application/graphql-response+json"), Some(GraphQlResponse)),
            (Some("application/json, application/graphql-response+json;q=0.9"), Some(Json)),
            (Some("application/json;q=0, */*"), Some(GraphQlResponse)),
            (Some("application/json;q=0, application/graphql-response+json;q=0.1"), Some(GraphQlResponse)),
            (Some("application/graphql-response+json;q=0.5, application/json;q=0.9"), Some(Json)),
            (Some("application/graphql-response+json;q=0, */*"), Some(Json)),
            (Some("application/*;Q=0.5, application/graphql-response+json;q=0.4"), Some(Json)),
            (Some("text/html, application/json;q=0"), None),
            (Some("*/*;q=0"), None),
            (Some("text/html"), None),
            (Some(""), None),
        ];
        for (accept, expected) in cases {
            assert_eq!(MediaType::negotiate(accept), expected, "{accept:?}");
        }
    }
}
