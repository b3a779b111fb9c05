//! The settings that are counts and lifetimes: limits, tokens, retention. Each has bounds, so that no slip of a
//! keyboard opens a door for a year or closes one for everybody.

use std::time::Duration;

use url::Url;

use super::{ServeFlags, TokenAlgorithm, TokenSettings, parse, problems::Reader};
use crate::limits::{Limits, Quota};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The default is the example too: it is within its own bounds.
fn duration(
    reader: &mut Reader,
    variable: &str,
    raw: Option<&str>,
    default: Duration,
    (least, most): (Duration, Duration),
) -> Duration {
    let example = humantime::format_duration(default).to_string();
    reader.or(variable, raw, default, &example, |text| parse::duration(text, least, most))
}

/// How long to wait for the database at the start.
pub(super) fn database_wait(reader: &mut Reader, flags: &ServeFlags) -> Duration {
    let raw = flags.database_wait.as_deref();
    duration(reader, "DOORCODE_DATABASE_WAIT", raw, 30 * SECOND, (Duration::ZERO, HOUR))
}

/// How long client addresses are kept.
pub(super) fn ip_retention(reader: &mut Reader, flags: &ServeFlags) -> Duration {
    let raw = flags.ip_retention.as_deref();
    duration(reader, "DOORCODE_IP_RETENTION", raw, 90 * DAY, (Duration::ZERO, 3650 * DAY))
}

pub(super) fn audit_retention(reader: &mut Reader, flags: &ServeFlags) -> Duration {
    let raw = flags.audit_retention.as_deref();
    duration(reader, "DOORCODE_AUDIT_RETENTION", raw, 400 * DAY, (DAY, 3650 * DAY))
}

pub(super) fn erase_after(reader: &mut Reader, flags: &ServeFlags) -> Duration {
    let raw = flags.erase_after.as_deref();
    duration(reader, "DOORCODE_ERASE_AFTER", raw, 30 * DAY, (Duration::ZERO, 3650 * DAY))
}

/// Everything about tokens; their audience is the service itself unless somebody says otherwise.
pub(super) fn tokens(reader: &mut Reader, flags: &ServeFlags, public_url: &Url) -> TokenSettings {
    const ALGORITHMS: [(&str, TokenAlgorithm); 4] = [
        ("EdDSA", TokenAlgorithm::EdDsa),
        ("ES256", TokenAlgorithm::Es256),
        ("RS256", TokenAlgorithm::Rs256),
        ("HS256", TokenAlgorithm::Hs256),
    ];
    let algorithm = |text: &str| parse::choice(text, &ALGORITHMS);
    let audience = public_url.as_str().trim_end_matches('/').to_owned();
    let (access, idle, most) =
        (flags.access_ttl.as_deref(), flags.refresh_idle.as_deref(), flags.session_max.as_deref());
    TokenSettings {
        algorithm: reader.or(
            "DOORCODE_TOKEN_ALG",
            flags.token_alg.as_deref(),
            TokenAlgorithm::EdDsa,
            "EdDSA",
            algorithm,
        ),
        audience: reader.or(
            "DOORCODE_TOKEN_AUDIENCE",
            flags.token_audience.as_deref(),
            audience,
            "https://api.example.com",
            |text| parse::printable(text, 255),
        ),
        access_ttl: duration(reader, "DOORCODE_ACCESS_TTL", access, 15 * MINUTE, (MINUTE, HOUR)),
        refresh_idle: duration(reader, "DOORCODE_REFRESH_IDLE", idle, 7 * DAY, (MINUTE, 365 * DAY)),
        session_max: duration(reader, "DOORCODE_SESSION_MAX", most, 30 * DAY, (MINUTE, 365 * DAY)),
    }
}

/// Everything in limits.md, with the defaults of [`Limits`].
pub(super) fn limits(reader: &mut Reader, flags: &ServeFlags) -> Limits {
    let default = Limits::default();
    let mut quota = |variable: &str, raw: &Option<String>, default: Quota| {
        let example = format!("{}/{}", default.count, humantime::format_duration(default.window));
        reader.or(variable, raw.as_deref(), default, &example, parse::quota)
    };
    let mut limits = Limits {
        send_pair: quota("DOORCODE_LIMIT_SEND_PAIR", &flags.limit_send_pair, default.send_pair),
        send_address: quota("DOORCODE_LIMIT_SEND_ADDRESS", &flags.limit_send_address, default.send_address),
        send_address_day: quota(
            "DOORCODE_LIMIT_SEND_ADDRESS_DAY",
            &flags.limit_send_address_day,
            default.send_address_day,
        ),
        send_network: quota("DOORCODE_LIMIT_SEND_NETWORK", &flags.limit_send_network, default.send_network),
        send_instance: quota("DOORCODE_LIMIT_SEND_INSTANCE", &flags.limit_send_instance, default.send_instance),
        verify_network: quota("DOORCODE_LIMIT_VERIFY_NETWORK", &flags.limit_verify_network, default.verify_network),
        guess_account: quota("DOORCODE_LIMIT_GUESS_ACCOUNT", &flags.limit_guess_account, default.guess_account),
        guess_account_month: quota(
            "DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH",
            &flags.limit_guess_account_month,
            default.guess_account_month,
        ),
        refresh_session: quota("DOORCODE_LIMIT_REFRESH_SESSION", &flags.limit_refresh_session, default.refresh_session),
        api_caller: quota("DOORCODE_LIMIT_API_CALLER", &flags.limit_api_caller, default.api_caller),
        ..default
    };
    let (cooldown, ttl) = (flags.send_cooldown.as_deref(), flags.code_ttl.as_deref());
    let (length, tries) = (flags.code_length.as_deref(), flags.code_tries.as_deref());
    limits.send_cooldown = duration(reader, "DOORCODE_SEND_COOLDOWN", cooldown, limits.send_cooldown, (SECOND, DAY));
    limits.code_ttl = duration(reader, "DOORCODE_CODE_TTL", ttl, limits.code_ttl, (MINUTE, 30 * MINUTE));
    limits.code_tries =
        reader.or("DOORCODE_CODE_TRIES", tries, limits.code_tries, "3", |text| parse::number(text, 1, 10));
    // At most twelve digits, so the number of them fits anywhere.
    limits.code_length = reader.or("DOORCODE_CODE_LENGTH", length, limits.code_length, "8", |text| {
        parse::number(text, 6, 12).map(|digits| digits as usize)
    });
    limits
}
