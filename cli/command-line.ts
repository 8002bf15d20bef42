/** Runs one command line, and reports a failure as a message and an exit code. */
import { randomBytes } from "node:crypto";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";
import { promptOf } from "./requests/confirm.ts";
import { requestId } from "./requests/request-id.ts";
import { exitCodes, type ExitCode } from "./terminal/failure.ts";
import { noteCommand, noteText } from "./terminal/print.ts";
import { talkOf } from "./terminal/talk.ts";
import { endpointIn, failureOf } from "./terminal/trouble.ts";

/** The parts of a process that it needs. */
export type Host = {
  stdin: NodeJS.ReadStream;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Record<string, string | undefined>;
};

export async function runCommandLine(
  args: readonly string[],
  { stdin, stdout, stderr, env }: Host,
  exit: (code: ExitCode) => void,
): Promise<void> {
  const talk = talkOf(stdout, stderr, env);
  const prompt = promptOf(stdin, stderr);
  const newId = (): string => requestId(Date.now(), randomBytes(8).toString("hex"));
  const program = createProgram({ talk, env, nowMs: Date.now(), newId, exit, prompt });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    });
  }
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
      return;
    }
    const { endpointUrl } = program.opts<{ endpointUrl?: string }>();
    const { exitCode, message, next } = failureOf(error, endpointIn(endpointUrl, env));
    noteText(talk, `${talk.styled("red", "keyturn:")} `, message);
    if (next !== undefined) noteCommand(talk, "next:", next);
    exit(exitCode);
  }
}
