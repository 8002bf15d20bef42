/** What people ask of a managed key: a request item each, which the next run finds. */
import { parseRequest } from "../../lambda/requests.ts";
import { exitCodes, Failure, type ExitCode } from "../failure.ts";
import type { Session } from "../session.ts";

export const requestSchema = "keyturn/request/1";

export type Asking = {
  kind: string;
  /** The fields of its kind; those that are undefined are left out. */
  fields: Record<string, string | number | boolean | undefined>;
  by: string;
  reason?: string;
  /** The item's id. */
  id: string;
  /** What will happen, when the next run has found it. */
  effect: string;
};

export async function ask(session: Session, given: string, asking: Asking): Promise<ExitCode> {
  const { alias } = await session.managedKey(given);
  const { talk, state, json, tableName } = session;
  const { kind, id, by, reason, effect } = asking;
  const fields = Object.fromEntries(
    Object.entries({ ...asking.fields, reason }).filter(([, value]) => value !== undefined),
  );
  const body = { kind, by, ...fields };
  // By the function's own reader: what it would refuse is not written.
  const read = parseRequest({ id, body });
  if (read.kind === "malformed")
    throw new Failure(exitCodes.usage, read.why, `keyturn ${kind} --help`);
  if (!(await state.ask(alias, id, body))) {
    throw new Failure(exitCodes.attention, `there is a request ${id} already; nothing was written`);
  }
  const watch = `keyturn history ${alias} --last 5 --table ${tableName}`;
  if (json) talk.json({ schema: requestSchema, alias, id, request: body, effect, watch });
  else {
    talk.line(`Asked for ${kind} of ${alias}, as request ${id}.`);
    talk.note(
      `${effect}\nThe next run takes it up, within the interval of the schedule. To watch it: ${watch}`,
    );
  }
  return exitCodes.ok;
}

/** What cannot be undone, or takes a key out of our hands, asks for the alias to be typed. */
export function confirmed(alias: string, confirm: string | undefined, kind: string): void {
  const full = alias.startsWith("alias/") ? alias : `alias/${alias}`;
  if (confirm === full) return;
  const message = `${kind} asks for the alias to be typed: --confirm ${full}`;
  throw new Failure(exitCodes.usage, message, `keyturn ${kind} ${full} --confirm ${full}`);
}
