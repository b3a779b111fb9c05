// Prints and checks the counts from tests/replicas/load.mjs.
//
// Usage: node judge.mjs OUTCOME CLIENTS SESSIONS DOUBLED FAILURE…
// OUTCOME is the file with the counts, CLIENTS the number of clients, SESSIONS the number of sessions in the database,
// DOUBLED the number of codes that opened two sessions, and each FAILURE the text of another failure.

import { readFileSync } from "node:fs";

const [file, clients, sessions, doubled, ...failures] = process.argv.slice(2);
const { outcomes, wrong, ...figures } = JSON.parse(readFileSync(file, "utf8"));
console.log(figures);
for (const [phase, counts] of Object.entries(outcomes)) console.log(phase, counts);

const isLost = (what) => /^(HTTP|connection) /.test(what);
const lostIn = (phase) =>
  Object.entries(outcomes[phase] ?? {}).reduce((sum, [what, number]) => sum + (isLost(what) ? number : 0), 0);
const checks = {
  "users signed in": figures.signIns > 0,
  "no code opened two sessions": doubled === "0",
  "every session was acknowledged, or its response lost": Number(sessions) === figures.signIns + figures.unheard,
  "no client saw a wrong result": wrong.length === 0,
  "the rolling restart lost no request": lostIn("rolled") + lostIn("calm after the roll") === 0,
  "no request was lost while all replicas ran": lostIn("calm") === 0,
  "the kill lost only requests in progress": lostIn("killed") + lostIn("calm after the kill") <= Number(clients),
  "no other failure was reported": failures.length === 0,
};
for (const line of [...wrong.slice(0, 20), ...failures]) console.log(`  ${line}`);
for (const [what, holds] of Object.entries(checks)) console.log(`${holds ? "ok" : "not ok"} ${what}`);
const failed = Object.values(checks).filter((holds) => !holds).length;
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
