// Names of devices, such as “Firefox on Linux”, from fixed lists. `src/domain/mail/device.rs` does the same for emails.

import { text } from "../i18n";

// Order matters: browsers also send the tokens of the browsers they imitate, and Android sends `Linux`.
const browsers: [token: string, name: string][] = [
  ["Edg/", "Edge"], ["EdgA/", "Edge"], ["EdgiOS/", "Edge"], ["OPR/", "Opera"], ["Vivaldi/", "Vivaldi"],
  ["SamsungBrowser/", "Samsung Internet"], ["FxiOS/", "Firefox"], ["Firefox/", "Firefox"], ["CriOS/", "Chrome"],
  ["Chromium/", "Chromium"], ["Chrome/", "Chrome"], ["Safari/", "Safari"], ["curl/", "curl"],
];
const systems: [token: string, name: string][] = [
  ["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["CrOS", "ChromeOS"], ["Windows", "Windows"],
  ["Mac OS X", "macOS"], ["Macintosh", "macOS"], ["Linux", "Linux"], ["FreeBSD", "FreeBSD"],
];

/** The name of the device that sent a `User-Agent`. */
export function deviceName(userAgent: string | null): string {
  const find = (list: [string, string][]) => list.find(([token]) => userAgent?.includes(token))?.[1];
  const [browser, system] = [find(browsers), find(systems)];
  if (browser && system) return text().security.browserOn(browser, system);
  return browser ?? system ?? text().security.unknownDevice;
}
