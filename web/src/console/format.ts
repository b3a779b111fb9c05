// Numbers and times in the language of the page.

import { language } from "../i18n";

/** Making a formatter is slow, and a live table formats hundreds of times a second. */
const kept = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): (at: string | number) => string {
  return (at) => {
    const key = `${name} ${language()}`;
    let made = kept.get(key);
    if (!made) kept.set(key, (made = new Intl.DateTimeFormat(language(), options)));
    return made.format(new Date(at));
  };
}

/** A date with a time to the second. */
export const exact = format("exact", { dateStyle: "medium", timeStyle: "medium" });
export const shortDay = format("shortDay", { day: "numeric", month: "short" });
export const clock = format("clock", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const hour = format("hour", { hour: "numeric" });
export const dayAndHour = format("dayAndHour", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
/** The API counts days in UTC. */
export const day = format("day", { day: "numeric", month: "short", timeZone: "UTC" });

export const number = (value: number): string => new Intl.NumberFormat(language()).format(value);

/** A duration in its largest unit, such as `3 minutes`. */
export function duration(seconds: number): string {
  const [value, unit] = seconds < 60 ? [seconds, "second"] : seconds < 3600 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(language(), { style: "unit", unit: String(unit), unitDisplay: "long" }).format(Math.round(Number(value)));
}

/** A time as an `<input type="datetime-local">` has it. */
export function localInput(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "";
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
