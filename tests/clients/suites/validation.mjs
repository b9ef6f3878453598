// The server and graphql-js say the same about thousands of documents: valid, invalid, or not a document at all.
//
// Nothing is executed: each document is sent with the name of an operation that it does not have, so a valid one is answered by
// OPERATION_RESOLUTION_FAILURE. The documents follow from a seed (SEED, and DOCUMENTS for how many); each difference is printed as small as it gets.

import { buildSchema, GraphQLError, parse, validate } from "graphql";
import { corpus } from "../lib/documents/corpus.mjs";
import { generator } from "../lib/documents/generate.mjs";
import { mutator } from "../lib/documents/mutate.mjs";
import { rules } from "../lib/documents/rules.mjs";
import { random as seeded } from "../lib/documents/random.mjs";
import { shrink } from "../lib/documents/shrink.mjs";
import { printedSdl } from "../lib/process.mjs";
import { ask, codes } from "../lib/server.mjs";

export const limit = 600;

const documents = Number(process.env.DOCUMENTS ?? 6000);
const seed = Number(process.env.SEED ?? 20_250_101);

const ruleName = (rule) => rule.name.replace(/Rule$/, "");

export default async function (t) {
  const schema = buildSchema(await printedSdl());
  const random = seeded(seed);
  const generate = generator(schema, random);
  const { kinds, mutate, garble } = mutator(schema, random);

  const tally = new Map([...["valid", "syntax", ...rules.map(ruleName)].map((name) => [name, { documents: 0, differ: 0 }])]);
  const differences = new Map();
  const seen = new Set();
  const limited = [];

  async function judge(text) {
    const [ours, theirs] = [await verdictOfServer(text), verdict(text)];
    if (ours === "limit") return limited.push(text);
    for (const name of theirs.names) {
      tally.get(name).documents += 1;
      if (ours !== theirs.kind) tally.get(name).differ += 1;
    }
    if (ours === theirs.kind) return undefined;
    const what = `server says ${ours}, graphql-js ${theirs.kind} (${theirs.names.join(", ")})`;
    differences.set(what, [...(differences.get(what) ?? []), text]);
    return undefined;
  }

  function verdict(text) {
    let document;
    try {
      document = parse(text);
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return { kind: "syntax", names: ["syntax"], message: error.message };
    }
    const errors = errorsOf(document, rules);
    if (errors.length === 0) return { kind: "valid", names: ["valid"] };
    return { kind: "invalid", names: rules.filter((rule) => errorsOf(document, [rule]).length > 0).map(ruleName), message: errors[0].message };
  }

  /** A rule may throw instead of telling (a condition by variable at the root of a subscription does). */
  function errorsOf(document, rules) {
    try {
      return validate(schema, document, rules, { maxErrors: 20 });
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      return [error];
    }
  }

  function* texts() {
    yield* corpus;
    while (seen.size < documents) {
      const base = generate();
      yield base;
      if (random.chance(0.3)) yield garble(base);
      if (verdict(base).kind !== "syntax") {
        for (let index = 0; index < 2; index += 1) {
          const changed = mutate(base, kinds[(seen.size + index) % kinds.length]);
          if (changed !== undefined) yield changed;
        }
      }
    }
  }

  const queue = texts();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const text of queue) {
        if (seen.has(text)) continue;
        seen.add(text);
        await judge(text);
      }
    }),
  );

  t.note(`${seen.size} documents from seed ${seed}; ${limited.length} met a limit and were not judged`);
  t.note([...tally].map(([name, { documents }]) => `${name} ${documents}`).join(", "));
  t.ok("at least 5,000 documents are judged", seen.size - limited.length >= 5000, `${seen.size - limited.length}`);
  t.ok("at least 2,000 of them are valid", tally.get("valid").documents >= 2000, `${tally.get("valid").documents}`);
  for (const [name, { documents: count, differ }] of tally) {
    // Without a root for subscriptions no document gets as far as their rules.
    if (name.endsWith("Subscriptions") && !schema.getSubscriptionType()) continue;
    t.ok(`${name} is met by documents`, count >= 15, `${count} documents`);
    t.ok(`${name}: same verdict`, differ === 0, `${differ} of ${count} documents differ`);
  }

  for (const [what, list] of differences) {
    const shown = new Map();
    for (const text of list.sort((a, b) => a.length - b.length).slice(0, 6)) {
      const small = await shrink(text, async (candidate) => same(what, candidate));
      shown.set(small, (await serverMessage(small)) ?? verdict(small).message);
    }
    const detail = [...shown].map(([text, message]) => `${JSON.stringify(text)}\n    ${message}`).join("\n");
    t.fail(`${what}: ${list.length} documents`, detail);
  }

  async function same(what, text) {
    const theirs = verdict(text);
    const first = what.slice(0, what.indexOf(" ("));
    return `server says ${await verdictOfServer(text)}, graphql-js ${theirs.kind}` === first && theirs.names.every((name) => what.includes(name));
  }
}

async function verdictOfServer(text) {
  const answer = await ask(text, undefined, { operationName: "NoOperationHasThisName" });
  const first = codes(answer)[0];
  switch (first) {
    case "OPERATION_RESOLUTION_FAILURE": return "valid";
    case "GRAPHQL_VALIDATION_FAILED": return "invalid";
    case "GRAPHQL_PARSE_FAILED": return "syntax";
    case "DOCUMENT_LIMIT_EXCEEDED": return "limit";
    default: return `${answer.status} ${first ?? JSON.stringify(answer).slice(0, 100)}`;
  }
}

async function serverMessage(text) {
  const answer = await ask(text, undefined, { operationName: "NoOperationHasThisName" });
  return codes(answer)[0] === "OPERATION_RESOLUTION_FAILURE" ? undefined : `the server: ${answer.errors?.[0]?.message}`;
}
