/**
 * `npm run test:emulator`: installs MiniStack where it is not there, starts it, runs what
 * `npm run test:localstack` runs against it, and ends it. Arguments go to vitest.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, start } from "./ministack.ts";

const startedMs = performance.now();
const folder = mkdtempSync(join(tmpdir(), "keyturn-emulator-"));
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // Each as often as it comes: who ends a whole group of processes may send it twice.
  process.on(signal, () => stopping.abort(signal));
}

function printWhen(what: string): void {
  console.log(`${what} after ${Math.round((performance.now() - startedMs) / 1000)} s`);
}

async function test(endpoint: string): Promise<number> {
  const vitest = join(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--config", "vitest.emulator.config.ts", ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, ".."),
    // What tests leave behind when they are ended goes with the folder.
    env: { ...process.env, AWS_ENDPOINT_URL: endpoint, TMPDIR: folder },
    stdio: "inherit",
  });
  stopping.signal.addEventListener("abort", () => child.kill("SIGINT"));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

try {
  install();
  printWhen("installed");
  const emulator = await start(folder);
  printWhen(`started at ${emulator.endpoint}`);
  try {
    process.exitCode = stopping.signal.aborted ? 1 : await test(emulator.endpoint);
    printWhen("tested");
  } finally {
    await emulator.stop();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  printWhen("ended");
}
