/** `keyturn apply`: requests the rotations of a plan, if no record has changed since. */
import { canonicalHash } from "../../lambda/record/canonical.ts";
import { exitCodes, Failure, type ExitCode } from "../terminal/failure.ts";
import { readPlan } from "../plan/plan-file.ts";
import { nothingToApply } from "../plan/show.ts";
import { whyMovedOn, type MovedOn, type Plan, type PlannedKey } from "../plan/plan.ts";
import type { Session } from "../session.ts";
import { noteText, noteCommand, printText } from "../terminal/print.ts";
import { packageVersion } from "../plan/version.ts";
import { formatTime } from "../terminal/words.ts";

export const appliedSchema = "keyturn/applied/2";

export type ApplyOptions = { by: string; reason?: string };

type RequestOfPlan = { alias: string; id: string; requested: "now" | "earlier" };

export async function apply(
  session: Session,
  file: string,
  options: ApplyOptions,
): Promise<ExitCode> {
  const { talk, json, tableName } = session;
  const plan = readPlan(file, packageVersion());
  rejectUnfit(session, plan, file);
  const rotating = plan.managedKeys.filter(({ rotates }) => rotates);
  const moved = await movedOn(session, plan, rotating);
  if (moved.length > 0) throw stale(moved, file);
  const requests: RequestOfPlan[] = [];
  // In sequence: after a failure, the earlier requests are known. A second apply repeats their ids.
  for (const one of rotating) requests.push(await askFor(session, plan, one, options));
  const watch = `npx keyturn status --moving --table ${tableName}`;
  if (json) {
    talk.json({ schema: appliedSchema, plan: plan.hash, requests, watch });
    return exitCodes.ok;
  }
  if (requests.length === 0) {
    noteText(talk, "", nothingToApply);
    return exitCodes.ok;
  }
  for (const { alias, id, requested } of requests) {
    const what = requested === "now" ? "Requested" : "Already requested:";
    printText(talk, "", `${what} the rotation of ${alias}, as request ${id}.`);
  }
  noteText(
    talk,
    "",
    "The next scheduled run processes the requests. It rejects a request if the record has changed by then. To follow the requests:",
  );
  noteCommand(talk, " ", watch);
  return exitCodes.ok;
}

/** Throws a Failure for the plan of another table, and for an expired plan. */
function rejectUnfit({ tableName, nowMs }: Session, plan: Plan, file: string): void {
  const next = `npx keyturn plan --out ${file}`;
  if (plan.table.name !== tableName) {
    const message = `the plan is for table ${plan.table.name}, not for ${tableName}; no request was written`;
    throw new Failure(
      exitCodes.usage,
      message,
      `npx keyturn apply ${file} --table ${plan.table.name}`,
    );
  }
  if (nowMs > plan.untilMs) {
    const message = `the plan expired at ${formatTime(plan.untilMs)}; no request was written`;
    throw new Failure(exitCodes.attention, message, next);
  }
}

async function movedOn({ state }: Session, plan: Plan, rotating: PlannedKey[]): Promise<MovedOn[]> {
  const moved: MovedOn[] = [];
  for (const planned of rotating) {
    const { alias } = planned;
    const why = whyMovedOn(plan, planned, await state.read(alias));
    if (why !== undefined) moved.push({ alias, why });
  }
  return moved;
}

const shownAtMost = 5;

function stale(moved: MovedOn[], file: string): Failure {
  const shown = moved.slice(0, shownAtMost).map(({ alias, why }) => `${alias}: ${why}`);
  const more = moved.length > shownAtMost ? `; and ${moved.length - shownAtMost} more` : "";
  const message = `the state has changed since the plan was made; no request was written. ${shown.join("; ")}${more}`;
  return new Failure(exitCodes.attention, message, `npx keyturn plan --out ${file}`);
}

/** The id follows from the plan: two applies of one plan, also at once, write one request. */
async function askFor(
  { state }: Session,
  plan: Plan,
  { alias, head }: PlannedKey,
  { by, reason }: ApplyOptions,
): Promise<RequestOfPlan> {
  const stamp = new Date(plan.madeAtMs).toISOString().replace(/[-:]/g, "").replace(/\.\d+/, "");
  const id = `${stamp}-${canonicalHash({ plan: plan.hash, alias }).slice(0, 16)}`;
  const body = {
    kind: "rotate",
    by,
    reason: reason ?? `plan ${plan.hash.slice(0, 12)} applied`,
    ifHead: head,
  };
  const isNew = await state.ask(alias, id, body);
  return { alias, id, requested: isNew ? "now" : "earlier" };
}
