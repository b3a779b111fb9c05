// Sends the operations of the editor: queries and mutations over HTTP, subscriptions over a WebSocket. Adds the access
// token, unless the headers of the tab have an `Authorization` of their own.

import type { FetcherOpts, FetcherParams, Observable } from "@graphiql/toolkit";
import { Kind, OperationTypeNode, getOperationAST, parse, print, separateOperations, type DocumentNode } from "graphql";
import { createClient, type ExecutionResult, type Sink } from "graphql-ws";
import { capture, http, sessions } from "./session";

interface Call {
  query: string;
  variables: Record<string, unknown> | undefined;
  subscribes: boolean;
}

/**
 * Picks the chosen operation and its fragments, because without an access token the server accepts one operation per
 * document. Sends a text that cannot be parsed as it is: the server says what is wrong with it.
 */
function chosen({ query, operationName, variables }: FetcherParams): Call {
  const call: Call = { query, variables: (variables ?? undefined) as Call["variables"], subscribes: false };
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch {
    return call;
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) return call;
  const subscribes = operation.operation === OperationTypeNode.SUBSCRIPTION;
  const isAlone = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length === 1;
  const own = separateOperations(document)[operation.name?.value ?? ""];
  return { ...call, subscribes, query: isAlone || !own ? query : print(own) };
}

const lowerCased = (headers: Record<string, unknown> = {}) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

export async function fetcher(params: FetcherParams, options?: FetcherOpts) {
  const headers = lowerCased(options?.headers);
  const call = chosen(params);
  if (call.subscribes) return events(call, headers.authorization);
  // The schema is public where introspection is on, and must load even if the session has ended.
  const isOpen = headers.authorization !== undefined || params.operationName === "IntrospectionQuery";
  const send = (token: string | null) => http.post(call.query, call.variables, token, { headers });
  const response = await (isOpen ? send(null) : sessions.authorized(send));
  const body = (await response.json()) as { data?: unknown };
  void capture(body.data, headers.authorization === undefined).catch(() => {});
  return body as ExecutionResult;
}

/** Runs a subscription on a socket of its own, which reconnects with a new token after the old one expires. */
function events({ query, variables }: Call, own: string | undefined): Observable<ExecutionResult> {
  if (!own && !sessions.session()) throw new Error("Sign in first. Subscriptions need a session.");
  const client = createClient({
    url: new URL("/graphql", location.href).href.replace(/^http/, "ws"),
    connectionParams: async () => ({ authorization: own ?? `Bearer ${(await sessions.getAccessToken()) ?? ""}` }),
  });
  // GraphiQL passes an object, never one of the functions that the type also allows.
  const subscribe = ({ next, error, complete }: Sink<ExecutionResult>) => ({
    unsubscribe: client.subscribe<Record<string, unknown>>(
      { query, variables },
      { next, complete, error: (reason) => error(described(reason)) },
    ),
  });
  return { subscribe } as Observable<ExecutionResult>;
}

/** The editor shows errors as JSON, which leaves out the fields of a close event. */
function described(error: unknown): unknown {
  if (error instanceof CloseEvent) return new Error(`The server closed the socket: ${error.reason || "no reason"} (${error.code}).`);
  return error;
}
