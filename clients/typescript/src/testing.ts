// Reads codes in tests, from the inbox of a development server.

import { connect } from "./http.js";
import type { Operation } from "./operations.js";

export interface ReadCodeOptions {
  /** The development server. Default: the environment variable `DOORCODE_URL`, then `http://localhost:4000`. */
  url?: string;
  /** How long to wait for the email, in milliseconds. Default: 10,000. */
  timeout?: number;
}

interface Inbox {
  inbox: { at: string; code: string | null }[];
}

// The same text as in Doorcode's own pages, so that a server with trusted documents accepts it.
const INBOX = "query NewestCode($to:String!){inbox(to:$to first:1){at code}}" as Operation<Inbox, { to: string }>;
/** Older emails belong to an earlier test. */
const MAX_AGE = 60_000;
const used = new Set<string>();

/** Waits for the next email with a code to an address, and returns the code. Returns each code once. */
export async function readCode(email: string, { url, timeout = 10_000 }: ReadCodeOptions = {}): Promise<string> {
  const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };
  const http = connect(url ?? process?.env["DOORCODE_URL"] ?? "http://localhost:4000");
  const deadline = Date.now() + timeout;
  for (;;) {
    const { inbox } = await http.call(INBOX, { to: email });
    const [newest] = inbox;
    if (newest?.code && !used.has(`${email} ${newest.at}`) && Date.now() - http.local(newest.at).getTime() < MAX_AGE) {
      used.add(`${email} ${newest.at}`);
      return newest.code;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `No new code was emailed to ${email} within ${timeout / 1000} seconds. See ${http.url.origin}/inbox, and check that the server is in development and has no SMTP_URL.`,
      );
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}
