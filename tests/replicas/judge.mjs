// Prints what tests/replicas/load.mjs counted, and says whether it is what it must be.
//
// node judge.mjs OUTCOME CLIENTS SESSIONS DOUBLED FAILURE…: the file, how many clients there were, how many sessions the
// database has, how many codes opened two of them, and what went wrong elsewhere.

import { readFileSync } from "node:fs";

const [file, clients, sessions, doubled, ...failures] = process.argv.slice(2);
const { outcomes, wrong, ...figures } = JSON.parse(readFileSync(file, "utf8"));
console.log(figures);
for (const [phase, counts] of Object.entries(outcomes)) console.log(phase, counts);

const isLost = (what) => /^(HTTP|connection) /.test(what);
const lostIn = (phase) =>
  Object.entries(outcomes[phase] ?? {}).reduce((sum, [what, number]) => sum + (isLost(what) ? number : 0), 0);
const checks = {
  "people signed in": figures.signIns > 0,
  "no code opened two sessions": doubled === "0",
  "every session was acknowledged, or its answer lost": Number(sessions) === figures.signIns + figures.unheard,
  "nothing happened that must never happen": wrong.length === 0,
  "rolling cost no request": lostIn("rolled") + lostIn("calm after the roll") === 0,
  "nothing was lost while all was calm": lostIn("calm") === 0,
  "killing cost no more than was under way": lostIn("killed") + lostIn("calm after the kill") <= Number(clients),
  "all else went well": failures.length === 0,
};
for (const line of [...wrong.slice(0, 20), ...failures]) console.log(`  ${line}`);
for (const [what, holds] of Object.entries(checks)) console.log(`${holds ? "ok" : "not ok"} ${what}`);
const failed = Object.values(checks).filter((holds) => !holds).length;
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
