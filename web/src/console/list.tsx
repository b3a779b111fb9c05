// Lists that come in pages: loading what the address asks for, the buttons to others, and a file of all of them.

import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../account/part";
import { serverNow } from "../api/call";
import { text } from "../i18n";
import { notify } from "../ui/announce";
import { Button } from "../ui/button";
import type { Form } from "../ui/form";
import { csv } from "./csv";
import { words } from "./words";

export const PAGE = 50;
/** Most rows in a file: ten requests. */
const EXPORTED = 1000;

export interface PageFacts {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

export interface Page<Row> {
  nodes: Row[];
  pageInfo: PageFacts;
}

export interface Cursor {
  first?: number;
  after?: string;
  last?: number;
  before?: string;
}

/** The page that the address asks for. */
export function cursorOf(query: URLSearchParams): Cursor {
  const [after, before] = [query.get("after"), query.get("before")];
  if (before) return { last: PAGE, before };
  return after ? { first: PAGE, after } : { first: PAGE };
}

export interface Loaded<Value> {
  value: Value | null;
  form: Form;
  reload: () => void;
}

/** Loads a value when `key` changes. Shows the old one meanwhile, and ignores late answers. */
export function useLoaded<Value>(key: string, ask: () => Promise<Value>): Loaded<Value> {
  const [value, setValue] = useState<Value | null>(null);
  const [busy, setBusy] = useState(false);
  const form = useAction();
  const turn = useRef(0);
  const load = async () => {
    const mine = (turn.current += 1);
    const isLate = () => turn.current !== mine;
    setBusy(true);
    try {
      const next = await ask();
      if (isLate()) return;
      form.show(null);
      setValue(next);
    } catch (error) {
      if (isLate()) return;
      form.act(() => Promise.reject(error));
    }
    setBusy(false);
  };
  useEffect(() => void load(), [key]);
  return { value, form: { ...form, busy }, reload: () => void load() };
}

interface PagerProps {
  facts: PageFacts;
  label: string;
  /** Whether another page is being loaded: the cursors of this one do not fit what was asked for. */
  busy: boolean;
  onTurn: (to: { after?: string; before?: string }) => void;
}

/** The buttons to the first, the previous and the next page. */
export function Pager({ facts, label, busy, onTurn }: PagerProps) {
  const t = words().list;
  const turn: PagerProps["onTurn"] = (to) => {
    if (!busy) onTurn(to);
  };
  const { hasPreviousPage, hasNextPage, startCursor, endCursor } = facts;
  if (!hasPreviousPage && !hasNextPage) return null;
  return (
    <nav class="pager" aria-label={label}>
      {hasPreviousPage && (
        <>
          <Button kind="quiet" small onClick={() => turn({})}>
            {t.first}
          </Button>
          <Button kind="secondary" small onClick={() => turn({ before: startCursor ?? "" })}>
            {t.previous}
          </Button>
        </>
      )}
      {hasNextPage && (
        <Button kind="secondary" small onClick={() => turn({ after: endCursor ?? "" })}>
          {t.next}
        </Button>
      )}
    </nav>
  );
}

interface FileProps<Row> {
  /** The start of the file's name. */
  name: string;
  head: string[];
  cells: (row: Row) => (string | number | null)[];
  ask: (cursor: Cursor) => Promise<Page<Row>>;
}

/** A button that saves all rows of a filtered list as a file, not only those of this page. */
export function ExportButton<Row>({ name, head, cells, ask }: FileProps<Row>) {
  const t = words().list;
  const form = useAction();
  const save = () =>
    form.act(async () => {
      const rows: Row[] = [];
      let more = true;
      for (let after: string | undefined; more && rows.length < EXPORTED; ) {
        const page = await ask(after ? { first: 100, after } : { first: 100 });
        rows.push(...page.nodes);
        more = page.pageInfo.hasNextPage;
        after = page.pageInfo.endCursor ?? undefined;
      }
      saveRows(name, head, rows.map(cells), more);
    });
  return (
    <>
      <Button kind="secondary" small busy={form.busy} until={form.until} label={t.export} onClick={save}>
        {t.export}
      </Button>
      {form.problem && (
        <p class="error" role="alert">
          {form.problem.message}
        </p>
      )}
    </>
  );
}

/** Saves rows as a file, and says so. `more` is whether there are others. */
export function saveRows(name: string, head: string[], rows: (string | number | null)[][], more: boolean): void {
  const t = words().list;
  const file = `${name}-${new Date(serverNow()).toISOString().slice(0, 10)}.csv`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv([head, ...rows])], { type: "text/csv" }));
  link.download = file;
  link.click();
  // The browser may still be reading the file.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  notify(more ? t.exportedFirst(rows.length, file) : t.exported(rows.length, file));
}

/** Why a list can't be loaded, with a button to try again. */
export function ListProblem({ form, reload }: { form: Form; reload: () => void }) {
  if (!form.problem) return null;
  return (
    <div class="list-problem">
      <p class="error" role="alert">
        {form.problem.message}
      </p>
      <Button kind="secondary" small onClick={reload}>
        {text().retry}
      </Button>
    </div>
  );
}
