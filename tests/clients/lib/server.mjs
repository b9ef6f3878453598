// The server under test, over plain HTTP.

import { buildClientSchema, getIntrospectionQuery } from "graphql";

export const url = process.env.HOLDFAST_URL ?? "http://127.0.0.1:4000/graphql";
export const webSocketUrl = url.replace(/^http/, "ws");

const accept = "application/graphql-response+json, application/json;q=0.9";

/** The answer to a document, whatever its status. `more` has headers, an operation's name, extensions … */
export async function ask(query, variables, { headers, ...more } = {}) {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept, ...headers },
    body: JSON.stringify({ query, variables, ...more }),
  });
  return { status: answer.status, headers: answer.headers, ...(await answer.json()) };
}

/** The data of a document that must not have errors. */
export async function data(query, variables) {
  const answer = await ask(query, variables);
  if (answer.errors || !answer.data) throw new Error(`${query.replace(/\s+/g, " ").trim().slice(0, 200)}\n${JSON.stringify(answer.errors ?? answer)}`);
  return answer.data;
}

/** The codes of an answer's errors. */
export function codes(answer) {
  return (answer.errors ?? []).map((error) => error.extensions?.code);
}

/** The answer to the usual introspection query, or to the whole of it. */
export function introspection(whole = false) {
  return data(getIntrospectionQuery(whole ? { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true } : {}));
}

export async function clientSchema(whole = false) {
  return buildClientSchema(await introspection(whole));
}
