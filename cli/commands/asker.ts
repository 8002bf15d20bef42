/** Who makes a request. The journal shows it. */
import { userInfo } from "node:os";
import { exitCodes, Failure } from "../terminal/failure.ts";

export const byOption = [
  "--by <who>",
  "who makes the request, for the journal (default: USER)",
] as const;

/** Throws a Failure if neither `--by` nor the system gives a name. */
export function asker(
  given: string | undefined,
  env: Record<string, string | undefined>,
  command: string,
): string {
  const by = given ?? nameOf(env);
  if (by !== undefined) return by;
  const message = "no name for the journal: give one with --by";
  throw new Failure(exitCodes.usage, message, `npx keyturn ${command} --help`);
}

/** The user of a container may have no name. */
function nameOf(env: Record<string, string | undefined>): string | undefined {
  try {
    return env["USER"] ?? userInfo().username;
  } catch {
    return undefined;
  }
}
