// Subscriptions as server-sent events over `fetch`, which can send an access token.

import { DoorcodeError, type Http } from "./http.js";
import type { Sessions } from "./session.js";

interface Payload<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

/** The events of a stream, as name and data. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<{ name: string; data: string }> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
    text = blocks.pop()!;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, "m").exec(block)?.[1] ?? "";
      yield { name: field("event"), data: field("data") };
    }
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}

/** Runs a subscription, and connects again when the connection breaks. */
export async function* subscribe<Data>(
  http: Http,
  sessions: Sessions,
  query: string,
  variables: unknown,
  signal?: AbortSignal,
): AsyncGenerator<Data, void, void> {
  for (let failures = 0; !signal?.aborted && sessions.session(); failures += 1) {
    if (failures > 0) await pause(Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random()), signal);
    const connection = new AbortController();
    const close = () => connection.abort();
    signal?.addEventListener("abort", close, { once: true });
    try {
      const init = { signal: connection.signal, headers: { accept: "text/event-stream" } };
      const response = await sessions.authorized((token) => http.post(query, variables, token, init));
      if (!response.headers.get("content-type")?.startsWith("text/event-stream")) await http.unwrap(response);
      for await (const { name, data } of eventsOf(response.body!)) {
        failures = 0;
        if (name === "complete") return;
        if (name !== "next") continue;
        const payload: Payload<Data> = JSON.parse(data);
        const error = payload.errors?.[0];
        if (error) throw new DoorcodeError(error.extensions?.code ?? "INTERNAL", error.message, error.extensions?.requestId);
        yield payload.data!;
      }
    } catch (error) {
      // A broken connection is no DoorcodeError. Neither a busy nor an unreachable server ends the subscription.
      const lasting = error instanceof DoorcodeError && !["UNREACHABLE", "UNAVAILABLE", "RATE_LIMITED", "TIMEOUT"].includes(error.code);
      if (lasting && sessions.session() && !signal?.aborted) throw error;
    } finally {
      signal?.removeEventListener("abort", close);
      close();
    }
  }
}
