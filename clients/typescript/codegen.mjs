// Writes the operations of src/operations.graphql as typed strings, and as a manifest of trusted documents.
//
//   node codegen.mjs                  writes src/operations.ts and documents.json
//   node codegen.mjs --check          fails if one of them is not what it would write

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import * as graphql from "graphql";
import { generate } from "../codegen.mjs";

const at = (path) => new URL(path, import.meta.url);
const read = (path) => readFileSync(at(path), "utf8");

const { types, documents } = generate(graphql, {
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
// The format of DOORCODE_DOCUMENTS: the SHA-256 of each document, and the document.
const hash = (text) => createHash("sha256").update(text).digest("hex");
const manifest = Object.fromEntries(documents.map((text) => [hash(text), text]));

const files = { "src/operations.ts": head + types, "documents.json": `${JSON.stringify(manifest, null, 1)}\n` };
for (const [file, text] of Object.entries(files)) {
  if (!process.argv.includes("--check")) {
    writeFileSync(at(file), text);
  } else if (read(file) !== text) {
    console.error(`${file} does not fit schema.graphql. Run \`node codegen.mjs\` in clients/typescript.`);
    process.exit(1);
  }
}
