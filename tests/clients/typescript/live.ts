// Tests subscriptions with graphql-ws, the reference client of the protocol: subscribes, receives an event, completes,
// and reconnects after the connection breaks.

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { post, socketUrl } from "../support";
import { graphql } from "./generated";
import type { EventsSubscription } from "./generated/graphql";

const Events = graphql(`
  subscription Events($filter: AuditFilter) { auditEventAdded(filter: $filter) { subject { id } } }
`);
const Rename = graphql(`
  mutation Rename($input: UpdateProfileInput!) {
    updateProfile(input: $input) { __typename ... on Problem { message } }
  }
`);

/** Subscribes to the events of the token's user, causes an event, and checks that it arrives. */
export async function receivesEvents(token: string, subjectId: string, pass: (check: string) => void): Promise<void> {
  const seen: string[] = [];
  const client = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    // Keep the connection open while there is no subscription.
    lazy: false,
    onNonLazyError: (error) => assert.fail(String(error)),
    on: {
      connected: () => seen.push("connected"),
      message: (message) => seen.push(message.type),
    },
  });
  const subscribe = () =>
    client.iterate<EventsSubscription>({ query: Events.toString(), variables: { filter: { subjectId } } });
  let renamed = 0;
  // The protocol does not acknowledge `subscribe`, so cause events until one arrives.
  const receivesOne = async (events: ReturnType<typeof subscribe>) => {
    const next = events.next();
    for (let tries = 0; tries < 10; tries += 1) {
      await post(Rename.toString(), { input: { name: `Name ${(renamed += 1)}` } }, token);
      const received = await Promise.race([next, setTimeout(1_000)]);
      if (!received) continue;
      assert(!received.done && !received.value.errors, JSON.stringify(received));
      assert.equal(received.value.data?.auditEventAdded.subject?.id, subjectId);
      return;
    }
    assert.fail("no event arrived within ten seconds");
  };

  const events = subscribe();
  await receivesOne(events);
  pass("receives an event");

  await events.return?.();
  // If the server responded to `complete`, the response would arrive before the error for the next message.
  const refused = (errors: unknown) => Array.isArray(errors) && errors[0]?.extensions?.code === "BAD_REQUEST";
  await assert.rejects(client.iterate({ query: "{ me { id } }" }).next(), refused);
  assert(!seen.includes("complete"), seen.join(" "));
  pass("completes a subscription and keeps its connection");

  const again = subscribe();
  await receivesOne(again);
  client.terminate();
  await receivesOne(again);
  assert.equal(seen.filter((type) => type === "connected").length, 2, seen.join(" "));
  pass("reconnects after its connection breaks");
  await client.dispose();
}
