/** `keyturn plan`: predicts the next runs: their times, their calls and their cost. */
import { forecast } from "../forecast/forecast.ts";
import type { Ahead } from "../forecast/planned.ts";
import { aheadMostMs } from "./arguments.ts";
import { exitCodes, Failure, type ExitCode } from "../terminal/failure.ts";
import {
  concerns,
  opensAtMs,
  plannedKey,
  planSchema,
  sealed,
  type Plan,
  type PlannedKey,
  type NotPredicted,
} from "../plan/plan.ts";
import {
  keptVersions,
  usdPerKeyMonth,
  type KeptPolicy,
} from "../../lambda/configuration/kept-versions.ts";
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
  /** A duration from now on, or a time. */
  until: { forMs: number } | { atMs: number };
  out?: string;
};

/** How many records are read and predicted at once. */
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
    throw new Failure(exitCodes.usage, message, "npx keyturn plan --help");
  }
  const { configuration, requests } = await session.state.waiting();
  const [watch, refused] = await Promise.all([
    session.state.refusalsWatch(),
    session.state.refusalsDue(nowMs),
  ]);
  const named = await Promise.all(given.map((one) => session.managedKey(one)));
  const news = new Set([...requests.keys(), ...refused.map(({ alias }) => alias)]);
  const observed = await observe(session, untilMs, named, news);
  const applies = out !== undefined;
  const { managedKeys, notPredicted } = await predicted(session, observed.aliases, (alias) => ({
    ahead: { nowMs, untilMs, requests: requests.get(alias) ?? [] },
    known: { watch, configuration },
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
    keptVersions: keptVersions(observed.policies, observed.keys),
    managedKeys: managedKeys.filter(concerns).sort(byAlias),
    notPredicted: [...observed.unread, ...notPredicted].sort(byAlias),
  });
  if (out !== undefined) writePlan(out, made);
  if (json) talk.json(made);
  else showPlan(talk, made, { out, considered: observed.considered });
  const unmanaged = [...requests.keys()].filter((alias) => !observed.all.has(alias));
  for (const alias of given.length > 0 ? [] : unmanaged) {
    noteText(
      talk,
      "",
      `${alias} is not a managed key, and has a request: the next run processes the request.`,
    );
  }
  const waiting = made.managedKeys.some(({ waitsFor }) => waitsFor.length > 0);
  return waiting || made.notPredicted.length > 0 ? exitCodes.attention : exitCodes.ok;
}

function byAlias(a: { alias: string }, b: { alias: string }): number {
  return a.alias < b.alias ? -1 : 1;
}

type ObservedState = {
  /** Every managed key, or the named ones. */
  all: Set<string>;
  /** The managed keys that may change. */
  aliases: string[];
  unread: NotPredicted[];
  considered: number;
  keys: number;
  policies: KeptPolicy[];
  tableId: string | undefined;
};

/** Finds the managed keys that may change by then. Of the others, nothing more is read. */
async function observe(
  { state }: Session,
  untilMs: number,
  named: ManagedKey[],
  /** With a request or refused uses that no run has read. */
  news: Set<string>,
): Promise<ObservedState> {
  const pick = (record: ManagedKey) => ({
    alias: record.alias,
    tableId: record.tableId,
    keys: costingKeys(record),
    // An un-enrolled one makes no further version.
    policies: record.unenrolment === undefined ? [record.policy] : [],
    moves:
      record.dueAtMs <= untilMs ||
      news.has(record.alias) ||
      record.findings.some(({ code }) => effects[code] === "halt"),
  });
  const unread: NotPredicted[] = [];
  const newer = (alias: string, schema: number): void =>
    void unread.push({ alias, why: `newer code wrote the record, with schema ${schema}` });
  const found =
    named.length > 0
      ? named.map(pick)
      : await state.managedKeys<ReturnType<typeof pick>>(pick, newer);
  const some = [...new Map(found.map((one) => [one.alias, one])).values()];
  return {
    all: new Set([...some, ...unread].map(({ alias }) => alias)),
    aliases: some.flatMap(({ alias, moves }) => (moves ? [alias] : [])),
    unread,
    considered: some.length,
    keys: some.reduce((sum, { keys }) => sum + keys, 0),
    policies: some.flatMap(({ policies }) => policies),
    tableId: some.find(({ tableId }) => tableId !== "")?.tableId,
  };
}

function costingKeys({ versions, extras }: ManagedKey): number {
  const pending = versions.filter(({ state }) => state === "pending-deletion");
  return versions.length + extras.length - pending.length;
}

type How = {
  ahead: Omit<Ahead, "refused">;
  known: Omit<Ahead["refused"], "refusals">;
  applies: boolean;
};

async function predicted(
  { state }: Session,
  aliases: string[],
  how: (alias: string) => How,
): Promise<{ managedKeys: PlannedKey[]; notPredicted: NotPredicted[] }> {
  const queue = [...aliases];
  const managedKeys: PlannedKey[] = [];
  const notPredicted: NotPredicted[] = [];
  const reader = async (): Promise<void> => {
    for (let alias = queue.shift(); alias !== undefined; alias = queue.shift()) {
      const stored = await state.read(alias);
      if (stored === undefined) continue;
      const { known, applies, ...rest } = how(alias);
      const refused = { ...known, refusals: await state.refusals(alias) };
      const ahead = { ...rest.ahead, refused };
      try {
        managedKeys.push(await (applies ? applied(stored, ahead) : unattended(stored, ahead)));
      } catch (error) {
        // The function itself would fail on this record. The plan reports it and shows the others.
        notPredicted.push({ alias, why: describeError(error) });
      }
    }
  };
  await Promise.all(Array.from({ length: readers }, reader));
  return { managedKeys, notPredicted };
}

async function unattended(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  return plannedKey(await forecast(stored, ahead), false, ahead.nowMs);
}

/**
 * For a plan that will be applied: a rotation that would open by then begins now. It does not if one
 * is under way, or if an earlier request makes the function reject it.
 */
async function applied(stored: Stored, ahead: Ahead): Promise<PlannedKey> {
  const alone = await forecast(stored, ahead);
  const opensMs = opensAtMs(alone);
  if (opensMs === undefined || opensMs <= ahead.nowMs) return plannedKey(alone, false, ahead.nowMs);
  const rotate: RequestItem = {
    id: "zzzzzzzz-planned",
    body: { kind: "rotate", by: "the operator who applies the plan", ifHead: stored.journalHead },
  };
  const requests = [...ahead.requests, rotate];
  const asked = await forecast(stored, { ...ahead, requests });
  const rejected = asked.planned.some(
    ({ request, event }) => request === rotate.id && event === "request-rejected",
  );
  return rejected ? plannedKey(alone, false, ahead.nowMs) : plannedKey(asked, true, ahead.nowMs);
}
