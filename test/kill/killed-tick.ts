/** `cli/tick.ts` as a process of its own, and killed at one of the requests it makes. */
import { spawn, type ChildProcess } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tableName, type Deployment } from "./deployment.ts";

const tick = join(import.meta.dirname, "..", "..", "cli", "tick.ts");

/** "before": the request never arrives. "after": it is applied, and nobody hears the answer. */
export type Kill = { request: number; when: "before" | "after" };

/** Kills it, and says what it was asking for. */
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
  const said = await ended(child);
  aws.fault = undefined;
  if (operation === undefined) {
    throw new Error(`the tick ended after ${requests} requests, before ${kill.request}: ${said}`);
  }
  // What was under way when it died has arrived by now.
  await sleep(10);
  return operation;
}

/** A whole tick; fails where it fails. */
export async function wholeTick(deployment: Deployment): Promise<void> {
  const child = startTick(deployment);
  const said = await ended(child);
  if (child.exitCode !== 0) throw new Error(`the tick failed: ${said}`);
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

/** Waits for the end; what it wrote to stderr. */
async function ended(child: ChildProcess): Promise<string> {
  let said = "";
  child.stderr?.on("data", (text: Buffer) => (said += text.toString()));
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
  return said;
}
