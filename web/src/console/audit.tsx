// The audit trail: by kind, user, network and session, for a range of time or live.

import { useEffect, useState } from "preact/hooks";
import { AUDIT_TRAIL, KIND_TOTALS, type AuditFilter, type AuditKind, type KindTotals } from "../api/operations";
import { serverNow } from "../api/call";
import { speak } from "../ui/announce";
import { Button } from "../ui/button";
import { Chips, NarrowDown } from "./audit-filters";
import { Choice } from "./choice";
import { useConsole } from "./context";
import { eventCells, EventDialog, eventHead, EventTable, type AuditEvent } from "./events";
import { Facets } from "./facets";
import { localInput } from "./format";
import { groups, type Group } from "./kinds";
import { cursorOf, ExportButton, ListProblem, Pager, useLoaded, type Cursor } from "./list";
import { customStart, periodOf, ranges, type Range } from "./range";
import { currentQuery, search, useRoute } from "./route";
import { Tail } from "./tail";
import { words } from "./words";

export const filterNames = ["range", "from", "to", "group", "kind", "user", "as", "network", "session", "email", "live"] as const;
export type Filters = Record<(typeof filterNames)[number], string>;

const filtersOf = (query: URLSearchParams) =>
  Object.fromEntries(filterNames.map((name) => [name, query.get(name) ?? ""])) as Filters;

function rangeOf({ range }: Filters): Range {
  return ranges.find((each) => each === range) ?? "day";
}

/** The filter without the range of time. */
function filterOf({ group, kind, user, as, network, session, email }: Filters): AuditFilter {
  const filter: AuditFilter = {};
  if (kind) filter.kinds = [kind as AuditKind];
  else if (group in groups) filter.kinds = [...groups[group as Group]];
  if (user) filter[as === "actor" ? "actorId" : "subjectId"] = user;
  if (network) filter.network = network;
  if (session) filter.sessionId = session;
  if (email) filter.email = email;
  return filter;
}

export function Audit() {
  const { query } = useRoute();
  const t = words().audit;
  const filters = filtersOf(query);
  const range = rangeOf(filters);
  // The field asks the server for a user first, and another filter may have changed meanwhile.
  const change = (part: Partial<Filters>) => search({ ...filtersOf(currentQuery()), ...part });
  const isLive = filters.live !== "";
  return (
    <>
      <div class="tools">
        {!isLive && (
          <Choice label={t.range} value={range} options={t.ranges} onChoose={(next) => change({ range: next, ...(next === "custom" ? customStart() : { from: "", to: "" }) })} />
        )}
        {!isLive && range === "custom" && <CustomRange filters={filters} onChange={change} />}
        <NarrowDown onFilter={change} />
        <div class="tool-actions">
          {!isLive && <SaveEvents filters={filters} query={query} />}
          {!isLive && (
            <Button small onClick={() => change({ live: "1" })}>
              {t.goLive}
            </Button>
          )}
        </div>
      </div>
      <Chips filters={filters} onChange={change} />
      <CountedFacets filters={filters} query={query} onChange={change} />
      {isLive ? <Tail filter={filterOf(filters)} onStop={() => change({ live: "" })} /> : <Trail filters={filters} query={query} />}
    </>
  );
}

interface PartProps {
  filters: Filters;
  query: URLSearchParams;
}

function useTrail({ filters, query }: PartProps) {
  const { ask } = useConsole();
  const { from, before } = periodOf(rangeOf(filters), query);
  const filter: AuditFilter = { ...filterOf(filters), from, before };
  return async (cursor: Cursor) => (await ask(AUDIT_TRAIL, { ...cursor, filter })).auditEvents;
}

function SaveEvents(props: PartProps) {
  return <ExportButton name="audit" head={eventHead()} cells={eventCells} ask={useTrail(props)} />;
}

function Trail(props: PartProps) {
  const { filters, query } = props;
  const t = words().audit;
  const load = useTrail(props);
  const { value: page, form, reload } = useLoaded(query.toString(), () => load(cursorOf(query)));
  const [open, setOpen] = useState<AuditEvent | null>(null);
  useEffect(() => {
    if (page) speak(t.shown(page.nodes.length));
  }, [page]);
  return (
    <>
      <ListProblem form={form} reload={reload} />
      {page?.nodes.length === 0 && (
        <div class="frame nothing">
          <p class="empty">{t.nothing}</p>
        </div>
      )}
      {page && page.nodes.length > 0 && (
        <div class="frame">
          <EventTable events={page.nodes} caption={words().sections.audit} busy={form.busy} onOpen={setOpen} />
        </div>
      )}
      {!page && !form.problem && <div class="frame loading-part" aria-hidden="true" />}
      {page && <Pager facts={page.pageInfo} label={t.pages} busy={form.busy} onTurn={(to) => search({ ...filters, ...to }, true)} />}
      {open && <EventDialog event={open} onClose={() => setOpen(null)} />}
    </>
  );
}

/** The groups and kinds, with how many events each has in the range, unless another filter makes that misleading. */
function CountedFacets({ filters, query, onChange }: PartProps & { onChange: (part: Partial<Filters>) => void }) {
  const { ask } = useConsole();
  const [totals, setTotals] = useState<Map<AuditKind, number> | null>(null);
  const { range, from, to, user, network, session, email, live } = filters;
  const period = periodOf(rangeOf(filters), query);
  const isCounted = period.from && period.interval && !user && !network && !session && !email && !live;
  useEffect(() => {
    setTotals(null);
    if (!isCounted || !period.from || !period.interval) return undefined;
    let isLate = false;
    const variables = { from: period.from, before: period.before ?? new Date(serverNow()).toISOString(), interval: period.interval };
    ask(KIND_TOTALS, variables).then(
      ({ auditStatistics }: KindTotals) => {
        if (!isLate) setTotals(new Map(auditStatistics.series.map(({ kind, total }) => [kind, total])));
      },
      () => {}, // The list says what is wrong. Without numbers, the facets still filter.
    );
    return () => {
      isLate = true;
    };
  }, [range, from, to, isCounted]);
  return <Facets group={filters.group} kind={filters.kind} totals={totals} onChoose={(group, kind) => onChange({ group, kind })} />;
}

function CustomRange({ filters, onChange }: { filters: Filters; onChange: (part: Partial<Filters>) => void }) {
  const t = words().audit;
  return (
    <>
      {(["from", "to"] as const).map((name) => (
        <label class="choice" key={name}>
          <span class="sr-only">{t[name]}</span>
          <input class="input" type="datetime-local" name={name} value={filters[name] && localInput(filters[name])} onChange={(event) => onChange({ [name]: event.currentTarget.value })} />
        </label>
      ))}
    </>
  );
}
