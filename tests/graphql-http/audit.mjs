// Doorcode as a server of GraphQL over HTTP: runs every audit of the package graphql-http against it, and what that
// suite does not ask. The suite follows an older draft in a few places; those stand below with what the specification
// says now (https://github.com/graphql/graphql-over-http, August 2026), and must fail for as long as they stand there.
//
// node audit.mjs URL: where the endpoint of a development server is, such as http://localhost:4000/graphql.

import { request } from "node:http";
import { serverAudits } from "graphql-http";

const url = process.argv[2];
if (!url) throw new Error("usage: audit.mjs URL");

const olderClients =
  "the request SHOULD be performed following the requirements of this specification as if the request had specified " +
  "`Accept: application/graphql-response+json`, except any response that produces a `2xx` status code should replace " +
  "the `Content-Type` header";
const noData =
  "If the GraphQL response does not contain the {data} entry then the server MUST reply with an appropriate `4xx` or " +
  "`5xx` status code";
const unparsed = "If the GraphQL document in the request cannot be parsed, status code `400` SHOULD be used.";
const coercion =
  "If the variable values cannot be coerced to match the operation's variable definitions, status code `422` SHOULD be " +
  "used.";

/** Audits that ask for the opposite of the specification, by id, and the sentences that they contradict. */
const contradicted = {
  "572B": [olderClients, noData, unparsed],
  // About validation by its title, but no name begins with a digit, so its document is not even parsed.
  FDE2: [olderClients, noData, unparsed],
  "7B9B": [olderClients, noData, coercion],
  "86EE": [coercion],
};

let passed = 0;
let failed = 0;

/** Says and counts what one check has shown. */
function tell(well, what, ...more) {
  if (well) passed += 1;
  else failed += 1;
  console.log(`${well ? "ok" : "not ok"} ${what}`);
  for (const line of more) console.log(`  ${line}`);
}

/** One audit. What is left to the server (MAY) is shown when it is so, and never a failure. */
async function examine({ id, name, fn }) {
  const what = `${id}: ${name}`;
  let result;
  try {
    result = await fn();
  } catch (error) {
    tell(false, what, `could not be asked: ${error.cause ?? error}`);
    return;
  }
  const { status, reason, response } = result;
  const why = reason && `${status}: ${reason}; it was ${response.status}, ${response.headers.get("content-type")}`;
  const sentences = contradicted[id];
  if (sentences && status === "warn") {
    tell(true, `${what} (fails as it must)`, why, ...sentences.map((sentence) => `specification: ${sentence}`));
  } else if (sentences) {
    tell(false, what, why ?? "stands among the contradicted audits, and passes");
  } else if (status === "notice") {
    console.log(`notice ${what}\n  ${why}`);
  } else {
    tell(status === "ok", what, ...(why ? [why] : []));
  }
}

/** What the listener says to so many headers. */
function statusWith(headers) {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: "POST" }, (answer) => resolve(answer.resume().statusCode));
    for (let header = 0; header < headers; header += 1) asked.setHeader(`x-${header}`, "x");
    asked.on("error", reject).end();
  });
}

const audits = serverAudits({ url, fetchFn: fetch });
for (const audit of audits) await examine(audit);

const ids = audits.map(({ id }) => id);
tell(new Set(ids).size === ids.length, "every audit has an id of its own");
const gone = Object.keys(contradicted).filter((id) => !ids.includes(id));
tell(gone.length === 0, "every contradicted audit is still there", ...gone);
for (const level of ["MUST", "SHOULD"]) {
  tell(audits.some(({ name }) => name.startsWith(level)), `the suite has audits of what a server ${level}`);
}
const crowded = await statusWith(150);
tell(crowded === 431, "150 headers are refused with 431", `it was ${crowded}`);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
