/**
 * One run: query what is due, then claim, gather, decide, act. A run is bounded, and one key's
 * failure does not affect others. The next run resumes from the table.
 */
import { isManaged, isUnmanaged } from "../chores/unmanaged-requests.ts";
import { audit } from "../chores/audit.ts";
import { applyConfiguration } from "../chores/configure.ts";
import { RotationError } from "../errors.ts";
import type { DueItem } from "../ports.ts";
import { begin, runClaimMs, type Run, type RunOptions } from "../pass/context.ts";
import type { RunSummary } from "../telemetry/telemetry.ts";
import { searchTags } from "../chores/tag-search.ts";
import { oneKey } from "../pass/take-up.ts";
import { dayMs } from "../workflow/model/limits.ts";
import { ClaimLost } from "../pass/write.ts";

export type RunResult = RunSummary & { configurationApplied: boolean };

/** How many managed keys one query returns, and how many passes run at once. */
const dueLimit = 100;
const passesAtOnce = 4;

export async function run(options: RunOptions): Promise<RunResult> {
  try {
    return await oneRun(options);
  } catch (error) {
    // Without a heartbeat: Lambda counts the error, and the alarm HeartbeatMissing notices.
    if (error instanceof RotationError) options.telemetry.failed("the run", error);
    throw error;
  }
}

async function oneRun(options: RunOptions): Promise<RunResult> {
  const { clock, table } = options.ports;
  const startedAtMs = clock.nowMs();
  const current = begin(options);
  const counts = { passes: 0, failed: 0, outOfTime: false };
  const end = (outcome: RunSummary["outcome"], configurationApplied: boolean): RunResult => {
    const durationMs = clock.nowMs() - startedAtMs;
    const summary = { outcome, ...counts, durationMs };
    options.telemetry.run(summary);
    return { ...summary, configurationApplied };
  };

  const first = await table.due(startedAtMs, dueLimit);
  const applied = options.configurationApplied || isApplied(first.items, options.configurationHash);
  if (applied && work(first.items).length === 0) return end("nothing-due", true);
  if (!(await table.takeRunClaim(current.id, startedAtMs, startedAtMs + runClaimMs))) {
    return end("another-run-at-work", applied);
  }
  try {
    current.tableId = await table.id();
    let page = first;
    const configured = applied || (await applyConfiguration(current, markers(first.items)));
    if (!applied) page = await table.due(clock.nowMs(), dueLimit);
    const met = new Set<string>();
    for (;;) {
      const fresh = notMet(work(page.items), met);
      for (const items of inOrder(fresh, startedAtMs)) await makePasses(current, items, counts);
      counts.outOfTime = clock.nowMs() >= current.stopAtMs;
      if (counts.outOfTime || page.next === undefined) return end("worked", configured);
      page = await table.due(clock.nowMs(), dueLimit, page.next);
    }
  } finally {
    await table.releaseRunClaim(current.id);
  }
}

type Work = Exclude<DueItem, { kind: "configuration" }>;

function work(items: DueItem[]): Work[] {
  return items.filter((item) => item.kind !== "configuration");
}

/**
 * The index has a managed key once for itself, if it is due, and once for each waiting request, on
 * one page or several: one pass does all of it.
 */
function notMet(items: Work[], met: Set<string>): Work[] {
  return items.filter((item) => {
    const isNew = !met.has(nameOf(item));
    met.add(nameOf(item));
    return isNew;
  });
}

function markers(items: DueItem[]): string[] {
  return items.flatMap((item) => (item.kind === "configuration" ? [item.hash] : []));
}

function isApplied(items: DueItem[], hash: string): boolean {
  return markers(items).includes(hash);
}

function nameOf(item: Work): string {
  return item.kind === "chore" ? `the ${item.chore}` : item.alias;
}

/**
 * A chore hands over to unclaimed managed keys, and so comes after the passes: in parallel they
 * could block each other every hour. A long overdue chore comes first: passes that fill every run
 * must not keep it from running.
 */
function inOrder(items: Work[], nowMs: number): Work[][] {
  const {
    early = [],
    passes = [],
    late = [],
  } = Object.groupBy(items, (item) => {
    if (item.kind !== "chore") return "passes";
    return item.dueAtMs < nowMs - dayMs ? "early" : "late";
  });
  return [early, passes, late];
}

/** Makes a few passes at once; a failure ends only its own pass. Begins none after `stopAtMs`. */
async function makePasses(
  current: Run,
  items: Work[],
  counts: { passes: number; failed: number },
): Promise<void> {
  const queue = [...items];
  const { clock } = current.ports;
  const worker = async (): Promise<void> => {
    for (;;) {
      const nowMs = clock.nowMs();
      if (nowMs >= current.stopAtMs) return;
      const item = queue.shift();
      if (item === undefined) return;
      counts.passes += 1;
      try {
        await renewRunClaim(current, nowMs);
        await takeOn(current, item);
      } catch (error) {
        if (!(error instanceof ClaimLost)) counts.failed += 1;
        current.telemetry.failed(nameOf(item), error);
      }
    }
  };
  await Promise.allSettled(Array.from({ length: passesAtOnce }, worker));
}

/** Saves work only: a run that lost its claim may safely continue. */
async function renewRunClaim(current: Run, nowMs: number): Promise<void> {
  if (nowMs < current.renewAtMs) return;
  current.renewAtMs = nowMs + runClaimMs / 2;
  await current.ports.table.takeRunClaim(current.id, nowMs, nowMs + runClaimMs);
}

async function takeOn(current: Run, item: Work): Promise<void> {
  switch (item.kind) {
    case "chore":
      return item.chore === "audit" ? audit(current) : searchTags(current);
    case "managed-key":
      return void (await oneKey(current, item.alias, "due"));
    case "refusals":
      if (current.refusalsWatch !== "cloudtrail") return refusedUnread(current, item.alias);
      if (await oneKey(current, item.alias, "asked")) return;
      return refusedUnmanaged(current, item.alias);
    case "request":
      if (await oneKey(current, item.alias, "asked")) return;
      return isUnmanaged(current, item.alias);
  }
}

/** No pass reads them: they stay stored, and must not stay due. */
async function refusedUnread({ ports: { table } }: Run, alias: string): Promise<void> {
  const refusals = await table.refusals(alias);
  if (refusals !== undefined) await table.refusalsRead(alias, refusals.revision);
}

/** Refused uses of a key that was managed once: nothing reads them, and they must not stay due. */
async function refusedUnmanaged(current: Run, alias: string): Promise<void> {
  if (!(await isManaged(current, alias))) await current.ports.table.forgetRefusals(alias);
}
