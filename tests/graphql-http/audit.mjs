// Runs every audit of the package graphql-http against Doorcode, and a few further checks. Some audits follow an older
// draft of the specification. They are listed below with the current text
// (https://github.com/graphql/graphql-over-http, August 2026), and must fail as long as they are listed.
//
// Usage: node audit.mjs URL
// URL is the endpoint of a development server, such as http://localhost:4000/graphql.

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

/** The ids of audits that contradict the specification, with the sentences that they contradict. */
const contradicted = {
  "572B": [olderClients, noData, unparsed],
  // The title says "validation", but a name cannot start with a digit, so the document does not parse.
  FDE2: [olderClients, noData, unparsed],
  "7B9B": [olderClients, noData, coercion],
  "86EE": [coercion],
};

let passed = 0;
let failed = 0;

/** Prints and counts the result of one check. */
function tell(well, what, ...more) {
  if (well) passed += 1;
  else failed += 1;
  console.log(`${well ? "ok" : "not ok"} ${what}`);
  for (const line of more) console.log(`  ${line}`);
}

/** Runs one audit. A MAY audit is reported as a notice and never fails. */
async function examine({ id, name, fn }) {
  const what = `${id}: ${name}`;
  let result;
  try {
    result = await fn();
  } catch (error) {
    tell(false, what, `could not run: ${error.cause ?? error}`);
    return;
  }
  const { status, reason, response } = result;
  const why = reason && `${status}: ${reason}; it was ${response.status}, ${response.headers.get("content-type")}`;
  const sentences = contradicted[id];
  if (sentences && status === "warn") {
    tell(true, `${what} (fails as expected)`, why, ...sentences.map((sentence) => `specification: ${sentence}`));
  } else if (sentences) {
    tell(false, what, why ?? "is listed as contradicted, but passes");
  } else if (status === "notice") {
    console.log(`notice ${what}\n  ${why}`);
  } else {
    tell(status === "ok", what, ...(why ? [why] : []));
  }
}

/** Sends a request with this many headers, and returns the status. */
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
tell(new Set(ids).size === ids.length, "every audit has a unique id");
const gone = Object.keys(contradicted).filter((id) => !ids.includes(id));
tell(gone.length === 0, "every contradicted audit still exists", ...gone);
for (const level of ["MUST", "SHOULD"]) {
  tell(audits.some(({ name }) => name.startsWith(level)), `the suite has ${level} audits`);
}
const crowded = await statusWith(150);
tell(crowded === 431, "150 headers are refused with 431", `it was ${crowded}`);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
