// Apollo Client's cache: what one component reads is never changed, lost or fetched twice because of another.

import assert from "node:assert/strict";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { loadDevMessages, loadErrorMessages } from "@apollo/client/dev";
import { isInterfaceType, isObjectType } from "graphql";
import { countedFetch, plain, quietly, quoted, settled, truthOf, withEachOther } from "../lib/caches.mjs";
import { components, days, inferred } from "../lib/components.mjs";
import { clientSchema, url } from "../lib/server.mjs";

export const limit = 300;

loadDevMessages();
loadErrorMessages();

export default async function (t) {
  const options = cacheOptions(await clientSchema());
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
  await t.check("without any configuration: other arguments, other data", async () => {
    // Objects without an id are replaced, not merged, so the same question with other fields needs the configuration above.
    for (const component of components) {
      const others = components.filter((other) => !questions(other).some((question) => questions(component).includes(question)));
      await withEachOther(component, others, (two) => sideBySide(two, truth, {}));
    }
  });
}

/** What an application has to tell the cache: objects without an id of their own are merged into what is known of them. */
function cacheOptions(schema) {
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith("__"));
  const merged = types.filter((type) => isObjectType(type) && !type.getFields().id && !/(Connection|Edge)$|^(Query|Subscription|PageInfo)$/.test(type.name));
  return {
    typePolicies: Object.fromEntries(merged.map((type) => [type.name, { merge: true }])),
    possibleTypes: Object.fromEntries(types.filter(isInterfaceType).map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)])),
  };
}

/** Asks for one after the other, then reads each again: from the cache alone, and what the server said. */
async function sideBySide(list, truth, options) {
  const { client, counter } = open(options);
  for (const { query } of list) await client.query({ query: gql(query) });
  const { requests } = counter;
  for (const component of list) {
    const others = quoted(list.filter((it) => it !== component));
    const { data } = await client.query({ query: gql(component.query) });
    assert.deepEqual(plain(data), truth.get(component.name), `“${component.name}” reads wrong after ${others}`);
    assert.equal(counter.requests, requests, `“${component.name}” is fetched again after ${others}`);
  }
  client.stop();
}

/** Mounts all, waits until nothing happens any more. */
async function watched(list, truth, options) {
  const { client, counter } = open(options);
  const seen = new Map();
  const subscriptions = list.map(({ name, query }) => client.watchQuery({ query: gql(query) }).subscribe(({ data }) => seen.set(name, data)));
  await settled(counter, list.length, quoted(list));
  for (const { name } of list) assert.deepEqual(plain(seen.get(name)), truth.get(name), `“${name}” shows wrong`);
  for (const subscription of subscriptions) subscription.unsubscribe();
  client.stop();
}

function open(options) {
  const { counter, fetch } = countedFetch();
  return { counter, client: new ApolloClient({ cache: new InMemoryCache(options), link: new HttpLink({ uri: url, fetch }) }) };
}

/** What is asked about objects that have no id: views, and metrics of accounts. */
function questions({ query }) {
  return query.match(/retention\(.*?\) (?=\{ (rows|totals))|\bmetrics\(.*?\)(?= \{)/g) ?? [];
}
