// What introspection tells is what `holdfast sdl` prints, to the last description.

import assert from "node:assert/strict";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  buildClientSchema, buildSchema, findBreakingChanges, findDangerousChanges, getIntrospectionQuery, isEnumType, isInputObjectType, isScalarType,
  lexicographicSortSchema, printSchema, validateSchema,
} from "graphql";
import { printedSdl, root, startServer } from "../lib/process.mjs";
import { clientSchema } from "../lib/server.mjs";

export const limit = 300;

export default async function (t) {
  const told = await t.check("introspection builds a client schema", () => clientSchema(true));
  const printed = await t.check("the printed schema parses", async () => buildSchema(await printedSdl()));
  if (!told || !printed) return;

  t.equal("the told schema is valid", validateSchema(told).map(String), []);
  t.equal("the printed schema is valid", validateSchema(printed).map(String), []);
  await t.check("both print the same", () => samePrint(told, printed));
  t.equal("no change between them breaks anybody", [...findBreakingChanges(told, printed), ...findDangerousChanges(told, printed)], []);

  for (const [what, of] of Object.entries(parts)) {
    const [tells, prints] = [of(told), of(printed)];
    t.equal(`the same ${what}`, tells, prints);
    t.ok(`there are ${what}`, tells.length > 0, `neither has ${what}`);
  }
  await t.check("deprecated metrics are told and printed with their reasons", deprecated);
}

/** The shipped definitions deprecate nothing, so this adds something to a copy of them. */
async function deprecated() {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
  try {
    await cp(join(root, "metrics-defs"), folder, { recursive: true });
    await writeFile(join(folder, "outdated.yaml"), outdated);
    const env = { HOLDFAST_DEFINITIONS_PATH: folder };
    const server = await startServer(env);
    try {
      const query = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: true });
      const answer = await fetch(server.url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query }) });
      const { data, errors } = await answer.json();
      assert.equal(errors, undefined);
      const [told, printed] = [buildClientSchema(data), buildSchema(await printedSdl(env))];
      samePrint(told, printed);
      for (const schema of [told, printed]) {
        assert.equal(schema.getType("OutdatedRow").getFields().outdatedShare.deprecationReason, "use contraction_rate instead");
      }
    } finally {
      server.stop();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

const outdated = `
metrics:
  outdated_share:
    label: Outdated share
    description: How much of what there was is lost, under its old name.
    ratio: contraction_mrr / opening_mrr
    deprecated: use contraction_rate instead
---
view: outdated
description: What is asked for by its old name.
metrics: [outdated_share, contraction_rate]
dimensions: [account.segment]
`;

function samePrint(left, right) {
  const [a, b] = [left, right].map((schema) => printSchema(lexicographicSortSchema(schema)));
  assert.ok(a === b, firstDifference(a, b));
}

/** What printing might drop on both sides: looked at in the types themselves. */
const parts = {
  descriptions: (schema) => members(schema).filter((it) => it.description).map((it) => `${it.place}: ${it.description}`),
  "default values": (schema) => members(schema).filter((it) => it.defaultValue !== undefined).map((it) => `${it.place}: ${JSON.stringify(it.defaultValue)}`),
  "addresses of scalars": (schema) => named(schema).filter((type) => isScalarType(type) && type.specifiedByURL).map((type) => `${type.name}: ${type.specifiedByURL}`),
  "inputs of one field": (schema) => named(schema).filter((type) => isInputObjectType(type) && type.isOneOf).map((type) => type.name),
  // What graphql-js adds of itself where nothing is printed differs between editions of the specification.
  directives: (schema) => schema.getDirectives().filter(({ name }) => name !== "deprecated").map((it) => `${it.name}(${it.args.map((arg) => `${arg.name}: ${arg.type}`)}) ${it.isRepeatable} ${[...it.locations].sort()}`).sort(),
};

function named(schema) {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith("__"))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Types, fields, arguments and values, each with its place. */
function members(schema) {
  return named(schema).flatMap((type) => {
    const inner = isEnumType(type) ? type.getValues() : type.getFields ? Object.values(type.getFields()) : [];
    return [
      { ...type, description: type.description, place: type.name },
      ...inner.flatMap((field) => [
        { ...field, place: `${type.name}.${field.name}` },
        ...(field.args ?? []).map((arg) => ({ ...arg, place: `${type.name}.${field.name}(${arg.name})` })),
      ]),
    ];
  }).sort((a, b) => (a.place < b.place ? -1 : 1));
}

function firstDifference(left, right) {
  const [a, b] = [left.split("\n"), right.split("\n")];
  const at = a.findIndex((line, index) => line !== b[index]);
  return `introspection and sdl differ from line ${at + 1} on:\n  introspection: ${a.slice(at, at + 4).join("\n                 ")}\n  sdl:           ${b.slice(at, at + 4).join("\n                 ")}`;
}
