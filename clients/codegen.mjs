// Turns the operations of a file into typed strings, checked against a schema. Fragments are inlined, so that every
// string is a complete document. Used by web/codegen.js and clients/typescript/codegen.mjs, which pass the package
// `graphql` that they installed.

/**
 * Returns the TypeScript of all operations, and their documents.
 * `document` is the type of a document. `describes` adds the descriptions of enums and inputs. `isOpen` adds a member to
 * enums for the values of later servers.
 */
export function generate(graphql, { schema, source, document, describes = false, isOpen = false }) {
  const {
    getNamedType, isAbstractType, isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField,
    isScalarType, Kind, parse, print, stripIgnoredCharacters, typeFromAST, TypeInfo, validate, visit, visitWithTypeInfo,
  } = graphql;
  const { definitions } = parse(source);
  const faults = validate(schema, { kind: Kind.DOCUMENT, definitions });
  if (faults.length > 0) throw new Error(faults.map((fault) => fault.message).join("\n"));

  const fragments = new Map(
    definitions.filter((part) => part.kind === Kind.FRAGMENT_DEFINITION).map((part) => [part.name.value, part]),
  );

  /** Replaces fragment spreads, also those inside fragments, and asks for the type of every object of a union. */
  function complete(operation) {
    const inline = (node) =>
      visit(node, {
        FragmentSpread({ name }) {
          const { typeCondition, selectionSet } = fragments.get(name.value);
          return { kind: Kind.INLINE_FRAGMENT, typeCondition, selectionSet: inline(selectionSet) };
        },
      });
    const info = new TypeInfo(schema);
    const typename = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: "__typename" } };
    return visit(inline(operation), visitWithTypeInfo(info, {
      Field(field) {
        if (!field.selectionSet || !isAbstractType(getNamedType(info.getType()))) return undefined;
        const selections = [typename, ...field.selectionSet.selections];
        return { ...field, selectionSet: { ...field.selectionSet, selections } };
      },
    }));
  }

  const declared = new Map(); // Enums and input types, by name.

  const comment = (description, indent = "") =>
    describes && description ? `${indent}/** ${description.replace(/\s+/g, " ").trim()} */\n` : "";

  function scalar(type) {
    if (isEnumType(type)) {
      const values = type.getValues().map(({ name }) => `\n  | "${name}"`);
      // The last member lets programs handle values of later servers, and keeps completion for the known ones.
      const open = isOpen ? "\n  | (string & {})" : "";
      declared.set(type.name, `${comment(type.description)}export type ${type.name} =${values.join("")}${open};\n`);
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
        (field) => `${comment(field.description, "  ")}  ${field.name}${isRequiredInputField(field) ? "" : "?"}: ${inputType(field.type)};`,
      );
      declared.set(named.name, `${comment(named.description)}export interface ${named.name} {\n${fields.join("\n")}\n}\n`);
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
  for (const definition of definitions) {
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
    const given = variables.length > 0 ? `{ ${variables.join("; ")} }` : "Record<string, never>";
    constants.push(
      `export interface ${name} {\n${data.join("\n")}\n}\n`,
      `export const ${constant} = ${JSON.stringify(text)} as ${document}<${name}, ${given}>;\n`,
    );
  }
  return { types: [...declared.values(), ...constants].join("\n"), documents };
}
