// The public types of the client.

import type { Options, ProblemCode, Role, WeakPasswordReason } from "./operations.js";

/** Where the client keeps its state, such as `localStorage`. */
export interface KeyValueStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface DoorcodeOptions {
  /** The address of the Doorcode server, such as `https://login.example.com`. */
  url: string;
  /**
   * Where to keep the session. Default: `localStorage`; `sessionStorage` for sessions that are not remembered and for
   * codes in progress. Where storage is refused, and outside of browsers, memory.
   */
  storage?: KeyValueStorage;
  /** A replacement for the global `fetch`. */
  fetch?: typeof globalThis.fetch;
  /** Runs for every problem that the client returns, and when a session ends on the server. */
  onProblem?: (problem: Problem) => void;
  /**
   * The origins of your API. `fetch` sends the access token to them, to the page's own origin and to Doorcode. While
   * Doorcode runs on this machine, also to every other server on it.
   */
  origins?: string[];
  /** The ID of this application, for `signIn.withRedirect`: see `doorcode client add`. */
  clientId?: string;
  /**
   * Where Doorcode sends the browser after `signIn.withRedirect`: a page of this origin, exactly as registered. Default:
   * the root of this origin.
   */
  redirectUri?: string;
}

/** A problem that the user can act on. */
export interface Problem {
  /** The kind of problem. Later versions of the server add kinds: show the `message` of one that you don't know. */
  code: ProblemCode | "REAUTHENTICATION_REQUIRED" | "UNAUTHENTICATED" | "FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "BAD_USER_INPUT" | "METHOD_DISABLED" | "INSUFFICIENT_SCOPE" | "ACCESS_DENIED";
  /** The message to show to the user. */
  message: string;
  /** When to try again, by the clock of this device. */
  retryAt?: Date;
  /** How many attempts are left for the code. */
  attemptsLeft?: number;
  /** Why a password was refused. */
  reasons?: WeakPasswordReason[];
}

/** The result of something that the user asked for. */
export type Result<T> = { ok: true; data: T } | { ok: false; problem: Problem };

export interface User {
  id: string;
  /** The UUID in the `sub` claim of access tokens. Store this one with your own data. */
  databaseId: string;
  email: string;
  name: string | null;
  role: Role;
}

/** A signed-in user. */
export interface Session {
  /** The UUID in the `sid` claim of access tokens. */
  id: string;
  user: User;
  /** The time of the sign-in. */
  authenticatedAt: Date;
  /** How the user signed in: `otp` (a code), `link` or `pwd` (a password). */
  methods: string[];
  /** Whether the user stays signed in. If not, the session ends a day after it began. */
  remembered: boolean;
  /** Whether the sign-in created the account. */
  isNewUser: boolean;
}

export interface SignInChoices {
  /** Whether the user stays signed in (default). If not, the session ends after a day, or when the browser closes. */
  remember?: boolean;
  /** The language of the email, such as `de`. Default: the language of the account, then that of the page or browser. */
  locale?: string;
}

interface Pending {
  readonly email: string;
  readonly codeLength: number;
  readonly expiresAt: Date;
  /** The time from which to offer another email. */
  readonly resendAt: Date;
  readonly attemptsLeft: number;
  /** Sends another email. The earlier code stays valid. */
  resend(): Promise<Result<void>>;
  /** Forgets this code. */
  cancel(): void;
}

/** A code that was sent to sign in or to register. */
export interface PendingCode extends Pending {
  readonly kind: "signIn" | "registration";
  /** Signs in with the code. Accepts spaces, dashes, full-width digits and the sentence around a code. */
  verify(code: string): Promise<Result<Session>>;
}

/** A code that was sent to reset a password. */
export interface PendingReset extends Pending {
  readonly kind: "reset";
  /** Sets the new password and signs in. A password that is refused costs no attempt. */
  finish(code: string, password: string): Promise<Result<Session>>;
}

export type SignInOptions = Options["signInOptions"];

/** An operation: its text, or a typed document of a code generator that prints strings. */
export type Document<Data, Variables> =
  | string
  | { toString(): string; __apiType?: (variables: Variables) => Data };

export interface SignIn {
  /** How users sign in to this server. */
  options(): Promise<SignInOptions>;
  /** Emails a code. */
  withCode(email: string, choices?: SignInChoices): Promise<Result<PendingCode>>;
  withPassword(email: string, password: string, choices?: { remember?: boolean }): Promise<Result<Session>>;
  /** Emails a code to a new user. `verify` creates the account with this password. */
  register(email: string, password: string, choices?: SignInChoices & { name?: string }): Promise<Result<PendingCode>>;
  /** Emails a code to set a new password. */
  requestReset(email: string, choices?: SignInChoices): Promise<Result<PendingReset>>;
  /** The code in progress in this tab, also after a reload. */
  pending(): PendingCode | PendingReset | null;
  /** Signs in with the text after `#link=` of an emailed link. Call it when the user presses a button. */
  confirmLink(token: string): Promise<Result<Session>>;
  /** Signs in on the pages of the Doorcode server, which then returns to `redirectUri`. Leaves this page. */
  withRedirect(choices?: { returnTo?: string; loginHint?: string; prompt?: "login" }): Promise<void>;
  /**
   * Finishes `withRedirect`: call it when the page loads. `null` if this page load is no return from Doorcode.
   * Replaces the address by `returnTo`.
   */
  handleRedirect(): Promise<Result<Session> | null>;
}

export interface Doorcode {
  readonly signIn: SignIn;
  /** The signed-in user, or `null`. The same object until something changes. */
  session(): Session | null;
  /** Calls `listener` after each change of the session, in any tab. Returns a function that ends this. */
  onChange(listener: (session: Session | null) => void): () => void;
  /** An access token that is valid for `minTtl` seconds (default 30), or `null` if the user is signed out. */
  getAccessToken(choices?: { minTtl?: number }): Promise<string | null>;
  /** Like the global `fetch`, with the access token. After a 401, refreshes the token and tries once more. */
  fetch: typeof globalThis.fetch;
  /** Runs a query or mutation on the Doorcode server. */
  query<Data = unknown, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: Variables,
  ): Promise<Result<Data>>;
  /** Runs a subscription. Reconnects by itself. Ends with the session, with `signal` or with `break`. */
  subscribe<Data = unknown, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: Variables,
    choices?: { signal?: AbortSignal },
  ): AsyncGenerator<Data, void, void>;
  /** Ends this session, or with `everywhere` all sessions of the user: a session of `withRedirect` cannot do that. */
  signOut(choices?: { everywhere?: boolean }): Promise<void>;
}
