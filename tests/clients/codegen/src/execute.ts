// Sends a typed document: variables go in and data comes out as the document says.

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";

export async function execute<Data, Variables>(url: string, document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await answer.json()) as { data?: Data; errors?: { message: string }[] };
  if (!data || errors) throw new Error(errors?.map((error) => error.message).join("\n") ?? "no data");
  return data;
}
