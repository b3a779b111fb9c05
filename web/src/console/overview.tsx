// How sign-in is going: sign-ins, failures and refusals over time, emails that wait, and what administrators changed.

import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../api/call";
import { AUDIT_TRAIL, OVERVIEW, type AuditFilter, type AuditKind, type Overview as OverviewData } from "../api/operations";
import { Chart, type Bar } from "./chart";
import { Choice } from "./choice";
import { useConsole } from "./context";
import { EventDialog, EventTable, type AuditEvent } from "./events";
import { day, dayAndHour, duration, hour, number } from "./format";
import { groups } from "./kinds";
import { ListProblem, useLoaded } from "./list";
import { link, search, useRoute } from "./route";
import { periodOf } from "./range";
import { words } from "./words";

const RANGES = ["day", "week", "month"] as const;
const CHARTS = ["signIns", "failures", "refusals"] as const;
/** Milliseconds between two looks at the numbers. */
const EVERY = 60_000;
/** Age in seconds from which waiting email needs attention. */
const LATE = 300;
const HOUR = 3_600_000;

type Statistics = OverviewData["auditStatistics"];

export function Overview() {
  const { ask } = useConsole();
  const { query } = useRoute();
  const t = words().overview;
  const range = RANGES.find((each) => each === query.get("range")) ?? "day";
  const { value, form, reload } = useLoaded(range, async () => {
    const { from, interval } = periodOf(range, query);
    if (!from || !interval) return null;
    const before = new Date(serverNow()).toISOString();
    const filter: AuditFilter = { kinds: [...groups.administration] };
    const [data, trail] = await Promise.all([ask(OVERVIEW, { from, before, interval }), ask(AUDIT_TRAIL, { first: 6, filter })]);
    return { data, changes: trail.auditEvents.nodes, isMonth: interval === "DAY" };
  });
  const [open, setOpen] = useState<AuditEvent | null>(null);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), EVERY);
    return () => clearInterval(timer);
  }, [range]);

  return (
    <>
      <div class="tools">
        <Choice label={t.range} value={range} options={t.ranges} onChoose={(next) => search({ range: next })} />
        {value && <Mail queue={value.data.mailQueue} />}
      </div>
      <ListProblem form={form} reload={reload} />
      <div class="charts">
        {CHARTS.map((name) =>
          value ? (
            <Chart
              title={words().groups[name]}
              hint={t.hints[name]}
              kind={name}
              unit={value.isMonth ? t.day : t.hour}
              bars={barsOf(value.data.auditStatistics, name, value.isMonth ? 24 * HOUR : HOUR)}
              key={name}
            />
          ) : (
            <div class="frame chart loading-part" aria-hidden="true" key={name} />
          ),
        )}
      </div>
      <section class="frame">
        <div class="frame-head">
          <h2>{t.changes}</h2>
          <a class="button quiet small" href={link("audit", "", { group: "administration", range: "month" })}>
            {t.all}
          </a>
        </div>
        {value?.changes.length === 0 && <p class="empty nothing">{t.noChanges}</p>}
        {value && value.changes.length > 0 && <EventTable events={value.changes} caption={t.changes} onOpen={setOpen} />}
      </section>
      {open && <EventDialog event={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function barsOf({ intervals, series }: Statistics, group: (typeof CHARTS)[number], length: number): Bar[] {
  const kinds = groups[group] as readonly AuditKind[];
  const counted = series.filter(({ kind }) => kinds.includes(kind));
  const isDay = length > HOUR;
  const isLong = intervals.length > 25;
  return intervals.map((at, index) => {
    const before = new Date(Date.parse(at) + length).toISOString();
    return {
      label: isDay ? day(at) : dayAndHour(at),
      short: isDay || isLong ? day(at) : hour(at),
      value: counted.reduce((sum, { counts }) => sum + (counts[index] ?? 0), 0),
      grows: Date.parse(before) > serverNow(),
      href: link("audit", "", { range: "custom", from: at, to: before, group }),
    };
  });
}

function Mail({ queue: { waiting, oldestAgeSeconds } }: { queue: OverviewData["mailQueue"] }) {
  const t = words().overview;
  const isLate = (oldestAgeSeconds ?? 0) >= LATE;
  return (
    <p class={isLate ? "mail late" : "mail"}>
      {waiting === 0 ? t.noMail : t.mail(number(waiting), duration(oldestAgeSeconds ?? 0))}
      {isLate && <strong> {t.mailLate}</strong>}
    </p>
  );
}
