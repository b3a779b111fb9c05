//! The look of the pages: the logo and the colours of the operator, from settings.

use std::future::ready;

use axum::{
    Router,
    extract::RawQuery,
    http::HeaderMap,
    routing::{MethodRouter, get},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::assets::{self, Served};
use crate::{
    domain::vault,
    settings::{Accent, LogoKind, Shades, Theme},
};

const LOGO: &str = "/theme/logo";
const COLOURS: &str = "/theme/colours.css";

/// Allows an SVG only its own styles. In a tab of its own, it runs no script and has no origin.
const LOGO_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/// The files of a theme.
pub(super) struct Look {
    logo: Option<Versioned>,
    colours: Option<Versioned>,
}

/// A file whose path changes with its content.
struct Versioned {
    file: Served,
    version: String,
    /// The path with the version.
    path: String,
}

impl Versioned {
    fn new(path: &str, file: Served) -> Self {
        let version = URL_SAFE_NO_PAD.encode(vault::sha256_bytes(&file.content).get(..12).unwrap_or_default());
        Self { path: format!("{path}?{version}"), version, file }
    }
}

impl Look {
    pub(super) fn of(theme: &Theme) -> Self {
        let logo = theme.logo.as_ref().map(|logo| Served {
            kind: if logo.kind == LogoKind::Png { "image/png" } else { assets::SVG },
            policy: LOGO_POLICY,
            content: logo.bytes.clone(),
            encoding: None,
        });
        let colours = theme.accent.map(|accent| Served {
            kind: assets::CSS,
            policy: assets::ASSET_POLICY,
            content: style(accent).into(),
            encoding: None,
        });
        let versioned = |path, file: Option<Served>| file.map(|file| Versioned::new(path, file));
        Self { logo: versioned(LOGO, logo), colours: versioned(COLOURS, colours) }
    }

    /// The path of the logo.
    pub(super) fn logo(&self) -> Option<&str> {
        self.logo.as_ref().map(|logo| &*logo.path)
    }

    /// The path of the style sheet with the colours.
    pub(super) fn colours(&self) -> Option<&str> {
        self.colours.as_ref().map(|colours| &*colours.path)
    }

    /// Routes of the logo and the colours that are set. Others don't exist.
    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let files = [(LOGO, self.logo), (COLOURS, self.colours)];
        let files = files.into_iter().filter_map(|(path, file)| Some((path, file?)));
        files.fold(Router::new(), |router, (path, file)| router.route(path, serve(file)))
    }
}

fn serve<S: Clone + Send + Sync + 'static>(Versioned { file, version, .. }: Versioned) -> MethodRouter<S> {
    get(move |RawQuery(asked): RawQuery, request: HeaderMap| {
        ready(file.respond(&version, asked.as_ref() == Some(&version), &request))
    })
}

/// The colours as custom properties, which `web/src/styles/base.css` uses.
fn style(Accent { light, dark }: Accent) -> String {
    format!("{}@media (prefers-color-scheme:dark){{{}}}\n", properties(light), properties(dark))
}

fn properties(Shades { accent, on_accent, over, text }: Shades) -> String {
    format!(":root{{--accent:{accent};--on-accent:{on_accent};--accent-over:{over};--accent-text:{text}}}")
}
