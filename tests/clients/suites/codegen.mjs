// GraphQL Code Generator's client preset with strict scalars, then the TypeScript compiler: a small application passes, mistakes do not.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "graphql";
import { printedSdl } from "../lib/process.mjs";

export const limit = 400;

const folder = fileURLToPath(new URL("../", import.meta.url));
const generated = `${folder}codegen/generated`;

export default async function (t) {
  await rm(generated, { recursive: true, force: true });
  await mkdir(generated, { recursive: true });
  const sdl = await printedSdl();
  await writeFile(`${generated}/schema.graphql`, sdl);

  const scalars = parse(sdl).definitions.filter(({ kind }) => kind === "ScalarTypeDefinition").map(({ name }) => name.value);
  const config = await readFile(`${folder}codegen/codegen.yml`, "utf8");
  t.equal("every scalar of the schema has a type", scalars.filter((name) => !new RegExp(`^ +${name}:`, "m").test(config)), []);

  const { code, output } = await run("graphql-codegen-esm", ["--config", "codegen/codegen.yml"]);
  t.ok("types are generated", code === 0, output);
  if (code !== 0) return;
  const files = await readdir(`${generated}/gql`);
  t.ok("for documents, fragments and the schema", ["gql.ts", "graphql.ts", "fragment-masking.ts"].every((file) => files.includes(file)), files);

  const app = await run("tsc", ["--project", "codegen/tsconfig.json"]);
  t.ok("the application compiles", app.code === 0, app.output);

  const wrong = await run("tsc", ["--project", "codegen/wrong/tsconfig.json"]);
  const told = new Set([...wrong.output.matchAll(/wrong\.ts\((\d+),\d+\): error (TS\d+)/g)].map(([, line, error]) => `${line} ${error}`));
  const lines = (await readFile(`${folder}codegen/wrong/wrong.ts`, "utf8")).split("\n");
  for (const [index, line] of lines.entries()) {
    const [, error, why] = line.match(/^\/\/ (TS\d+): (.*)$/) ?? [];
    if (error) t.ok(`a mistake is refused: ${why}`, told.has(`${index + 2} ${error}`), wrong.output);
  }

  await t.check("missing scalars fail the generator", async () => {
    await writeFile(`${generated}/strict.yml`, config.replace(/^ +Decimal: .*\n/m, "").replace("codegen/generated/gql/", "codegen/generated/strict/"));
    const strict = await run("graphql-codegen-esm", ["--config", "codegen/generated/strict.yml"]);
    assert.notEqual(strict.code, 0);
    assert.match(strict.output, /Decimal/);
  });
}

/** A tool from node_modules: its exit code, and all that it said. */
function run(tool, options) {
  return new Promise((resolve) => {
    execFile(`${folder}node_modules/.bin/${tool}`, options, { cwd: folder, timeout: 180_000, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? 1) : 0, output: `${stdout}${stderr}${error?.killed ? "\nit took too long" : ""}` });
    });
  });
}
