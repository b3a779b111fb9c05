// The tabs of the first visit, one for each part of the API. GraphiQL names a tab after its first operation.

import { shell } from "../shell";
import audit from "./tabs/audit.graphql?raw";
import inbox from "./tabs/inbox.graphql?raw";
import live from "./tabs/live.graphql?raw";
import me from "./tabs/me.graphql?raw";
import people from "./tabs/people.graphql?raw";
import signIn from "./tabs/sign-in.graphql?raw";

interface Tab {
  query: string;
  variables: string | null;
}

const json = (variables: object) => JSON.stringify(variables, null, 2);

export const tabs: [Tab, ...Tab[]] = [
  {
    query: shell.inbox ? signIn + inbox : signIn,
    variables: json({ email: "ada@example.com", challenge: "", code: "", refreshToken: "" }),
  },
  { query: me, variables: null },
  { query: people, variables: json({ first: 10, filter: {} }) },
  { query: audit, variables: json({ first: 10, filter: {} }) },
  { query: live, variables: json({ filter: {} }) },
];

/**
 * Stores the editors of the first tab in the format of GraphiQL, which restores them from storage even on the first
 * visit. On a reload, it opens an extra tab if the editors' content matches no stored tab.
 */
export function prepare(storage: Storage): void {
  if (storage.getItem("graphiql:tabState") !== null) return;
  const [first] = tabs;
  storage.setItem("graphiql:query", first.query);
  storage.setItem("graphiql:variables", first.variables ?? "");
}
