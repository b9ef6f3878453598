// GraphQL over WebSocket (`graphql-transport-ws`): the life of an operation by the graphql-ws client, every message and close code by hand.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { within } from "../lib/checks.mjs";
import { startServer } from "../lib/process.mjs";
import { data, webSocketUrl } from "../lib/server.mjs";
import { handshake, Socket } from "../lib/sockets.mjs";

const selection = '{ accounts(first: 2, asOf: "2026-01-01", orderBy: [{name: {dir: ASC}}]) { totalCount nodes { id name } } }';
const view = 'retention(by: [{dimension: SEGMENT}], range: {between: {from: "2025-01-01", to: "2026-01-01"}}) { rows { id segment nrr } }';
const subscription = `subscription ${selection}`;

export default async function (t) {
  await withClient(t);
  await messages(t);
  await closeCodes(t);
}

/** What an application does. */
async function withClient(t) {
  const expected = { list: await data(selection), view: await data(`{ ${view} }`) };
  const client = createClient({ url: webSocketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });

  await t.check("client: a query is answered once and completes", async () => {
    assert.deepEqual(await all(client, { query: selection }), [{ data: expected.list }]);
  });
  await t.check("client: a query with variables and the name of an operation", async () => {
    const query = 'query Other { __typename } query Asked($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { nodes { __typename } } }';
    const [{ data: answer }] = await all(client, { query, operationName: "Asked", variables: { n: 3 } });
    assert.equal(answer.accounts.nodes.length, 3);
  });
  for (const [what, query, value] of [["a list", subscription, expected.list], ["a view", `subscription { ${view} }`, expected.view]]) {
    await t.check(`client: a subscription of ${what} begins with the whole answer and stays`, async () => {
      const results = client.iterate({ query });
      assert.deepEqual((await within(5000, "the first answer", results.next())).value, { data: value });
      const more = results.next();
      const state = await Promise.race([more.then(() => "went on"), new Promise((resolve) => setTimeout(resolve, 700, "open"))]);
      assert.equal(state, "open", "nothing changed, so nothing may come");
      await results.return();
    });
  }
  await t.check("client: twenty operations at once, each with its own answer", async () => {
    const sizes = Array.from({ length: 20 }, (_, index) => index + 1);
    const answers = await Promise.all(sizes.map((n) => all(client, { query: `{ accounts(first: ${n}, asOf: "2026-01-01") { nodes { __typename } } }` })));
    assert.deepEqual(answers.map(([answer]) => answer.data.accounts.nodes.length), sizes);
  });
  await t.check("client: an invalid document is an error of the operation, not of the socket", async () => {
    const errors = await all(client, { query: "{ nothing }" }).then(() => assert.fail("it was answered"), (errors) => errors);
    assert.equal(errors[0]?.extensions?.code, "GRAPHQL_VALIDATION_FAILED");
    assert.deepEqual(await all(client, { query: "{ __typename }" }), [{ data: { __typename: "Query" } }]);
  });
  for (const kind of ["query", "subscription"]) {
    await t.check(`client: a ${kind} with a wrong variable is refused once, and nothing of it is answered`, async () => {
      const query = `${kind} ($day: Date) { accounts(asOf: $day) { totalCount nodes { id } } }`;
      const payload = { query, variables: { day: "2026-13-01" } };
      const errors = await all(client, payload).then(() => assert.fail("it was answered"), (errors) => errors);
      assert.deepEqual(errors.map((error) => error.extensions.code), ["BAD_USER_INPUT"]);
      assert.match(errors[0].message, /^`\$day`: /);
    });
  }
  await t.check("client: an error of a field comes with the data", async () => {
    const query = 'query { accounts(first: 5000, asOf: "2026-01-01") { totalCount } __typename }';
    const [{ data: answer, errors }] = await all(client, { query });
    assert.equal(answer.__typename, "Query");
    assert.deepEqual(errors[0].path, ["accounts"]);
    assert.ok(errors[0].extensions.code);
  });
  await client.dispose();
}

async function all(client, payload) {
  const results = [];
  const collect = async () => {
    for await (const result of client.iterate(payload)) results.push(result);
    return results;
  };
  return within(10_000, "the operation ends", collect());
}

/** What goes over the wire. */
async function messages(t) {
  for (const payload of [undefined, null, {}, { anything: [1] }]) {
    await t.check(`connection_init with payload ${JSON.stringify(payload)} is acknowledged`, async () => (await Socket.ready(payload)).close());
  }
  await t.check("a server answers a ping before the connection is acknowledged", async () => {
    const socket = await Socket.open();
    socket.send({ type: "ping" });
    assert.equal((await socket.next()).type, "pong");
    socket.close();
  });
  await check("a ping is answered", async (socket) => {
    for (const ping of [{ type: "ping" }, { type: "ping", payload: null }, { type: "ping", payload: { at: 1 } }]) {
      socket.send(ping);
      assert.equal((await socket.next()).type, "pong");
    }
  });
  await check("pongs nobody asked for are taken in silence", async (socket) => {
    socket.send({ type: "pong" });
    socket.send({ type: "pong", payload: { x: 1 } });
    assert.deepEqual(await socket.quiet(200), []);
    await alive(socket);
  });
  await check("a query: one next, one complete", async (socket) => {
    socket.subscribe("q", "{ __typename }");
    assert.deepEqual(await socket.until(completes("q")), [{ id: "q", type: "next", payload: { data: { __typename: "Query" } } }, { id: "q", type: "complete" }]);
  });
  await check("optional parts of a subscribe may be null", async (socket) => {
    socket.subscribe("q", "{ __typename }", { operationName: null, variables: null, extensions: null });
    assert.equal((await socket.until(completes("q")))[0].type, "next");
  });
  await check("an error ends an operation: no next, no complete", async (socket) => {
    for (const query of ["{ nothing }", "{", "query A { __typename } query B { __typename }"]) {
      socket.subscribe("e", query);
      const message = await socket.next();
      assert.equal(message.type, "error");
      assert.equal(message.id, "e");
      assert.ok(Array.isArray(message.payload) && message.payload[0].message && message.payload[0].extensions.code, JSON.stringify(message.payload));
      assert.deepEqual(await socket.quiet(150), []);
    }
  });
  await check("a wrong variable is an error of the operation", async (socket) => {
    socket.subscribe("v", 'query ($n: Int!) { accounts(first: $n, asOf: "2026-01-01") { totalCount } }', { variables: { n: "three" } });
    const { type, payload } = await socket.next();
    // Before execution or during it: the protocol lets servers tell by either message.
    const errors = type === "error" ? payload : payload.errors;
    assert.ok(errors[0].extensions.code, JSON.stringify(payload));
    assert.equal(payload.data, undefined);
  });
  await check("an id may be used again when its operation is over", async (socket) => {
    for (let round = 0; round < 3; round += 1) {
      socket.subscribe("same", "{ __typename }");
      await socket.until(completes("same"));
    }
  });
  await check("complete ends a subscription, and its id is free at once", async (socket) => {
    for (let round = 0; round < 3; round += 1) {
      socket.subscribe("s", subscription);
      assert.equal((await socket.next()).type, "next");
      socket.send({ id: "s", type: "complete" });
    }
    assert.deepEqual(await socket.quiet(300), [], "what is completed by the client is not completed again");
    await alive(socket);
  });
  await check("a query that is completed before its answer is not answered", async (socket) => {
    socket.send({ id: "gone", type: "subscribe", payload: { query: `{ ${view.replace("2025-01-01", "2024-02-01")} }` } });
    socket.send({ id: "gone", type: "complete" });
    // The answer may have been on its way; a whole one, with its end, would mean that nobody listened.
    const came = await socket.quiet(700);
    assert.ok(came.length === 0 || came.every((message) => message.id === "gone"), JSON.stringify(came));
    await alive(socket);
  });
  await check("complete for what is over, or never was, is ignored", async (socket) => {
    socket.subscribe("q", "{ __typename }");
    await socket.until(completes("q"));
    socket.send({ id: "q", type: "complete" });
    socket.send({ id: "never", type: "complete" });
    await alive(socket);
  });
  await check("subscriptions and queries side by side", async (socket) => {
    socket.subscribe("s", subscription);
    assert.equal((await socket.next()).id, "s");
    socket.subscribe("q", "{ __typename }");
    assert.deepEqual((await socket.until(completes("q"))).map((message) => message.id), ["q", "q"]);
    assert.deepEqual(await socket.quiet(200), []);
  });
  await check("a socket takes so many operations and no more", async (socket) => {
    const limit = 50;
    for (let index = 0; index <= limit; index += 1) socket.subscribe(`s${index}`, 'subscription { accounts(first: 1, asOf: "2026-01-01") { totalCount } }');
    const came = [];
    while (came.length <= limit) came.push(await socket.next(10_000));
    const refused = came.filter((message) => message.type === "error");
    assert.equal(refused.length, 1, `${refused.length} of ${limit + 1} were refused`);
    assert.ok(refused[0].payload[0].extensions.code);
    // Room for one more.
    socket.send({ type: "complete", id: "s0" });
    await alive(socket);
  });

  function check(name, body) {
    return t.check(name, async () => {
      const socket = await Socket.ready();
      try {
        await body(socket);
      } finally {
        socket.close();
      }
    });
  }
}

/** Every way of being shut out. */
async function closeCodes(t) {
  const malformed = {
    "no JSON": "hello",
    "an empty message": "",
    "a list": "[]",
    "a number": "1",
    null: "null",
    "no type": "{}",
    "a type that is a number": { type: 1 },
    "an unknown type": { type: "start", id: "1", payload: { query: "{ __typename }" } },
    "a type of the older protocol": { type: "connection_terminate" },
    "a message that only servers send": { type: "next", id: "1", payload: {} },
    "subscribe without an id": { type: "subscribe", payload: { query: "{ __typename }" } },
    "subscribe with an empty id": { type: "subscribe", id: "", payload: { query: "{ __typename }" } },
    "subscribe with a number for an id": { type: "subscribe", id: 1, payload: { query: "{ __typename }" } },
    "subscribe without a payload": { type: "subscribe", id: "1" },
    "subscribe with a text for a payload": { type: "subscribe", id: "1", payload: "{ __typename }" },
    "subscribe with a number for a query": { type: "subscribe", id: "1", payload: { query: 1 } },
    "subscribe with a list of variables": { type: "subscribe", id: "1", payload: { query: "{ __typename }", variables: [] } },
    "subscribe with a number for a name": { type: "subscribe", id: "1", payload: { query: "{ __typename }", operationName: 1 } },
    "subscribe with a text for extensions": { type: "subscribe", id: "1", payload: { query: "{ __typename }", extensions: "x" } },
    "complete without an id": { type: "complete" },
    "a ping with a text for a payload": { type: "ping", payload: "x" },
  };
  for (const [what, message] of Object.entries(malformed)) {
    await closing(4400, what, async () => {
      const socket = await Socket.ready();
      socket.send(message);
      return socket;
    });
  }
  await closing(4400, "connection_init with a text for a payload", async () => {
    const socket = await Socket.open();
    socket.send({ type: "connection_init", payload: "x" });
    return socket;
  });
  await closing(4401, "subscribe before connection_init", async () => {
    const socket = await Socket.open();
    socket.subscribe("1", "{ __typename }");
    return socket;
  });
  for (const authorization of ["Bearer not-a-token", "Basic bm90OnRoaXM=", 7]) {
    await closing(4403, `credentials that are none: ${authorization}`, async () => {
      const socket = await Socket.open();
      socket.send({ type: "connection_init", payload: { authorization } });
      return socket;
    });
  }
  await closing(4406, "no subprotocol", () => Socket.open([]));
  for (const protocol of ["graphql-ws", "mqtt"]) {
    await t.check(`4406, or no upgrade: subprotocol ${protocol}`, async () => {
      const { status, code } = await handshake(protocol);
      assert.ok((status === 101 && code === 4406) || (status >= 400 && status < 500), `status ${status}, close code ${code}`);
    });
  }
  await t.check("one subprotocol of several is chosen", async () => {
    const socket = await Socket.open(["graphql-ws", "graphql-transport-ws"]);
    assert.equal(socket.raw.protocol, "graphql-transport-ws");
    socket.close();
  });
  await t.check("4408: no connection_init in time", async () => {
    const socket = await Socket.open();
    const begun = performance.now();
    assert.equal(await socket.closes(15_000), 4408);
    assert.ok(performance.now() - begun > 500, "nobody had time to say anything");
  });
  await t.check("4408 is not for those who have begun", async () => {
    const socket = await Socket.ready();
    await socket.quiet(4000);
    await alive(socket);
    socket.close();
  });
  for (const query of [subscription, "{ __typename }"]) {
    await closing(4409, `an id that is in use, for ${query.slice(0, 20)}…`, async () => {
      const socket = await Socket.ready();
      socket.subscribe("same", subscription);
      assert.equal((await socket.next()).type, "next");
      socket.subscribe("same", query);
      return socket;
    });
  }
  await closing(4429, "connection_init twice", async () => {
    const socket = await Socket.ready();
    socket.send({ type: "connection_init" });
    return socket;
  });
  await closing(4429, "connection_init twice, before the acknowledgement", async () => {
    const socket = await Socket.open();
    socket.send({ type: "connection_init" });
    socket.send({ type: "connection_init" });
    return socket;
  });
  await t.check("4500: a token that cannot be checked, because its keys cannot be fetched", async () => {
    const { url, stop } = await startServer({ HOLDFAST_IDENTITY_JWKS: "http://127.0.0.1:1/keys", HOLDFAST_IDENTITY_AUDIENCE: "holdfast" });
    try {
      const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
      const claims = { sub: "ann", aud: "holdfast", exp: Math.floor(Date.now() / 1000) + 600 };
      const token = [part({ alg: "ES256", typ: "JWT", kid: "one" }), part(claims), randomBytes(64).toString("base64url")].join(".");
      const client = createClient({ url: url.replace(/^http/, "ws"), webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { authorization: `Bearer ${token}` } });
      const closed = await all(client, { query: "{ __typename }" }).then(() => assert.fail("it was answered"), (closed) => closed);
      assert.deepEqual({ code: closed.code, reason: closed.reason }, { code: 4500, reason: "Internal server error" });
      await client.dispose();
    } finally {
      stop();
    }
  });
  await t.check("a reason is given, short enough for a close frame", async () => {
    const socket = await Socket.ready();
    socket.send({ type: `unknown ${"x".repeat(500)}` });
    const { code, reason } = await within(5000, "the server closes the socket", socket.closed);
    assert.equal(code, 4400);
    assert.ok(reason.length > 0 && Buffer.byteLength(reason) <= 123, reason);
  });
  await t.check("the server lets go when the client closes", async () => {
    const socket = await Socket.ready();
    socket.subscribe("s", subscription);
    await socket.next();
    socket.close();
    assert.equal((await within(5000, "the server answers the close", socket.closed)).code, 1000);
  });

  function closing(code, what, begin) {
    return t.check(`${code}: ${what}`, async () => assert.equal(await (await begin()).closes(), code));
  }
}

function completes(id) {
  return (message) => message.id === id && message.type === "complete";
}

async function alive(socket) {
  socket.subscribe("alive", "{ __typename }");
  await socket.until(completes("alive"));
}
