// The bar above GraphiQL: signs in with a code or a password, and shows whose token the operations carry.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { DoorcodeError } from "../../../clients/typescript/src/http.js";
import type { PendingCode, PendingReset, Problem, Session } from "../../../clients/typescript/src/types.js";
import { span } from "../i18n/span";
import { passwordsOn, shell } from "../shell";
import { newestCode, requestCode, sessions, signIn, signOut, timeLeft } from "./session";

type Pending = PendingCode | PendingReset;
type Outcome = { ok: true } | { ok: false; problem: Problem };

/** Runs one request at a time, and keeps its problem. */
function useRequest() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (work: () => Promise<Outcome>): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      const outcome = await work();
      if (!outcome.ok) setProblem(outcome.problem.message);
    } catch (error) {
      if (!(error instanceof DoorcodeError)) throw error;
      setProblem(error.message);
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, setProblem, run };
}

export function Bar() {
  const [session, setSession] = useState(sessions.session());
  const [pending, setPending] = useState<Pending | null>(signIn.pending());
  useEffect(() => sessions.onChange(setSession), []);
  useEffect(() => {
    if (session) setPending(null);
  }, [session]);
  return (
    <header class="bar">
      {session ? (
        <SignedIn session={session} />
      ) : pending?.kind === "signIn" ? (
        <Code pending={pending} onCancel={() => (pending.cancel(), setPending(null))} />
      ) : (
        <Start onSent={setPending} />
      )}
      <nav>
        {shell.inbox && <a href="/inbox" target="_blank" rel="noopener">Inbox</a>}
        <a href="/" target="_blank" rel="noopener">Sign-in page</a>
      </nav>
    </header>
  );
}

interface FormProps {
  onSubmit: () => void;
  problem: string;
  children: ComponentChildren;
}

function Form({ onSubmit, problem, children }: FormProps) {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <span class="problem" role="alert">{problem}</span>
    </form>
  );
}

/** Asks for the address, and for the password if the user wants to use one. */
function Start({ onSent }: { onSent: (pending: Pending) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState<string | null>(null);
  const { busy, problem, run } = useRequest();
  const submit = () =>
    run(async () => {
      if (password !== null) return signIn.withPassword(email, password, { remember: false });
      const sent = await requestCode(email, () => signIn.withCode(email, { remember: false }));
      if (sent.ok) onSent(sent.data);
      return sent;
    });
  return (
    <Form onSubmit={submit} problem={problem}>
      <label for="as">Sign in as</label>
      <input
        id="as"
        type="email"
        required
        autocomplete="username"
        placeholder="ada@example.com"
        value={email}
        onInput={(event) => setEmail(event.currentTarget.value)}
      />
      {password !== null && (
        <input
          type="password"
          aria-label="Password"
          placeholder="Password"
          required
          autocomplete="current-password"
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      )}
      <button type="submit" class="main" disabled={busy}>{password === null ? "Email a code" : "Sign in"}</button>
      {passwordsOn() && (
        <button type="button" onClick={() => setPassword(password === null ? "" : null)}>
          {password === null ? "Use a password" : "Use a code"}
        </button>
      )}
    </Form>
  );
}

/** Asks for the emailed code. A development server offers the code itself. */
function Code({ pending, onCancel }: { pending: PendingCode; onCancel: () => void }) {
  const [code, setCode] = useState("");
  const { busy, problem, setProblem, run } = useRequest();
  const [sentAgain, setSentAgain] = useState(0);
  const offered = useOffer(pending, sentAgain);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const verify = (entered: string) => run(() => pending.verify(entered));
  const resend = () =>
    run(async () => {
      const again = await requestCode(pending.email, () => pending.resend());
      if (again.ok) setSentAgain(sentAgain + 1);
      return again;
    });
  return (
    <Form onSubmit={() => verify(code)} problem={problem}>
      <label for="code">Code for {pending.email}</label>
      <input
        id="code"
        class="code"
        inputMode="numeric"
        autocomplete="one-time-code"
        required
        value={code}
        ref={input}
        onInput={(event) => (setProblem(""), setCode(event.currentTarget.value))}
      />
      <button type="submit" class="main" disabled={busy}>Sign in</button>
      {offered && (
        <button type="button" class="offer" disabled={busy} onClick={() => verify(offered)}>Use {offered}</button>
      )}
      <button type="button" disabled={busy} onClick={resend}>Send again</button>
      <button type="button" onClick={onCancel}>Cancel</button>
    </Form>
  );
}

/** The newest code in the inbox of a development server. */
function useOffer({ email, expiresAt }: PendingCode, sentAgain: number): string | null {
  const [offered, setOffered] = useState<string | null>(null);
  useEffect(() => {
    if (!shell.inbox) return undefined;
    let timer = 0;
    let over = false;
    const look = async () => {
      const found = await newestCode(email).catch(() => null);
      if (over) return;
      setOffered(expiresAt.getTime() > Date.now() ? found : null);
      timer = setTimeout(look, found ? 3000 : 700);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [email, sentAgain]);
  return offered;
}

function SignedIn({ session }: { session: Session }) {
  const [left, setLeft] = useState(timeLeft());
  const { busy, problem, run } = useRequest();
  useEffect(() => {
    const timer = setInterval(() => setLeft(timeLeft()), 1000);
    return () => clearInterval(timer);
  }, []);
  const { email, role } = session.user;
  return (
    <div class="signed-in">
      <span class="chip" title="The access token that operations carry. It is refreshed before it expires.">
        <strong>{email}</strong> <span class="role">{role}</span> <span class="left">{span(left)} left</span>
      </span>
      <button type="button" disabled={busy} onClick={() => run(async () => (await signOut(), { ok: true }))}>Sign out</button>
      <span class="problem" role="alert">{problem}</span>
    </div>
  );
}
