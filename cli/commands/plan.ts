/** `keyturn plan`: what the next runs will do, when, with which calls, and what that costs. */
import { forecast, type Ahead } from "../forecast/forecast.ts";
import { aheadMostMs } from "./arguments.ts";
import { exitCodes, Failure, type ExitCode } from "../terminal/failure.ts";
import {
  concerns,
  opensAtMs,
  plannedKey,
  planSchema,
  sealed,
  usdPerKeyMonth,
  type Plan,
  type PlannedKey,
  type Unforeseen,
} from "../plan/plan.ts";
import { writePlan } from "../plan/plan-file.ts";
import { showPlan } from "../plan/show.ts";
import { noteText } from "../terminal/print.ts";
import type { Session } from "../session.ts";
import { packageVersion } from "../plan/version.ts";
import { formatTime } from "../terminal/words.ts";
import { describeError } from "../../lambda/errors.ts";
import type { RequestItem, Stored } from "../../lambda/ports.ts";
import { effects } from "../../lambda/workflow/model/findings.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";

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
    const message = `--until ${formatTime(untilMs)} is not within the next 400 days`;
    throw new Failure(exitCodes.usage, message, "keyturn plan --help");
  }
  const { configuration, requests } = await session.state.waiting();
  const named = await Promise.all(given.map((one) => session.managedKey(one)));
  const observed = await lookOver(session, untilMs, named, new Set(requests.keys()));
  const applies = out !== undefined;
  const { managedKeys, unforeseen } = await foreseen(session, observed.aliases, (alias) => ({
    ahead: { nowMs, untilMs, requests: requests.get(alias) ?? [] },
    applies,
  }));
  const costing = (of: (key: PlannedKey) => number): number =>
    managedKeys.reduce((sum, key) => sum + of(key) - key.keysNow, observed.keys) * usdPerKeyMonth;
  const made: Plan = sealed({
    schema: planSchema,
    keyturn: packageVersion(),
    table: { name: tableName, id: observed.tableId },
    madeAtMs: nowMs,
    untilMs,
    mode: configuration?.mode,
    monthlyUsd: {
      now: costing(({ keysNow }) => keysNow),
      then: costing(({ keysThen }) => keysThen),
    },
    managedKeys: managedKeys.filter(concerns).sort(byAlias),
    unforeseen: [...observed.unread, ...unforeseen].sort(byAlias),
  });
  if (out !== undefined) writePlan(out, made);
  if (json) talk.json(made);
  else showPlan(talk, made, { out, looked: observed.looked });
  const unmanaged = [...requests.keys()].filter((alias) => !observed.all.has(alias));
  for (const alias of given.length > 0 ? [] : unmanaged) {
    noteText(
      talk,
      "",
      `${alias} is no managed key, and something is asked of it: the next run answers.`,
    );
  }
  const waiting = made.managedKeys.some(({ waitsFor }) => waitsFor.length > 0);
  return waiting || made.unforeseen.length > 0 ? exitCodes.attention : exitCodes.ok;
}

function byAlias(a: { alias: string }, b: { alias: string }): number {
  return a.alias < b.alias ? -1 : 1;
}

type ObservedState = {
  /** Of every managed key there is, where none was named. */
  all: Set<string>;
  /** Of those that anything happens to. */
  aliases: string[];
  unread: Unforeseen[];
  looked: number;
  keys: number;
  tableId: string | undefined;
};

/** Which managed keys anything can happen to until then; of the others nothing more is read. */
async function lookOver(
  { state }: Session,
  untilMs: number,
  named: ManagedKey[],
  asked: Set<string>,
): Promise<ObservedState> {
  const pick = (record: ManagedKey) => ({
    alias: record.alias,
    tableId: record.tableId,
    keys: costingKeys(record),
    moves:
      record.dueAtMs <= untilMs ||
      asked.has(record.alias) ||
      record.findings.some(({ code }) => effects[code] === "halt"),
  });
  const unread: Unforeseen[] = [];
  const newer = (alias: string, schema: number): void =>
    void unread.push({ alias, why: `newer code wrote it, in schema ${schema}` });
  const found =
    named.length > 0
      ? named.map(pick)
      : await state.managedKeys<ReturnType<typeof pick>>(pick, newer);
  const some = [...new Map(found.map((one) => [one.alias, one])).values()];
  return {
    all: new Set([...some, ...unread].map(({ alias }) => alias)),
    aliases: some.flatMap(({ alias, moves }) => (moves ? [alias] : [])),
    unread,
    looked: some.length,
    keys: some.reduce((sum, { keys }) => sum + keys, 0),
    tableId: some.find(({ tableId }) => tableId !== "")?.tableId,
  };
}

function costingKeys({ versions, extras }: ManagedKey): number {
  const pending = versions.filter(({ state }) => state === "pending-deletion");
  return versions.length + extras.length - pending.length;
}

async function foreseen(
  { state }: Session,
  aliases: string[],
  how: (alias: string) => { ahead: Ahead; applies: boolean },
): Promise<{ managedKeys: PlannedKey[]; unforeseen: Unforeseen[] }> {
  const queue = [...aliases];
  const managedKeys: PlannedKey[] = [];
  const unforeseen: Unforeseen[] = [];
  const reader = async (): Promise<void> => {
    for (let alias = queue.shift(); alias !== undefined; alias = queue.shift()) {
      const stored = await state.read(alias);
      if (stored === undefined) continue;
      const { ahead, applies } = how(alias);
      try {
        managedKeys.push(await (applies ? applied(stored, ahead) : unattended(stored, ahead)));
      } catch (error) {
        // One that the function itself would stumble over is told, and the others are shown.
        unforeseen.push({ alias, why: describeError(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return { managedKeys, unforeseen };
}

async function unattended(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  return plannedKey(await forecast(stored, ahead), false);
}

/**
 * What is kept is there to be applied: a rotation that would open by then begins at once. Not where one
 * is under way, or something else is asked and taken up first: the function would refuse it.
 */
async function applied(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  const alone = await forecast(stored, ahead);
  const opensMs = opensAtMs(alone);
  if (opensMs === undefined || opensMs <= ahead.nowMs) return plannedKey(alone, false);
  const rotate: RequestItem = {
    id: "zzzzzzzz-planned",
    body: { kind: "rotate", by: "whoever applies it", ifHead: stored.journalHead },
  };
  const requests = [...ahead.requests, rotate];
  const asked = await forecast(stored, { ...ahead, requests });
  const refused = asked.planned.some(
    ({ request, event }) => request === rotate.id && event === "request-rejected",
  );
  return refused ? plannedKey(alone, false) : plannedKey(asked, true);
}
