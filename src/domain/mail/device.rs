//! What a device is called in a mail. Nothing of the header itself ever leaves this file.

/// A device in words that every language can use, such as `Firefox on Linux`. It is put together from
/// a closed list, so that nothing of the header itself ever reaches a mail.
pub(super) fn describe_device(user_agent: &str) -> Option<String> {
    // Order matters: browsers name the ones they want to be taken for, and Android names Linux.
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
    // Only Safari calls its version that, but so do crawlers and old Android: it must say Safari, too.
    let browser = known(&BROWSERS).filter(|name| *name != "Safari" || user_agent.contains("Safari/"));
    match (browser, known(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}{ON}{system}")),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
    }
}

/// Between browser and system in what [`describe_device`] gives.
pub(super) const ON: &str = " on ";
