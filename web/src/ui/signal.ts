// A value that components can watch from outside of their tree.

import { useEffect, useState } from "preact/hooks";

export interface Signal<T> {
  get(): T;
  set(next: T): void;
  /** The value, in a component that renders again when it changes. */
  use(): T;
}

export function signal<T>(initial: T): Signal<T> {
  let value = initial;
  const watchers = new Set<(next: T) => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const watcher of watchers) watcher(next);
    },
    use() {
      const [current, setCurrent] = useState(value);
      useEffect(() => {
        const watcher = (next: T) => setCurrent(() => next);
        watchers.add(watcher);
        watcher(value);
        return () => void watchers.delete(watcher);
      }, []);
      return current;
    },
  };
}
