// Changes that break documents: one or more for every rule of graphql-js, some that break nothing or something else, and changes of the
// text that break the syntax. A change returns false where a document has no place for it.

import {
  getNamedType, isCompositeType, isEnumType, isInputObjectType, isLeafType, isNonNullType, isObjectType, Kind, parse, parseType, parseValue,
  print, TypeInfo, visit, visitWithTypeInfo,
} from "graphql";

export function mutator(schema, random) {
  const types = Object.values(schema.getTypeMap());
  const objects = types.filter((type) => isObjectType(type) && !type.name.startsWith("__")).map((type) => type.name);
  const inputs = types.filter(isInputObjectType).map((type) => type.name);
  const enums = types.filter(isEnumType).map((type) => type.name);
  const scalars = ["Int", "String", "Boolean", "ID", "Decimal", "Date"];

  const changes = {
    ExecutableDefinitions: [
      ({ ast }) => add(ast, random.pick(["type T { a: Int }", "extend type Query { a: Int }", "scalar S", "enum E { A }", "input I { a: Int }", "directive @d on FIELD", "schema { query: Query }", "union U = Query", "interface N { a: Int }"])),
    ],
    UniqueOperationNames: [({ ast, operations }) => operations[0].name && add(ast, `query ${operations[0].name.value} { __typename }`)],
    LoneAnonymousOperation: [({ ast }) => add(ast, "{ __typename }"), ({ ast }) => add(ast, "query Other { __typename }")],
    SingleFieldSubscriptions: [
      ({ ast }) => schema.getSubscriptionType() && add(ast, `subscription S { ${rootField()} other: ${rootField()} }`),
      ({ ast }) => schema.getSubscriptionType() && add(ast, random.pick(["subscription S { __typename }", "subscription S { a: __typename }", `subscription S { ...SF } fragment SF on Subscription { ${rootField()} other: ${rootField()} }`, `subscription S { ... on Subscription { ${rootField()} __typename } }`, `subscription S($v: Boolean!) { ${rootField("@skip(if: $v)")} }`, `subscription S { ${rootField()} ${rootField()} }`])),
    ],
    KnownTypeNames: [
      (sites) => condition(sites, () => random.pick(["Nothing", "query", "Accounts", "__Nothing"])),
      (sites) => variableType(sites, () => random.pick(["Nothing", "[Nothing!]!", "int", "string"])),
    ],
    FragmentsOnCompositeTypes: [(sites) => condition(sites, () => random.pick([...scalars, random.pick(enums), random.pick(inputs)]))],
    VariablesAreInputTypes: [(sites) => variableType(sites, () => random.pick([`${random.pick(objects)}`, `[${random.pick(objects)}!]`, "Node", "Query!"]))],
    ScalarLeafs: [
      ({ fields }) => on(fields.filter((it) => it.node.selectionSet), (it) => delete it.node.selectionSet),
      ({ fields }) => on(fields.filter((it) => !it.node.selectionSet), (it) => (it.node.selectionSet = parse(random.pick(["{ id }", "{ __typename }", "{ a b { c } }"])).definitions[0].selectionSet)),
    ],
    FieldsOnCorrectType: [
      ({ fields }) => on(fields, (it) => (it.node.name.value = random.pick(["nothing", "ID", "name", "nodes", "mrr", "__type", "__schema", "_service", "typename"]))),
      ({ sets }) => on(sets, (it) => it.node.selections.push(selection(random.pick(["nothing", "x: nothing { id }", "__typenames", "totals { id }", "metrics(range: {preset: LAST_MONTH}) { mrr }"])))),
    ],
    UniqueFragmentNames: [
      ({ ast, fragments }) => on(fragments, (it) => ast.definitions.push(structuredClone(it.node))),
      ({ ast, spreads }) => on(spreads, (it) => add(ast, `fragment ${it.node.name.value} on Query { __typename }`)),
    ],
    KnownFragmentNames: [
      ({ spreads }) => on(spreads, (it) => (it.node.name.value = "Nowhere")),
      ({ ast, fragments }) => on(fragments, (it) => ast.definitions.splice(ast.definitions.indexOf(it.node), 1)),
      ({ sets }) => on(sets, (it) => it.node.selections.push(selection("...Nowhere"))),
    ],
    NoUnusedFragments: [
      ({ ast }) => add(ast, `fragment Unused on ${random.pick(objects)} { __typename }`),
      ({ ast }) => add(ast, "fragment Unused on Query { ...AlsoUnused } fragment AlsoUnused on Query { __typename }"),
      ({ spreads }) => on(spreads, (it) => it.siblings.splice(it.siblings.indexOf(it.node), 1, selection("__typename"))),
    ],
    PossibleFragmentSpreads: [
      (sites) => condition(sites, () => random.pick(objects)),
      ({ sets }) => on(sets, (it) => it.node.selections.push(selection(`... on ${random.pick([...objects, "Node"])} { __typename }`))),
    ],
    NoFragmentCycles: [
      ({ fragments }) => on(fragments, (it) => it.node.selectionSet.selections.push(selection(`...${it.node.name.value}`))),
      ({ fragments }) => on(fragments, (it) => it.node.selectionSet.selections.push(selection(`...${random.pick(fragments).node.name.value}`))),
      ({ ast, sets }) => on(sets.filter((it) => it.type), (it) => {
        it.node.selections.push(selection("...C1"));
        return add(ast, `fragment C1 on ${it.type} { ...C2 } fragment C2 on ${it.type} { __typename ... { ...C1 } }`);
      }),
    ],
    UniqueVariableNames: [({ variables }) => on(variables, (it) => it.siblings.push(structuredClone(random.pick(variables.filter((other) => other.siblings === it.siblings)).node)))],
    NoUndefinedVariables: [
      ({ variables }) => on(variables, (it) => it.siblings.splice(it.siblings.indexOf(it.node), 1)),
      ({ values }) => on(values, (it) => it.set({ kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: "undefined" } })),
    ],
    NoUnusedVariables: [({ operations }) => on(operations, (it) => variableOf(it, `$unused: ${random.pick([...scalars, "[Int!]!", random.pick(inputs), random.pick(enums)])}`))],
    KnownDirectives: [
      ({ directed }) => on(directed, (it) => directive(it.node, random.pick(["@unknown", "@Skip(if: true)", "@defer", "@stream", "@client", "@connection(key: \"k\")"]))),
      ({ directed }) => on(directed, (it) => directive(it.node, random.pick(["@deprecated", '@specifiedBy(url: "x")', "@oneOf"]))),
      ({ operations, variables, fragments }) => on([...operations.map((node) => ({ node })), ...variables, ...fragments], (it) => directive(it.node, random.pick(["@skip(if: true)", "@include(if: false)"]))),
    ],
    UniqueDirectivesPerLocation: [({ directed }) => on(directed, (it) => directive(it.node, "@skip(if: false)") && directive(it.node, "@skip(if: true)"))],
    KnownArgumentNames: [
      ({ args }) => on(args, (it) => (it.node.name.value = random.pick(["nothing", "Where", "if", "id", "first"]))),
      ({ fields }) => on(fields, (it) => (it.node.arguments = [...it.node.arguments, argument("nothing: 1")])),
      ({ directed }) => on(directed, (it) => directive(it.node, "@skip(if: true, unless: false)")),
    ],
    UniqueArgumentNames: [({ args }) => on(args, (it) => it.siblings.push(structuredClone(it.node)))],
    ValuesOfCorrectType: [
      ({ values }) => on(values, (it) => it.set(parseValue(random.pick(["1", "1.5", '"text"', "true", "null", "NOTHING", "[]", "{}", "[1, [2]]", "[null]", "{nothing: 1}", "2147483648", "-1e400", '"""x"""', "99999999999999999999", "[[]]", "{preset: NOTHING}", "[NONE]"])))),
      ({ values }) => on(values.filter((it) => it.node.kind === Kind.ENUM), (it) => (it.node.value = random.pick(["NOTHING", "none", "_", it.node.value.toLowerCase()]))),
      ({ values }) => on(values.filter((it) => it.node.kind === Kind.ENUM), (it) => it.set({ kind: Kind.STRING, value: it.node.value })),
      ({ objects: all }) => on(all, (it) => it.node.fields.push(objectField(random.pick(["nothing: 1", "and: []", "eq: null", "not: {}", "between: null"])))),
      ({ objects: all }) => on(all.filter((it) => it.node.fields.length > 0), (it) => it.node.fields.splice(random.below(it.node.fields.length), 1)),
      ({ objects: all }) => on(all.filter((it) => isInputObjectType(it.type) && it.type.isOneOf), (it) => oneOf(it)),
      ({ variables }) => on(variables, (it) => (it.node.defaultValue = parseValue(random.pick(["1", '"text"', "null", "[null]", "{}", "true", "NOTHING", "1.5", "{eq: null}"])))),
    ],
    ProvidedRequiredArguments: [
      ({ args }) => on(args, (it) => it.siblings.splice(it.siblings.indexOf(it.node), 1)),
      ({ args }) => on(args.filter((it) => isNonNullType(it.type)), (it) => it.siblings.splice(it.siblings.indexOf(it.node), 1)),
      ({ directed }) => on(directed, (it) => directive(it.node, random.pick(["@skip", "@include"]))),
    ],
    VariablesInAllowedPosition: [
      ({ variables }) => on(variables, (it) => changeType(it.node)),
      (sites) => variableType(sites, () => random.pick([...scalars, ...scalars.map((name) => `${name}!`), ...scalars.map((name) => `[${name}!]!`), random.pick(enums), random.pick(inputs)])),
      ({ values, operations }) => operations.length === 1 && on(values.filter((it) => it.type && !it.constant), (it) => {
        const name = `n${random.below(1000)}`;
        const text = String(it.type);
        const type = random.pick([text, `${text}!`.replace("!!", "!"), text.replace(/!$/, ""), `[${text}]`, String(getNamedType(it.type))]);
        it.set({ kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } });
        return variableOf(operations[0], `$${name}: ${type}${random.chance(0.2) ? " = null" : ""}`);
      }),
    ],
    OverlappingFieldsCanBeMerged: [
      ({ fields }) => on(fields.filter((it) => it.node.arguments.length > 0), (it) => it.siblings.push({ ...structuredClone(it.node), arguments: structuredClone(it.node.arguments.slice(1)) })),
      ({ fields }) => on(fields.filter((it) => it.parent && it.node.name.value !== "__typename"), (it) => {
        const others = Object.values(it.parent.getFields?.() ?? {}).filter((field) => isLeafType(getNamedType(field.type)));
        const key = it.node.alias?.value ?? it.node.name.value;
        return others.length > 0 && it.siblings.push(selection(random.chance(0.5) ? `${key}: ${random.pick(others).name}` : `... { ${key}: ${random.pick(others).name} }`));
      }),
      // The same object selected twice, with one key for two of its fields.
      ({ fields }) => on(fields.filter((it) => it.node.selectionSet && isCompositeType(getNamedType(it.type))), (it) => {
        const leaves = Object.values(getNamedType(it.type).getFields?.() ?? {}).filter((field) => isLeafType(getNamedType(field.type)));
        if (leaves.length < 2) return false;
        const [a, b] = random.some(leaves, 2);
        const twin = structuredClone(it.node);
        it.node.selectionSet.selections.push(selection(`same: ${a.name}`));
        twin.selectionSet.selections = [selection(`same: ${random.chance(0.3) ? a.name : b.name}`)];
        return it.siblings.push(twin);
      }),
      // Under types that exclude each other keys may differ, but not in the shape of what comes out.
      ({ sets }) => on(sets.filter((it) => String(it.type) === "Node"), (it) => it.node.selections.push(
        selection("... on Account { k: name list: contracts { totalCount } }"),
        selection(random.pick(["... on Contract { k: id }", "... on Contract { k: accountId }", "... on Product { k: name list: id }", "... on Stakeholder { k: active }"])),
      )),
    ],
    UniqueInputFieldNames: [({ objects: all }) => on(all.filter((it) => it.node.fields.length > 0), (it) => it.node.fields.push(structuredClone(random.pick(it.node.fields))))],
    OperationTypeExistence: [({ ast }) => add(ast, random.pick(["mutation M { nothing }", "mutation M { __typename }"]))],
    UnconditionalSubscriptions: [
      ({ ast }) => schema.getSubscriptionType() && add(ast, random.pick([`subscription S { ${rootField("@include(if: true)")} }`, `subscription S { ... @skip(if: false) { ${rootField()} } }`, `subscription S { ...SF @include(if: true) } fragment SF on Subscription { ${rootField()} }`, `subscription S($c: Boolean!) { ...SF } fragment SF on Subscription { ${rootField("@skip(if: $c)")} }`])),
    ],
    OneOfVariables: [
      ({ objects: all, operations }) => operations.length === 1 && on(all.filter((it) => isInputObjectType(it.type) && it.type.isOneOf && !it.constant && it.node.fields.length === 1), (it) => {
        const field = it.type.getFields()[it.node.fields[0].name.value];
        if (!field) return false;
        const name = `o${random.below(1000)}`;
        it.node.fields[0].value = { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } };
        return variableOf(operations[0], `$${name}: ${String(field.type).replace(/!$/, "")}${random.chance(0.3) ? "!" : ""}`);
      }),
    ],
    "anything at all": [
      ({ selections }) => on(selections.filter((it) => it.siblings.length > 1), (it) => it.siblings.splice(it.siblings.indexOf(it.node), 1)),
      ({ selections }) => on(selections, (it) => it.siblings.push(structuredClone(it.node))),
      ({ ast }) => ast.definitions.reverse(),
      ({ ast }) => ast.definitions.push(structuredClone(random.pick(ast.definitions))),
      ({ fields }) => on(fields, (it) => (it.node.selectionSet = structuredClone(random.pick(fields).node.selectionSet))),
      ({ values }) => on(values, (it) => it.set(structuredClone(random.pick(values).node))),
      ({ selections }) => on(selections, (it) => it.siblings.splice(0, 1, structuredClone(random.pick(selections).node))),
    ],
  };

  return {
    kinds: Object.keys(changes),
    /** `text` with one change of that kind, or undefined. */
    mutate(text, kind) {
      const ast = parse(text, { noLocation: true });
      return random.pick(changes[kind])(places(ast)) ? print(ast) : undefined;
    },
    /** `text` with its tokens or characters disturbed. */
    garble,
  };

  /** Everything a change can be made to, with the types that belong there. */
  function places(ast) {
    const sites = { ast, operations: [], fields: [], sets: [], args: [], values: [], objects: [], variables: [], spreads: [], fragments: [], conditions: [], directed: [], selections: [] };
    const info = new TypeInfo(schema);
    visit(ast, visitWithTypeInfo(info, {
      enter(node, key, parent, _path, ancestors) {
        const siblings = Array.isArray(parent) ? parent : undefined;
        const it = { node, siblings, parent: info.getParentType(), type: info.getType() };
        if (node.kind === Kind.OPERATION_DEFINITION) sites.operations.push(node);
        if (node.kind === Kind.FIELD) sites.fields.push(it);
        if (node.kind === Kind.FRAGMENT_SPREAD) sites.spreads.push(it);
        if (node.kind === Kind.FRAGMENT_DEFINITION) sites.fragments.push(it);
        if (node.kind === Kind.VARIABLE_DEFINITION) sites.variables.push(it);
        if (node.kind === Kind.SELECTION_SET) sites.sets.push({ ...it, type: info.getParentType() });
        if (node.kind === Kind.ARGUMENT) sites.args.push({ ...it, type: info.getArgument()?.type });
        if (node.typeCondition) sites.conditions.push(it);
        if ([Kind.FIELD, Kind.FRAGMENT_SPREAD, Kind.INLINE_FRAGMENT].includes(node.kind)) {
          sites.directed.push(it);
          sites.selections.push(it);
        }
        const isValue = [Kind.INT, Kind.FLOAT, Kind.STRING, Kind.BOOLEAN, Kind.NULL, Kind.ENUM, Kind.LIST, Kind.OBJECT].includes(node.kind) || (node.kind === Kind.VARIABLE && key !== "variable");
        if (isValue && parent) {
          const set = (value) => (parent[key] = value);
          const constant = ancestors.some((ancestor) => ancestor.kind === Kind.VARIABLE_DEFINITION);
          sites.values.push({ ...it, type: info.getInputType(), set, constant });
          if (node.kind === Kind.OBJECT) sites.objects.push({ ...it, type: getNamedType(info.getInputType()), constant });
        }
      },
    }));
    return sites;
  }

  function condition({ conditions }, name) {
    return on(conditions, (it) => (it.node.typeCondition.name.value = name()));
  }

  function variableType({ variables }, text) {
    return on(variables, (it) => (it.node.type = parseType(text(), { noLocation: true })));
  }

  function changeType(definition) {
    const { type } = definition;
    definition.type = random.pick([
      type.kind === Kind.NON_NULL_TYPE ? type.type : { kind: Kind.NON_NULL_TYPE, type },
      { kind: Kind.LIST_TYPE, type },
      type.kind === Kind.LIST_TYPE ? type.type : { kind: Kind.LIST_TYPE, type },
    ]);
    return true;
  }

  function oneOf({ node, type }) {
    const name = random.pick(Object.keys(type.getFields()));
    const value = random.pick(["null", "null", "{}", "1"]);
    if (random.chance(0.4)) node.fields = [objectField(`${name}: ${value}`)];
    else node.fields.push(objectField(`${name}: ${value}`));
    return true;
  }

  function variableOf(operation, text) {
    operation.variableDefinitions = [...(operation.variableDefinitions ?? []), parse(`query (${text}) { a }`, { noLocation: true }).definitions[0].variableDefinitions[0]];
    return true;
  }

  function rootField(directives = "") {
    const field = random.pick(Object.values(schema.getQueryType().getFields()).filter((it) => it.args.every((arg) => !isNonNullType(arg.type)) && isCompositeType(getNamedType(it.type))));
    return `${field.name} ${directives} { __typename }`;
  }

  function on(list, change) {
    return list.length > 0 && change(random.pick(list)) !== false;
  }

  function add(ast, text) {
    return ast.definitions.push(...parse(text, { noLocation: true }).definitions);
  }

  function garble(text) {
    const tokens = text.match(/"""[^]*?"""|"(?:\\.|[^"\\])*"|\.\.\.|\w+|\s+|./gu) ?? [];
    const at = random.below(tokens.length);
    const odd = ["{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "...", "|", "&", "=", '"', '"""', "on", "fragment", "null", "0", "01", "1.", ".5", "1e", "-", "-0", "1a", "\\", "#", "\uFEFF", "\u0000", "\u00a0", "é", "?", "%", "query", "{}", "()", "[]", "$a", "..", "'", "\r", '"\\x"', '"\\u12"', '"\\uD800"', '"\\u{110000}"', "1_000", "0x1", "+1", "%if", "😀"];
    switch (random.below(6)) {
      case 0: tokens.splice(at, 1); break;
      case 4: tokens.splice(at, 2 + random.below(3)); break;
      case 1: tokens.splice(at, 0, tokens[at]); break;
      case 2: tokens.splice(at, 0, ` ${random.pick(odd)} `); break;
      case 3: tokens.splice(at, 1, random.pick(odd)); break;
      default: tokens.splice(at, 1, ...[...tokens[at]].reverse());
    }
    return tokens.join("");
  }
}

function selection(text) {
  return parse(`{ ${text} }`, { noLocation: true }).definitions[0].selectionSet.selections[0];
}

function argument(text) {
  return parse(`{ f(${text}) }`, { noLocation: true }).definitions[0].selectionSet.selections[0].arguments[0];
}

function objectField(text) {
  return parseValue(`{${text}}`, { noLocation: true }).fields[0];
}

function directive(node, text) {
  const parsed = parse(`{ f ${text} }`, { noLocation: true }).definitions[0].selectionSet.selections[0].directives;
  node.directives = [...(node.directives ?? []), ...parsed];
  return true;
}
