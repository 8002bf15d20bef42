/** Writes a request item for a managed key, which the next run processes. */
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

export const requestSchema = "keyturn/request/1";

/** Whether the operator must type the alias, and whether the request carries it. */
export type Typed = "no" | "here" | "in the request";

export type Asking = {
  /** The name of the command. */
  command: string;
  kind: string;
  /** The fields of its kind. The record supplies an undefined one, or the request omits it. */
  fields: Fields;
  by: string;
  reason?: string;
  /** The item's id. */
  id: string;
  /** The effect of the request, once the next run has processed it. */
  effect: (fields: Fields) => string;
  /** For an alias that is not a managed key yet. */
  begins: boolean;
  typed: Typed;
  confirm: string | undefined;
  /** Writes the request even if the function would reject it now. */
  anyway: boolean;
  prompt: Prompt;
};

type Request = { alias: string; id: string; body: Record<string, unknown> };

export async function ask(session: Session, given: string, asking: Asking): Promise<ExitCode> {
  const { talk, json } = session;
  const { id, command, typed, confirm, prompt } = asking;
  const { alias, fields, shown } = await meant(session, given, asking);
  for (const line of shown) noteText(talk, line.startsWith("  ") ? "  " : "", line.trimStart());
  if (typed !== "no" || shown.length > 0) {
    await confirmed(alias, confirm, command, json ? undefined : prompt);
  }
  const all = typed === "in the request" ? { ...fields, confirm: alias } : fields;
  const request = { alias, id, body: bodyOf(asking, all) };
  const coming = await comingOf(session, request).catch((error: unknown) => {
    // A failed prediction does not keep an operator from an urgent hold.
    noteText(talk, "", `The effect cannot be predicted: ${describeError(error)}`);
    return undefined;
  });
  const rejection = coming?.find((one) => one.request === id && one.event === "request-rejected");
  if (rejection !== undefined && !asking.anyway) {
    const message = `the function would reject the request now: ${rejection.reason}. No request was written`;
    throw new Failure(exitCodes.attention, message, `npx keyturn status ${alias}`);
  }
  if (!(await session.state.ask(alias, id, request.body))) {
    throw new Failure(exitCodes.attention, `request ${id} already exists; no request was written`);
  }
  await printRequest(session, request, { ...asking, fields: all }, coming ?? []);
  return exitCodes.ok;
}

async function printRequest(
  session: Session,
  { alias, id, body }: Request,
  asking: Asking,
  planned: ForecastEvent[],
): Promise<void> {
  const { talk, tableName, nowMs } = session;
  const { kind, fields } = asking;
  const effect = asking.effect(fields) + (kind === "resume" ? opensAtOnce(planned, nowMs) : "");
  const watch = `npx keyturn history ${alias} --last 5 --table ${tableName}`;
  if (session.json) {
    talk.json({ schema: requestSchema, alias, id, request: body, effect, planned, watch });
    return;
  }
  printText(talk, "", `Requested ${kind} for ${alias}, as request ${id}.`);
  noteText(talk, "", `${effect} The next scheduled run processes the request.`);
  await printComing(session, alias, planned);
  noteCommand(talk, "To follow it:", watch);
}

/** A few runs: the first one processes the request, and the next one may open the rotation. */
const atOnceMs = 15 * 60_000;

/** A key that was held past its cryptoperiod does more than continue. */
function opensAtOnce(planned: ForecastEvent[], nowMs: number): string {
  const opened = planned.find(({ event }) => event === "opened");
  if (opened === undefined || opened.atMs > nowMs + atOnceMs) return "";
  return ` A new rotation opens at once: ${opened.reason}.`;
}

type Meant = {
  alias: string;
  fields: Fields;
  /** What the operator confirms without having typed it. */
  shown: string[];
};

/** The alias and the fields of the request; the record supplies those that were not typed. */
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
      const there = proposal === undefined ? "no proposal" : `proposal ${proposal.revision}`;
      const message = `${alias} has ${there}; no request was written`;
      throw new Failure(exitCodes.attention, message, `npx keyturn reconcile ${alias}`);
    }
    return { alias, fields, shown: proposalLines(record, proposal, columns) };
  }
  const { fields: all, shown } = supplied(record, kind, fields);
  return { alias, fields: all, shown: shown?.split(/(?<=;)(?= )/).map(indented) ?? [] };
}

/** The finding of an approval lists one need after the other. */
function indented(part: string): string {
  const isFirst = !part.startsWith(" ");
  return isFirst ? part : ` ${part}`;
}

/** Throws a Failure for a request that the function's own parser would not accept. */
function bodyOf({ kind, by, reason, id, command }: Asking, fields: Fields) {
  const given = Object.entries({ ...fields, reason }).filter(([, value]) => value !== undefined);
  const body = { kind, by, ...Object.fromEntries(given) };
  const read = parseRequest({ id, body });
  if (read.kind !== "malformed") return body;
  throw new Failure(exitCodes.usage, read.why, `npx keyturn ${command} --help`);
}

/** The kinds that the record alone decides. The function compares the others with KMS first. */
const predictable = ["rotate", "compromised", "rollback", "pause", "resume", "un-enrol"];
const aheadMs = 30 * dayMs;

async function comingOf(
  { state, nowMs }: Session,
  { alias, id, body }: Request,
): Promise<ForecastEvent[] | undefined> {
  if (!predictable.includes(String(body["kind"]))) return undefined;
  const [stored, asked, refusals, watch, configuration] = await Promise.all([
    state.read(alias),
    state.requests(alias),
    state.refusals(alias),
    state.refusalsWatch(),
    state.configuration(),
  ]);
  if (stored === undefined) return undefined;
  const { forecast } = await import("../forecast/forecast.ts");
  const waiting = [...asked, { id, body }];
  const refused = { refusals, watch, configuration };
  const ahead = { nowMs, untilMs: nowMs + aheadMs, requests: waiting, refused };
  return (await forecast(stored, ahead)).planned;
}

async function printComing(
  { talk, state }: Session,
  alias: string,
  coming: ForecastEvent[],
): Promise<void> {
  if (coming.every(({ call }) => call === undefined)) return;
  const { noteComing, onlyReported } = await import("../plan/show.ts");
  noteText(talk, "", "Predicted for the next 30 days, without external changes:");
  noteComing(talk, alias, coming);
  if ((await state.configuration())?.mode === "plan") noteText(talk, "", onlyReported);
}
