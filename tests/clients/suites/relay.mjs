// Relay: its compiler takes the schema with @connection and @refetchable, and its store keeps pages together and components apart.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import relay from "relay-runtime";
import { plain, quietly, quoted, truthOf, withEachOther } from "../lib/caches.mjs";
import { components, days, inferred } from "../lib/components.mjs";
import { printedSdl } from "../lib/process.mjs";
import { ask, data } from "../lib/server.mjs";

export const limit = 400;

const { createOperationDescriptor, Environment, fetchQuery, getRequest, getSelector, Network, RecordSource, Store } = relay;
const folder = fileURLToPath(new URL("../relay/", import.meta.url));
const require = createRequire(import.meta.url);
const all = [...components, ...days, ...inferred];
const artifact = (name) => require(`${folder}generated/artifacts/${name}.graphql.js`);

export default async function (t) {
  if (!(await compiled(t))) return;
  await pages(t);
  await entities(t);
  await apart(t);
}

async function compiled(t) {
  await rm(`${folder}generated`, { recursive: true, force: true });
  await mkdir(`${folder}generated/src`, { recursive: true });
  await mkdir(`${folder}generated/artifacts`, { recursive: true });
  await writeFile(`${folder}generated/schema.graphql`, await printedSdl());
  await writeFile(`${folder}generated/src/components.js`, sourceOf(all));
  // What Relay's compiler writes are CommonJS modules.
  await writeFile(`${folder}generated/artifacts/package.json`, '{"type": "commonjs"}\n');
  const { error, output } = await new Promise((resolve) => {
    execFile(fileURLToPath(new URL("../node_modules/.bin/relay-compiler", import.meta.url)), ["--noWatchman", "relay.config.json"], { cwd: folder, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ error, output: `${stdout}${stderr}` }));
  });
  t.ok("relay-compiler compiles connections, refetchable fragments and every component", !error, output);
  return !error;
}

/** The shared components under the names that Relay wants: those of the module. */
function sourceOf(list) {
  const tags = list.map(({ query }, index) => `graphql\`${query.replace(/^query \w+/, `query components${index}Query`)}\`;`);
  return `import { graphql } from "relay-runtime";\n\n${tags.join("\n\n")}\n`;
}

async function pages(t) {
  const { accounts } = await data('{ accounts(first: 200, asOf: "2026-01-01", where: {segment: {eq: MID_MARKET}}, orderBy: [{name: {dir: ASC}}]) { nodes { id } } }');
  const ids = accounts.nodes.map(({ id }) => id);

  await t.check("a connection grows forwards to its end", async () => {
    const client = open();
    await client.fetch("accountsQuery", { first: 20 });
    let list = client.read("accounts_list", client.root("accountsQuery", { first: 20 }));
    for (let size = 20; list.accounts.pageInfo.hasNextPage; size += 20) {
      assert.deepEqual(idsOf(list), ids.slice(0, size));
      await client.fetch("accountsPageQuery", { first: 20, after: list.accounts.pageInfo.endCursor });
      list = client.read("accounts_list", client.root("accountsQuery", { first: 20 }));
    }
    assert.deepEqual(idsOf(list), ids);
    assert.equal(list.accounts.totalCount, ids.length);
  });
  await t.check("a connection grows backwards to its start", async () => {
    const client = open();
    await client.fetch("accountsQuery", { last: 20 });
    let list = client.read("accounts_list", client.root("accountsQuery", { last: 20 }));
    for (let size = 20; list.accounts.pageInfo.hasPreviousPage; size += 20) {
      assert.deepEqual(idsOf(list), ids.slice(-size));
      await client.fetch("accountsPageQuery", { last: 20, before: list.accounts.pageInfo.startCursor });
      list = client.read("accounts_list", client.root("accountsQuery", { last: 20 }));
    }
    assert.deepEqual(idsOf(list), ids);
  });
  await t.check("cards of a page read what they ask for, and nothing is missing", async () => {
    const client = open();
    await client.fetch("accountsQuery", { first: 3 });
    const list = client.read("accounts_list", client.root("accountsQuery", { first: 3 }));
    for (const { node } of list.accounts.edges) {
      const card = client.read("accounts_card", node);
      assert.match(card.metrics.mrr, /^\d/);
      assert.ok(card.name);
    }
  });
}

async function entities(t) {
  await t.check("a fragment is fetched again through node, with other arguments", async () => {
    const client = open();
    const variables = { id: "account:A0207" };
    await client.fetch("accountsOneQuery", variables);
    const before = client.read("accounts_card", client.root("accountsOneQuery", variables).node.account);
    const range = { between: { from: "2025-07-01", to: "2025-10-01" } };
    await client.fetch("accountsCardQuery", { ...variables, range });
    const other = client.read("accounts_card", client.root("accountsCardQuery", { ...variables, range }).node);
    assert.notEqual(other.metrics.mrr, before.metrics.mrr);
    assert.deepEqual(client.read("accounts_card", client.root("accountsOneQuery", variables).node.account), before);
  });
  await t.check("a connection below an entity grows through node", async () => {
    const client = open();
    const { accounts } = await data("{ accounts(first: 100) { nodes { id contracts(first: 50) { totalCount nodes { id } } } } }");
    const account = accounts.nodes.find(({ contracts }) => contracts.totalCount > 1 && contracts.totalCount < 50);
    const variables = { id: account.id };
    await client.fetch("accountsOneQuery", variables);
    const read = () => client.read("accounts_contracts", client.root("accountsOneQuery", variables).node.account);
    while (read().contracts.pageInfo.hasNextPage) {
      await client.fetch("accountsContractsQuery", { ...variables, first: 1, after: read().contracts.pageInfo.endCursor });
    }
    assert.deepEqual(read().contracts.edges.map(({ node }) => node.id), account.contracts.nodes.map(({ id }) => id));
  });
  await t.check("what node does not find is null", async () => {
    const client = open();
    await client.fetch("accountsOneQuery", { id: "account:nobody" });
    assert.equal(client.root("accountsOneQuery", { id: "account:nobody" }).node, null);
  });
}

async function apart(t) {
  const truth = await truthOf(all);
  const nameOf = (component) => `components${all.indexOf(component)}Query`;

  for (const component of components) {
    await t.check(`“${component.name}” beside every other one`, () => withEachOther(component, components, sideBySide));
  }
  await t.check("all at once, in both orders", async () => {
    await quietly(() => sideBySide(components));
    await quietly(() => sideBySide([...components].reverse()));
  });
  await t.check("the same account on two days", () => quietly(() => sideBySide(days)));
  await t.check("control: groupings that the arguments do not say are noticed", () => assert.rejects(quietly(() => sideBySide(inferred))));

  async function sideBySide(list) {
    const client = open();
    for (const component of list) await client.fetch(nameOf(component), {});
    for (const component of list) {
      const others = quoted(list.filter((it) => it !== component));
      assert.deepEqual(plain(client.root(nameOf(component), {})), truth.get(component.name), `“${component.name}” reads wrong after ${others}`);
      assert.equal(client.check(nameOf(component), {}), "available", `“${component.name}” would be fetched again after ${others}`);
    }
  }
}

// Each question goes to the server once.
const answers = new Map();

/** An environment with its store. Reading never goes to the server. */
function open() {
  const network = Network.create(({ text }, variables) => {
    const key = text + JSON.stringify(variables);
    if (!answers.has(key)) answers.set(key, ask(text, variables).then(({ data, errors }) => ({ data, errors })));
    return answers.get(key);
  });
  const environment = new Environment({ network, store: new Store(new RecordSource(), { gcReleaseBufferSize: 100 }) });
  const operation = (name, variables) => createOperationDescriptor(getRequest(artifact(name)), variables);
  const whole = (snapshot) => {
    assert.equal(snapshot.isMissingData, false, "data is missing in the store");
    return snapshot.data;
  };
  return {
    async fetch(name, variables) {
      const request = operation(name, variables);
      environment.retain(request);
      await fetchQuery(environment, artifact(name), variables).toPromise();
    },
    root: (name, variables) => whole(environment.lookup(operation(name, variables).fragment)),
    read: (fragment, reference) => whole(environment.lookup(getSelector(artifact(fragment), reference))),
    check: (name, variables) => environment.check(operation(name, variables)).status,
  };
}

function idsOf(list) {
  return list.accounts.edges.map(({ node }) => node.id);
}
