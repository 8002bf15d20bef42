/**
 * `npm run test:emulator`: installs MiniStack if it is missing, starts it, runs the tests of
 * `npm run test:localstack` against it, and stops it. Arguments go to vitest.
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
  // `on`, not `once`: a signal to a whole process group may arrive twice.
  process.on(signal, () => stopping.abort(signal));
}

function printElapsed(what: string): void {
  console.log(`${what} after ${Math.round((performance.now() - startedMs) / 1000)} s`);
}

async function test(endpoint: string): Promise<number> {
  const vitest = join(import.meta.dirname, "../node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "--config", "vitest.emulator.config.ts", ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, ".."),
    // The files of stopped tests are deleted with the folder.
    env: { ...process.env, AWS_ENDPOINT_URL: endpoint, TMPDIR: folder },
    stdio: "inherit",
  });
  stopping.signal.addEventListener("abort", () => child.kill("SIGINT"));
  const [code] = (await once(child, "exit")) as [number | null];
  return code ?? 1;
}

try {
  install();
  printElapsed("installed");
  const emulator = await start(folder);
  printElapsed(`started at ${emulator.endpoint}`);
  try {
    process.exitCode = stopping.signal.aborted ? 1 : await test(emulator.endpoint);
    printElapsed("tested");
  } finally {
    await emulator.stop();
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  printElapsed("ended");
}
