//! The language of messages, from `Accept-Language`.

use axum::http::{HeaderMap, header};

use crate::{domain::mail::template::Locale, http::response::accept::weight};

/// The language that the client prefers among ours, if it accepts one of them. At equal weight the first one wins.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Locale> {
    let lists = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|list| list.to_str().ok());
    let mut best = None;
    for range in lists.flat_map(|list| list.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let locale = parts.next().and_then(Locale::of_tag);
        let weight = weight(parts);
        if let Some(locale) = locale
            && weight > best.map_or(0, |(weight, _)| weight)
        {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_language_with_the_highest_weight_wins() {
        use Locale::{De, En, Es, Fr, Ja};
        let cases: [(&[&str], Option<Locale>); 13] = [
            (&[], None),
            (&["de-CH, de;q=0.9, en;q=0.8"], Some(De)),
            (&["en;q=0.3, FR-ca ; q=0.7, es;q=0.7"], Some(Fr)),
            (&["it, pt;q=0.9, es;q=0.1"], Some(Es)),
            (&["en;q=0.5", "ja"], Some(Ja)),
            (&["de;q=0"], None),
            (&["de;q=0, en"], Some(En)),
            (&["de;q=nonsense, en;q=0.001"], Some(En)),
            (&["de;q=NaN"], None),
            (&["*"], None),
            (&["it"], None),
            (&[",;,;q=1,"], None),
            (&["zh-Hant-TW, ja_JP;q=2"], Some(Ja)),
        ];
        for (values, expected) in cases {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            }
            assert_eq!(accepted(&headers), expected, "{values:?}");
        }
    }
}
