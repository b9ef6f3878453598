// urql's normalised cache (graphcache) with the schema: what one component reads is never changed or lost because of another.

import assert from "node:assert/strict";
import { Client, fetchExchange, gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { isObjectType } from "graphql";
import { countedFetch, plain, quietly, quoted, settled, truthOf, withEachOther } from "../lib/caches.mjs";
import { components, days, inferred } from "../lib/components.mjs";
import { clientSchema, introspection, url } from "../lib/server.mjs";

export const limit = 300;

export default async function (t) {
  const options = { schema: lean(await introspection()), keys: embedded(await clientSchema()) };
  const truth = await truthOf([...components, ...days, ...inferred]);

  for (const component of components) {
    await t.check(`“${component.name}” beside every other one`, () => withEachOther(component, components, (two) => sideBySide(two, truth, options)));
  }
  await t.check("all at once, in both orders", async () => {
    await quietly(() => sideBySide(components, truth, options));
    await quietly(() => sideBySide([...components].reverse(), truth, options));
  });
  await t.check("watched together, none is fetched again because another came", async () => {
    for (const component of components) {
      await withEachOther(component, components.slice(components.indexOf(component)), (two) => watched(two, truth, options));
    }
  });
  await t.check("the same account on two days", () => quietly(() => sideBySide(days, truth, options)));
  await t.check("control: groupings that the arguments do not say are noticed", () => assert.rejects(quietly(() => sideBySide(inferred, truth, options))));
}

/** What an application has to tell the cache: these types have no key of their own, they are parts of what they hang on. */
function embedded(schema) {
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith("__"));
  return Object.fromEntries(types.filter((type) => !type.getFields().id).map((type) => [type.name, () => null]));
}

/** The schema as urql advises to ship it: objects and their fields, without inputs and descriptions. Each of many caches reads it anew. */
function lean({ __schema }) {
  const any = { kind: "SCALAR", name: "Any" };
  const named = ({ kind, name, ofType }) => (ofType ? { kind, ofType: named(ofType) } : ["SCALAR", "ENUM"].includes(kind) ? any : { kind, name });
  const types = __schema.types
    .filter(({ kind, name }) => ["OBJECT", "INTERFACE", "UNION"].includes(kind) && !name.startsWith("__"))
    .map(({ kind, name, fields, interfaces, possibleTypes }) => ({ kind, name, interfaces, possibleTypes, fields: fields?.map((field) => ({ name: field.name, type: named(field.type), args: [] })) }));
  return { __schema: { ...__schema, types: [...types, any], directives: [] } };
}

async function sideBySide(list, truth, options) {
  const { client, counter } = open(options);
  for (const { query } of list) {
    const { error } = await client.query(gql(query), {}).toPromise();
    assert.equal(error, undefined);
  }
  const { requests } = counter;
  for (const component of list) {
    const others = quoted(list.filter((it) => it !== component));
    const { data, stale } = await client.query(gql(component.query), {}, { requestPolicy: "cache-first" }).toPromise();
    assert.deepEqual(plain(data), truth.get(component.name), `“${component.name}” reads wrong after ${others}`);
    assert.ok(!stale && counter.requests === requests, `“${component.name}” is fetched again after ${others}`);
  }
}

async function watched(list, truth, options) {
  const { client, counter } = open(options);
  const seen = new Map();
  const subscriptions = list.map(({ name, query }) => client.query(gql(query), {}).subscribe(({ data }) => seen.set(name, data)));
  await settled(counter, list.length, quoted(list));
  for (const { name } of list) assert.deepEqual(plain(seen.get(name)), truth.get(name), `“${name}” shows wrong`);
  for (const subscription of subscriptions) subscription.unsubscribe();
}

function open(options) {
  const { counter, fetch } = countedFetch();
  return { counter, client: new Client({ url, fetch, preferGetMethod: false, exchanges: [cacheExchange(options), fetchExchange] }) };
}
