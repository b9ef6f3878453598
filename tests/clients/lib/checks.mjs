// What a suite says about its checks. A check that throws has failed; the suite goes on.

import assert from "node:assert/strict";
import { inspect } from "node:util";

export class Checks {
  #report;

  constructor(report) {
    this.#report = report;
  }

  /** Runs `body`; gives its value, or undefined when it threw. */
  async check(name, body) {
    try {
      const value = await body();
      this.pass(name);
      return value;
    } catch (error) {
      this.fail(name, error);
      return undefined;
    }
  }

  equal(name, actual, expected) {
    return this.check(name, () => assert.deepEqual(actual, expected));
  }

  ok(name, condition, detail = "") {
    if (condition) this.pass(name);
    else this.fail(name, detail);
  }

  pass(name) {
    this.#report({ passed: name });
  }

  fail(name, detail) {
    const text = detail instanceof Error ? [detail.message, ...ourLines(detail), ...causes(detail)].join("\n") : typeof detail === "string" ? detail : inspect(detail);
    this.#report({ failed: { name, detail: text.length > 4000 ? `${text.slice(0, 4000)} …` : text } });
  }

  note(text) {
    this.#report({ note: text });
  }
}

/** Lines of the stack that are in the suites: where to look. */
function ourLines(error) {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => /at .*\/(suites|lib)\//.test(line) && !line.includes("checks.mjs") && !line.includes("one.mjs"))
    .slice(0, 3)
    .map((line) => line.trim().replace(/\(?file:\/\/.*\/(suites|lib)\//, "$1/").replace(/\)$/, ""));
}

function causes(error) {
  return error.cause ? [`because: ${error.cause.message ?? inspect(error.cause)}`] : [];
}

/** Fails when `promise` is not there within `milliseconds`. */
export async function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
