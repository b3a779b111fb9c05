// The live table. Events can arrive much faster than anyone reads, so they are drawn in batches, and only the newest
// ones are kept.

import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../account/part";
import type { AuditFilter } from "../api/operations";
import { text } from "../i18n";
import { Button } from "../ui/button";
import { FormError } from "../ui/field";
import { eventCells, EventDialog, eventHead, EventTable, type AuditEvent } from "./events";
import { number } from "./format";
import { saveRows } from "./list";
import { follow, type TailState } from "./live";
import { words } from "./words";

/** Most rows in the table, and most events that wait while it is paused. */
const MOST = 50;
/** Milliseconds between two drawings. */
const EVERY = 100;
/** Milliseconds over which the rate is measured. */
const WINDOW = 5000;

export function Tail({ filter, onStop }: { filter: AuditFilter; onStop: () => void }) {
  const t = words().tail;
  const form = useAction();
  const [events, setEvents] = useState<AuditEvent[]>([]);
  const [state, setState] = useState<TailState>({ name: "connecting" });
  const [paused, setPaused] = useState(false);
  const [waiting, setWaiting] = useState(0);
  const [rate, setRate] = useState(0);
  const [attempt, setAttempt] = useState(0);
  const [open, setOpen] = useState<AuditEvent | null>(null);
  const held = useRef<AuditEvent[]>([]); // Newest last.
  const counted = useRef(0);
  const isPaused = useRef(false);
  isPaused.current = paused;
  const key = JSON.stringify(filter);

  useEffect(() => {
    setEvents([]);
    held.current = [];
    const take = (event: AuditEvent) => {
      held.current.push(event);
      counted.current += 1;
    };
    return follow(filter, take, setState);
  }, [key, attempt]);

  useEffect(() => {
    const draw = () => {
      const next = held.current;
      if (next.length > MOST) next.splice(0, next.length - MOST);
      if (isPaused.current) return setWaiting(next.length);
      if (next.length === 0) return undefined;
      held.current = [];
      return setEvents((old) => [...next.reverse(), ...old].slice(0, MOST));
    };
    const drawing = setInterval(() => requestAnimationFrame(draw), EVERY);
    const measuring = setInterval(() => {
      setRate((counted.current * 1000) / WINDOW);
      counted.current = 0;
    }, WINDOW);
    return () => {
      clearInterval(drawing);
      clearInterval(measuring);
    };
  }, []);

  useEffect(() => {
    if (state.name === "over") form.act(() => Promise.reject(state.error));
    else form.show(null);
  }, [state]);

  const status = paused ? t.paused(waiting === MOST ? `${number(waiting)}+` : number(waiting)) : t.states[state.name];
  return (
    <section class="frame tail" aria-label={t.title}>
      <div class="frame-head">
        <p class={`live ${paused ? "paused" : state.name}`} role="status">
          {status}
        </p>
        {!paused && rate > 0 && <span class="hint">{t.rate(number(Math.round(rate * 10) / 10))}</span>}
        <div class="tool-actions">
          <Button kind="secondary" small onClick={() => setPaused(!paused)}>
            {paused ? t.resume : t.pause}
          </Button>
          <Button kind="secondary" small onClick={() => saveRows("audit-live", eventHead(), events.map(eventCells), false)}>
            {words().list.export}
          </Button>
          <Button kind="quiet" small onClick={onStop}>
            {t.stop}
          </Button>
        </div>
      </div>
      <FormError form={form} />
      {state.name === "over" && (
        <Button kind="secondary" small onClick={() => setAttempt((count) => count + 1)}>
          {text().retry}
        </Button>
      )}
      {events.length === 0 && state.name !== "over" && <p class="empty nothing">{t.nothing}</p>}
      {events.length > 0 && <EventTable events={events} caption={t.title} onOpen={setOpen} />}
      {open && <EventDialog event={open} onClose={() => setOpen(null)} />}
    </section>
  );
}
