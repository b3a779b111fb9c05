// The session of the browser: hands out access tokens, and refreshes them once for all callers in all tabs.

import type { DoorcodeOptions, Problem, Session, User } from "./types.js";
import { DoorcodeError, problemIn, type Http } from "./http.js";
import { REFRESH } from "./operations.js";
import { inBrowser, keep, type Kept, type shelves } from "./store.js";

/** Tokens, as the server returns them. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** What a sign-in or refresh says beside its tokens. */
type Rest = Pick<Session, "remembered" | "isNewUser"> & { user: Omit<User, "role">; clientId?: string };

/** Reads the access token. Only a server can tell whether it is genuine, so nothing here depends on that. */
function keepable({ accessToken, refreshToken }: Tokens, { user, remembered, isNewUser, clientId }: Rest) {
  const text = atob(accessToken.split(".")[1]!.replace(/-/g, "+").replace(/_/g, "/"));
  const { sid, iat, exp, auth_time, amr, role } = JSON.parse(text);
  return {
    session: { id: sid, user: { ...user, role }, methods: amr, remembered, isNewUser },
    access: accessToken,
    refresh: refreshToken,
    at: Date.now(),
    // Only the length of the lifetime comes from the server, so that the clocks need not agree.
    life: (exp - iat) * 1000,
    authTime: auth_time,
    ...(clientId && { clientId }),
  };
}

/** Exchanges the refresh token of a session of `withRedirect`. Returns `null` if the session has ended. */
export type Exchange = (kept: Kept) => Promise<Tokens | null>;

export type Sessions = ReturnType<typeof sessions>;

export function sessions(
  http: Http,
  options: DoorcodeOptions,
  key: string,
  shelf: ReturnType<typeof shelves>,
  exchange: Exchange,
) {
  const listeners = new Set<(session: Session | null) => void>();
  let session: Session | null = null;
  let refreshing: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const store = keep(key, shelf, changed);

  const describe = (kept: Kept | null): Session | null =>
    kept && { ...kept.session, authenticatedAt: new Date(kept.authTime * 1000) };

  function changed(): void {
    const next = describe(store.get());
    schedule();
    if (JSON.stringify(next) === JSON.stringify(session)) return;
    session = next;
    for (const listener of [...listeners]) listener(session);
  }

  /** How long the access token is still valid, in milliseconds. */
  function timeLeft({ at, life }: Kept): number {
    const age = Date.now() - at;
    // If the clock was set back, nothing is known about the age.
    return age < -60_000 ? 0 : life - age;
  }

  function problem(problem: Problem): Problem {
    options.onProblem?.(problem);
    return problem;
  }

  /** Runs `work` in one tab at a time, where the browser has locks. Tells it whether another tab was first. */
  async function exclusively(work: (waited: boolean) => Promise<void>): Promise<void> {
    if (!inBrowser || !navigator.locks) return work(false);
    const { locks } = navigator;
    let started = false;
    const begin = (waited: boolean) => {
      started = true;
      return work(waited);
    };
    await locks.request(key, { ifAvailable: true }, (lock) => lock && begin(false));
    if (started) return;
    try {
      // Without a limit, a tab that the system suspended could hold up the others.
      await locks.request(key, { signal: AbortSignal.timeout(25_000) }, () => begin(true));
    } catch (error) {
      if (started) throw error;
      await work(false);
    }
  }

  /** Exchanges the tokens, unless another tab did. */
  async function exchangeTokens(stale: Kept, waited: boolean): Promise<void> {
    let kept = store.reload();
    if (waited && kept?.refresh === stale.refresh) {
      // The other tab wrote its tokens before it gave up the lock, but browsers pass them on a little later.
      await new Promise((done) => setTimeout(done, 100));
      kept = store.reload();
    }
    if (kept?.refresh !== stale.refresh) return;
    const { tokens, user, ended } = await requestTokens(kept);
    // The user may have signed out or in again in the meantime.
    if (store.reload()?.refresh !== stale.refresh) return;
    if (tokens) {
      store.set(keepable(tokens, { ...kept.session, user, clientId: kept.clientId }));
    } else {
      store.set(null);
      problem(ended);
    }
  }

  /** Asks the server for new tokens. `tokens` is `null` if the session has ended. */
  async function requestTokens(kept: Kept) {
    const { user } = kept.session;
    const ended: Problem = { code: "SESSION_ENDED", message: "You are signed out. Sign in again." };
    if (kept.clientId) return { tokens: await exchange(kept), user, ended };
    const { outcome } = await http.call(REFRESH, { input: { refreshToken: kept.refresh } });
    if (outcome.__typename === "Refreshed") return { tokens: outcome.tokens, user: outcome.session.user, ended };
    const refused = problemIn(outcome, http)!;
    if (refused.code === "SESSION_ENDED") return { tokens: null, user, ended: refused };
    throw new DoorcodeError(refused.code, refused.message, undefined, refused.retryAt);
  }

  /** Replaces the tokens. All callers share one request. */
  function refresh(stale: Kept): Promise<void> {
    return (refreshing ??= exclusively((waited) => exchangeTokens(stale, waited)).finally(() => (refreshing = null)));
  }

  async function getAccessToken({ minTtl = 30 } = {}): Promise<string | null> {
    const kept = store.get();
    if (!kept) return null;
    const left = timeLeft(kept);
    if (left >= Math.min(minTtl * 1000, kept.life / 2)) return kept.access;
    try {
      await refresh(kept);
    } catch (error) {
      // A token that is still valid is better than none.
      if (left <= 0) throw error;
    }
    return store.get()?.access ?? null;
  }

  /** Runs a request with the access token. After a 401, refreshes the token and tries once more. */
  async function authorized(send: (token: string | null) => Promise<Response>): Promise<Response> {
    const token = await getAccessToken();
    const response = await send(token);
    if (response.status !== 401 || !token) return response;
    const kept = store.reload();
    if (kept?.access === token) await refresh(kept);
    const next = store.get()?.access;
    if (!next) return response;
    await response.body?.cancel();
    return send(next);
  }

  // Refreshes before the token expires, while somebody looks at the page and it is online.
  function schedule(again = 0): void {
    if (!inBrowser) return;
    clearTimeout(timer);
    const kept = store.get();
    if (!kept || document.hidden || !navigator.onLine) return;
    const wait = Math.max(again, timeLeft(kept) - Math.min(60_000, kept.life / 2));
    timer = setTimeout(() => {
      refresh(kept).catch(() => schedule(15_000 + Math.random() * 15_000));
    }, wait);
  }

  session = describe(store.get());
  schedule();
  if (inBrowser) {
    const resume = () => {
      store.reload();
      schedule();
    };
    document.addEventListener("visibilitychange", resume);
    for (const event of ["online", "offline", "pageshow"]) addEventListener(event, resume);
  }

  return {
    session: () => session,
    kept: store.get,
    onChange(listener: (session: Session | null) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    problem,
    getAccessToken,
    authorized,
    /** Starts a session. */
    begin(tokens: Tokens, rest: Rest): Session {
      store.set(keepable(tokens, rest));
      return session!;
    },
    /** Forgets the session in all tabs. Returns it. */
    async drop(): Promise<Kept | null> {
      // A refresh in progress would end after the sign-out, with a token that this tab does not know.
      await refreshing?.catch(() => {});
      const kept = store.reload();
      if (kept) store.set(null);
      return kept;
    },
  };
}
