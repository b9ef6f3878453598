// GraphQL over server-sent events, in both modes of the protocol: by the graphql-sse client, and by hand.

import assert from "node:assert/strict";
import { createClient } from "graphql-sse";
import { within } from "../lib/checks.mjs";
import { EventStream } from "../lib/events.mjs";
import { data, url } from "../lib/server.mjs";

const selection = '{ accounts(first: 2, asOf: "2026-01-01", orderBy: [{name: {dir: ASC}}]) { totalCount nodes { id name } } }';
const subscription = `subscription ${selection}`;
const streamUrl = `${url}/stream`;
const sized = 'query ($n: Int) { accounts(first: $n, asOf: "2026-01-01") { nodes { __typename } } }';
const json = { "content-type": "application/json" };

export default async function (t) {
  const expected = await data(selection);
  await distinct(t, expected);
  await single(t, expected);
  for (const singleConnection of [false, true]) await withClient(t, expected, singleConnection);
}

/** Every operation has a connection of its own. */
async function distinct(t, expected) {
  const post = (body, headers = {}) => EventStream.open(url, { method: "POST", headers: { ...json, ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  const get = (parameters, headers = {}) => EventStream.open(`${url}?${new URLSearchParams(parameters)}`, { headers });

  for (const [method, ask] of [["POST", post], ["GET", get]]) {
    await t.check(`distinct: a query by ${method} is one next and one complete`, async () => {
      const stream = await ask({ query: selection });
      isStream(stream);
      const [next, complete, ...more] = await stream.rest();
      assert.equal(next?.event, "next");
      assert.deepEqual(JSON.parse(next.data), { data: expected });
      assert.equal(complete?.event, "complete");
      assert.equal(complete.data, "", "without an empty `data:` browsers do not tell their listeners");
      assert.deepEqual(more, []);
    });
    await t.check(`distinct: a subscription by ${method} begins with the whole answer and stays open`, async () => {
      const stream = await ask({ query: subscription });
      isStream(stream);
      assert.deepEqual(JSON.parse((await stream.next()).data), { data: expected });
      assert.ok(await stream.isQuiet(700), "nothing changed, so nothing may come");
      stream.abort();
    });
    await t.check(`distinct: an invalid document by ${method} is told in the stream`, async () => {
      for (const query of ["{ nothing }", "{"]) {
        const stream = await ask({ query });
        isStream(stream);
        const [next, complete] = await stream.rest();
        const { errors, data: none } = JSON.parse(next.data);
        assert.equal(next.event, "next");
        assert.match(errors[0].extensions.code, /^GRAPHQL_/);
        assert.equal(none, undefined);
        assert.equal(complete.event, "complete");
      }
    });
  }
  await t.check("distinct: variables and the name of an operation", async () => {
    const query = 'query Other { __typename } query Asked($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { nodes { __typename } } }';
    const [next] = await (await post({ query, operationName: "Asked", variables: { n: 3 } })).rest();
    assert.equal(JSON.parse(next.data).data.accounts.nodes.length, 3);
    const [same] = await (await get({ query, operationName: "Asked", variables: '{"n": 3}' })).rest();
    assert.equal(same.data, next.data);
  });
  await t.check("distinct: an error of a field comes with the data", async () => {
    const [next, complete] = await (await post({ query: '{ accounts(first: 5000, asOf: "2026-01-01") { totalCount } __typename }' })).rest();
    const answer = JSON.parse(next.data);
    assert.equal(answer.data.__typename, "Query");
    assert.deepEqual(answer.errors[0].path, ["accounts"]);
    assert.equal(complete.event, "complete");
  });
  await t.check("distinct: no proxy or browser keeps a stream", async () => {
    const stream = await post({ query: "{ __typename }" });
    assert.match(stream.answer.headers.get("cache-control") ?? "", /no-(cache|store)/);
    await stream.rest();
  });
  await t.check("distinct: text with line ends stays one event", async () => {
    const [next] = await (await post({ query: '{ __type(name: "Account") { description } x: __typename }' })).rest();
    assert.equal(JSON.parse(next.data).data.x, "Query");
  });
  await t.check("distinct: what is no request is refused", async () => {
    for (const body of ["{", "[]", "{}", '{"query": 1}']) {
      const stream = await post(body);
      const { status } = stream.answer;
      assert.ok(status >= 400 && status < 500, `${body}: ${status}`);
      stream.abort();
    }
    const stream = await post("query=x", { "content-type": "text/plain" });
    assert.equal(stream.answer.status, 415);
    stream.abort();
  });
  await t.check("a client that takes both, JSON first, gets a query as JSON and a subscription as a stream", async () => {
    // What urql sends with everything it asks.
    const accept = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed";
    const query = await post({ query: "{ __typename }" }, { accept });
    assert.match(query.answer.headers.get("content-type") ?? "", /json/);
    query.abort();
    const live = await post({ query: subscription }, { accept });
    isStream(live);
    live.abort();
  });
  await t.check("a subscription needs a stream: plain JSON is refused", async () => {
    const answer = await fetch(url, { method: "POST", headers: { ...json, accept: "application/graphql-response+json" }, body: JSON.stringify({ query: subscription }) });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
    assert.ok((await answer.json()).errors[0].message);
  });
}

/** One connection for the answers of all operations. */
async function single(t, expected) {
  const reserve = async () => {
    const answer = await fetch(streamUrl, { method: "PUT" });
    assert.equal(answer.status, 201);
    return (await answer.text()).trim();
  };
  const listen = (token) => EventStream.open(streamUrl, { headers: { "x-graphql-event-stream-token": token } });
  const operate = (token, query, operationId, more = {}) =>
    fetch(streamUrl, { method: "POST", headers: { ...json, ...(token ? { "x-graphql-event-stream-token": token } : {}) }, body: JSON.stringify({ query, ...more, extensions: operationId ? { operationId } : undefined }) });
  const stop = (token, operationId) => fetch(`${streamUrl}${operationId ? `?operationId=${operationId}` : ""}`, { method: "DELETE", headers: { "x-graphql-event-stream-token": token } });
  const refused = async (answer, what) => {
    assert.ok(answer.status >= 400 && answer.status < 500, `${what}: status ${answer.status}`);
    await answer.body?.cancel();
  };

  await t.check("single: tokens are long and each another", async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, reserve));
    assert.equal(new Set(tokens).size, 5);
    for (const token of tokens) assert.match(token, /^[\w-]{16,}$/);
  });
  await check("single: operations are accepted and answered through the stream", async (token, stream) => {
    for (const id of ["one", "two"]) {
      const accepted = await operate(token, selection, id);
      assert.equal(accepted.status, 202);
      const next = await stream.next();
      assert.equal(next.event, "next");
      assert.deepEqual(JSON.parse(next.data), { id, payload: { data: expected } });
      const complete = await stream.next();
      assert.equal(complete.event, "complete");
      assert.deepEqual(JSON.parse(complete.data), { id });
    }
  });
  await t.check("single: the token may be a parameter of the address", async () => {
    const token = await reserve();
    const stream = await EventStream.open(`${streamUrl}?token=${token}`);
    isStream(stream);
    const answer = await fetch(`${streamUrl}?token=${token}`, { method: "POST", headers: json, body: JSON.stringify({ query: "{ __typename }", extensions: { operationId: "a" } }) });
    assert.equal(answer.status, 202);
    assert.equal(JSON.parse((await stream.next()).data).id, "a");
    stream.abort();
  });
  await check("single: a subscription stays until it is stopped", async (token, stream) => {
    assert.equal((await operate(token, subscription, "live")).status, 202);
    assert.deepEqual(JSON.parse((await stream.next()).data), { id: "live", payload: { data: expected } });
    assert.ok(await stream.isQuiet(500));
  });
  await check("single: DELETE stops an operation and frees its id", async (token, stream) => {
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await operate(token, subscription, "live")).status, 202);
      assert.equal((await stream.next()).event, "next");
      const stopped = await stop(token, "live");
      assert.ok(stopped.ok, `${stopped.status}`);
      // A server may say that it is over, and need not.
      const complete = await stream.next(500).catch(() => undefined);
      if (complete) assert.deepEqual([complete.event, JSON.parse(complete.data)], ["complete", { id: "live" }]);
    }
  });
  await check("single: operations side by side are told apart by their ids", async (token, stream) => {
    const ids = Array.from({ length: 10 }, (_, index) => `op${index}`);
    await Promise.all(ids.map((id, index) => operate(token, `{ accounts(first: ${index + 1}, asOf: "2026-01-01") { nodes { __typename } } }`, id)));
    const sizes = new Map();
    while (sizes.size < ids.length) {
      const { event, data: text } = await stream.next();
      if (event === "next") sizes.set(JSON.parse(text).id, JSON.parse(text).payload.data.accounts.nodes.length);
    }
    assert.deepEqual(ids.map((id) => sizes.get(id)), ids.map((_, index) => index + 1));
  });
  await check("single: an invalid document is refused like over HTTP, not in the stream", async (token, stream) => {
    const answer = await operate(token, "{ nothing }", "bad");
    assert.equal(answer.status, 400);
    assert.equal((await answer.json()).errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    assert.ok(await stream.isQuiet(200));
  });
  await check("single: an id that is in use is refused", async (token, stream) => {
    await operate(token, subscription, "same");
    await stream.next();
    await refused(await operate(token, selection, "same"), "an id twice");
  });
  await check("single: an operation without an id is refused", async (token) => refused(await operate(token, selection), "no id"));
  await check("single: DELETE without an id is refused", async (token) => refused(await stop(token), "no id"));
  await check("single: DELETE of what is not there does no harm", async (token, stream) => {
    const answer = await stop(token, "never");
    assert.ok(answer.status < 500, `${answer.status}`);
    await operate(token, "{ __typename }", "after");
    assert.equal((await stream.next()).event, "next");
  });
  await check("single: one reservation, one stream", async (token) => {
    await refused(await fetch(streamUrl, { headers: { accept: "text/event-stream", "x-graphql-event-stream-token": token } }), "a second stream");
  });
  await t.check("single: operations may be sent before the stream is opened", async () => {
    const token = await reserve();
    assert.equal((await operate(token, "{ __typename }", "early")).status, 202);
    const stream = await listen(token);
    assert.equal(JSON.parse((await stream.next()).data).id, "early");
    stream.abort();
  });
  await t.check("single: nothing goes without a token, or with one that was not given", async () => {
    for (const token of [undefined, "0123456789abcdef0123456789abcdef"]) {
      await refused(await operate(token, selection, "x"), `POST with ${token}`);
      await refused(await fetch(streamUrl, { headers: { accept: "text/event-stream", ...(token ? { "x-graphql-event-stream-token": token } : {}) } }), `GET with ${token}`);
      await refused(await fetch(`${streamUrl}?operationId=x`, { method: "DELETE", headers: token ? { "x-graphql-event-stream-token": token } : {} }), `DELETE with ${token}`);
    }
  });
  await t.check("single: a reservation ends with its stream", async () => {
    const token = await reserve();
    const stream = await listen(token);
    stream.abort();
    // The server learns of it with the closing of the connection.
    const deadline = performance.now() + 5000;
    let status;
    do {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const answer = await operate(token, "{ __typename }", `late${performance.now()}`);
      status = answer.status;
      await answer.body?.cancel();
    } while (status === 202 && performance.now() < deadline);
    assert.ok(status >= 400 && status < 500, `${status}`);
  });

  function check(name, body) {
    return t.check(name, async () => {
      const token = await reserve();
      const stream = await listen(token);
      try {
        isStream(stream);
        await body(token, stream);
      } finally {
        stream.abort();
      }
    });
  }
}

/** What an application does. */
async function withClient(t, expected, singleConnection) {
  const mode = singleConnection ? "client, single connection" : "client, distinct connections";
  const client = createClient({ url: singleConnection ? streamUrl : url, singleConnection, lazy: true, retryAttempts: 0 });
  const all = async (payload) => {
    const results = [];
    for await (const result of client.iterate(payload)) results.push(result);
    return results;
  };

  await t.check(`${mode}: a query`, async () => assert.deepEqual(await within(5000, "the end", all({ query: selection })), [{ data: expected }]));
  await t.check(`${mode}: ten queries at once`, async () => {
    const sizes = Array.from({ length: 10 }, (_, index) => index + 1);
    const answers = await within(10_000, "the end", Promise.all(sizes.map((n) => all({ query: sized, variables: { n } }))));
    assert.deepEqual(answers.map(([answer]) => answer.data.accounts.nodes.length), sizes);
  });
  await t.check(`${mode}: a subscription begins, stays, and ends when the client wants`, async () => {
    const results = client.iterate({ query: subscription });
    assert.deepEqual((await within(5000, "the first answer", results.next())).value, { data: expected });
    await results.return();
    assert.deepEqual(await within(5000, "the end", all({ query: "{ __typename }" })), [{ data: { __typename: "Query" } }]);
  });
  await t.check(`${mode}: an invalid document is told`, async () => {
    const outcome = await within(5000, "the end", all({ query: "{ nothing }" })).catch((error) => error);
    const errors = Array.isArray(outcome) ? outcome[0]?.errors : outcome;
    assert.ok(errors, "neither a result with errors nor a failure");
  });
  client.dispose();
}

function isStream({ answer }) {
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/event-stream\b/);
}
