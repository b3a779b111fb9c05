// Signing in with a code, a password or a link; registering; resetting a password.

import { problemIn, type Http } from "./http.js";
import {
  LOGIN, OPTIONS, REGISTER, REQUEST_RESET, RESEND, RESET, VERIFY, VERIFY_LINK,
  type Login, type Verify,
} from "./operations.js";
import type { Sessions } from "./session.js";
import type { shelves } from "./store.js";
import type { PendingCode, PendingReset, Problem, Result, Session, SignIn, SignInChoices } from "./types.js";

type Sent = Extract<Login["outcome"], { __typename: "CodeSent" }>;
type SignedIn = Extract<Verify["outcome"], { __typename: "SignedIn" }>;
type Outcome = { __typename: string };
type Kind = PendingCode["kind"] | PendingReset["kind"];

/** A code in progress, as it is stored. Never has a password. */
interface Started {
  kind: Kind;
  challenge: string;
  email: string;
  codeLength: number;
  attemptsLeft: number;
  /** By the clock of this device. */
  expiresAt: number;
  resendAt: number;
  choices: SignInChoices;
}

/** A mutation that emails a code. */
type Ask = () => Promise<{ outcome: Outcome }>;

const MOST_DEVICES = 10;

/** The digits of what the user typed or pasted. */
const digitsOf = (code: string) => code.normalize("NFKC").replace(/\D/g, "");

export function signInWith(
  http: Http,
  sessions: Sessions,
  key: string,
  { lasting, tab }: ReturnType<typeof shelves>,
): Omit<SignIn, "withRedirect" | "handleRedirect"> {
  const pendingKey = `${key}:pending`;
  const devicesKey = `${key}:devices`;

  // Canonical address and device token, newest last.
  const devices = () => new Map(lasting.get<[string, string][]>(devicesKey) ?? []);
  const deviceToken = (email: string) => devices().get(email.trim().toLowerCase());

  function refuse(outcome: object): { ok: false; problem: Problem } | null {
    const problem = problemIn(outcome, http);
    return problem && { ok: false, problem: sessions.problem(problem) };
  }

  function begin(outcome: Outcome): Result<Session> {
    const refused = refuse(outcome);
    if (refused) return refused;
    const { tokens, user, session, isNewUser, deviceToken } = outcome as SignedIn;
    tab.set(pendingKey, null);
    const known = devices();
    known.delete(user.email);
    lasting.set(devicesKey, [...known.set(user.email, deviceToken)].slice(-MOST_DEVICES));
    return { ok: true, data: sessions.begin(tokens, { user, isNewUser, remembered: session.remembered }) };
  }

  const save = (sent: Sent, kind: Kind, choices: SignInChoices): Started => {
    const { challenge, email, codeLength, attemptsLeft } = sent;
    const [expiresAt, resendAt] = [http.local(sent.expiresAt).getTime(), http.local(sent.resendAt).getTime()];
    const started = { kind, challenge, email, codeLength, attemptsLeft, expiresAt, resendAt, choices };
    tab.set(pendingKey, started);
    return started;
  };

  const input = (email: string, { remember, locale }: SignInChoices) => ({
    email: email.trim(),
    deviceToken: deviceToken(email),
    locale,
    remember,
  });
  const askCode = (email: string, choices: SignInChoices) => () => http.call(LOGIN, { input: input(email, choices) });
  const askReset = (email: string, { locale }: SignInChoices) => () =>
    http.call(REQUEST_RESET, { input: { email: email.trim(), deviceToken: deviceToken(email), locale } });

  async function start(kind: Kind, ask: Ask, choices: SignInChoices): Promise<Result<Code>> {
    const { outcome } = await ask();
    return refuse(outcome) ?? { ok: true, data: new Code(save(outcome as Sent, kind, choices), ask) };
  }

  /** A code in progress: `PendingCode` and `PendingReset` in one. */
  class Code {
    #started: Started;
    readonly #ask: Ask | undefined;

    constructor(started: Started, ask?: Ask) {
      this.#started = started;
      this.#ask = ask;
    }

    get kind(): never {
      return this.#started.kind as never;
    }
    get email(): string {
      return this.#started.email;
    }
    get codeLength(): number {
      return this.#started.codeLength;
    }
    get expiresAt(): Date {
      return new Date(this.#started.expiresAt);
    }
    get resendAt(): Date {
      return new Date(this.#started.resendAt);
    }
    get attemptsLeft(): number {
      return this.#started.attemptsLeft;
    }

    cancel(): void {
      tab.set(pendingKey, null);
    }

    async resend(): Promise<Result<void>> {
      const { challenge, kind, choices, email } = this.#started;
      let { outcome }: { outcome: Outcome } = await http.call(RESEND, { input: { challenge } });
      // A code that has expired starts over. After a reload, the password of a registration is gone.
      const restart = this.#ask ?? { signIn: askCode, reset: askReset, registration: null }[kind]?.(email, choices);
      if (outcome.__typename === "CodeExpired" && restart) ({ outcome } = await restart());
      const refused = refuse(outcome);
      if (refused) return refused;
      this.#started = save(outcome as Sent, kind, choices);
      return { ok: true, data: undefined };
    }

    async verify(code: string): Promise<Result<Session>> {
      const { challenge } = this.#started;
      // With its token, the new session replaces the current one of the same user.
      const token = sessions.kept()?.access;
      return this.#enter(await http.call(VERIFY, { input: { challenge, code: digitsOf(code) } }, token));
    }

    async finish(code: string, newPassword: string): Promise<Result<Session>> {
      const { challenge, choices } = this.#started;
      const { remember } = choices;
      return this.#enter(await http.call(RESET, { input: { challenge, code: digitsOf(code), newPassword, remember } }));
    }

    #enter({ outcome }: { outcome: Outcome }): Result<Session> {
      const result = begin(outcome);
      const attemptsLeft = result.ok ? undefined : result.problem.attemptsLeft;
      if (attemptsLeft !== undefined) tab.set(pendingKey, (this.#started = { ...this.#started, attemptsLeft }));
      return result;
    }
  }

  return {
    async options() {
      return (await http.call(OPTIONS, {})).signInOptions;
    },
    withCode: (email, choices = {}) => start("signIn", askCode(email, choices), choices),
    async withPassword(email, password, choices = {}) {
      return begin((await http.call(LOGIN, { input: { ...input(email, choices), password } })).outcome);
    },
    register(email, password, { name, ...choices } = {}) {
      const ask = () => http.call(REGISTER, { input: { ...input(email, choices), password, name } });
      return start("registration", ask, choices);
    },
    requestReset: (email, choices = {}) => start("reset", askReset(email, choices), choices),
    pending() {
      const started = tab.get<Started>(pendingKey);
      if (started && started.expiresAt > Date.now()) return new Code(started);
      if (started) tab.set(pendingKey, null);
      return null;
    },
    async confirmLink(token) {
      return begin((await http.call(VERIFY_LINK, { input: { token } }, sessions.kept()?.access)).outcome);
    },
  };
}
