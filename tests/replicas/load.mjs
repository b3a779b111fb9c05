// Signs in with many clients through a proxy, while tests/replicas/chaos kills and restarts replicas. Each client calls
// login, reads the code from the email, and calls verify, me, refresh and logout. Counts responses by outcome, and
// detects these errors:
//
// - two sessions from one code: a client that gets no response to verify retries with the same code. Afterwards, the
//   number of sessions in the database must be the acknowledged sessions plus those whose response was lost;
// - an acknowledged sign-in or refresh whose token does not work;
// - a token that works after its logout was acknowledged.
//
// Usage: node load.mjs URL MAIL_URL CLIENTS SECONDS
// Each line on stdin starts a phase with that name. The last line on stdout contains the counts as JSON.

import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [url, mail, clients, seconds] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const run = Date.now().toString(36);
const agent = new Agent({ keepAlive: true });
const until = Date.now() + seconds * 1000;
const counts = {};
const wrong = [];
const latencies = [];
let phase = "calm";
let signIns = 0;
let requests = 0;
let lost = 0;
let unheard = 0;

createInterface({ input: process.stdin }).on("line", (line) => (phase = line));

function count(what) {
  counts[phase] ??= {};
  counts[phase][what] = (counts[phase][what] ?? 0) + 1;
}

/** Sends one request, and returns its outcome. A connection error is an outcome, too. */
async function http(target, { body, token, keep } = {}) {
  const headers = { ...(body && { "content-type": "application/json" }), ...(token && { authorization: `Bearer ${token}` }) };
  const sending = request(target, { method: body ? "POST" : "GET", headers, agent: keep ? agent : undefined });
  sending.end(body);
  try {
    const [answer] = await once(sending, "response");
    const text = (await answer.toArray()).map(String).join("");
    return { status: answer.statusCode, text };
  } catch (error) {
    return { broken: error.code ?? error.message };
  }
}

/** Runs one operation. Returns the data of its field, or an empty object without a response. */
async function ask(operation, input, token) {
  const [query, field] = operations[operation];
  const begun = performance.now();
  const { status, text, broken } = await http(`${url}/graphql`, {
    body: JSON.stringify({ query, variables: input && { input } }),
    token,
    keep: true,
  });
  requests += 1;
  latencies.push(performance.now() - begun);
  if (broken) {
    count(`connection ${broken}`);
    return {};
  }
  if (status >= 500) {
    count(`HTTP ${status} ${/"code":"([A-Z_]+)"/.exec(text)?.[1] ?? "from the proxy"}`);
    return {};
  }
  const { data, errors } = JSON.parse(text);
  const code = errors?.[0].extensions?.code;
  count(code ? `refused ${code}` : (data[field]?.__typename ?? "null"));
  return { value: data?.[field], code };
}

const tokens = "tokens { accessToken refreshToken }";
const operations = {
  login: ["mutation($input: LoginInput!) { login(input: $input) { __typename ... on CodeSent { challenge } } }", "login"],
  verify: [
    `mutation($input: VerifyInput!) { verify(input: $input) { __typename ... on SignedIn { session { id } ${tokens} } } }`,
    "verify",
  ],
  me: ["{ me { __typename email } }", "me"],
  refresh: [
    `mutation($input: RefreshInput!) { refresh(input: $input) { __typename ... on Refreshed { ${tokens} } } }`,
    "refresh",
  ],
  logout: ["mutation { logout { __typename } }", "logout"],
};

/** Retries until there is a response, because without one the outcome is unknown. */
async function insist(operation, input, token) {
  for (let tries = 0; tries < 20; tries += 1) {
    const answer = await ask(operation, input, token);
    if (answer.value || answer.code) return { ...answer, again: tries > 0 };
    lost += 1;
    await sleep(100);
  }
  throw new Error(`${operation} never got a response`);
}

/** The code in the next email, or null if none arrives. A killed replica delays the emails that it was sending. */
async function nextCode(email, after) {
  const waiting = http(`${mail}/next?to=${encodeURIComponent(email)}&after=${after}`);
  const { status, text } = await Promise.race([waiting, sleep(10_000, {})]);
  return status === 200 ? JSON.parse(text).code : null;
}

/** Signs in, and returns the tokens. Requests another code if no email arrives. Null if the response was lost. */
async function open(email) {
  let mails = 0;
  for (let asked = 0; asked < 10; asked += 1) {
    const { value } = await ask("login", { email });
    if (!value) await sleep(200);
    // A login that got no response may have sent an email, so this code may belong to an earlier login.
    for (let tries = 0; value && tries < 3; tries += 1) {
      const code = await nextCode(email, mails);
      if (!code) {
        count("(requested another code, because no mail arrived)");
        break;
      }
      mails += 1;
      const verified = await insist("verify", { challenge: value.challenge, code });
      if (verified.value?.__typename === "SignedIn") return verified.value.tokens;
      if (verified.again) {
        unheard += 1;
        return null;
      }
    }
  }
  wrong.push(`${email} could not sign in`);
  return null;
}

async function signIn(email) {
  const opened = await open(email);
  if (!opened) return;
  signIns += 1;
  let { accessToken, refreshToken } = opened;
  const seen = async (when) => {
    const me = await insist("me", undefined, accessToken);
    if (me.value?.email !== email) wrong.push(`${email} is not signed in ${when}: ${me.code}`);
  };
  await seen("after an acknowledged sign-in");
  const refreshed = await insist("refresh", { refreshToken });
  if (refreshed.value?.__typename !== "Refreshed") return wrong.push(`${email}: refresh ${JSON.stringify(refreshed)}`);
  ({ accessToken, refreshToken } = refreshed.value.tokens);
  await seen("after an acknowledged refresh");
  const over = await insist("logout", undefined, accessToken);
  if (over.value?.__typename !== "LoggedOut" && !over.again) return wrong.push(`${email}: logout ${JSON.stringify(over)}`);
  const after = await insist("me", undefined, accessToken);
  if (after.code !== "UNAUTHENTICATED") wrong.push(`${email} is signed in after the logout: ${JSON.stringify(after)}`);
  const again = await insist("refresh", { refreshToken });
  if (again.value?.__typename === "Refreshed") wrong.push(`${email} refreshed after the logout`);
}

async function client(number) {
  for (let turn = 0; Date.now() < until; turn += 1) await signIn(`load-${run}-${number}-${turn}@example.com`);
}

const begun = Date.now();
await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
const took = (Date.now() - begun) / 1000;
latencies.sort((one, other) => one - other);
const percentile = (part) => Math.round(latencies[Math.floor((latencies.length - 1) * part)]);
console.log(
  JSON.stringify({
    run,
    signIns,
    signInsPerSecond: Math.round((signIns / took) * 10) / 10,
    requests,
    requestsPerSecond: Math.round(requests / took),
    milliseconds: { median: percentile(0.5), p99: percentile(0.99), worst: percentile(1) },
    lost,
    unheard,
    outcomes: counts,
    wrong,
  }),
);
process.exit(0);
