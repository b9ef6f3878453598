// Apollo's federation: the schema composes with another subgraph that extends an entity, and every entity is found again by each of its keys.

import assert from "node:assert/strict";
import { composeServices } from "@apollo/composition";
import { buildSchema, getNamedType, isObjectType, parse, Kind } from "graphql";
import { ask, clientSchema, codes, data } from "../lib/server.mjs";

export const limit = 300;

// What a team beside ours might serve: notes on accounts, known by our key.
const notes = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query { latestNotes(first: Int = 10): [Note!]! }
  type Note @key(fields: "noteId") { noteId: ID! text: String! account: Account! }
  type Account @key(fields: "id") { id: ID! notes: [Note!]! }
`;

export default async function (t) {
  const sdl = await t.check("_service tells the schema with keys", async () => (await data("{ _service { sdl } }"))._service.sdl);
  if (!sdl) return;
  const document = await t.check("it parses", () => parse(sdl));
  const keys = keysOf(document);
  await composition(t, sdl, keys);
  await entities(t, keys);
}

async function composition(t, sdl, keys) {
  await t.check("it links to federation 2 and does not hold what gateways add", () => {
    assert.match(sdl, /@link\(\s*url: "https:\/\/specs\.apollo\.dev\/federation\/v2\.\d+"/);
    for (const name of ["scalar _Any", "union _Entity", "type _Service", "_entities(", "_service:"]) assert.ok(!sdl.includes(name), name);
  });
  const alone = await t.check("it composes alone", () => composed([["holdfast", sdl]]));
  const both = await t.check("it composes with a subgraph that extends Account", () => composed([["holdfast", sdl], ["notes", notes]]));
  if (!alone || !both) return;
  await t.check("the other subgraph's field is there, by our key", () => {
    const account = both.supergraph.getType("Account").getFields();
    assert.ok(account.notes && account.metrics && account.name);
    assert.match(both.sdl, /type Account[^{]*@join__type\(graph: HOLDFAST, key: "id"\)/s);
    assert.match(both.sdl, /type Account[^{]*@join__type\(graph: NOTES, key: "id"\)/s);
  });
  await t.check("gateways see every type and field that clients see", async () => {
    const told = await clientSchema();
    const missing = [];
    for (const type of Object.values(told.getTypeMap()).filter((it) => isObjectType(it) && !/^_/.test(it.name) && it.name !== "Subscription")) {
      const seen = alone.supergraph.getType(type.name)?.getFields() ?? {};
      for (const field of Object.keys(type.getFields())) if (!(field in seen) && !field.startsWith("_")) missing.push(`${type.name}.${field}`);
    }
    assert.deepEqual(missing, []);
  });
  await t.check("every node is an entity", async () => {
    const nodes = (await clientSchema()).getPossibleTypes((await clientSchema()).getType("Node")).map(({ name }) => name);
    assert.deepEqual(nodes.filter((name) => !keys.has(name)), []);
  });
}

function composed(services) {
  const { errors, supergraphSdl } = composeServices(services.map(([name, sdl]) => ({ name, url: `http://${name}.test/graphql`, typeDefs: parse(sdl) })));
  assert.deepEqual((errors ?? []).slice(0, 5).map((error) => error.message), []);
  return { sdl: supergraphSdl, supergraph: buildSchema(supergraphSdl, { assumeValid: true }) };
}

/** Type → its keys, each a list of fields. */
function keysOf(document) {
  const keys = new Map();
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) continue;
    const fields = definition.directives
      .filter(({ name, arguments: args }) => name.value === "key" && !args.some((it) => it.name.value === "resolvable" && it.value.value === false))
      .map((directive) => directive.arguments.find((it) => it.name.value === "fields").value.value.trim().split(/\s+/));
    if (fields.length > 0) keys.set(definition.name.value, fields);
  }
  return keys;
}

async function entities(t, keys) {
  const rows = await rowsOf(keys);
  for (const [type, list] of rows) t.ok(`${type}: there are rows to look for`, list.length > 0, "its list is empty");

  const selection = [...keys].map(([type, lists]) => `... on ${type} { ${[...new Set(["id", ...lists.flat()])].map((field) => `${type}_${field}: ${field}`).join(" ")} }`);
  // Aliases keep the types apart, so the same field may have another type in another entity; they count, so each request takes a few types.
  const find = async (representations, types) => {
    const wanted = selection.filter((text) => types.some((type) => text.startsWith(`... on ${type} `)));
    const answer = await ask(`query ($of: [_Any!]!) { _entities(representations: $of) { __typename ${wanted.join(" ")} } }`, { of: representations });
    if (answer.errors) throw new Error(JSON.stringify(answer.errors).slice(0, 500));
    return answer.data._entities;
  };

  for (const [type, lists] of keys) {
    for (const fields of lists) {
      await t.check(`${type} by ${fields.join(", ")}`, async () => {
        const list = rows.get(type);
        const representations = list.map((row) => ({ __typename: type, ...Object.fromEntries(fields.map((field) => [field, row[field]])) }));
        const found = await find(representations, [type]);
        const expected = list.map((row) => ({ __typename: type, ...Object.fromEntries(Object.entries(row).map(([field, value]) => [`${type}_${field}`, value])) }));
        assert.deepEqual(found, expected);
      });
    }
  }

  const everything = [...rows].flatMap(([type, list]) => list.map((row) => ({ type, row })));
  const mixed = everything.map((_, index) => everything[(index * 7919) % everything.length]);
  const byId = ({ type, row }) => ({ __typename: type, id: row.id });
  const ids = async (representations) => {
    const answer = await ask(`query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Node { id } } }`, { of: representations });
    if (answer.errors) throw new Error(JSON.stringify(answer.errors).slice(0, 500));
    return answer.data._entities;
  };
  await t.check(`entities of all ${keys.size} types in one request, in the order asked for`, async () => {
    assert.deepEqual(await ids(mixed.map(byId)), mixed.map(byId));
  });
  await t.check("twice the same is answered twice", async () => {
    const twice = [mixed[0], mixed[1], mixed[0]];
    assert.deepEqual(await ids(twice.map(byId)), twice.map(byId));
  });
  await t.check("what nobody has is null, and the others stay in their places", async () => {
    const wanted = [byId(mixed[0]), { __typename: "Account", id: "account:nobody" }, byId(mixed[1]), { __typename: "Account", accountId: "nobody" }, byId(mixed[2])];
    assert.deepEqual(await ids(wanted), [wanted[0], null, wanted[2], null, wanted[4]]);
  });
  await t.check("an id of another type is not found", async () => {
    const contract = rows.get("Contract")[0];
    assert.deepEqual(await ids([{ __typename: "Account", id: contract.id }]), [null]);
  });
  await t.check("no representations, no entities", async () => assert.deepEqual(await ids([]), []));
  await t.check("metrics and relations of entities", async () => {
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Account { id name metrics(range: {between: {from: "2025-10-01", to: "2026-01-01"}}) { mrr } contracts(first: 1) { totalCount } } } }`;
    const { _entities: [account] } = await data(query, { of: [{ __typename: "Account", id: "account:A0207" }] });
    assert.equal(account.name, "Falcon Works");
    assert.match(account.metrics.mrr, /^\d+(\.\d+)?$/);
  });
  for (const [what, representation] of [["no type", { id: "account:A0207" }], ["a type that is no entity", { __typename: "PageInfo", id: "1" }], ["an unknown type", { __typename: "Nothing", id: "1" }], ["none of the keys", { __typename: "Account", name: "Falcon Works" }], ["a text", "account:A0207"]]) {
    await t.check(`a representation with ${what} is an error with a code`, async () => {
      const answer = await ask("query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }", { of: [representation] });
      assert.ok(codes(answer)[0], JSON.stringify(answer));
      assert.notEqual(codes(answer)[0], "INTERNAL_SERVER_ERROR");
    });
  }
}

/** Type → two of its rows, with the fields of its keys, through the lists. */
async function rowsOf(keys) {
  const schema = await clientSchema();
  const lists = Object.values(schema.getQueryType().getFields());
  const rows = new Map();
  for (const [type, ofType] of keys) {
    const list = lists.find((field) => getNamedType(field.type).name === `${type}Connection`);
    if (!list) throw new Error(`no list of ${type}`);
    const fields = [...new Set(["id", ...ofType.flat()])];
    rows.set(type, (await data(`{ list: ${list.name}(first: 2) { nodes { ${fields.join(" ")} } } }`)).list.nodes);
  }
  return rows;
}
