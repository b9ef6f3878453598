// Documents by digest and by name: automatic persisted queries with Apollo's link and by hand, trusted documents of a manifest, and GET
// answers that caches between client and server can keep.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApolloClient, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { startServer } from "../lib/process.mjs";
import { ask, codes, url } from "../lib/server.mjs";

export const limit = 300;

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

export default async function (t) {
  await byHand(t);
  await byApollo(t);
  await byName(t);
  await trusted(t);
  await kept(t);
}

async function byHand(t) {
  const query = fresh('accounts(first: 1, asOf: "2026-01-01") { nodes { id } }');
  const digest = sha256(query);
  const byDigest = (sha256Hash, text, more = {}) => ask(text, undefined, { extensions: { persistedQuery: { version: 1, sha256Hash, ...more } } });
  const data = { accounts: { nodes: [{ id: "account:A0001@2026-01-01" }] } };

  await t.check("a digest nobody registered: PersistedQueryNotFound", async () => {
    const answer = await byDigest(digest);
    assert.equal(answer.errors?.[0]?.message, "PersistedQueryNotFound");
    assert.deepEqual(codes(answer), ["PERSISTED_QUERY_NOT_FOUND"]);
    assert.equal(answer.data, undefined);
  });
  await t.check("a digest with another text is refused, and registers nothing", async () => {
    const answer = await byDigest(digest, fresh("__typename"));
    assert.equal(answer.data, undefined);
    assert.ok(answer.status >= 400 && answer.status < 500 && codes(answer)[0] !== "PERSISTED_QUERY_NOT_FOUND", JSON.stringify(answer.errors));
    assert.deepEqual(codes(await byDigest(digest)), ["PERSISTED_QUERY_NOT_FOUND"]);
  });
  await t.check("a digest with its text is answered, and then the digest alone", async () => {
    assert.deepEqual((await byDigest(digest, query)).data, data);
    assert.deepEqual((await byDigest(digest)).data, data);
  });
  await t.check("the digest alone by GET", async () => {
    const parameters = new URLSearchParams({ extensions: JSON.stringify({ persistedQuery: { version: 1, sha256Hash: digest } }) });
    const answer = await fetch(`${url}?${parameters}`, { headers: { accept: "application/json" } });
    assert.equal(answer.status, 200);
    assert.deepEqual((await answer.json()).data, data);
  });
  await t.check("a digest with variables and the name of an operation", async () => {
    const text = `query A${mark()} { __typename } query Sized($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { nodes { __typename } } }`;
    const more = { operationName: "Sized", extensions: { persistedQuery: { version: 1, sha256Hash: sha256(text) } } };
    assert.equal((await ask(text, { n: 2 }, more)).data.accounts.nodes.length, 2);
    assert.equal((await ask(undefined, { n: 3 }, more)).data.accounts.nodes.length, 3);
  });
  await t.check("an invalid document is told, and not registered", async () => {
    const text = fresh("nothing");
    assert.deepEqual(codes(await byDigest(sha256(text), text)), ["GRAPHQL_VALIDATION_FAILED"]);
    assert.deepEqual(codes(await byDigest(sha256(text))), ["PERSISTED_QUERY_NOT_FOUND"]);
  });
  await t.check("what is no digest, or another version, is refused", async () => {
    for (const [hash, more] of [["abc", {}], ["", {}], [digest, { version: 2 }], [digest, { version: "1" }], [7, {}]]) {
      const answer = await byDigest(hash, undefined, more);
      assert.equal(answer.data, undefined);
      assert.ok(answer.status >= 400 || answer.errors, JSON.stringify(answer));
    }
  });
}

async function byApollo(t) {
  for (const useGETForHashedQueries of [false, true]) {
    await t.check(`Apollo: not found, registered, found (${useGETForHashedQueries ? "GET" : "POST"})`, async () => {
      const requests = [];
      const recording = (address, options) => {
        requests.push({ method: options.method, hasText: /[?&]query=|"query"/.test(`${address}${options.body ?? ""}`) });
        return fetch(address, options);
      };
      const link = new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink({ uri: url, fetch: recording }));
      const client = new ApolloClient({ cache: new InMemoryCache(), link });
      const query = gql(fresh('account(id: "account:A0207", asOf: "2026-01-01") { id name }'));
      for (let round = 0; round < 2; round += 1) {
        const { data } = await client.query({ query, fetchPolicy: "no-cache" });
        assert.equal(data.account.name, "Falcon Works");
      }
      const hashed = useGETForHashedQueries ? "GET" : "POST";
      assert.deepEqual(requests, [{ method: hashed, hasText: false }, { method: "POST", hasText: true }, { method: hashed, hasText: false }]);
    });
  }
}

async function byName(t) {
  const variables = { asOf: "2026-01-01" };
  await t.check("documentId: a saved query, by POST and by GET", async () => {
    const posted = await ask(undefined, variables, { documentId: "retention_at_two_grains" });
    assert.equal(posted.errors, undefined);
    assert.ok(Object.keys(posted.data).length > 0);
    const parameters = new URLSearchParams({ documentId: "retention_at_two_grains", variables: JSON.stringify(variables) });
    const got = await (await fetch(`${url}?${parameters}`, { headers: { accept: "application/json" } })).json();
    assert.deepEqual(got.data, posted.data);
  });
  await t.check("documentId: a name that nobody gave", async () => {
    const answer = await ask(undefined, undefined, { documentId: "nothing_of_that_name" });
    assert.equal(answer.data, undefined);
    assert.ok(answer.status >= 400 && answer.status < 500);
    assert.ok(codes(answer)[0]);
  });
  await t.check("documentId: beside a text it is ambiguous, and refused", async () => {
    const answer = await ask("{ __typename }", undefined, { documentId: "retention_at_two_grains" });
    assert.equal(answer.status, 400);
  });
}

/** A server of its own, that answers what two manifests hold and nothing else. */
async function trusted(t) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-"));
  const body = 'query Falcon { account(id: "account:A0207", asOf: "2026-01-01") { __typename id name } }';
  const text = 'query Flat($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { totalCount } }';
  const apollo = { format: "apollo-persisted-query-manifest", version: 1, operations: [{ id: sha256(body), name: "Falcon", type: "query", body }] };
  await writeFile(join(folder, "apollo.json"), JSON.stringify(apollo));
  await writeFile(join(folder, "relay.json"), JSON.stringify({ "flat-1": text }));
  const server = await t.check("a server with an allow-list starts", () =>
    startServer({ HOLDFAST_DOCUMENTS_MODE: "allow_list", HOLDFAST_DOCUMENTS_MANIFESTS: [join(folder, "apollo.json"), join(folder, "relay.json")].join(",") }));
  if (!server) return rm(folder, { recursive: true });
  const post = async (request) => {
    const answer = await fetch(server.url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(request) });
    return answer.json();
  };

  await t.check("trusted: by id of a manifest, by digest, by prefixed digest, by APQ, by text", async () => {
    for (const request of [
      { documentId: "flat-1" },
      { documentId: sha256(text) },
      { documentId: `sha256:${sha256(text)}` },
      { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(text) } } },
      { query: text },
    ]) {
      assert.deepEqual(await post({ ...request, variables: { n: 1 } }), { data: { accounts: { totalCount: 300 } } }, JSON.stringify(request));
    }
  });
  await t.check("trusted: Apollo's client with ids of the manifest", async () => {
    const ids = generatePersistedQueryIdsFromManifest({ loadManifest: async () => apollo });
    const client = new ApolloClient({ cache: new InMemoryCache(), link: new PersistedQueryLink(ids).concat(new HttpLink({ uri: server.url })) });
    const { data } = await client.query({ query: gql(body) });
    assert.equal(data.account.name, "Falcon Works");
  });
  await t.check("trusted: a saved query too", async () => {
    const answer = await post({ documentId: "retention_at_two_grains", variables: { asOf: "2026-01-01" } });
    assert.equal(answer.errors, undefined);
  });
  await t.check("trusted: nothing else is answered, and nothing is registered", async () => {
    const other = fresh("__typename");
    for (const request of [
      { query: other },
      { query: other, extensions: { persistedQuery: { version: 1, sha256Hash: sha256(other) } } },
      { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(other) } } },
      { documentId: `sha256:${sha256(other)}` },
      { documentId: "flat-2" },
      { query: "{ __schema { queryType { name } } }" },
    ]) {
      const answer = await post(request);
      assert.equal(answer.data, undefined, JSON.stringify(request));
      assert.ok(codes(answer)[0], JSON.stringify(answer));
    }
  });
  server.stop();
  await rm(folder, { recursive: true });
}

async function kept(t) {
  const get = (query, headers = {}) => fetch(`${url}?${new URLSearchParams({ query })}`, { headers: { accept: "application/graphql-response+json", ...headers } });
  const list = '{ accounts(first: 2, asOf: "2026-01-01") { nodes { id name } } }';

  const first = await get(list);
  const tag = first.headers.get("etag");
  await t.check("GET: an answer has an ETag and says how long it may be kept", () => {
    assert.match(tag ?? "", /^(W\/)?"[^"]+"$/);
    assert.match(first.headers.get("cache-control") ?? "", /max-age=\d+|no-(cache|store)/);
  });
  await t.check("GET: If-None-Match with it is 304 without a body", async () => {
    for (const header of [tag, `"other", ${tag}`, `W/${tag.replace(/^W\//, "")}`, "*"]) {
      const again = await get(list, { "if-none-match": header });
      assert.equal(again.status, 304, header);
      assert.equal(await again.text(), "");
      assert.equal(again.headers.get("etag"), tag);
    }
  });
  await t.check("GET: If-None-Match with another is answered", async () => {
    const again = await get(list, { "if-none-match": '"another"' });
    assert.equal(again.status, 200);
    assert.equal((await again.json()).data.accounts.nodes.length, 2);
  });
  await t.check("GET: another answer has another ETag; formats have their own or say Vary", async () => {
    const other = await get('{ accounts(first: 3, asOf: "2026-01-01") { nodes { id name } } }');
    assert.notEqual(other.headers.get("etag"), tag);
    const json = await get(list, { accept: "application/json" });
    assert.ok(json.headers.get("etag") !== tag || /accept/i.test(json.headers.get("vary") ?? ""), "one ETag for two formats, and no Vary");
  });
  await t.check("GET: errors are not kept", async () => {
    const answer = await get("{ nothing }");
    assert.equal(answer.headers.get("etag"), null);
    assert.doesNotMatch(answer.headers.get("cache-control") ?? "", /max-age=[1-9]/);
  });
  await t.check("POST: no validators", async () => {
    const { headers, status } = await ask(list, undefined, { headers: { "if-none-match": tag } });
    assert.equal(status, 200);
    assert.equal(headers.get("etag"), null);
  });
}

/** A document that no server has seen. */
function fresh(selection) {
  return `query Fresh${mark()} { ${selection} }`;
}

function mark() {
  return randomBytes(8).toString("hex");
}
