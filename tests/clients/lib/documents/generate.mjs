// Documents from a schema: operations with variables, fragments, aliases, directives and every kind of input value.
//
// Most are valid. They need not be: whether one is, is asked of graphql-js, never assumed. What they must be is varied, so fields are
// chosen by type, not by name, and the same response key is now and then asked for twice, from fragments too.

import {
  getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType, isUnionType,
  isRequiredArgument, isRequiredInputField, SchemaMetaFieldDef, TypeMetaFieldDef,
} from "graphql";

export function generator(schema, random) {
  const roots = [schema.getQueryType(), schema.getQueryType(), schema.getSubscriptionType()].filter(Boolean);
  let document;

  return function generate() {
    document = { fragments: [], used: 0 };
    const count = random.chance(0.15) ? 2 + random.below(2) : 1;
    const operations = [];
    for (let index = 0; index < count; index += 1) operations.push(operation(index, count));
    return [...operations, ...document.fragments.map((fragment) => fragment.text)].join(random.pick(["\n", "\n\n", " ", ",\n", "\n# and\n"]));
  };

  function operation(index, count) {
    const root = random.pick(roots);
    const isSubscription = root === schema.getSubscriptionType();
    const scope = { variables: [], root, fields: 0 };
    const body = isSubscription ? `{ ${field(root, random.pick(Object.values(root.getFields())), 1, scope, new Map(), true)} }` : selectionSet(root, 0, scope);
    // A fragment uses the variables it was written with, so an operation that spreads one has to declare them too.
    const variables = scope.variables.length > 0 ? `(${scope.variables.map(definition).join(random.pick([", ", " ", "\n"]))})` : "";
    const keyword = isSubscription ? "subscription" : "query";
    if (keyword === "query" && variables === "" && count === 1 && random.chance(0.5)) return body;
    const name = count > 1 || random.chance(0.7) ? ` Q${index}` : "";
    return `${keyword}${name}${variables} ${body}`;
  }

  function definition({ name, type, value }) {
    return `$${name}: ${type}${value === undefined ? "" : ` = ${value}`}`;
  }

  function selectionSet(type, depth, scope, keys = new Map()) {
    const parts = [];
    const count = 1 + random.below(depth === 0 ? 2 : 4);
    for (let index = 0; index < count; index += 1) parts.push(selection(type, depth, scope, keys));
    return `{ ${parts.join(random.pick([" ", "\n", ", "]))} }`;
  }

  function selection(type, depth, scope, keys) {
    const choice = random.below(20);
    if (choice === 0 || (isUnionType(type) && choice < 5)) return `${random.chance(0.3) ? `${alias(keys, true)}: ` : ""}__typename${directives(scope)}`;
    if (choice === 1 || isUnionType(type) || (isAbstractType(type) && choice < 10)) return inlineFragment(type, depth, scope, keys);
    if (choice === 2) return spread(type, depth, scope);
    if (choice === 3 && depth === 0 && random.chance(0.5)) return field(type, random.pick([SchemaMetaFieldDef, TypeMetaFieldDef]), depth, scope, keys);
    const fields = Object.values(type.getFields());
    const leaves = fields.filter((it) => isLeafType(getNamedType(it.type)));
    const chosen = leaves.length > 0 && (depth > 4 || scope.fields > 25 || random.chance(0.5)) ? leaves : fields;
    return field(type, random.pick(chosen), depth, scope, keys);
  }

  function inlineFragment(type, depth, scope, keys) {
    const inner = random.chance(0.3) ? type : possible(type);
    const condition = inner === type && random.chance(0.5) ? "" : ` on ${inner.name}`;
    return `...${condition}${directives(scope)} ${selectionSet(inner, depth, scope, keys)}`;
  }

  /** A type that some value of `type` is, `type` itself among them. */
  function possible(type) {
    if (isAbstractType(type)) return random.pick(schema.getPossibleTypes(type));
    return random.pick([type, ...type.getInterfaces()]);
  }

  function spread(type, depth, scope) {
    if (document.fragments.length > 4) return "__typename";
    const on = random.chance(0.8) ? type : possible(type);
    const old = document.fragments.filter((fragment) => fragment.on === on && fragment.done && fragment.free);
    if (old.length > 0 && random.chance(0.6)) return `...${random.pick(old).name}${directives(scope)}`;
    const fragment = { name: `F${document.fragments.length}`, on, done: false };
    document.fragments.push(fragment);
    const before = scope.variables.length;
    fragment.text = `fragment ${fragment.name} on ${on.name} ${selectionSet(on, depth, scope)}`;
    fragment.free = scope.variables.length === before && !fragment.text.includes("$");
    fragment.done = true;
    return `...${fragment.name}${directives(scope)}`;
  }

  function field(parent, definition, depth, scope, keys, plain = false) {
    scope.fields += 1;
    const key = definition.name;
    const named = getNamedType(definition.type);
    // Twice the same key is an error as soon as the arguments differ; most times another name is taken.
    const aliased = keys.has(key) ? !random.chance(0.15) : random.chance(0.1);
    const text = aliased && keys.has(key) && random.chance(0.05) ? keys.get(key) : definition.name + args(definition.args, scope);
    keys.set(key, text);
    const inner = isCompositeType(named) ? ` ${selectionSet(named, depth + 1, scope)}` : "";
    return `${aliased ? `${alias(keys)}: ` : ""}${text}${plain ? "" : directives(scope)}${inner}`;
  }

  // graphql-js does not compare `__typename` with other fields of the same key, so it gets one of its own.
  function alias(keys, own = false) {
    const name = !own && random.chance(0.02) ? "id" : `a${document.used++}`;
    keys.set(name, "");
    return name;
  }

  function directives(scope) {
    if (!random.chance(0.06)) return "";
    const names = random.chance(0.2) ? ["skip", "include"] : [random.pick(["skip", "include"])];
    return names.map((name) => ` @${name}(if: ${booleanValue(scope)})`).join("");
  }

  function booleanValue(scope) {
    return random.chance(0.5) ? variable("Boolean!", undefined, scope) : random.pick(["true", "false"]);
  }

  function args(definitions, scope) {
    const given = definitions.filter((argument) => isRequiredArgument(argument) || random.chance(definitions.length > 6 ? 0.15 : 0.4));
    if (given.length === 0) return "";
    return `(${given.map((argument) => `${argument.name}: ${position(argument.type, argument.defaultValue !== undefined, scope)}`).join(random.pick([", ", " "]))})`;
  }

  /** A value, or a variable that fits. */
  function position(type, hasDefault, scope) {
    return random.chance(0.25) ? variableFor(type, hasDefault, scope) : value(type, 0, scope);
  }

  function variableFor(type, hasDefault, scope) {
    const fitting = scope.variables.filter((it) => it.type === String(type) || it.type === `${type}!`);
    if (fitting.length > 0 && random.chance(0.5)) return `$${random.pick(fitting).name}`;
    const text = String(type);
    if (!isNonNullType(type) && random.chance(0.2)) return variable(`${text}!`, undefined, scope);
    // A nullable variable fits a non-null place when it has a default that is not null.
    if (isNonNullType(type) && random.chance(0.2)) return variable(text.slice(0, -1), value(type, 1), scope);
    if (isNonNullType(type) && hasDefault) return variable(text.slice(0, -1), undefined, scope);
    return variable(text, random.chance(0.3) ? value(type, 1) : undefined, scope);
  }

  function variable(type, value, scope) {
    const name = `v${scope.variables.length}`;
    scope.variables.push({ name, type, value });
    return `$${name}`;
  }

  /** A value of `type`; constant when there is no `scope`. */
  function value(type, depth, scope) {
    if (isNonNullType(type)) return nonNull(type.ofType, depth, scope);
    return random.chance(0.03) ? "null" : nonNull(type, depth, scope);
  }

  function nonNull(type, depth, scope) {
    if (scope && depth > 0 && random.chance(0.08)) return variableFor(type, false, scope);
    if (isListType(type)) return list(type, depth, scope);
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (isInputObjectType(type)) return object(type, depth, scope);
    return scalar(type.name);
  }

  function list(type, depth, scope) {
    if (random.chance(0.15)) return value(type.ofType, depth + 1, scope);
    const items = Array.from({ length: depth > 3 ? 0 : random.below(3) }, () => value(type.ofType, depth + 1, scope));
    return `[${items.join(random.pick([", ", " "]))}]`;
  }

  function object(type, depth, scope) {
    const fields = Object.values(type.getFields());
    if (type.isOneOf) {
      const flat = fields.filter((it) => !isInputObjectType(getNamedType(it.type)));
      const chosen = random.pick(depth > 3 && flat.length > 0 ? flat : fields);
      // One field, and it must not be null: neither written so nor by a variable that may be.
      const inner = scope && random.chance(0.15) ? variable(`${getNullableType(chosen.type)}!`, undefined, scope) : nonNull(getNullableType(chosen.type), depth + 1, scope);
      return `{${chosen.name}: ${inner}}`;
    }
    const required = fields.filter(isRequiredInputField);
    const rest = fields.filter((it) => !required.includes(it) && (depth < 4 || !isInputObjectType(getNamedType(it.type))));
    const given = [...required, ...random.some(rest, random.below(depth > 2 ? 2 : 3))];
    return `{${given.map((it) => `${it.name}: ${value(it.type, depth + 1, scope)}`).join(", ")}}`;
  }

  function scalar(name) {
    switch (name) {
      case "Int": return random.pick(["0", "1", "-1", "12", "2147483647", "-2147483648"]);
      case "Float": return random.pick(["0", "1.5", "-2.25e3", "1E-2", "12345678901234567890"]);
      case "Boolean": return random.pick(["true", "false"]);
      case "ID": return random.pick(['"account:A0001"', '""', "7", '"x"']);
      case "String": return random.pick(['"a"', '""', '"""block "quoted" text"""', '"\\u00e9\\n\\"\\\\"', '"Zoë 💚"', '"\\u{1F49A}"', '"""\n  two\n    lines\n"""']);
      case "Date": return '"2025-01-01"';
      case "DateTime": return '"2025-01-01T00:00:00Z"';
      case "Decimal": return random.pick(['"1.5"', '"-0.25"', "3", "1.25"]);
      case "BigInt": return random.pick(['"9007199254740993"', "12"]);
      case "TimeZone": return '"Europe/Berlin"';
      case "Currency": return '"EUR"';
      default: return '"x"';
    }
  }

}
