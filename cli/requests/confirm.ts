/** What cannot be undone, or takes a key out of our hands, asks for the alias to be typed. */
import { createInterface } from "node:readline/promises";
import { exitCodes, Failure } from "../terminal/failure.ts";

/** Asks a person at a terminal; undefined where there is none. */
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

/** Throws a Failure where it is not the alias that was typed. */
export async function confirmed(
  alias: string,
  given: string | undefined,
  command: string,
  prompt: Prompt,
): Promise<void> {
  if (given === alias) return;
  if (given === undefined && prompt !== undefined) {
    const typed = await prompt(`To go on, type the alias, ${alias}: `);
    if (typed.trim() === alias) return;
    throw new Failure(exitCodes.usage, `that is not ${alias}: nothing was asked`);
  }
  const message = `${command} asks for the alias to be typed: --confirm ${alias}`;
  throw new Failure(exitCodes.usage, message, `keyturn ${command} ${alias} --confirm ${alias}`);
}
