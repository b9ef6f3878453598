// A Python client: gql over httpx, installed from pinned hashes into a folder of its own. Its checks are in python/client.py.

import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { url } from "../lib/server.mjs";

export const limit = 400;

const run = promisify(execFile);
const here = (path) => fileURLToPath(new URL(`python/${path}`, import.meta.url));

export default async function (t) {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-python-"));
  try {
    const python = join(folder, "bin/python");
    const installed = await t.check("the client is installed from pinned hashes", async () => {
      await run("python3", ["-m", "venv", folder], { timeout: 60_000 });
      await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", here("requirements.txt")], { timeout: 300_000 });
      return true;
    });
    if (installed) await client(t, python);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each line that the client writes is a check. */
async function client(t, python) {
  const child = spawn(python, ["-B", here("client.py"), url], { stdio: ["ignore", "pipe", "inherit"] });
  const over = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const { name, error } = JSON.parse(line);
    if (error) t.fail(name, error);
    else t.pass(name);
  }
  t.equal("the client ends well", await over, 0);
}
