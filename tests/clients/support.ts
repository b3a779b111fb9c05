// What the clients in TypeScript share: what `run` tells them, the way to the server, and the mail. It knows nothing of
// the schema; the one query that it asks, `inbox`, exists only in development and in no generated client.

import assert from "node:assert/strict";

const [url, manager, prefix, ...people] = process.argv.slice(2);
assert(url && manager && prefix && people.length > 0, "usage: main.js URL MANAGER PREFIX PERSON…");

/** Who signs in, how the addresses of the people begin, and all of those. */
export const told = { manager, prefix, people };

/** Where subscriptions are served. */
export const socketUrl = `${url.replace(/^http/, "ws")}/graphql`;

/** An answer that is no answer: the status, and the code of the first error. */
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

/** Where mail is read: the server itself, or what answers for it where the server sends its mail. */
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

/** The code that was mailed to the manager; mail leaves a moment after the answer. */
export async function mailedCode(): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const query = "query Newest($to: String!) { inbox(to: $to, first: 1) { code } }";
    const { data } = await post<{ inbox: { code: string | null }[] }>(query, { to: manager }, undefined, mailbox);
    const code = data.inbox[0]?.code;
    if (code) return code;
    await new Promise((done) => setTimeout(done, 200));
  }
  throw new Error(`no code was mailed to ${manager} within ten seconds`);
}

/** A code of the same length that is not the one. */
export function otherThan(code: string): string {
  return code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));
}

/** Each of the people is among them, nobody comes twice, and they are as many as the server counts. */
export function assertEverybodyOnce(found: string[], totalCount: number): void {
  assert.equal(new Set(found).size, found.length, `somebody comes twice: ${found.join(", ")}`);
  const missing = people.filter((person) => !found.includes(person));
  assert.deepEqual(missing, [], "somebody does not come at all");
  assert.equal(found.length, totalCount);
}
