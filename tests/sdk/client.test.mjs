// Tests the client in Node against a live development server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createDoorcode, DoorcodeError } from "@doorcode/client";
import { readCode } from "@doorcode/client/testing";
import { Doorcode, MemoryStorage, serve } from "./support.mjs";

const GOOD = "seven otters at noon";
const BETTER = "eight otters at dawn";
const MINUTE = 60_000;

let server;
let count = 0;

before(async () => {
  server = await Doorcode.start({
    DOORCODE_LIMIT_SEND_NETWORK: "10000/15m",
    DOORCODE_LIMIT_GUESS_ACCOUNT: "3/1d",
    DOORCODE_LIMIT_API_CALLER: "100000/1m",
  });
  process.env.DOORCODE_URL = server.url;
});
after(() => server.remove());

const address = () => `user-${(count += 1)}@example.com`;

/** A client that counts its requests by the name of their operation. */
function client(options = {}) {
  const sent = [];
  const counting = async (input, init) => {
    sent.push(/(?:query|mutation|subscription) (\w+)/.exec(init?.body)?.[1] ?? "other");
    return fetch(input, init);
  };
  return { sent, ...createDoorcode({ url: server.url, fetch: counting, ...options }) };
}

const good = (result) => {
  assert(result.ok, JSON.stringify(result));
  return result.data;
};
const problem = (result, code) => {
  assert.equal(result.problem?.code, code, JSON.stringify(result));
  assert(result.problem.message.length > 0);
  return result.problem;
};
const otherThan = (code) => code.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10));

async function signIn(doorcode, email = address(), choices = {}) {
  const pending = good(await doorcode.signIn.withCode(email, choices));
  return good(await pending.verify(await readCode(email)));
}

/** Moves the clock of the client, but not that of the server. */
function moveClock(t, milliseconds) {
  t.mock.restoreAll();
  const { now } = Date;
  t.mock.method(Date, "now", () => now() + milliseconds);
}

const ME = "query Me { me { email } }";

test("a user signs in with a code, after a wrong one", async () => {
  const doorcode = client();
  const email = address();
  const changes = [];
  const stop = doorcode.onChange((session) => changes.push(session?.user.email ?? null));
  const pending = good(await doorcode.signIn.withCode(` ${email.toUpperCase()} `));
  assert.equal(pending.email, email);
  assert.equal(pending.attemptsLeft, 3);
  assert(pending.expiresAt > new Date() && pending.resendAt instanceof Date);
  const code = await readCode(email);

  assert.equal(problem(await pending.verify(otherThan(code)), "INVALID_CODE").attemptsLeft, 2);
  assert.equal(pending.attemptsLeft, 2);
  const session = good(await pending.verify(`Your code: ${code.slice(0, 4)} ${code.slice(4)}`));
  assert.deepEqual([session.user.email, session.user.role, session.isNewUser], [email, "USER", true]);
  assert.deepEqual([session.methods, session.remembered], [["otp"], true]);
  assert.equal(doorcode.session(), doorcode.session());
  assert.deepEqual(good(await doorcode.query(ME)), { me: { email } });

  await doorcode.signOut();
  assert.equal(doorcode.session(), null);
  assert.equal(await doorcode.getAccessToken(), null);
  assert.deepEqual(changes, [email, null]);
  stop();
});

test("full-width digits are a code", async () => {
  const doorcode = client();
  const email = address();
  const pending = good(await doorcode.signIn.withCode(email));
  const code = await readCode(email);
  good(await pending.verify(code.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)))));
});

test("a user registers, signs in with the password, and resets it", async () => {
  const email = address();
  const doorcode = client();
  assert.deepEqual((await doorcode.signIn.options()).methods.toSorted(), ["EMAIL_CODE", "PASSWORD"]);
  assert(problem(await doorcode.signIn.register(email, "short"), "WEAK_PASSWORD").reasons.includes("TOO_SHORT"));
  const registration = good(await doorcode.signIn.register(email, GOOD, { name: "Ada" }));
  assert.equal(registration.kind, "registration");
  assert.equal(good(await registration.verify(await readCode(email))).user.name, "Ada");
  await doorcode.signOut();

  problem(await doorcode.signIn.withPassword(email, BETTER), "INVALID_CREDENTIALS");
  const session = good(await doorcode.signIn.withPassword(email, GOOD, { remember: false }));
  assert.deepEqual([session.methods, session.remembered], [["pwd"], false]);
  await doorcode.signOut();

  const reset = good(await doorcode.signIn.requestReset(email));
  assert.equal(reset.kind, "reset");
  const code = await readCode(email);
  problem(await reset.finish(code, "short"), "WEAK_PASSWORD");
  assert.equal(good(await reset.finish(code, BETTER)).user.email, email);
  good(await client().signIn.withPassword(email, BETTER));
});

test("an address that is none is a problem", async () => {
  problem(await client().signIn.withCode("nobody"), "INVALID_EMAIL");
});

test("another email can be sent, and both codes work", async () => {
  const doorcode = client();
  const email = address();
  const pending = good(await doorcode.signIn.withCode(email));
  const first = await readCode(email);
  const { resendAt } = pending;
  good(await pending.resend());
  assert(pending.resendAt > resendAt);
  await readCode(email);
  good(await pending.verify(first));
});

test("a code in progress and a session survive a reload", async () => {
  const storage = new MemoryStorage();
  const email = address();
  good(await client({ storage }).signIn.withCode(email));
  const reloaded = client({ storage });
  const pending = reloaded.signIn.pending();
  assert.deepEqual([pending.kind, pending.email, pending.codeLength], ["signIn", email, 8]);
  const session = good(await pending.verify(await readCode(email)));
  assert.equal(reloaded.signIn.pending(), null);

  const again = client({ storage });
  assert.deepEqual(again.session(), session);
  assert.deepEqual(good(await again.query(ME)), { me: { email } });
});

test("a cancelled code is gone", async () => {
  const doorcode = client();
  good(await doorcode.signIn.withCode(address())).cancel();
  assert.equal(doorcode.signIn.pending(), null);
});

test("no password is stored", async () => {
  const storage = new MemoryStorage();
  good(await client({ storage }).signIn.register(address(), GOOD));
  assert(![...storage.items.values()].join().includes(GOOD));
});

test("fifty callers refresh once", async (t) => {
  const doorcode = client();
  await signIn(doorcode);
  const before = await doorcode.getAccessToken();
  moveClock(t, 20 * MINUTE);
  doorcode.sent.length = 0;
  const tokens = await Promise.all(Array.from({ length: 50 }, () => doorcode.getAccessToken()));
  assert.equal(new Set(tokens).size, 1);
  assert.notEqual(tokens[0], before);
  assert.deepEqual(doorcode.sent, ["Refresh"]);
});

test("two tabs without locks refresh at once, and both stay signed in", async (t) => {
  const storage = new MemoryStorage();
  const email = address();
  const tabs = [client({ storage }), client({ storage })];
  await signIn(tabs[0], email);
  const other = client({ storage });
  moveClock(t, 20 * MINUTE);
  await Promise.all([tabs[0].getAccessToken(), other.getAccessToken()]);
  t.mock.restoreAll();
  for (const tab of [tabs[0], other]) assert.deepEqual(good(await tab.query(ME)), { me: { email } });
});

for (const minutes of [-5, 5]) {
  test(`a clock that is ${minutes} minutes off makes no difference`, async (t) => {
    moveClock(t, minutes * MINUTE);
    const doorcode = client();
    const email = address();
    const pending = good(await doorcode.signIn.withCode(email));
    const left = pending.expiresAt - Date.now();
    assert(left > 4 * MINUTE && left < 6 * MINUTE, String(left));
    good(await pending.verify(await readCode(email)));
    doorcode.sent.length = 0;
    await doorcode.getAccessToken({ minTtl: 300 });
    assert.deepEqual(doorcode.sent, [], "refreshed too early");
    assert.deepEqual(good(await doorcode.query(ME)), { me: { email } });
    // The token expires 15 minutes after it arrived, whatever the clock says.
    moveClock(t, (minutes + 14.9) * MINUTE);
    await doorcode.getAccessToken();
    assert.deepEqual(doorcode.sent, ["Me", "Refresh"]);
  });
}

test("a clock that is set back during the session leads to a refresh", async (t) => {
  const doorcode = client();
  await signIn(doorcode);
  moveClock(t, -30 * MINUTE);
  doorcode.sent.length = 0;
  await doorcode.getAccessToken();
  assert.deepEqual(doorcode.sent, ["Refresh"]);
});

test("where storage is refused, the session is in memory", async () => {
  const refuse = () => {
    throw new Error("storage is refused");
  };
  const doorcode = client({ storage: { getItem: refuse, setItem: refuse, removeItem: refuse } });
  const email = address();
  await signIn(doorcode, email);
  assert.deepEqual(good(await doorcode.query(ME)), { me: { email } });
  await doorcode.signOut();
  assert.equal(doorcode.session(), null);
});

test("a damaged storage is an empty one", () => {
  const storage = new MemoryStorage();
  storage.setItem(`doorcode:${server.url}/`, "{");
  storage.setItem(`doorcode:${server.url}/:pending`, '"');
  const doorcode = client({ storage });
  assert.deepEqual([doorcode.session(), doorcode.signIn.pending()], [null, null]);
});

test("while the server is down, a valid token is used, and the session continues afterwards", async (t) => {
  const doorcode = client();
  const email = address();
  await signIn(doorcode, email);
  await server.stop();
  assert.notEqual(await doorcode.getAccessToken(), null);
  const unreachable = (error) =>
    error instanceof DoorcodeError && error.code === "UNREACHABLE" && /Check the connection/.test(error.message);
  await assert.rejects(doorcode.query(ME), unreachable);
  // It would be refreshed now, but it is still valid.
  moveClock(t, 14.8 * MINUTE);
  assert.notEqual(await doorcode.getAccessToken(), null);
  moveClock(t, 20 * MINUTE);
  await assert.rejects(doorcode.getAccessToken(), unreachable);
  assert.equal(doorcode.session().user.email, email);
  await server.start();
  assert.notEqual(await doorcode.getAccessToken(), null);
  assert.deepEqual(good(await doorcode.query(ME)), { me: { email } });
});

test("a refused token is refreshed and tried again once", async (t) => {
  const doorcode = client();
  await signIn(doorcode);
  const tokens = [];
  let refusals = 1;
  const api = await serve(async (request, response) => {
    const chunks = await request.toArray();
    tokens.push(request.headers.authorization);
    response.statusCode = tokens.length <= refusals ? 401 : 200;
    response.end(Buffer.concat(chunks));
  });
  t.after(api.close);
  const response = await doorcode.fetch(api.url, { method: "POST", body: "hello" });
  assert.deepEqual([response.status, await response.text()], [200, "hello"]);
  assert.equal(tokens.length, 2);
  assert.notEqual(tokens[0], tokens[1]);

  tokens.length = 0;
  refusals = 9;
  assert.equal((await doorcode.fetch(api.url)).status, 401);
  assert.equal(tokens.length, 2);
});

test("the access token is sent to no origin that is not listed", async () => {
  const asked = [];
  const fetch = async (request) => asked.push(request.url) && new Response("hello");
  const doorcode = client({ origins: ["https://api.example.com"], fetch });
  await doorcode.fetch("https://api.example.com/notes");
  assert.deepEqual(asked, ["https://api.example.com/notes"]);
  for (const url of ["https://evil.example/", "http://api.example.com/", "https://api.example.com.evil.example/"]) {
    await assert.rejects(doorcode.fetch(url), /does not send the access token to http/);
  }
  await assert.rejects(client().fetch("https://api.example.com/"), /does not send the access token/);
  const live = createDoorcode({ url: "https://login.example.com", fetch });
  await assert.rejects(live.fetch("http://localhost:3000/"), /does not send the access token/);
  assert.equal(asked.length, 1);
});

test("a session that ends elsewhere ends here", async () => {
  const email = address();
  const [here, there] = [client(), client()];
  await signIn(there, email);
  const problems = [];
  const one = client({ onProblem: ({ code }) => problems.push(code) });
  await signIn(one, email);
  await signIn(here, email);
  await there.signOut({ everywhere: true });
  for (const doorcode of [here, one]) {
    problem(await doorcode.query("query Me { me { id } }"), "UNAUTHENTICATED");
    assert.equal(doorcode.session(), null);
  }
  assert.deepEqual(problems, ["SESSION_ENDED", "UNAUTHENTICATED"]);
});

test("signing out while the server is down still forgets the session here", async () => {
  const doorcode = client();
  await signIn(doorcode);
  await server.stop();
  await assert.rejects(doorcode.signOut({ everywhere: true }), DoorcodeError);
  assert.notEqual(doorcode.session(), null);
  await assert.rejects(doorcode.signOut(), DoorcodeError);
  assert.equal(doorcode.session(), null);
  await server.start();
});

test("errors that users can act on are problems, and others are thrown", async () => {
  const doorcode = client();
  await signIn(doorcode);
  problem(await doorcode.query("{ users { nodes { id } } }"), "FORBIDDEN");
  const refused = (error) => error.code === "GRAPHQL_VALIDATION_FAILED" && error.requestId && error.message.includes(error.requestId);
  await assert.rejects(doorcode.query("{ nothing }"), refused);
  await assert.rejects(doorcode.query({ kind: "Document" }), /documentMode/);
  assert.throws(() => createDoorcode({ url: "login" }), /needs `url`, the address of your Doorcode server/);
});

test("a signed-in user signs in again, which replaces the session", async () => {
  const doorcode = client();
  const email = address();
  const first = await signIn(doorcode, email);
  const second = await signIn(doorcode, email);
  assert.notEqual(first.id, second.id);
  const { me } = good(await doorcode.query("{ me { sessions { totalCount } } }"));
  assert.equal(me.sessions.totalCount, 1);
});

test("an emailed link signs in", async () => {
  const doorcode = client();
  const email = address();
  await signIn(doorcode, email);
  const stranger = client();
  const attempt = good(await stranger.signIn.withCode(email));
  const code = await readCode(email);
  for (let wrong = 0; wrong < 3; wrong += 1) await attempt.verify(otherThan(code));
  good(await stranger.signIn.withCode(email));
  const find = async () => {
    const { inbox } = good(await stranger.query("query I($to: String!) { inbox(to: $to, first: 1) { text } }", { to: email }));
    return /#link=([\w-]+)/.exec(inbox[0].text)?.[1];
  };
  let token;
  for (let tries = 0; !token && tries < 50; tries += 1) {
    await new Promise((done) => setTimeout(done, 100));
    token = await find();
  }
  assert.deepEqual(good(await stranger.signIn.confirmLink(token)).methods, ["link"]);
  problem(await client().signIn.confirmLink(token), "CODE_EXPIRED");
});

test("a subscription survives a restart of the server, and ends with its signal", async () => {
  const doorcode = client();
  const email = address();
  await signIn(doorcode, email);
  const stop = new AbortController();
  const query = "subscription Ended { sessionEnded { id current } }";
  const events = doorcode.subscribe(query, undefined, { signal: stop.signal });
  const next = events.next();
  await new Promise((done) => setTimeout(done, 500));
  await server.stop();
  await server.start();
  while (doorcode.sent.filter((name) => name === "Ended").length < 2) await new Promise((done) => setTimeout(done, 50));
  await new Promise((done) => setTimeout(done, 500));
  const other = client();
  await signIn(other, email);
  await other.signOut();
  const { value } = await next;
  assert.equal(value.sessionEnded.current, false);
  stop.abort();
  assert.equal((await events.next()).done, true);
});

test("a subscription ends with the session", async () => {
  const doorcode = client();
  await signIn(doorcode);
  const seen = [];
  const reading = (async () => {
    for await (const { sessionEnded } of doorcode.subscribe("subscription Ended { sessionEnded { current } }")) {
      seen.push(sessionEnded.current);
    }
  })();
  await new Promise((done) => setTimeout(done, 500));
  await doorcode.signOut();
  await reading;
  assert.deepEqual(seen, [true]);
});
