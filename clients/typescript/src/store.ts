// Keeps the session of the browser: in storage, and in the other tabs.

import type { KeyValueStorage, Session } from "./types.js";

/** A session with its tokens. */
export interface Kept {
  session: Omit<Session, "authenticatedAt">;
  access: string;
  refresh: string;
  /** When the access token arrived, by the clock of this device, and how long it is valid. In milliseconds. */
  at: number;
  life: number;
  /** The time of the sign-in, in seconds. */
  authTime: number;
  /** The application, for a session of `withRedirect`. */
  clientId?: string;
  version: number;
}

export const inBrowser = typeof document !== "undefined";

/** Reads and writes storage. Where that fails, because storage is full or refused, uses memory. */
export class Shelf {
  readonly #memory = new Map<string, string>();
  readonly #storage: () => KeyValueStorage | undefined;

  constructor(storage: () => KeyValueStorage | undefined) {
    this.#storage = storage;
  }

  get<T>(key: string): T | null {
    try {
      return JSON.parse(this.#memory.get(key) ?? this.#storage()?.getItem(key) ?? "null");
    } catch {
      return null;
    }
  }

  /** Returns whether the value outlives this page. */
  set(key: string, value: unknown): boolean {
    this.#memory.delete(key);
    try {
      if (value == null) this.#storage()!.removeItem(key);
      else this.#storage()!.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      if (value != null) this.#memory.set(key, JSON.stringify(value));
      return false;
    }
  }
}

/** The shelves: one that survives the browser, and one for the tab. */
export function shelves(storage?: KeyValueStorage): { lasting: Shelf; tab: Shelf } {
  // Node has a localStorage, too, but a process serves many users.
  const pick = (name: "localStorage" | "sessionStorage") =>
    new Shelf(() => storage ?? (inBrowser ? globalThis[name] : undefined));
  const lasting = pick("localStorage");
  return { lasting, tab: storage ? lasting : pick("sessionStorage") };
}

type Message = { kept: Kept | null; version: number } | { ask: true };

/** Keeps one session for all tabs. `changed` runs after each change, in this tab or another one. */
export function keep(key: string, { lasting, tab }: ReturnType<typeof shelves>, changed: () => void) {
  function load(): Kept | null {
    const [own, shared] = [tab, lasting].map((shelf) => shelf.get<Kept>(key)).map((kept) => (kept?.session ? kept : null));
    return own && shared ? (own.version > shared.version ? own : shared) : (own ?? shared ?? null);
  }

  let current = load();
  // Orders the changes of all tabs, also when the clock of the device is set back.
  let version = current?.version ?? 0;
  const channel = inBrowser && globalThis.BroadcastChannel ? new BroadcastChannel(key) : null;

  function write(kept: Kept | null): void {
    current = kept;
    // A session that is not remembered ends with the browser's last tab.
    const [shelf, other] = kept?.session.remembered ? [lasting, tab] : [tab, lasting];
    other.set(key, null);
    shelf.set(key, kept);
    changed();
  }

  function reload(): Kept | null {
    const stored = load();
    if (stored?.access !== current?.access) {
      current = stored;
      changed();
    }
    version = Math.max(version, current?.version ?? 0);
    return current;
  }

  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("ask" in data) {
        if (current) channel.postMessage({ kept: current, version });
      } else if (data.version > version) {
        version = data.version;
        // Storage may already have it, or something newer.
        if ((load()?.version ?? 0) < version) write(data.kept);
        else reload();
      }
    };
    // Another tab may have a session that is in no shared storage.
    if (!current) channel.postMessage({ ask: true });
  } else if (inBrowser) {
    addEventListener("storage", reload);
  }

  return {
    get: () => current,
    /** Reads what another tab may have written. */
    reload,
    set(kept: Omit<Kept, "version"> | null): void {
      version = Math.max(Date.now(), version + 1);
      const next = kept && { ...kept, version };
      write(next);
      channel?.postMessage({ kept: next, version });
    },
  };
}
