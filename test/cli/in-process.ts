/** The command in this process, without its launcher and its own streams. */
import { Writable } from "node:stream";
import { runCommandLine, type Host } from "../../cli/command-line.ts";

export type Typed = { stdout: string; stderr: string; code: number | null };

/** A command uses the environment and the directory of the process: one runs at a time. */
let lastEnds: Promise<unknown> = Promise.resolve();

export function typedHere(
  args: string[],
  env: Record<string, string | undefined>,
  cwd: string,
): Promise<Typed> {
  const ends = lastEnds.then(() => ran(args, env, cwd));
  lastEnds = ends.catch(() => undefined);
  return ends;
}

async function ran(
  args: string[],
  env: Record<string, string | undefined>,
  cwd: string,
): Promise<Typed> {
  const before = { env: process.env, cwd: process.cwd() };
  const stdout = new Pipe();
  const stderr = new Pipe();
  let code: number | null = 0;
  // Like `spawn`, omits undefined values.
  process.env = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  process.chdir(cwd);
  try {
    const stdin = { isTTY: false };
    const host = { stdin, stdout, stderr, env: process.env } as unknown as Host;
    await runCommandLine(args, host, (given) => (code = given));
  } finally {
    process.env = before.env;
    process.chdir(before.cwd);
  }
  return { stdout: stdout.text(), stderr: stderr.text(), code };
}

/** A pipe: not a terminal, and without a width. */
class Pipe extends Writable {
  readonly #written: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#written.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.#written).toString("utf8");
  }
}
