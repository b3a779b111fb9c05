// What the parts of the account page share: the person, and a confirmation with a code when the server wants a recent
// sign-in.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Person } from "../app";
import type { Ask } from "./step-up";

export interface AccountApp {
  person: Person;
  update(part: Partial<Person>): void;
  ask: Ask;
  signedOut(notice: string): void;
}

/** Thrown when the user does not confirm with a code. The action simply stops. */
export class NotConfirmed extends Error {}

export const AccountContext = createContext<AccountApp | null>(null);

export function useAccount(): AccountApp {
  const app = useContext(AccountContext);
  if (!app) throw new Error("a part of the account is rendered outside of it");
  return app;
}
