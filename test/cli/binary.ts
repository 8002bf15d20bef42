/** Types commands against the embedded AWS: in full runs, the real binary in its own process. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Account } from "../infra/account.ts";
import { region, tableName } from "../infra/role.ts";
import { isFull } from "../sizes.ts";
import { typedHere, type Typed } from "./in-process.ts";

export const binary = fileURLToPath(new URL("../../cli/keyturn.js", import.meta.url));

/** The compile cache of all commands in these tests. */
export const NODE_COMPILE_CACHE = join(tmpdir(), "keyturn-tests-compiled");
const common = { PATH: process.env.PATH, USER: "ada", NODE_COMPILE_CACHE };

export type { Typed };

type Typing = (
  account: Account | undefined,
  args: string[],
  env?: Record<string, string | undefined>,
  cwd?: string,
) => Promise<Typed>;

/** The output of a command. `env` overrides the environment of an operator of this account. */
export const typed: Typing = (...given) =>
  isFull ? typedInBinary(...given) : typedInProcess(...given);

export const typedInBinary: Typing = (account, args, env = {}, cwd = process.cwd()) => {
  const child = spawn(process.execPath, [binary, ...args], {
    cwd,
    env: { ...common, ...operatorOf(account), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return ended(child);
};

/** A start of Node takes longer than most commands. in-process.test.ts proves equal answers. */
export const typedInProcess: Typing = (account, args, env = {}, cwd = process.cwd()) =>
  typedHere(args, { ...common, ...operatorOf(account), ...env }, cwd);

async function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Typed> {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}

/** Pipes the answer into another command; the shell fails if the binary does. */
export async function typedInto(reader: string, args: string[]): Promise<Typed> {
  const command = `set -o pipefail; "${process.execPath}" "${binary}" ${args.join(" ")} | ${reader}`;
  const child = spawn("bash", ["-c", command], { stdio: ["ignore", "pipe", "pipe"] });
  return ended(child);
}

export function operatorOf(account: Account | undefined): Record<string, string> {
  if (account === undefined) return {};
  return {
    AWS_ENDPOINT_URL: account.aws.endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "person",
    AWS_SECRET_ACCESS_KEY: "secret",
    KEYTURN_TABLE: tableName,
  };
}

export function nowOf(account: Account): string[] {
  return ["--now", String(account.clock.nowMs())];
}
