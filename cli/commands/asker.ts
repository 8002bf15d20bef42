/** Who asks: the journal shows it. */
import { userInfo } from "node:os";
import { exitCodes, Failure } from "../terminal/failure.ts";

export const byOption = ["--by <who>", "who asks; the journal shows it (or USER)"] as const;

/** Throws a Failure where nobody is named, and the system knows no name either. */
export function asker(
  given: string | undefined,
  env: Record<string, string | undefined>,
  command: string,
): string {
  const by = given ?? nameOf(env);
  if (by !== undefined) return by;
  const message = "who asks? Name them by --by: the journal shows it.";
  throw new Failure(exitCodes.usage, message, `keyturn ${command} --help`);
}

/** A container's user may have no name at all. */
function nameOf(env: Record<string, string | undefined>): string | undefined {
  try {
    return env["USER"] ?? userInfo().username;
  } catch {
    return undefined;
  }
}
