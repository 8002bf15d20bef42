/** What people ask of a managed key: a request item each, which the next run finds. */
import { describeError } from "../../lambda/errors.ts";
import { parseRequest } from "../../lambda/inbound/requests.ts";
import { dayMs } from "../../lambda/workflow/model/limits.ts";
import { confirmed, type Prompt } from "../requests/confirm.ts";
import { enrollableAlias } from "../requests/enrollable.ts";
import { exitCodes, Failure, type ExitCode } from "../terminal/failure.ts";
import type { ForecastEvent } from "../forecast/planned.ts";
import { proposalLines } from "../requests/proposal.ts";
import { noteCommand, noteText, printText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { supplied, type Fields } from "../requests/supplied.ts";
import { printable } from "../terminal/text.ts";

export const requestSchema = "keyturn/request/1";

/** Whether the alias has to be typed, and whether the request says that it was. */
export type Typed = "no" | "here" | "in the request";

export type Asking = {
  /** As it is typed. */
  command: string;
  kind: string;
  /** The fields of its kind; those that are undefined are left out, or found in the record. */
  fields: Fields;
  by: string;
  reason?: string;
  /** The item's id. */
  id: string;
  /** What will happen, when the next run has found it. */
  effect: string;
  /** It is for what is no managed key yet. */
  begins: boolean;
  typed: Typed;
  confirm: string | undefined;
  /** It is written although the function would refuse it as things are. */
  anyway: boolean;
  prompt: Prompt;
};

type Request = { alias: string; id: string; body: Record<string, unknown> };

export async function ask(session: Session, given: string, asking: Asking): Promise<ExitCode> {
  const { talk, json } = session;
  const { id, command, typed, confirm, prompt } = asking;
  const { alias, fields, shown } = await meant(session, given, asking);
  for (const line of shown) talk.note(line);
  if (typed !== "no" || shown.length > 0) {
    await confirmed(alias, confirm, command, json ? undefined : prompt);
  }
  const all = typed === "in the request" ? { ...fields, confirm: alias } : fields;
  const request = { alias, id, body: bodyOf(asking, all) };
  const coming = await comingOf(session, request).catch((error: unknown) => {
    // Whoever has to hold something in a hurry is not kept from it by what cannot be foreseen.
    noteText(talk, "", `What comes of it could not be foreseen: ${describeError(error)}`);
    return undefined;
  });
  const refusal = coming?.find((one) => one.request === id && one.event === "request-rejected");
  if (refusal !== undefined && !asking.anyway) {
    const message = `as things are, the function would refuse it: ${refusal.reason}. Nothing was asked`;
    throw new Failure(exitCodes.attention, message, `keyturn status ${alias}`);
  }
  if (!(await session.state.ask(alias, id, request.body))) {
    throw new Failure(exitCodes.attention, `there is a request ${id} already; nothing was written`);
  }
  await printRequest(session, request, asking, coming ?? []);
  return exitCodes.ok;
}

async function printRequest(
  session: Session,
  { alias, id, body }: Request,
  { kind, effect }: Asking,
  planned: ForecastEvent[],
): Promise<void> {
  const { talk, tableName } = session;
  const watch = `keyturn history ${alias} --last 5 --table ${tableName}`;
  if (session.json) {
    talk.json({ schema: requestSchema, alias, id, request: body, effect, planned, watch });
    return;
  }
  printText(talk, "", `Asked for ${kind} of ${alias}, as request ${id}.`);
  noteText(talk, "", `${effect} The next run takes it up, within the interval of the schedule.`);
  await printComing(session, alias, planned);
  noteCommand(talk, "To watch it:", watch);
}

type Meant = {
  alias: string;
  fields: Fields;
  /** What is asked for without having been typed, to be confirmed. */
  shown: string[];
};

/** Of which alias, and with what, found in the record where it was not typed. */
async function meant(session: Session, given: string, asking: Asking): Promise<Meant> {
  const { begins, kind, fields } = asking;
  const { columns } = session.talk;
  if (begins) {
    const alias = await enrollableAlias(session, given, String(fields["policy"]));
    return { alias, fields, shown: [] };
  }
  const record = await session.managedKey(given);
  const { alias } = record;
  if (kind === "reconcile" && fields["proposal"] !== undefined) {
    const { proposal } = record;
    if (proposal?.revision !== fields["proposal"]) {
      const there = proposal === undefined ? "nothing is" : `number ${proposal.revision} is`;
      const message = `${there} shown of ${alias} to be written; nothing was asked`;
      throw new Failure(exitCodes.attention, message, `keyturn reconcile ${alias}`);
    }
    return { alias, fields, shown: proposalLines(record, proposal, columns) };
  }
  const { fields: all, shown } = supplied(record, kind, fields);
  return { alias, fields: all, shown: shown === undefined ? [] : [printable(shown)] };
}

/** Throws a Failure for what the function's own reader would not understand. */
function bodyOf({ kind, by, reason, id, command }: Asking, fields: Fields) {
  const given = Object.entries({ ...fields, reason }).filter(([, value]) => value !== undefined);
  const body = { kind, by, ...Object.fromEntries(given) };
  const read = parseRequest({ id, body });
  if (read.kind !== "malformed") return body;
  throw new Failure(exitCodes.usage, read.why, `keyturn ${command} --help`);
}

/** Those that are decided by the record alone; the others need to be held against KMS first. */
const foreseeable = ["rotate", "compromised", "rollback", "pause", "resume", "un-enrol"];
const aheadMs = 30 * dayMs;

async function comingOf(
  { state, nowMs }: Session,
  { alias, id, body }: Request,
): Promise<ForecastEvent[] | undefined> {
  if (!foreseeable.includes(String(body["kind"]))) return undefined;
  const [stored, asked] = await Promise.all([state.read(alias), state.requests(alias)]);
  if (stored === undefined) return undefined;
  const { forecast } = await import("../forecast/forecast.ts");
  const waiting = [...asked, { id, body }];
  const ahead = { nowMs, untilMs: nowMs + aheadMs, requests: waiting };
  return (await forecast(stored, ahead)).planned;
}

async function printComing(
  { talk, state }: Session,
  alias: string,
  coming: ForecastEvent[],
): Promise<void> {
  if (coming.every(({ call }) => call === undefined)) return;
  const { noteComing, onlyReported } = await import("../plan/show.ts");
  noteText(talk, "", "Within 30 days, if nobody else touches the keys:");
  noteComing(talk, alias, coming);
  if ((await state.configuration())?.mode === "plan") noteText(talk, "", onlyReported);
}
