/** An irreversible request requires the operator to type the alias. */
import { createInterface } from "node:readline/promises";
import { exitCodes, Failure } from "../terminal/failure.ts";

/** Asks the operator at a terminal; undefined without a terminal. */
export type Prompt = ((question: string) => Promise<string>) | undefined;

export function promptOf(stdin: NodeJS.ReadStream, stderr: NodeJS.WriteStream): Prompt {
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: stdin, output: stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}

/** Throws a Failure if the operator typed anything but the alias. */
export async function confirmed(
  alias: string,
  given: string | undefined,
  command: string,
  prompt: Prompt,
): Promise<void> {
  if (given === alias) return;
  if (given === undefined && prompt !== undefined) {
    const typed = await prompt(`To continue, type the alias ${alias}: `);
    if (typed.trim() === alias) return;
    throw new Failure(exitCodes.usage, `that is not ${alias}; no request was written`);
  }
  const message = `${command} requires the alias as confirmation: --confirm ${alias}`;
  throw new Failure(exitCodes.usage, message, `npx keyturn ${command} ${alias} --confirm ${alias}`);
}
