// Writes the operations of src/operations.graphql as typed strings.
//
//   node codegen.mjs                  writes src/operations.ts
//   node codegen.mjs --check          fails if src/operations.ts is not what it would write

import { readFileSync, writeFileSync } from "node:fs";
import * as graphql from "graphql";
import { generate } from "../codegen.mjs";

const at = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(at(path), "utf8");

const { types } = generate(graphql, {
  // The printed schema repeats the definition of a built-in directive, which the parser would refuse.
  schema: graphql.buildSchema(read("../../schema.graphql"), { assumeValidSDL: true }),
  source: read("src/operations.graphql"),
  document: "Operation",
  describes: true,
  isOpen: true,
});

const head = `// Written by codegen.mjs from operations.graphql and schema.graphql. Do not edit.

/** The text of an operation, with the types of its data and its variables. */
export type Operation<Data, Variables> = string & { readonly __apiType?: (variables: Variables) => Data };

`;
const text = head + types;
if (process.argv.includes("--check")) {
  if (read("src/operations.ts") !== text) {
    console.error("src/operations.ts does not fit schema.graphql. Run `node codegen.mjs` in clients/typescript.");
    process.exit(1);
  }
} else {
  writeFileSync(at("src/operations.ts"), text);
}
