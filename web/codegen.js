// Writes src/api/operations.ts, the operations of src/api/operations.graphql as typed strings, and their list in
// src/api/operations.json. Checks the operations in GraphiQL's tabs, and that the pages use every text.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
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

for (const name of readdirSync(at("src/graphiql/tabs"))) {
  const faults = graphql.validate(schema, graphql.parse(read(`src/graphiql/tabs/${name}`)));
  if (faults.length > 0) throw new Error(`src/graphiql/tabs/${name}: ${faults.map(({ message }) => message).join("\n")}`);
}

const scripts = readdirSync(at("src"), { recursive: true }).filter((name) => /\.tsx?$/.test(name) && !/^(i18n\/|console\/words\/|api\/operations)/.test(name));
const words = new Set(scripts.flatMap((name) => read(`src/${name}`).match(/\w+/g)));
// Names in capitals are values of the API.
for (const file of ["src/i18n/en.ts", "src/console/words/en.ts"]) {
  for (const [, name] of read(file).matchAll(/^ +([a-z]\w*):/gm)) {
    if (!words.has(name)) throw new Error(`${file}: no page uses \`${name}\``);
  }
}
