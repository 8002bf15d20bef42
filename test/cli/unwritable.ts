/** Runs a program of cli whose output cannot be written, or is not read. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { NODE_COMPILE_CACHE, type Typed } from "./binary.ts";

/**
 * Shell syntax around the command. A limit on the file size fails a write like a full disk, for any user
 * and in any directory: nothing is written, or only the first 512 to 1024 bytes.
 */
export const outputs = {
  "stdout is on a full disk": "ulimit -f 0; run > answer",
  "stdout is on a disk that is almost full": "ulimit -f 1; run > answer",
  "stderr is on a full disk": "ulimit -f 0; run 2> notes",
  "stdout and stderr are on a full disk": "ulimit -f 0; run > answer 2> notes",
  "the reader of stdout has left": "run | true",
  "both are read": "run",
} as const;

export type Output = keyof typeof outputs;

/** Far more than any run takes. A run that never ends is killed, with all processes of its shell. */
const timeoutMs = 60_000;

/** Under a limit, without a compile cache, which could not be written either. */
export async function runInto(
  output: Output,
  path: string,
  args: string[],
  env: Record<string, string | undefined>,
  cwd: string,
): Promise<Typed> {
  const run = `run() { "${process.execPath}" "${path}" "$@"; }`;
  const script = outputs[output].replace("run", 'run "$@"');
  const cache = outputs[output].startsWith("ulimit") ? {} : { NODE_COMPILE_CACHE };
  const child = spawn("bash", ["-c", `set -o pipefail; ${run}; ${script}`, "bash", ...args], {
    cwd,
    env: { PATH: process.env.PATH, USER: "ada", ...cache, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const { pid } = child;
  const timer = setTimeout(() => pid !== undefined && process.kill(-pid, "SIGKILL"), timeoutMs);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  clearTimeout(timer);
  return { stdout, stderr, code };
}

/** A stack trace of Node. */
export const stackTrace = /^\s+at |^node:|^file:\/\//m;
