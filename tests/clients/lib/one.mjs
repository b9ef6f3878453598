// The process of one suite: runs `suites/NAME.mjs` and reports each check to the parent.
//
// A suite exports `default async (t) => …` and, when two minutes are not enough, `limit` in seconds.

import { inspect } from "node:util";
import { Checks } from "./checks.mjs";

const suite = process.argv[2];
const t = new Checks((message) => process.send?.(message));

// What nobody awaited is a failure too, not the end of the suite.
process.on("unhandledRejection", (error) => t.fail("nothing is thrown aside", error));
process.on("uncaughtException", (error) => t.fail("nothing is thrown aside", error));

try {
  const { default: body, limit = 120 } = await import(`../suites/${suite}.mjs`);
  process.send?.({ limit });
  await body(t);
} catch (error) {
  t.fail("the suite runs to its end", error instanceof Error ? error : inspect(error));
}
process.send?.({ finished: true }, () => process.exit(0));
