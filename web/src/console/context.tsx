// What the parts of the console share: who uses it, and how it calls the API.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Ask } from "../account/step-up";
import type { Me } from "../api/operations";

export interface ConsoleApp {
  person: NonNullable<Me["me"]>;
  /** Whether to offer changes. The API decides about each of them. */
  isAdmin: boolean;
  ask: Ask;
}

export const ConsoleContext = createContext<ConsoleApp | null>(null);

export function useConsole(): ConsoleApp {
  const app = useContext(ConsoleContext);
  if (!app) throw new Error("a part of the console is rendered outside of it");
  return app;
}
