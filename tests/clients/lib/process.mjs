// The binary as a process: the schema it prints, and a demo server for runs that are given none.

import { execFile, spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// Definitions and settings are looked for from the root of the repository.
export const root = fileURLToPath(new URL("../../../", import.meta.url));
const binary = process.env.HOLDFAST_BIN ?? `${root}target/debug/holdfast`;

// Unknown names that begin with HOLDFAST_ are errors, and these two are the suites' own.
const { HOLDFAST_BIN: _bin, HOLDFAST_URL: _url, ...environment } = process.env;

/** What `holdfast sdl` prints. `env` has settings for it. */
export async function printedSdl(env = {}) {
  const { stdout } = await promisify(execFile)(binary, ["sdl"], { cwd: root, env: { ...environment, ...env }, maxBuffer: 64 << 20, timeout: 60_000 });
  return stdout;
}

/** What `holdfast schema` prints. */
export async function printedJsonSchema() {
  const { stdout } = await promisify(execFile)(binary, ["schema"], { cwd: root, env: environment, maxBuffer: 64 << 20, timeout: 60_000 });
  return JSON.parse(stdout);
}

/** A demo server on a free port. `env` has settings for it. */
export async function startServer(env = {}) {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(binary, ["serve", "--demo", "--listen", address], { cwd: root, stdio: "ignore", env: { ...environment, ...env } });
  const stop = () => child.kill("SIGTERM");
  process.once("exit", stop);
  for (let attempt = 0; attempt < 900 && child.exitCode === null; attempt += 1) {
    const ready = await fetch(`http://${address}/health/ready`).catch(() => undefined);
    if (ready?.ok) return { url: `http://${address}/graphql`, stop };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  stop();
  throw new Error(`${binary} did not become ready`);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
