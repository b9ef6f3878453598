// The JSON Schema that editors get, judged by a validator that is not ours: it takes every definition that is shipped, and not everything.

import { readFile, readdir } from "node:fs/promises";
import Ajv2020 from "ajv/dist/2020.js";
import { parseAllDocuments } from "yaml";
import { printedJsonSchema, root } from "../lib/process.mjs";

export default async function (t) {
  const validate = await t.check("it is a JSON Schema", async () =>
    new Ajv2020({ strictSchema: true, strictTypes: false, strictRequired: false, allErrors: true, formats: { int64: true } }).compile(await printedJsonSchema()),
  );
  if (!validate) return;

  const names = (await readdir(`${root}metrics-defs`, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).sort();
  t.ok("there are definitions", names.length > 50, names);
  let documents = 0;
  for (const name of names) {
    for (const document of parseAllDocuments(await readFile(`${root}metrics-defs/${name}`, "utf8"))) {
      documents += 1;
      if (!validate(document.toJS())) t.fail(`${name} is accepted`, validate.errors.map(({ instancePath, message }) => `${instancePath} ${message}`).join("\n"));
    }
  }
  t.pass(`${documents} documents were looked at`);

  const wrong = [
    { metrics: { m: { mesure: "component_value.mrr" } } },
    { metrics: { m: { series: { of: "mrr", grain: "month", window: "6 months", take: "days_to_frist" } } } },
    { metrics: { m: { measure: "a.b", ratio: "x / y" } } },
    { policies: { p: { applies_to: "account", rows: "region = 'x'", peers: "nobody" } } },
    { entity: "account", source: "account", key: "account_id", dimensions: { name: { type: "text" } } },
  ];
  for (const document of wrong) t.ok(`${JSON.stringify(document)} is refused`, !validate(document));
}
