//! Device names for mails. The raw user agent never leaves this file.

/// Describes a device in words that fit every language, such as `Firefox on Linux`. All parts come from fixed lists, so
/// no text of the header reaches a mail.
pub(super) fn describe_device(user_agent: &str) -> Option<String> {
    // Order matters: browsers also send the tokens of the browsers they imitate, and Android sends `Linux`.
    const BROWSERS: [(&str, &str); 13] = [
        ("Edg/", "Edge"),
        ("EdgA/", "Edge"),
        ("EdgiOS/", "Edge"),
        ("OPR/", "Opera"),
        ("Vivaldi/", "Vivaldi"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("FxiOS/", "Firefox"),
        ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 9] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
        ("FreeBSD", "FreeBSD"),
    ];
    let known = |list: &[(&str, &'static str)]| {
        list.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, name)| *name)
    };
    // Crawlers and old Android send `Version/` too, so also require `Safari/`.
    let browser = known(&BROWSERS).filter(|name| *name != "Safari" || user_agent.contains("Safari/"));
    match (browser, known(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}{ON}{system}")),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
    }
}

/// Separator in the result of [`describe_device`].
pub(super) const ON: &str = " on ";
