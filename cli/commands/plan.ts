/** `keyturn plan`: what the next runs will do, when, with which calls, and what that costs. */
import { forecast, type Ahead } from "../forecast/forecast.ts";
import { aheadMostMs } from "../arguments.ts";
import { exitCodes, Failure, type ExitCode } from "../failure.ts";
import {
  concerns,
  opensAtMs,
  plannedKey,
  planSchema,
  sealed,
  usdPerKeyMonth,
  type Plan,
  type PlannedKey,
} from "../plan/plan.ts";
import { writePlan } from "../plan/plan-file.ts";
import { showPlan } from "../plan/show.ts";
import { noteText } from "../say.ts";
import type { Session } from "../session.ts";
import { packageVersion } from "../version.ts";
import { moment } from "../words.ts";
import type { RequestItem, Stored } from "../../lambda/ports.ts";
import { effects } from "../../lambda/workflow/findings.ts";
import type { ManagedKey } from "../../lambda/workflow/types.ts";

export type PlanOptions = {
  /** From the present on, or a moment. */
  until: { forMs: number } | { atMs: number };
  out?: string;
};

/** How many records are read and foreseen at once. */
const readers = 8;

export async function plan(
  session: Session,
  given: string[],
  options: PlanOptions,
): Promise<ExitCode> {
  const { talk, json, nowMs, tableName } = session;
  const { until, out } = options;
  const untilMs = "forMs" in until ? nowMs + until.forMs : until.atMs;
  if (untilMs <= nowMs || untilMs > nowMs + aheadMostMs) {
    const message = `--until ${moment(untilMs)} is not within the next 400 days`;
    throw new Failure(exitCodes.usage, message, "keyturn plan --help");
  }
  const { configuration, requests } = await session.state.waiting();
  const names = await Promise.all(given.map(async (one) => (await session.managedKey(one)).alias));
  const seen = await lookOver(session, untilMs, new Set(names), new Set(requests.keys()));
  const applies = out !== undefined;
  const managedKeys = await foreseen(session, seen.aliases, (alias) => ({
    ahead: { nowMs, untilMs, requests: requests.get(alias) ?? [] },
    applies,
  }));
  const costing = (of: (key: PlannedKey) => number): number =>
    managedKeys.reduce((sum, key) => sum + of(key) - key.keysNow, seen.keys) * usdPerKeyMonth;
  const made: Plan = sealed({
    schema: planSchema,
    keyturn: packageVersion(),
    table: { name: tableName, id: seen.tableId },
    madeAtMs: nowMs,
    untilMs,
    mode: configuration?.mode,
    monthlyUsd: {
      now: costing(({ keysNow }) => keysNow),
      then: costing(({ keysThen }) => keysThen),
    },
    managedKeys: managedKeys.filter(concerns).sort((a, b) => (a.alias < b.alias ? -1 : 1)),
  });
  if (out !== undefined) writePlan(out, made);
  if (json) talk.json(made);
  else showPlan(talk, made, { out, looked: seen.looked });
  const unmanaged = [...requests.keys()].filter((alias) => !seen.all.has(alias));
  for (const alias of given.length > 0 ? [] : unmanaged) {
    noteText(
      talk,
      "",
      `${alias} is no managed key, and something is asked of it: the next run answers.`,
    );
  }
  const waiting = made.managedKeys.some(({ waitsFor }) => waitsFor.length > 0);
  return waiting ? exitCodes.attention : exitCodes.ok;
}

type Seen = {
  /** Of every managed key there is. */
  all: Set<string>;
  /** Of those that anything happens to. */
  aliases: string[];
  looked: number;
  keys: number;
  tableId: string | undefined;
};

/** Which managed keys anything can happen to until then; of the others nothing more is read. */
async function lookOver(
  { state }: Session,
  untilMs: number,
  named: Set<string>,
  asked: Set<string>,
): Promise<Seen> {
  const wanted = ({ alias }: Pick<ManagedKey, "alias">): boolean =>
    named.size === 0 || named.has(alias);
  const all = await state.managedKeys((record) => ({
    alias: record.alias,
    tableId: record.tableId,
    keys: costingKeys(record),
    moves:
      record.dueAtMs <= untilMs ||
      asked.has(record.alias) ||
      record.findings.some(({ code }) => effects[code] === "halt"),
  }));
  const some = all.filter(wanted);
  return {
    all: new Set(all.map(({ alias }) => alias)),
    aliases: some.flatMap(({ alias, moves }) => (moves ? [alias] : [])),
    looked: some.length,
    keys: some.reduce((sum, { keys }) => sum + keys, 0),
    tableId: some.find(({ tableId }) => tableId !== "")?.tableId,
  };
}

function costingKeys({ versions, extras }: ManagedKey): number {
  const pending = versions.filter(({ standing }) => standing === "deletion-scheduled");
  return versions.length + extras.length - pending.length;
}

async function foreseen(
  { state }: Session,
  aliases: string[],
  how: (alias: string) => { ahead: Ahead; applies: boolean },
): Promise<PlannedKey[]> {
  const queue = [...aliases];
  const planned: PlannedKey[] = [];
  const reader = async (): Promise<void> => {
    for (let alias = queue.shift(); alias !== undefined; alias = queue.shift()) {
      const stored = await state.read(alias);
      if (stored === undefined) continue;
      const { ahead, applies } = how(alias);
      planned.push(await (applies ? applied(stored, ahead) : unattended(stored, ahead)));
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return planned;
}

async function unattended(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  return plannedKey(await forecast(stored, ahead), false);
}

/** What is kept is there to be applied: a rotation that would open by then begins at once. */
async function applied(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  const alone = await forecast(stored, ahead);
  const opensMs = opensAtMs(alone);
  if (opensMs === undefined || opensMs <= ahead.nowMs) return plannedKey(alone, false);
  const rotate: RequestItem = {
    id: "zzzzzzzz-planned",
    body: { kind: "rotate", by: "whoever applies it" },
  };
  const requests = [...ahead.requests, rotate];
  return plannedKey(await forecast(stored, { ...ahead, requests }), true);
}
