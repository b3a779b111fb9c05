// Small parts that several pages use.

import type { ReactNode } from "react";
import { DIFFICULTIES, words, type Difficulty } from "./api";

export function Choice<T extends string>(properties: {
  label: string;
  value: T | "";
  values: readonly T[];
  any?: string;
  onChange: (value: T | "") => void;
}) {
  return (
    <label className="choice">
      <span>{properties.label}</span>
      <select value={properties.value} onChange={(event) => properties.onChange(event.target.value as T | "")}>
        {properties.any !== undefined && <option value="">{properties.any}</option>}
        {properties.values.map((value) => (
          <option key={value} value={value}>
            {words(value)}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Level({ difficulty }: { difficulty: Difficulty }) {
  const level = DIFFICULTIES.indexOf(difficulty) + 1;
  return (
    <span className="level">
      <span aria-hidden="true">{"●".repeat(level) + "○".repeat(3 - level)}</span> {words(difficulty)}
    </span>
  );
}

/** A button for the next page of a list, if there is one. */
export function More({ more, busy }: { more?: () => void; busy: boolean }) {
  return more ? (
    <p className="center">
      <button disabled={busy} onClick={more}>
        Show more
      </button>
    </p>
  ) : null;
}

export function Problem({ children }: { children?: ReactNode }) {
  return children ? (
    <p className="problem" role="alert">
      {children}
    </p>
  ) : null;
}
