// Writes src/api/operations.ts: the operations of src/api/operations.graphql as typed strings, checked against the
// schema. Fragments are inlined, so that every string is a complete document.

import { readFileSync, writeFileSync } from "node:fs";
import {
  buildASTSchema, getNamedType, isAbstractType, isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField,
  isScalarType, Kind, parse, print, stripIgnoredCharacters, typeFromAST, TypeInfo, validate, visit, visitWithTypeInfo,
} from "graphql";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

const schema = buildASTSchema(parse(`${read("../schema.graphql")}\n${read("src/api/development.graphql")}`), {
  assumeValidSDL: true,
});
const source = parse(read("src/api/operations.graphql"));
const faults = validate(schema, source);
if (faults.length > 0) throw new Error(faults.map((fault) => fault.message).join("\n"));

const fragments = new Map(
  source.definitions.filter((part) => part.kind === Kind.FRAGMENT_DEFINITION).map((part) => [part.name.value, part]),
);

/** Replaces fragment spreads, and asks for the type of every object of a union or an interface. */
function complete(operation) {
  const inlined = visit(operation, {
    FragmentSpread({ name }) {
      const { typeCondition, selectionSet } = fragments.get(name.value);
      return { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet };
    },
  });
  const info = new TypeInfo(schema);
  const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: "__typename" } };
  return visit(inlined, visitWithTypeInfo(info, {
    Field(field) {
      if (!field.selectionSet || !isAbstractType(getNamedType(info.getType()))) return undefined;
      const selections = [typename, ...field.selectionSet.selections];
      return { ...field, selectionSet: { ...field.selectionSet, selections } };
    },
  }));
}

const declared = new Map(); // Enums and input types, by name.

function scalar(type) {
  if (isEnumType(type)) {
    const values = type.getValues().map(({ name }) => `  | "${name}"`);
    declared.set(type.name, `export type ${type.name} =\n${values.join("\n")};\n`);
    return type.name;
  }
  return { Int: "number", Float: "number", Boolean: "boolean", JSON: "unknown" }[type.name] ?? "string";
}

function wrap(type, inner) {
  if (isNonNullType(type)) return wrapped(type.ofType, inner);
  return `${wrapped(type, inner)} | null`;
}

function wrapped(type, inner) {
  if (!isListType(type)) return inner;
  const item = wrap(type.ofType, inner);
  return / \| /.test(item) ? `(${item})[]` : `${item}[]`;
}

function inputType(type) {
  const named = getNamedType(type);
  if (isInputObjectType(named) && !declared.has(named.name)) {
    declared.set(named.name, "");
    const fields = Object.values(named.getFields()).map(
      (field) => `  ${field.name}${isRequiredInputField(field) ? "" : "?"}: ${inputType(field.type)};`,
    );
    declared.set(named.name, `export interface ${named.name} {\n${fields.join("\n")}\n}\n`);
  }
  return wrap(type, isInputObjectType(named) ? named.name : scalar(named));
}

/** The fields that a selection reads from an object of one concrete type. */
function fieldsOf(type, { selections }, found = new Map()) {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      const name = (selection.alias ?? selection.name).value;
      if (selection.name.value === "__typename") found.set(name, `"${type.name}"`);
      else found.set(name, outputType(type.getFields()[selection.name.value].type, selection.selectionSet));
      continue;
    }
    const condition = selection.typeCondition && schema.getType(selection.typeCondition.name.value);
    const applies = !condition || condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
    if (applies) fieldsOf(type, selection.selectionSet, found);
  }
  return found;
}

function outputType(type, selectionSet) {
  const named = getNamedType(type);
  if (isScalarType(named) || isEnumType(named)) return wrap(type, scalar(named));
  const concrete = isAbstractType(named) ? schema.getPossibleTypes(named) : [named];
  const shapes = concrete.map((each) => {
    const fields = [...fieldsOf(each, selectionSet)].map(([name, value]) => `${name}: ${value}`);
    return `{ ${fields.join("; ")} }`;
  });
  return wrap(type, shapes.join(" | "));
}

const constants = [];
const documents = [];
for (const definition of source.definitions) {
  if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
  const operation = complete(definition);
  const { value: name } = operation.name;
  const root = schema.getRootType(operation.operation);
  const data = [...fieldsOf(root, operation.selectionSet)].map(([field, type]) => `  ${field}: ${type};`);
  const variables = (operation.variableDefinitions ?? []).map(({ variable, type }) => {
    const given = typeFromAST(schema, type);
    return `${variable.name.value}${isNonNullType(given) ? "" : "?"}: ${inputType(given)}`;
  });
  const text = stripIgnoredCharacters(print(operation));
  documents.push(text);
  const constant = name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  constants.push(
    `export interface ${name} {\n${data.join("\n")}\n}\n`,
    `export const ${constant} = ${JSON.stringify(text)} as Document<${name}, ${
      variables.length > 0 ? `{ ${variables.join("; ")} }` : "Record<string, never>"
    }>;\n`,
  );
}

const head = `// Written by web/build from operations.graphql. Do not edit.

/** The text of an operation, with the types of its data and its variables. */
export type Document<Data, Variables> = string & { readonly types?: (variables: Variables) => Data };
`;
writeFileSync(new URL("src/api/operations.ts", import.meta.url), [head, ...declared.values(), ...constants].join("\n"));
writeFileSync(new URL("src/api/operations.json", import.meta.url), `${JSON.stringify(documents, null, 1)}\n`);
