import { useEffect, useRef, useState } from "react";
import type { PendingCode, PendingReset, Problem, Result, Session, SignIn, SignInOptions } from "../types.js";
import { useDoorcode } from "./provider.js";

interface State {
  /** Whether a request is under way. Further calls do nothing then. */
  busy: boolean;
  /** Why the latest call failed. */
  problem: Problem | null;
  /** The code that was sent. Survives a reload. */
  pending: PendingCode | PendingReset | null;
  /** How users sign in to this server. `null` until the server responds. */
  options: SignInOptions | null;
}

type Calls = Pick<SignIn, "withCode" | "withPassword" | "register" | "requestReset">;

export type SignInState = State & {
  [Name in keyof Calls]: (...input: Parameters<Calls[Name]>) => Promise<boolean>;
} & {
  /** Signs in with the code of `pending`. */
  verify(code: string): Promise<boolean>;
  /** Sets the new password of a reset in `pending`. */
  finish(code: string, password: string): Promise<boolean>;
  /** Sends another email for `pending`. */
  resend(): Promise<boolean>;
  /** Forgets `pending` and `problem`. */
  cancel(): void;
};

/** A failure of the network or the server, as a problem to show. */
const failure = (error: unknown): Problem => {
  const { code = "", message, retryAt } = error as { code?: string; message: string; retryAt?: Date };
  // A bug in the application is for its developers.
  if (!code || code === "USAGE") throw error;
  return { code, message, ...(retryAt && { retryAt }) };
};

/** The state of a sign-in form. Every call returns whether it succeeded. `verify`, `finish` and `resend` need `pending`. */
export function useSignIn(onSignedIn?: (session: Session) => void): SignInState {
  const { signIn } = useDoorcode();
  const [state, setState] = useState<State>(() => ({
    busy: false,
    problem: null,
    pending: signIn.pending(),
    options: null,
  }));
  const busy = useRef(false);
  const change = (part: Partial<State>) => setState((state) => ({ ...state, ...part }));

  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout>;
    const load = () =>
      signIn.options().then(
        (options) => isGone || change({ options }),
        // The form for a code works without the options.
        () => (timer = setTimeout(load, 5000)),
      );
    load();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [signIn]);

  async function run<T>(work: () => Promise<Result<T>>, then: (data: T) => Partial<State>): Promise<boolean> {
    let next: Partial<State> = {};
    try {
      const result = await work();
      next = result.ok ? then(result.data) : { problem: result.problem };
      return result.ok;
    } catch (error) {
      next = { problem: failure(error) };
      return false;
    } finally {
      busy.current = false;
      change({ busy: false, ...next });
    }
  }

  /** Makes a call that runs once at a time. */
  const once =
    <Input extends unknown[], T>(call: (...input: Input) => Promise<Result<T>>, then: (data: T) => Partial<State>) =>
    async (...input: Input) => {
      if (busy.current) return false;
      busy.current = true;
      change({ busy: true, problem: null });
      return run(() => call(...input), then);
    };

  const sent = (pending: PendingCode | PendingReset) => ({ pending });
  const signedIn = (session: Session) => {
    onSignedIn?.(session);
    return { pending: null };
  };
  const { pending } = state;

  return {
    ...state,
    withCode: once(signIn.withCode, sent),
    register: once(signIn.register, sent),
    requestReset: once(signIn.requestReset, sent),
    withPassword: once(signIn.withPassword, signedIn),
    verify: once((code) => (pending as PendingCode).verify(code), signedIn),
    finish: once((code, password) => (pending as PendingReset).finish(code, password), signedIn),
    resend: once(() => pending!.resend(), () => ({})),
    cancel() {
      pending?.cancel();
      change({ pending: null, problem: null });
    },
  };
}
