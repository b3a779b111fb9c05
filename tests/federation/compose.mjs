// Tests Doorcode as one of two subgraphs: composes its printed schema with notes.graphql, plans a query as a gateway
// does, and sends the planned operation to a running server. No gateway is used.
//
// Usage: node compose.mjs SCHEMA DEVELOPMENT_SCHEMA URL
// SCHEMA is the output of `doorcode schema --federation`, and DEVELOPMENT_SCHEMA that with `--development`. URL is a
// development server with DOORCODE_FEDERATION=true.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { composeServices } from "@apollo/composition";
import federation from "@apollo/federation-internals";
import { QueryPlanner } from "@apollo/query-planner";
import { parse } from "graphql";

const [printed, development, url] = process.argv.slice(2);
assert(url, "usage: compose.mjs SCHEMA DEVELOPMENT_SCHEMA URL");
const read = (file) => readFileSync(file, "utf8");
const doorcode = parse(read(printed));
const notes = parse(read(new URL("notes.graphql", import.meta.url)));

const compose = (...subgraphs) =>
  composeServices(subgraphs.map(([name, typeDefs]) => ({ name, url: `https://${name}.example.com/graphql`, typeDefs })));
const composed = compose(["doorcode", doorcode], ["notes", notes]);
const supergraph = composed.supergraphSdl && federation.Supergraph.build(composed.supergraphSdl);

/** The query plan for a note and its author. The other subgraph only knows the author's id. */
function gatewayPlan() {
  const query = parse("query($id: ID!) { note(id: $id) { text author { email sessions(first: 1) { totalCount } } } }");
  const operation = federation.operationFromDocument(supergraph.apiSchema(), query);
  const { node } = new QueryPlanner(supergraph).buildQueryPlan(operation);
  return node.nodes.map((step) => step.node ?? step);
}

// A server that sends mail has no inbox, so read its emails from the mailbox.
const mailbox = process.env.DOORCODE_MAIL_URL;

async function post(query, variables, token, at = url) {
  const response = await fetch(`${at}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

/** Polls, because mail is sent shortly after the response. */
async function mailedCode(email) {
  for (let look = 0; look < 100; look += 1) {
    const { data } = await post("query($to: String) { inbox(to: $to, first: 1) { code } }", { to: email }, null, mailbox);
    if (data.inbox[0]?.code) return data.inbox[0].code;
    await sleep(50);
  }
  throw new Error(`no email to ${email} arrived`);
}

async function signIn(email) {
  const login = "mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
  const asked = await post(login, { input: { email } });
  const input = { challenge: asked.data.login.challenge, code: await mailedCode(email) };
  const verify =
    "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { user { id } tokens { accessToken } } } }";
  const { user, tokens } = (await post(verify, { input })).data.verify;
  return { id: user.id, token: tokens.accessToken };
}

const typesOf = (document) =>
  document.definitions.filter((one) => one.kind.endsWith("TypeDefinition")).map((one) => one.name.value);
const person = (id) => ({ __typename: "User", id });
const codeOf = (error) => error.extensions.code;

const tests = {
  "composes with a second subgraph without errors and hints": () => {
    assert.deepEqual(composed.errors?.map((error) => error.message) ?? [], []);
    assert.deepEqual(composed.hints.map((hint) => hint.message), []);
  },
  "composes alone": () => assert.equal(compose(["doorcode", doorcode]).errors, undefined),
  "composes with its development schema": () => {
    assert.equal(compose(["doorcode", parse(read(development))], ["notes", notes]).errors, undefined);
  },
  "keeps every type of both subgraphs in the supergraph": () => {
    const kept = new Set(supergraph.apiSchema().allTypes().map((type) => type.name));
    const all = [...typesOf(doorcode), ...typesOf(notes)];
    assert(all.length > 60, `${all.length} types were read`);
    assert.deepEqual(all.filter((name) => !kept.has(name)), []);
    console.log(`       ${kept.size} types of which Doorcode has ${typesOf(doorcode).length}`);
  },
  "makes User an entity of both subgraphs": () => {
    const user = parse(composed.supergraphSdl).definitions.find((one) => one.name?.value === "User");
    const joins = user.directives.filter((one) => one.name.value === "join__type");
    const values = joins.map((one) => one.arguments.map((argument) => argument.value.value).join(" "));
    assert.deepEqual(values.sort(), ["DOORCODE id", "NOTES id"]);
  },
  "is queried by a gateway for users by id": () => {
    const steps = gatewayPlan();
    assert.deepEqual(steps.map((step) => step.serviceName), ["notes", "doorcode"]);
    assert.match(steps[1].operation, /_entities\(representations:\$representations\)/);
  },
  "serves the schema that it prints": async () => {
    const { data } = await post("{ _service { sdl } }");
    assert.equal(data._service.sdl.trim(), read(mailbox ? printed : development).trim());
  },
  "resolves entities with the bearer that the gateway forwards": async () => {
    const run = Date.now();
    const [ada, bob] = [await signIn(`ada-${run}@example.com`), await signIn(`bob-${run}@example.com`)];
    const representations = [person(ada.id), person(bob.id), person("x"), { __typename: "Note", id: ada.id }];
    const { data, errors } = await post(gatewayPlan()[1].operation, { representations }, ada.token);
    const seen = { email: `ada-${run}@example.com`, sessions: { totalCount: 1 } };
    assert.deepEqual(data._entities, [seen, null, null, null]);
    assert.deepEqual(errors.map(codeOf), ["NOT_FOUND", "BAD_USER_INPUT", "BAD_USER_INPUT"]);
    assert.deepEqual(errors.map((error) => error.path), [1, 2, 3].map((place) => ["_entities", place]));
    const anonymous = await post(gatewayPlan()[1].operation, { representations: [person(ada.id)] });
    assert.deepEqual(anonymous.data, { _entities: [null] });
    assert.deepEqual(anonymous.errors.map(codeOf), ["UNAUTHENTICATED"]);
  },
};

let passed = 0;
for (const [name, body] of Object.entries(tests)) {
  try {
    await body();
    passed += 1;
    console.log(`ok     ${name}`);
  } catch (error) {
    console.log(`FAILED ${name}\n       ${error.message.replaceAll("\n", "\n       ")}`);
  }
}
const failed = Object.keys(tests).length - passed;
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
