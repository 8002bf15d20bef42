/** `cli/tick.ts` in its own process, killed at one of its requests. */
import { spawn, type ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tableName, type Deployment } from "./deployment.ts";

const tick = join(import.meta.dirname, "..", "..", "cli", "tick.ts");

/** "before": the request never arrives. "after": it is applied, and its response is lost. */
export type Kill = { request: number; when: "before" | "after" };

/** Kills a tick at a request, and returns the operation of the request. */
export async function killTick(deployment: Deployment, kill: Kill): Promise<string> {
  const { aws } = deployment;
  let requests = 0;
  let operation: string | undefined;
  const child = startTick(deployment);
  aws.fault = (service, name) => {
    requests += 1;
    if (requests !== kill.request) return undefined;
    child.kill("SIGKILL");
    operation = `${service} ${name}`;
    return { kind: kill.when === "before" ? "drop" : "lost" };
  };
  deployment.lastTickMs = deployment.nowMs;
  const errors = await ended(child);
  aws.fault = undefined;
  if (operation === undefined) {
    throw new Error(`the tick ended after ${requests} requests, before ${kill.request}: ${errors}`);
  }
  // Requests in flight at its death have arrived by now.
  await sleep(10);
  return operation;
}

/** A complete tick; rejects if it fails. */
export async function wholeTick(deployment: Deployment): Promise<void> {
  const child = startTick(deployment);
  const errors = await ended(child);
  if (child.exitCode !== 0) throw new Error(`the tick failed: ${errors}`);
}

function startTick(deployment: Deployment): ChildProcess {
  const args = [
    ...["--endpoint-url", deployment.aws.endpoint, "--table", tableName],
    ...["--config", deployment.configurationPath, "--now", String(deployment.nowMs)],
    ...["--quota-share", "1"],
  ];
  return spawn(process.execPath, [tick, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "keyturn-compile-cache") },
  });
}

/** Waits for the end, and returns stderr. */
async function ended(child: ChildProcess): Promise<string> {
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => (errors += text.toString()));
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  return errors;
}
