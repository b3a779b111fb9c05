// The state of a form: runs one action at a time, shows a problem at its field and moves the focus there, and makes a
// refused action wait.

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/call";
import { span, text } from "../i18n";
import { SessionEnded } from "../session/session";
import { notify } from "./announce";
import { hidePasswords } from "./field";

/** Why an action failed. Without `field`, the problem belongs to the whole form. */
export interface Problem {
  field?: string | undefined;
  message: string;
  /** The time from which the action may work again. */
  retryAt?: string | undefined;
}

export interface Form {
  problem: Problem | null;
  busy: boolean;
  /** Time in milliseconds until which the action is refused. */
  until: number;
  /** Runs an action. It returns a problem to show, or nothing. */
  run(work: () => Promise<Problem | void>): void;
  show(problem: Problem | null): void;
  /** Registers the input of a field. */
  input(name: string): (element: HTMLInputElement | null) => void;
}

/** The problem of an outcome that has a message, and for a limit the time when it ends. */
export const refusal = ({ message, retryAt }: { message: string; retryAt?: string }, field?: string): Problem => ({ field, message, retryAt });

let onSessionEnded = () => {};
let onMethodDisabled = (_message: string) => {};

/** Registers what happens when an action finds that the session has ended, or that passwords are off. */
export function handleEverywhere(sessionEnded: () => void, methodDisabled: (message: string) => void): void {
  onSessionEnded = sessionEnded;
  onMethodDisabled = methodDisabled;
}

/** The text for a failed call. Throws any error other than an `ApiError`, because it is a bug in the page. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) throw error;
  const parts = [error.message];
  if (error.retryAfter) parts.push(text().errors.later(span(error.retryAfter * 1000)));
  // Invalid input needs no reference for support.
  if (error.requestId && error.code !== "BAD_USER_INPUT") parts.push(text().errors.reference(error.requestId));
  return parts.join(" ");
}

/** `main` is the field for problems of the server that name no field. */
export function useForm(main?: string): Form {
  const [problem, show] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const inputs = useRef(new Map<string, HTMLInputElement>());
  const until = problem?.retryAt ? Date.parse(problem.retryAt) : 0;

  // Before the next paint, so that the next key already replaces what was typed.
  useLayoutEffect(() => {
    const field = problem?.field && inputs.current.get(problem.field);
    if (!field) return;
    field.focus();
    field.select();
  }, [problem]);

  const work = async (action: () => Promise<Problem | void>) => {
    try {
      show((await action()) ?? null);
    } catch (error) {
      if (error instanceof SessionEnded) onSessionEnded();
      else if (error instanceof ApiError && error.code === "METHOD_DISABLED") onMethodDisabled(error.message);
      else show({ field: main, message: errorText(error) });
    } finally {
      running.current = false;
      setBusy(false);
    }
  };

  return {
    problem,
    busy,
    until,
    show,
    run(action) {
      if (running.current) return;
      running.current = true;
      setBusy(true);
      hidePasswords(); // Browsers save a password only from a password field.
      notify("");
      void work(action);
    },
    input: (name) => (element) => {
      if (element) inputs.current.set(name, element);
      else inputs.current.delete(name);
    },
  };
}
