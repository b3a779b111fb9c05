// What happened to a user, or what they did, newest first.

import { useEffect, useState } from "preact/hooks";
import { useAction } from "../account/part";
import { AUDIT_TRAIL, type AuditFilter } from "../api/operations";
import { text } from "../i18n";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import { Choice } from "./choice";
import { useConsole } from "./context";
import { EventDialog, EventTable, type AuditEvent } from "./events";
import type { PageFacts } from "./list";
import type { Account } from "./person";
import { link } from "./route";
import { words } from "./words";

const MOST = 20;

export function Timeline({ user, turn }: { user: Account; turn: number }) {
  const { ask } = useConsole();
  const t = words().person;
  const form = useAction();
  const [as, setAs] = useState<"subject" | "actor">("subject");
  const [events, setEvents] = useState<AuditEvent[] | null>(null);
  const [facts, setFacts] = useState<PageFacts | null>(null);
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const load = (after: string | null) =>
    form.act(async () => {
      const filter: AuditFilter = as === "subject" ? { subjectId: user.id } : { actorId: user.id };
      const { auditEvents } = await ask(AUDIT_TRAIL, { first: MOST, after, filter });
      setEvents((old) => [...(after && old ? old : []), ...auditEvents.nodes]);
      setFacts(auditEvents.pageInfo);
    });
  useEffect(() => load(null), [turn, as]);
  return (
    <section class="frame">
      <div class="frame-head">
        <h2>{t.timeline}</h2>
        <Choice label={t.timelineOf} value={as} options={{ subject: t.asSubject, actor: t.asActor }} onChoose={(next) => setAs(next === "actor" ? next : "subject")} />
        <a class="button quiet small" href={link("audit", "", { user: user.id, range: "month", ...(as === "actor" ? { as } : {}) })}>
          {t.inAudit}
        </a>
      </div>
      <FormError form={form} />
      {events?.length === 0 && <p class="empty nothing">{text().security.noActivity}</p>}
      {events && events.length > 0 && <EventTable events={events} caption={t.timeline} ofOne={as} onOpen={setOpen} />}
      {facts?.hasNextPage && (
        <div class="frame-foot">
          <Button kind="secondary" small busy={form.busy} onClick={() => load(facts.endCursor)}>
            {text().security.more}
          </Button>
        </div>
      )}
      {open && <EventDialog event={open} onClose={() => setOpen(null)} />}
    </section>
  );
}
