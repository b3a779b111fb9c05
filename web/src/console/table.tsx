// Parts of tables: a heading that sorts, and a word in a frame.

import type { ComponentChildren } from "preact";
import { Icon } from "./icons";

interface SortedProps {
  label: string;
  kind: string;
  /** The direction in which this column sorts the table, if it does. */
  direction: "ASC" | "DESC" | null;
  /** Whether the first click sorts upwards. */
  startsUp: boolean;
  onSort: (up: boolean) => void;
}

export function Sorted({ label, kind, direction, startsUp, onSort }: SortedProps) {
  const order = direction === "ASC" ? "ascending" : direction === "DESC" ? "descending" : undefined;
  return (
    <th scope="col" class={kind} aria-sort={order}>
      <button type="button" class="sort" onClick={() => onSort(direction ? direction === "DESC" : startsUp)}>
        {label}
        {direction && <Icon name={direction === "ASC" ? "up" : "down"} />}
      </button>
    </th>
  );
}

export function Tag({ kind, children }: { kind: "plain" | "strong" | "good" | "bad"; children: ComponentChildren }) {
  return <span class={`tag ${kind}`}>{children}</span>;
}
