// Opens the console of `holdfast serve --demo golden` in headless Chromium, runs the query it greets with, types one, does the same
// with credentials where they are needed, and fails when a number is wrong, a script fails, or another host is asked for anything.
//
//   npm install && node console.mjs [path of holdfast] [path of chromium]

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chromium } from "playwright-core";

const binary = process.argv[2] ?? "../../target/debug/holdfast";
const executablePath = process.argv[3] ?? "/usr/bin/chromium";
const address = "127.0.0.1:4719";
const closed = "127.0.0.1:4720";
const env = { ...process.env, HOLDFAST_IDENTITY_JWT_SECRET: "a secret of tests, which is long enough" };

const serve = (listen, ...more) => spawn(binary, ["serve", "--demo", "golden", "--listen", listen, ...more], { stdio: "ignore", env });
const servers = [serve(address), serve(closed, "--anonymous=false")];
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  await ready(address);
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
  const hosts = new Set();
  const failures = [];
  page.on("request", (request) => request.url().startsWith("data:") || hosts.add(new URL(request.url()).host));
  page.on("pageerror", (error) => failures.push(error.message));
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  await page.goto(`http://${address}/`);
  await page.click(".graphiql-execute-button");
  assert.match(await result(page, "contractionRate"), /"0\.9900990099009901"/);
  await page.click(".graphiql-query-editor .CodeMirror");
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.insertText('{ retention(range: {between: {from: "2025-01-01", to: "2025-02-01"}}) { totals { contractionMrr } } }');
  await page.click(".graphiql-execute-button");
  assert.match(await result(page, "contractionMrr"), /"50000"/);
  assert.deepEqual(failures, []);
  assert.deepEqual([...hosts], [address]);
  await ready(closed);
  await page.goto(`http://${closed}/`);
  await page.click(".graphiql-execute-button");
  await page.waitForFunction(() => document.querySelector(".result-window")?.textContent.includes("UNAUTHENTICATED"));
  const token = execFileSync(binary, ["token", "--subject", "ann"], { env, encoding: "utf8" }).trim();
  await page.click('.graphiql-editor-tools button:has-text("Headers")');
  await page.click(".graphiql-editor-tool .CodeMirror:visible");
  await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${token}` }));
  // The schema is read with what was just typed: nothing completes without it.
  await page.click('button[aria-label="Re-fetch GraphQL schema"]');
  await page.waitForResponse(async (response) => response.url().endsWith("/graphql") && (await response.text()).includes("__schema"));
  await page.click(".graphiql-execute-button");
  assert.match(await result(page, "contractionRate"), /"0\.9900990099009901"/);
  assert.deepEqual([...hosts], [address, closed]);
  console.log("the console works, and asks no other host");
} finally {
  await browser.close();
  servers.forEach((server) => server.kill("SIGTERM"));
}

async function ready(address) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answer = await fetch(`http://${address}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("the server did not become ready");
}

async function result(page, field) {
  await page.waitForFunction((name) => document.querySelector(".result-window")?.textContent.includes(`"${name}"`), field, { timeout: 20_000 });
  return page.textContent(".result-window");
}
