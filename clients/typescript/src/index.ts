// The browser client of Doorcode: sign-in, session and requests. Also runs in Node, with the session in memory.

import { connect, misuse, settle } from "./http.js";
import { subscribe } from "./live.js";
import { END_OTHER_SESSIONS, LOGOUT } from "./operations.js";
import { exchange, redirects } from "./redirect.js";
import { sessions as open } from "./session.js";
import { signInWith } from "./sign-in.js";
import { shelves } from "./store.js";
import type { Document, Doorcode, DoorcodeOptions } from "./types.js";

export { DoorcodeError } from "./http.js";
export type * from "./types.js";
export type { Operation, ProblemCode, Role, SignInMethod, SignUpPolicy, WeakPasswordReason } from "./operations.js";

/** The text of a document. */
function textOf(document: Document<never, never>): string {
  const text = String(document);
  if (!text.startsWith("[object")) return text;
  throw misuse('`query` needs the text of a document. With GraphQL Code Generator, set `documentMode: "string"`.');
}

const isLocal = ({ hostname }: URL) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);

/** Throws if the access token must not be sent to an address. */
function check(target: URL, doorcode: URL, origins: string[] = []): void {
  const { origin } = target;
  const isDevelopment = isLocal(target) && isLocal(doorcode);
  if (isDevelopment || [doorcode.origin, globalThis.location?.origin, ...origins].includes(origin)) return;
  throw misuse(`\`fetch\` does not send the access token to ${origin}. Add it to \`origins\` of createDoorcode if it is your API.`);
}

/** Creates the client. An application needs one. */
export function createDoorcode(options: DoorcodeOptions): Doorcode {
  const http = connect(options.url, options.fetch);
  const fetcher = options.fetch ?? ((...request: Parameters<typeof fetch>) => fetch(...request));
  const key = `doorcode:${http.url.href}`;
  const shelf = shelves(options.storage);
  const sessions = open(http, options, key, shelf, exchange(http));
  const signIn = {
    ...signInWith(http, sessions, key, shelf),
    ...redirects(http, sessions, options, key, shelf),
  } as Doorcode["signIn"];

  return {
    signIn,
    session: sessions.session,
    onChange: sessions.onChange,
    getAccessToken: sessions.getAccessToken,
    async fetch(input, init) {
      const request = new Request(input, init);
      check(new URL(request.url), http.url, options.origins);
      return sessions.authorized((token) => {
        // A body can be read once, and the request may have to be sent twice.
        const copy = request.clone();
        if (token) copy.headers.set("authorization", `Bearer ${token}`);
        return fetcher(copy);
      });
    },
    async query<Data, Variables>(document: Document<Data, Variables>, variables?: Variables) {
      const text = textOf(document as never);
      const result = await settle(
        sessions.authorized((token) => http.post(text, variables, token)).then((response) => http.unwrap<Data>(response)),
      );
      if (!result.ok) sessions.problem(result.problem);
      return result;
    },
    subscribe: (document, variables, { signal } = {}) =>
      subscribe(http, sessions, textOf(document as never), variables, signal),
    async signOut({ everywhere = false } = {}) {
      // First the other sessions: if that fails, the user can try again.
      if (everywhere && sessions.session()) await http.call(END_OTHER_SESSIONS, {}, await sessions.getAccessToken());
      const kept = await sessions.drop();
      if (kept) await http.call(LOGOUT, { input: { refreshToken: kept.refresh } });
    },
  };
}
