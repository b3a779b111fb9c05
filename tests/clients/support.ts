// Shared code of the TypeScript clients: arguments from `run`, requests and mail. Does not depend on the generated
// code: its only query, `inbox`, exists only on development servers.

import assert from "node:assert/strict";

const [url, manager, prefix, ...people] = process.argv.slice(2);
assert(url && manager && prefix && people.length > 0, "usage: main.js URL MANAGER PREFIX USER…");

/** The manager's address, the prefix of the users' addresses, and all these addresses. */
export const options = { manager, prefix, people };

/** The WebSocket URL for subscriptions. */
export const socketUrl = `${url.replace(/^http/, "ws")}/graphql`;

/** An error response, with its status and the code of the first error. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    message: string,
  ) {
    super(`${status} ${code}: ${message}`);
  }
}

interface Answer<Data> {
  data: Data;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** Where to read emails: the server's inbox, or the mailbox if the server sends mail. */
const mailbox = process.env.DOORCODE_MAIL_URL ?? url;

export async function post<Data>(query: string, variables: unknown, token?: string, at = url): Promise<Answer<Data>> {
  const response = await fetch(`${at}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as Answer<Data>;
  const error = answer.errors?.[0];
  if (error) throw new Refused(response.status, error.extensions?.code, error.message);
  return answer;
}

/** The code emailed to the manager. Polls, because mail is sent shortly after the response. */
export async function mailedCode(): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const query = "query Newest($to: String!) { inbox(to: $to, first: 1) { code } }";
    const { data } = await post<{ inbox: { code: string | null }[] }>(query, { to: manager }, undefined, mailbox);
    const code = data.inbox[0]?.code;
    if (code) return code;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`no code was emailed to ${manager} within ten seconds`);
}

/** A different code of the same length. */
export function otherThan(code: string): string {
  return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
}

/** Checks that every created user is listed once, and that the list has as many users as the server says. */
export function assertEveryUserOnce(found: string[], totalCount: number): void {
  assert.equal(new Set(found).size, found.length, `a user is listed twice: ${found.join(", ")}`);
  const missing = people.filter((person) => !found.includes(person));
  assert.deepEqual(missing, [], "a user is missing");
  assert.equal(found.length, totalCount);
}
