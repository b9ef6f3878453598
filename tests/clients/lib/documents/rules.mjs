// Where graphql-js 16 differs from the specification of September 2025: rules that it lacks, and fields of introspection.

import {
  __Directive, __Field, __Schema, __Type, getNamedType, GraphQLBoolean, GraphQLError, GraphQLNonNull, isNonNullType, Kind, recommendedRules, specifiedRules,
  typeFromAST,
} from "graphql";

/** "Operation Type Existence": graphql-js finds that out when it executes. */
function OperationTypeExistenceRule(context) {
  return {
    OperationDefinition(node) {
      if (!context.getSchema().getRootType(node.operation)) context.reportError(new GraphQLError(`There is no ${node.operation} root.`, { nodes: node }));
    },
  };
}

/** "Single Root Field", the part that came in 2025: no conditions at the root of a subscription. */
function UnconditionalSubscriptionsRule(context) {
  return {
    OperationDefinition(node) {
      if (node.operation === "subscription") look(node.selectionSet, new Set());
    },
  };

  function look(selectionSet, seen) {
    for (const selection of selectionSet.selections) {
      const condition = selection.directives?.find(({ name }) => ["skip", "include"].includes(name.value));
      if (condition) context.reportError(new GraphQLError("A root field of a subscription cannot depend on a condition.", { nodes: condition }));
      if (selection.kind === Kind.INLINE_FRAGMENT) look(selection.selectionSet, seen);
      const fragment = selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value) && context.getFragment(selection.name.value);
      if (fragment) look(fragment.selectionSet, seen.add(selection.name.value));
    }
  }
}

/** "All Variable Usages Are Allowed", for the only field of an input object: graphql-js misses those inside lists. */
function OneOfVariablesRule(context) {
  return {
    OperationDefinition(operation) {
      const definitions = new Map((operation.variableDefinitions ?? []).map((definition) => [definition.variable.name.value, definition]));
      for (const { node, type, parentType } of context.getRecursiveVariableUsages(operation)) {
        const definition = definitions.get(node.name.value);
        const holder = getNamedType(parentType);
        // An item of a list has the list for its parent.
        if (!definition || !holder?.isOneOf || holder === getNamedType(type)) continue;
        if (!isNonNullType(typeFromAST(context.getSchema(), definition.type))) {
          context.reportError(new GraphQLError(`"$${node.name.value}" may be null, and is the only field of "${holder.name}".`, { nodes: [definition, node] }));
        }
      }
    },
  };
}

/** Introspection of the specification: deprecated things are asked for by `Boolean!`, and directives cannot be deprecated. */
function alignIntrospection() {
  for (const { fields, args, inputFields, enumValues } of [__Type, __Field, __Directive].map((type) => type.getFields())) {
    for (const argument of [fields, args, inputFields, enumValues].flatMap((field) => field?.args ?? [])) argument.type = new GraphQLNonNull(GraphQLBoolean);
  }
  __Schema.getFields().directives.args = [];
  for (const name of ["isDeprecated", "deprecationReason"]) delete __Directive.getFields()[name];
}
alignIntrospection();

// Rules that are only recommended (the depth of introspection) are not in the specification; the server has a limit of its own.
export const rules = [...specifiedRules.filter((rule) => !recommendedRules.includes(rule)), OperationTypeExistenceRule, UnconditionalSubscriptionsRule, OneOfVariablesRule];
