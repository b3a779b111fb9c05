import { createContext, useContext, useSyncExternalStore, type ReactNode } from "react";
import type { Doorcode, Session } from "../types.js";

const Context = createContext<Doorcode | null>(null);

/** Gives the client to the hooks and components below it. */
export function DoorcodeProvider({ client, children }: { client: Doorcode; children: ReactNode }) {
  return <Context.Provider value={client}>{children}</Context.Provider>;
}

/** The client of the provider. */
export function useDoorcode(): Doorcode {
  const client = useContext(Context);
  if (!client) throw new Error("Put <DoorcodeProvider client={createDoorcode({ url })}> around this component.");
  return client;
}

/** The signed-in user, or `null`. Renders again after each change, in any tab. */
export function useSession(): Session | null {
  const client = useDoorcode();
  return useSyncExternalStore(client.onChange, client.session, () => null);
}

const never = () => () => {};

/** Whether this is a browser: a server cannot know who is signed in. */
export const useIsBrowser = () => useSyncExternalStore(never, () => true, () => false);
