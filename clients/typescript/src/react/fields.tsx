// The parts of the forms.

import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import type { Text } from "./text.js";
import type { SignInState } from "./use-sign-in.js";

export type View = "code" | "password" | "register" | "forgot";

/** What all parts of a form share. */
interface Face {
  t: Text;
  state: SignInState;
  /** The address, which the forms keep between them. */
  email: string;
  setEmail(email: string): void;
  go(view: View): void;
  /** The ID of the error message. */
  alert: string;
}

export const Face = createContext<Face | null>(null);
export const useFace = () => useContext(Face)!;

/** Seconds until a time, updated every second. */
export function useCountdown(until: Date | undefined): number {
  const end = until?.getTime() ?? 0;
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [end]);
  return Math.max(0, Math.ceil((end - now) / 1000));
}

/** A form with its heading, its error message and the links below it. */
export function Card({ title, lead, onSubmit, children, links }: {
  title: string;
  lead?: string;
  onSubmit(field: (name: string) => string): void;
  children: ReactNode;
  links: ReactNode;
}) {
  const { t, alert, state } = useFace();
  const { problem, busy } = state;
  const retry = useCountdown(problem?.retryAt);
  const message = problem?.code === "UNREACHABLE" ? t.unreachable : problem?.message;
  return (
    <>
      <h2>{title}</h2>
      {lead && <p>{lead}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const fields = new FormData(event.currentTarget);
          if (!busy && retry === 0) onSubmit((name) => String(fields.get(name) ?? ""));
        }}
      >
        {children}
        <p role="alert" className="doorcode-error" id={alert}>
          {message} {Boolean(problem?.attemptsLeft) && t.attemptsLeft(problem!.attemptsLeft!)} {retry > 0 && t.retryIn(retry)}
        </p>
      </form>
      {links}
    </>
  );
}

export function Submit({ children }: { children: ReactNode }) {
  // A disabled button would lose the focus.
  return (
    <button className="doorcode-main" aria-disabled={useFace().state.busy}>
      {children}
    </button>
  );
}

export function Link({ children, onClick, waits }: { children: ReactNode; onClick: () => void; waits?: boolean }) {
  return (
    <button type="button" className="doorcode-link" aria-disabled={waits} onClick={() => waits || onClick()}>
      {children}
    </button>
  );
}

/** A link to another form. */
export function Go({ to, children }: { to: View; children: ReactNode }) {
  const { go } = useFace();
  return <Link onClick={() => go(to)}>{children}</Link>;
}

export function Address() {
  const { t, email, setEmail, alert, state } = useFace();
  return (
    <label>
      {t.email}
      <input
        name="email"
        type="email"
        autoComplete="username"
        autoFocus={!email}
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        aria-describedby={alert}
        aria-invalid={["INVALID_EMAIL", "INVALID_CREDENTIALS"].includes(state.problem?.code ?? "")}
      />
    </label>
  );
}

export function Password({ isNew }: { isNew?: boolean }) {
  const { t, email, alert, state } = useFace();
  const policy = state.options?.passwordPolicy;
  return (
    <label>
      {isNew ? t.newPassword : t.password}
      <input
        name="password"
        type="password"
        autoComplete={isNew ? "new-password" : "current-password"}
        autoFocus={Boolean(email) && !state.pending}
        required
        aria-describedby={alert}
        aria-invalid={["INVALID_CREDENTIALS", "WEAK_PASSWORD"].includes(state.problem?.code ?? "")}
      />
      {isNew && policy && <span className="doorcode-hint">{t.passwordHint(policy.minLength)}</span>}
    </label>
  );
}

export function Remember() {
  return (
    <label className="doorcode-check">
      <input name="remember" type="checkbox" defaultChecked /> {useFace().t.remember}
    </label>
  );
}
