// Runs the suites one after the other and prints what failed, a table, and one line with the sums.
//
//   node run.mjs [suite…]
//
// HOLDFAST_URL  the endpoint of a running server, such as http://127.0.0.1:4000/graphql; when it is not set, a demo server is started
// HOLDFAST_BIN  the binary, for `holdfast sdl` and for the server; target/debug/holdfast when it is not set
//
// Every suite is a process of its own: one that throws, hangs or exits counts as failed, and the others still run.

import { fork } from "node:child_process";
import { readdirSync } from "node:fs";
import { startServer } from "./lib/process.mjs";

const here = (path) => new URL(path, import.meta.url);
const all = readdirSync(here("suites/"))
  .filter((file) => file.endsWith(".mjs"))
  .map((file) => file.slice(0, -".mjs".length))
  .sort();
const chosen = process.argv.slice(2);
const unknown = chosen.filter((suite) => !all.includes(suite));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(", ")}; there are ${all.join(", ")}`);
  process.exit(2);
}

const started = process.env.HOLDFAST_URL ? undefined : await startServer();
if (started) process.env.HOLDFAST_URL = started.url;

const results = [];
try {
  for (const suite of chosen.length > 0 ? chosen : all) {
    const result = await run(suite);
    results.push(result);
    console.log(`${suite}: ${result.passed} passed, ${result.failures.length} failed in ${result.seconds.toFixed(1)} s`);
  }
} finally {
  started?.stop();
}

for (const { suite, notes } of results) for (const note of notes) console.log(`${suite}: ${note}`);
for (const { suite, failures } of results) {
  for (const { name, detail } of failures) console.log(`\nFAILED ${suite}: ${name}\n${detail.replace(/^/gm, "    ")}`);
}
console.log(`\n${table(results)}\n`);
const sum = (of) => results.reduce((total, result) => total + of(result), 0);
const failed = sum((result) => result.failures.length);
console.log(`${sum((result) => result.passed)} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** One suite in its own process: `{suite, passed, failures, notes, seconds}`. */
function run(suite) {
  const begun = performance.now();
  const result = { suite, passed: 0, failures: [], notes: [], seconds: 0 };
  return new Promise((resolve) => {
    const child = fork(here("lib/one.mjs"), [suite], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    let limit;
    let finished = false;
    child.on("message", (message) => {
      if (message.limit) limit = setTimeout(() => fail(`it took longer than ${message.limit} s`) || child.kill("SIGKILL"), message.limit * 1000);
      if (message.passed) result.passed += 1;
      if (message.failed) result.failures.push(message.failed);
      if (message.note) result.notes.push(message.note);
      if (message.finished) finished = true;
    });
    child.on("exit", (code) => {
      clearTimeout(limit);
      if (!finished && result.failures.at(-1)?.name !== "the suite runs to its end") fail(`it ended before its end (exit code ${code})`);
      result.seconds = (performance.now() - begun) / 1000;
      resolve(result);
    });
  });

  function fail(detail) {
    result.failures.push({ name: "the suite runs to its end", detail });
  }
}

function table(results) {
  const rows = [
    ["suite", "checks", "passed", "failed", "seconds"],
    ...results.map(({ suite, passed, failures, seconds }) => [suite, passed + failures.length, passed, failures.length, seconds.toFixed(1)]),
  ].map((row) => row.map(String));
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join(" | "));
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("-|-"));
  return lines.join("\n");
}
