// The audit of the graphql-http package: every check of the "GraphQL over HTTP" specification.
//
// It tells three results: ok, a warning (the specification says "should"), an error (it says "must"). All count as checks here;
// a warning fails too, because every check can be met.

import { auditServer } from "graphql-http";
import { url } from "../lib/server.mjs";

const EXPECTED = 61;

export default async function (t) {
  const results = await auditServer({ url, fetchFn: fetch });
  const warnings = results.filter((result) => result.status === "warn");
  for (const result of results) {
    t.ok(`${result.id} ${result.name}`, result.status === "ok", `${result.status}: ${result.reason ?? ""}`);
  }
  t.note(`${results.length} audits, ${warnings.length} warnings`);
  t.equal(`the audit has ${EXPECTED} checks`, results.length, EXPECTED);
}
