//! The settings of the worker, from environment variables. Doorcode reads its own.

use std::{env, fs, time::Duration};

use doorcode::error::{Error, Result};
use secrecy::SecretString;
use url::{Host, Url};

/// Where to ask for findings.
#[derive(Clone, Debug)]
pub struct HttpProvider {
    /// The address of an OpenAI-compatible API, such as `https://api.openai.com/v1`.
    pub url: Url,
    /// Its key. Never logged.
    pub key: Option<SecretString>,
    /// Time limit for one answer.
    pub timeout: Duration,
}

/// The settings of the worker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `VERIFICAI_WORKERS`: the number of analyses that run at once in this process (default 2). 0: none.
    pub workers: usize,
    /// `VERIFICAI_PROVIDER_URL`, `VERIFICAI_PROVIDER_KEY` or `VERIFICAI_PROVIDER_KEY_FILE`, `VERIFICAI_PROVIDER_TIMEOUT`.
    /// Without a URL, built-in rules find findings, offline.
    pub provider: Option<HttpProvider>,
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// All problems together.
    pub fn load() -> Result<Self> {
        Self::read(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Reads the variables that `get` returns.
    ///
    /// # Errors
    /// All problems together.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut wrong = Vec::new();
        let mut number = |name: &str, default: u64, least: u64, most: u64| {
            let Some(text) = get(name) else { return default };
            text.parse().ok().filter(|value| (least..=most).contains(value)).unwrap_or_else(|| {
                wrong.push(format!("{name} must be a number between {least} and {most}"));
                default
            })
        };
        let workers = number("VERIFICAI_WORKERS", 2, 0, 64);
        let timeout = Duration::from_secs(number("VERIFICAI_PROVIDER_TIMEOUT", 60, 1, 600));
        let key = match (get("VERIFICAI_PROVIDER_KEY"), get("VERIFICAI_PROVIDER_KEY_FILE")) {
            (Some(_), Some(_)) => {
                wrong.push("VERIFICAI_PROVIDER_KEY and VERIFICAI_PROVIDER_KEY_FILE cannot both be set".to_owned());
                None
            }
            (None, Some(path)) => match fs::read_to_string(path) {
                Ok(key) => Some(key.trim().to_owned()),
                Err(error) => {
                    wrong.push(format!("VERIFICAI_PROVIDER_KEY_FILE cannot be read ({error})"));
                    None
                }
            },
            (key, None) => key,
        };
        let url = get("VERIFICAI_PROVIDER_URL").and_then(|text| match Url::parse(&text) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) && url.username().is_empty() => Some(url),
            _ => {
                wrong.push("VERIFICAI_PROVIDER_URL must be an http or https URL without a user".to_owned());
                None
            }
        });
        if let (Some(url), Some(_)) = (&url, &key)
            && url.scheme() == "http"
            && !is_local(url)
        {
            wrong.push("VERIFICAI_PROVIDER_URL must be https, because the key would be sent unencrypted".to_owned());
        }
        if wrong.is_empty() {
            let key = key.map(SecretString::from);
            let provider = url.map(|url| HttpProvider { url, key, timeout });
            Ok(Self { workers: usize::try_from(workers).unwrap_or_default(), provider })
        } else {
            Err(Error::Startup(wrong.join(". ")))
        }
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings> {
        Settings::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_variables_the_rules_work_offline() {
        let settings = read(&[]).unwrap();
        assert!(settings.workers == 2 && settings.provider.is_none());
    }

    #[test]
    fn all_wrong_settings_are_named_at_once() {
        let wrong = [
            ("VERIFICAI_WORKERS", "65"),
            ("VERIFICAI_PROVIDER_TIMEOUT", "soon"),
            ("VERIFICAI_PROVIDER_KEY", "k"),
            ("VERIFICAI_PROVIDER_KEY_FILE", "/missing"),
            ("VERIFICAI_PROVIDER_URL", "ftp://example.com"),
        ];
        let message = read(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn a_key_is_sent_unencrypted_only_to_this_machine() {
        let with = |url| read(&[("VERIFICAI_PROVIDER_URL", url), ("VERIFICAI_PROVIDER_KEY", "canary")]);
        assert!(with("http://127.0.0.1:8000/v1").is_ok() && with("https://llm.example.com/v1").is_ok());
        let refused = with("http://llm.example.com/v1").unwrap_err().to_string();
        assert!(refused.contains("https") && !refused.contains("canary"));
        let printed = format!("{:?}", with("https://llm.example.com/v1").unwrap());
        assert!(!printed.contains("canary"), "{printed}");
    }
}
