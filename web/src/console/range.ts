// Ranges of time to look at, from now backwards.

import { serverNow } from "../api/call";
import type { AuditInterval } from "../api/operations";
import { localInput } from "./format";

export const ranges = ["hour", "day", "night", "week", "month", "all", "custom"] as const;
export type Range = (typeof ranges)[number];

export interface Period {
  from: string | null;
  before: string | null;
  /** How statistics count it. Null if it is too long for them. */
  interval: AuditInterval | null;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const iso = (at: number) => new Date(at).toISOString();

/** From yesterday evening to this morning, as the clock of the administrator shows it. */
function lastNight(now: number): Period {
  const evening = new Date(now);
  evening.setDate(evening.getDate() - 1);
  evening.setHours(18, 0, 0, 0);
  const morning = new Date(now);
  morning.setHours(8, 0, 0, 0);
  return { from: evening.toISOString(), before: iso(Math.min(morning.getTime(), now)), interval: "HOUR" };
}

function custom(query: URLSearchParams): Period {
  const at = (name: string) => {
    const time = new Date(query.get(name) ?? "");
    return Number.isNaN(time.getTime()) ? null : time.toISOString();
  };
  const [from, before] = [at("from"), at("to")];
  const length = from && before ? Date.parse(before) - Date.parse(from) : 0;
  return { from, before, interval: length <= 0 || length > 400 * DAY ? null : length <= 31 * DAY ? "HOUR" : "DAY" };
}

/**
 * The period of a range. It starts with a whole hour or day, as statistics count, so that both agree. An open end
 * follows new events.
 */
export function periodOf(range: Range, query: URLSearchParams): Period {
  const now = serverNow();
  const back = (length: number, unit: number) => iso(Math.floor((now - length) / unit) * unit);
  if (range === "night") return lastNight(now);
  if (range === "custom") return custom(query);
  if (range === "all") return { from: null, before: null, interval: null };
  if (range === "hour") return { from: iso(now - HOUR), before: null, interval: null };
  if (range === "week") return { from: back(7 * DAY, HOUR), before: null, interval: "HOUR" };
  if (range === "month") return { from: back(30 * DAY, DAY), before: null, interval: "DAY" };
  return { from: back(DAY, HOUR), before: null, interval: "HOUR" };
}

/** What the fields of a custom range start with: the last 24 hours. */
export const customStart = () => ({ from: localInput(iso(serverNow() - DAY)), to: localInput(iso(serverNow())) });
