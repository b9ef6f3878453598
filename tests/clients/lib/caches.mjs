// What the suites of the caches have in common: counted requests, the server's own answers, warnings that count as failures.

import assert from "node:assert/strict";
import { data } from "./server.mjs";

// Each question goes to the server once; what is counted is how often a client asks.
const answers = new Map();

/** A fetch for a client, and how often it was called. */
export function countedFetch() {
  const counter = { requests: 0, running: 0 };
  const counted = async (address, request) => {
    counter.requests += 1;
    counter.running += 1;
    try {
      const key = `${address} ${request.body}`;
      if (!answers.has(key)) answers.set(key, fetch(address, request).then(async (answer) => [await answer.text(), { status: answer.status, headers: { "content-type": answer.headers.get("content-type") } }]));
      return new Response(...(await answers.get(key)));
    } finally {
      counter.running -= 1;
    }
  };
  return { counter, fetch: counted };
}

/** Name → what the server answers, without any cache between. */
export async function truthOf(components) {
  const truth = new Map();
  for (const { name, query } of components) truth.set(name, await data(query));
  return truth;
}

/** Without the type names that clients add, and as plain objects. */
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "__typename").map(([key, inner]) => [key, plain(inner)]));
}

/** Warnings of a cache (data that may be lost, fields that are missing, objects without keys) are failures. */
export async function quietly(body) {
  const said = [];
  const { warn, error } = console;
  console.warn = console.error = (...parts) => said.push(parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
  try {
    await body();
  } finally {
    Object.assign(console, { warn, error });
  }
  assert.deepEqual(said.map((text) => text.slice(0, 500)), []);
}

/** Waits until a client has nothing under way; more than `most` requests mean that it asks in circles. */
export async function settled(counter, most, what) {
  for (let quiet = 0, before = -1; quiet < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    quiet = counter.running > 0 || counter.requests !== before ? 0 : quiet + 1;
    before = counter.requests;
    assert.ok(counter.requests <= most, `${what} are fetched again because of each other: ${counter.requests} requests`);
  }
}

/** Runs `body` for a component and each of the others, all at the same time. */
export function withEachOther(component, others, body) {
  return quietly(() => Promise.all(others.filter((other) => other !== component).map((other) => body([component, other]))));
}

export function quoted(list) {
  return list.slice(0, 3).map(({ name }) => `“${name}”`).join(", ");
}
