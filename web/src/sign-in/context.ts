// What the forms before sign-in share: what was typed, and how to get from one form to another.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SignedIn } from "../session/session";
import type { Pending } from "./pending";

export type View =
  | { name: "wait"; problem?: string }
  | { name: "start" | "register" | "forgot" | "elsewhere" | "account" | "consent" | "unanswerable" | "disowned" }
  | { name: "code"; pending: Pending }
  | { name: "link" | "undo" | "disown"; token: string };

/** What was typed so far. Moving between forms loses nothing. */
export interface Draft {
  email: string;
  password: string;
  newPassword: string;
  name: string;
  remember: boolean;
  /** Whether the form asks for a password instead of sending a code. */
  usesPassword: boolean;
}

/** How someone signed in, for what the account page says. */
export interface Arrival {
  isNewUser?: boolean;
  /** Whether a password was typed, or null if the preference stays as it is. */
  password: boolean | null;
  notice?: string;
}

export interface SignInApp {
  draft: Draft;
  change(part: Partial<Draft>): void;
  go(view: View, notice?: string): void;
  awaitCode(pending: Pending, request?: () => Promise<{ __typename: string }>): void;
  signedIn(signedIn: SignedIn, arrival: Arrival): Promise<void>;
  /** Shows the account if there is a session, otherwise the first form. */
  leave(notice?: string): void;
}

export const SignInContext = createContext<SignInApp | null>(null);

export function useSignIn(): SignInApp {
  const app = useContext(SignInContext);
  if (!app) throw new Error("a form is rendered outside of the app");
  return app;
}
