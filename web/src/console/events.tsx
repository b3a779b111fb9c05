// Audit events as rows of a table, and one of them in a dialog.

import { Component } from "preact";
import { deviceName } from "../account/device-name";
import type { AuditTrail } from "../api/operations";
import { language, text } from "../i18n";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { clock, exact, number, shortDay } from "./format";
import { groupOf, kindName } from "./kinds";
import { link } from "./route";
import { words } from "./words";

export type AuditEvent = AuditTrail["auditEvents"]["nodes"][number];
type Named = NonNullable<AuditEvent["subject"]>;

const nameOf = (user: Named | null) => user && (user.name ?? user.email);

/** A value of the API in words, if it is a name such as `MANAGER`. */
function worded(value: string | null): string {
  const t = words();
  if (value === null) return text().account.none;
  return (t.roles as Record<string, string>)[value] ?? (t.statuses as Record<string, string>)[value] ?? value;
}

/** The details of an event, each as a name and a value. */
function detailsOf({ details }: AuditEvent): [string, string][] {
  const t = words().event;
  if (!details) return [];
  const { changes, reason, method, rule, field, attempt, addressHash, apiKeyName, scopes, clientId, erased } = details;
  const all: [string, string | null][] = [
    ...changes.map(({ field: name, before, after }): [string, string] => [
      t.fields[name] ?? name,
      before === null ? worded(after) : `${worded(before)} → ${worded(after)}`,
    ]),
    [t.reason, reason && (words().person.endReasons[reason] ?? reason)],
    [t.method, method && (words().person.methods[method] ?? method)],
    [t.rule, rule],
    [t.field, field],
    [t.attempt, attempt === null ? null : number(attempt)],
    [t.apiKey, apiKeyName],
    [t.scopes, scopes.join(", ")],
    [t.client, clientId],
    [t.addressHash, addressHash],
    [t.erased, erased ? t.erasedValue : null],
  ];
  return all.flatMap(([name, value]) => (value ? [[name, value] as [string, string]] : []));
}

/** The details that tell the most, in a line. */
export function summary(event: AuditEvent): string {
  const hidden = [words().event.addressHash, words().event.attempt];
  return detailsOf(event)
    .filter(([name]) => !hidden.includes(name))
    .map(([name, value]) => (event.details?.changes.length ? `${name}: ${value}` : value))
    .join(" · ");
}

export const eventHead = () => {
  const t = words().event;
  return [t.time, t.kind, t.count, t.subject, t.actor, t.address, t.device, t.session, t.request, t.details];
};

export const eventCells = (event: AuditEvent) => [
  event.at, event.kind, event.count, event.subject?.email ?? null, event.actor?.email ?? null, event.ipAddress, event.userAgent,
  event.sessionId, event.requestId, summary(event),
];

interface RowProps {
  event: AuditEvent;
  /** Whether all rows are about or by the same user, whom the page names. */
  ofOne: "subject" | "actor" | null;
  onOpen: (event: AuditEvent) => void;
}

/** A row that never changes, so that a live table draws only new ones. */
class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps) {
    return next.event !== this.props.event;
  }

  override render() {
    const { event, ofOne, onOpen } = this.props;
    const line = summary(event);
    return (
      // The button is for the keyboard. With a pointer, the whole row opens.
      <tr role="row" onClick={() => onOpen(event)}>
        <td role="cell" class="time">
          {shortDay(event.at)} <span>{clock(event.at)}</span>
        </td>
        <th role="rowheader" scope="row">
          <span class="event-name">
            <span class={`mark ${groupOf(event.kind) ?? ""}`} aria-hidden="true" />
            <button type="button" class="row-link">
              {kindName(event.kind)}
            </button>
            {event.count > 1 && <span class="times">×{number(event.count)}</span>}
          </span>
          {line && <span class="hint line">{line}</span>}
        </th>
        {ofOne !== "subject" && <td role="cell" class="cut">{nameOf(event.subject) ?? "–"}</td>}
        {ofOne !== "actor" && <td role="cell" class="cut wide-only">{event.actor?.id === event.subject?.id ? "–" : (nameOf(event.actor) ?? "–")}</td>}
        <td role="cell" class="cut wide-only">
          {event.ipAddress ?? "–"}
          {event.userAgent && <span class="hint line">{deviceName(event.userAgent)}</span>}
        </td>
      </tr>
    );
  }
}

interface TableProps {
  events: AuditEvent[];
  caption: string;
  busy?: boolean;
  ofOne?: RowProps["ofOne"];
  onOpen: (event: AuditEvent) => void;
}

export function EventTable({ events, caption, busy, ofOne = null, onOpen }: TableProps) {
  const t = words().event;
  return (
    // The roles are those of the elements, which lose them because the rows are laid out as grids.
    <table key={language()} role="table" class={`table events-table ${ofOne ? "of-one" : ""}`} aria-busy={busy}>
      <caption class="sr-only">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="time">{t.time}</th>
          <th role="columnheader" scope="col">{t.kind}</th>
          {ofOne !== "subject" && <th role="columnheader" scope="col" class="user">{t.subject}</th>}
          {ofOne !== "actor" && <th role="columnheader" scope="col" class="user wide-only">{t.actor}</th>}
          <th role="columnheader" scope="col" class="from wide-only">{t.from}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {events.map((event) => (
          <Row event={event} ofOne={ofOne} onOpen={onOpen} key={event.id} />
        ))}
      </tbody>
    </table>
  );
}

/** Everything about an event, with links to the events around it. */
export function EventDialog({ event, onClose }: { event: AuditEvent; onClose: () => void }) {
  const t = words().event;
  const user = (of: Named | null) =>
    of && (
      <a href={link("people", of.id)} onClick={onClose}>
        {nameOf(of)}
      </a>
    );
  const facts: [string, preact.ComponentChildren][] = [
    [t.time, exact(event.at)],
    [t.count, event.count > 1 ? number(event.count) : null],
    [t.subject, user(event.subject)],
    [t.actor, event.actor?.id === event.subject?.id ? null : user(event.actor)],
    ...detailsOf(event),
    [t.address, event.ipAddress],
    [t.device, event.userAgent && deviceName(event.userAgent)],
    [t.userAgent, event.userAgent],
    [t.session, event.sessionId && <code>{event.sessionId}</code>],
    [t.request, event.requestId && <code>{event.requestId}</code>],
  ];
  const only = (label: string, query: Record<string, string>) => (
    <a class="button secondary small" href={link("audit", "", { range: "week", ...query })} onClick={onClose}>
      {label}
    </a>
  );
  return (
    <Dialog title={kindName(event.kind)} onClose={onClose}>
      <dl class="event-facts">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
      <div class="actions">
        {event.subject && only(t.onlySubject, { user: event.subject.id })}
        {event.ipAddress && only(t.onlyNetwork, { network: event.ipAddress })}
        {event.sessionId && only(t.onlySession, { session: event.sessionId, range: "all" })}
        <Button kind="quiet" small onClick={onClose} autofocus>
          {t.close}
        </Button>
      </div>
    </Dialog>
  );
}
