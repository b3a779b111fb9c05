// The language of the pages: the user's choice in this browser, otherwise what the server chose from `Accept-Language`.
// Each language is a file of its own, so the browser loads only one.

import type { Catalogue } from "./en";

export { span } from "./span";

/** The languages by name, each in its own language. */
export const languages = { en: "English", de: "Deutsch", fr: "Français", es: "Español", ja: "日本語" } as const;
export type Language = keyof typeof languages;

const STORED = "doorcode.language";
const loaders: Record<Language, () => Promise<Catalogue>> = {
  en: async () => (await import("./en")).en,
  de: async () => (await import("./de")).de,
  fr: async () => (await import("./fr")).fr,
  es: async () => (await import("./es")).es,
  ja: async () => (await import("./ja")).ja,
};

let catalogue: Catalogue;
let current: Language = "en";
let onChange = () => {};

const known = (tag: string | null | undefined): Language | null => (tag && tag in languages ? (tag as Language) : null);

/** The texts in the language of the page. */
export const text = (): Catalogue => catalogue;

/** The language of the page. */
export const language = (): Language => current;

/** Calls back when the texts have changed. */
export function whenChanged(callback: () => void): void {
  onChange = callback;
}

/** Loads the texts before the first paint. */
export async function start(fixed?: Language): Promise<void> {
  if (fixed) return load(fixed);
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    // Blocked storage keeps no choice.
  }
  return load(known(stored) ?? known(document.documentElement.lang) ?? "en");
}

/** Switches the language, and remembers it. */
export async function choose(next: Language): Promise<void> {
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // See above.
  }
  await load(next);
  onChange();
}

async function load(next: Language): Promise<void> {
  catalogue = await loaders[next]();
  current = next;
  document.documentElement.lang = next;
}

// ---- Dates and durations -------------------------------------------------------------------------------------------

/** A date without a time. */
export const date = (at: string): string => new Intl.DateTimeFormat(current, { dateStyle: "medium" }).format(new Date(at));

/** A date with a time. */
export const moment = (at: string): string =>
  new Intl.DateTimeFormat(current, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

/** How long ago something was. */
export function ago(at: string, now: number): string {
  const minutes = Math.max(0, Math.round((now - Date.parse(at)) / 60_000));
  const format = new Intl.RelativeTimeFormat(current, { numeric: "auto" });
  if (minutes < 60) return format.format(-minutes, "minute");
  if (minutes < 48 * 60) return format.format(-Math.round(minutes / 60), "hour");
  return format.format(-Math.round(minutes / 1440), "day");
}
