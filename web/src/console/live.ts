// Audit events as they happen, as server-sent events over `fetch`, which can send the access token.

import { ApiError } from "../api/call";
import { AUDIT_TAIL, type AuditFilter, type AuditTail } from "../api/operations";
import { language } from "../i18n";
import * as session from "../session/session";
import type { AuditEvent } from "./events";

/** `broken`: it will connect again. */
export type TailState = { name: "connecting" | "open" | "broken" } | { name: "over"; error: unknown };

interface Payload {
  data?: AuditTail | null;
  errors?: { message: string; extensions?: { code?: string; requestId?: string } }[];
}

// What another attempt may overcome.
const PASSING = ["UNAVAILABLE", "RATE_LIMITED", "TIMEOUT", "INTERNAL"];

function failure(payload: Payload): ApiError | null {
  const error = payload.errors?.[0];
  return error ? new ApiError(error.extensions?.code ?? "INTERNAL", error.message, error.extensions?.requestId ?? null) : null;
}

async function connect(filter: AuditFilter, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  return session.withToken(async (token) => {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      accept: "text/event-stream",
      "accept-language": language(),
    };
    if (token) headers.authorization = `Bearer ${token}`;
    const body = JSON.stringify({ query: AUDIT_TAIL, variables: { filter } });
    const response = await fetch("/graphql", { method: "POST", headers, body, cache: "no-store", credentials: "omit", signal });
    if (response.body && response.headers.get("content-type")?.startsWith("text/event-stream")) return response.body;
    throw failure((await response.json()) as Payload) ?? new ApiError("UNAVAILABLE", "");
  });
}

/** Reads events until the server completes the stream. */
async function read(stream: ReadableStream<Uint8Array>, onEvent: (event: AuditEvent) => void): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const data = /^data: ?(.+)$/m.exec(block)?.[1];
      if (/^event: ?complete$/m.test(block)) return;
      if (!data) continue; // A comment that keeps the connection open.
      const payload = JSON.parse(data) as Payload;
      const error = failure(payload);
      if (error) throw error;
      if (payload.data) onEvent(payload.data.auditEventAdded);
    }
  }
}

/** Follows the events that match a filter, and connects again when the connection breaks. Returns how to stop. */
export function follow(filter: AuditFilter, onEvent: (event: AuditEvent) => void, onState: (state: TailState) => void): () => void {
  const stop = new AbortController();
  const isOver = () => stop.signal.aborted;
  const run = async () => {
    for (let failures = 0; !isOver(); failures += 1) {
      onState({ name: failures === 0 ? "connecting" : "broken" });
      if (failures > 0) await new Promise((done) => setTimeout(done, Math.min(15_000, 500 * 2 ** failures)));
      if (isOver()) return;
      try {
        const stream = await connect(filter, stop.signal);
        onState({ name: "open" });
        failures = 0;
        await read(stream, onEvent);
      } catch (error) {
        if (isOver()) return;
        const passes = error instanceof ApiError ? PASSING.includes(error.code) : !(error instanceof session.SessionEnded);
        if (!passes) return onState({ name: "over", error });
      }
    }
  };
  void run();
  return () => stop.abort();
}
