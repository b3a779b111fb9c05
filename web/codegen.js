// Writes src/api/operations.ts, the operations of src/api/operations.graphql as typed strings, and their list in
// src/api/operations.json.

import { readFileSync, writeFileSync } from "node:fs";
import * as graphql from "graphql";
import { generate } from "../clients/codegen.mjs";

const at = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(at(path), "utf8");

const schema = graphql.buildSchema(`${read("../schema.graphql")}\n${read("src/api/development.graphql")}`, {
  assumeValidSDL: true,
});
const { types, documents } = generate(graphql, {
  schema,
  source: read("src/api/operations.graphql"),
  document: "Document",
});

const head = `// Written by web/build from operations.graphql. Do not edit.

/** The text of an operation, with the types of its data and its variables. */
export type Document<Data, Variables> = string & { readonly types?: (variables: Variables) => Data };

`;
writeFileSync(at("src/api/operations.ts"), head + types);
writeFileSync(at("src/api/operations.json"), `${JSON.stringify(documents, null, 1)}\n`);
