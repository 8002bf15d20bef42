/**
 * One run: what is due, claim, gather, decide, act; bounded, and one key's failure stays its own.
 * Whatever it leaves off, the next run goes on with from the table.
 */
import { audit } from "./audit.ts";
import type { Configuration } from "./config.ts";
import { applyConfiguration } from "./configure.ts";
import { createPacer, type Pacer } from "./pacer.ts";
import type { DueItem, Ports } from "./ports.ts";
import type { RunSummary, Telemetry } from "./telemetry.ts";
import { takeTurn } from "./turn.ts";
import { finding, type Finding } from "./workflow/findings.ts";
import { isoOf } from "./workflow/iso.ts";
import { believableAheadMs, requestLimitMs } from "./workflow/limits.ts";
import type { Home } from "./workflow/types.ts";
import { ClaimLost } from "./write.ts";

export type RunOptions = {
  ports: Ports;
  telemetry: Telemetry;
  configuration: Configuration;
  /** Of the configuration; a run that finds another one applied, applies its own. */
  configurationHash: string;
  /** False on the first run of a process, until the configuration is known to be applied. */
  configurationApplied: boolean;
  /** Of each KMS request quota, above 0 and up to 1. */
  quotaShare: number;
  /** When the platform ends this run, whatever it does. */
  deadlineMs: number;
};

export type RunResult = RunSummary & { configurationApplied: boolean };

/** How many managed keys one query proposes, and how many have their turn at once. */
const dueLimit = 100;
const turnsAtOnce = 4;

/** How long before its deadline a run begins to leave off: a last call, and the writes after it. */
const leavingOffMs = 2 * requestLimitMs;

/** The run claim is renewed while the run works; one that was killed is in nobody's way for long. */
const runClaimMs = 60_000;

/** How much later than its claim a managed key falls due again if its run never comes back. */
const claimBackoffMs = 30_000;

export type Run = RunOptions & {
  id: string;
  /** When the run claim is to be renewed. */
  renewAtMs: number;
  pacer: Pacer;
  homes: Map<string, Home>;
  stopAtMs: number;
};

export async function run(options: RunOptions): Promise<RunResult> {
  const { clock, chance, table } = options.ports;
  const startedAtMs = clock.nowMs();
  const current: Run = {
    ...options,
    id: chance.id(),
    renewAtMs: startedAtMs + runClaimMs / 2,
    pacer: createPacer(clock, options.quotaShare),
    homes: homesOf(options.configuration),
    stopAtMs: options.deadlineMs - leavingOffMs,
  };
  const counts = { turns: 0, failed: 0, outOfTime: false };
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
    let page = first;
    const configured = applied || (await applyConfiguration(current, markers(first.items)));
    if (!applied) page = await table.due(clock.nowMs(), dueLimit);
    const met = new Set<string>();
    for (;;) {
      const fresh = work(page.items).filter((item) => !met.has(nameOf(item)));
      for (const item of fresh) met.add(nameOf(item));
      await takeTurns(current, fresh, counts);
      counts.outOfTime = clock.nowMs() >= current.stopAtMs;
      if (counts.outOfTime || page.next === undefined) return end("worked", configured);
      page = await table.due(clock.nowMs(), dueLimit, page.next);
    }
  } finally {
    await table.releaseRunClaim(current.id);
  }
}

function homesOf(configuration: Configuration): Map<string, Home> {
  return new Map(
    configuration.managedKeys.map(({ alias, aliases, policy }) => {
      const resolved = configuration.policies[policy];
      if (resolved === undefined) throw new Error(`no policy ${policy}`);
      return [alias, { alias, aliases, policy: resolved }];
    }),
  );
}

type Work = Exclude<DueItem, { kind: "configuration" }>;

function work(items: DueItem[]): Work[] {
  return items.filter((item) => item.kind !== "configuration");
}

function markers(items: DueItem[]): string[] {
  return items.flatMap((item) => (item.kind === "configuration" ? [item.hash] : []));
}

function isApplied(items: DueItem[], hash: string): boolean {
  return markers(items).includes(hash);
}

function nameOf(item: Work): string {
  return item.kind === "audit" ? "the audit" : item.alias;
}

/** A few at once; each ends on its own, and none is begun when it is time to leave off. */
async function takeTurns(
  current: Run,
  items: Work[],
  counts: { turns: number; failed: number },
): Promise<void> {
  const queue = [...items];
  const { clock } = current.ports;
  const worker = async (): Promise<void> => {
    for (;;) {
      const nowMs = clock.nowMs();
      if (nowMs >= current.stopAtMs) return;
      const item = queue.shift();
      if (item === undefined) return;
      counts.turns += 1;
      try {
        await renewRunClaim(current, nowMs);
        await (item.kind === "audit" ? audit(current) : oneKey(current, item.alias));
      } catch (error) {
        if (!(error instanceof ClaimLost)) counts.failed += 1;
        current.telemetry.failed(nameOf(item), error);
      }
    }
  };
  await Promise.allSettled(Array.from({ length: turnsAtOnce }, worker));
}

/** Thrift, not safety: a run that lost its claim to another does no harm by going on. */
async function renewRunClaim(current: Run, nowMs: number): Promise<void> {
  if (nowMs < current.renewAtMs) return;
  current.renewAtMs = nowMs + runClaimMs / 2;
  await current.ports.table.takeRunClaim(current.id, nowMs, nowMs + runClaimMs);
}

function claimTooLong(alias: string, untilMs: number, nowMs: number): Finding {
  const seen = `a run claimed it until ${isoOf(untilMs)}, longer than any run lasts`;
  return finding("CLOCK_SKEW", alias, seen, "date -u", nowMs);
}

async function oneKey(current: Run, alias: string): Promise<void> {
  const { ports, telemetry, deadlineMs, stopAtMs, pacer, homes } = current;
  const nowMs = ports.clock.nowMs();
  const claimed = await ports.table.claim(alias, {
    runId: current.id,
    nowMs,
    untilMs: deadlineMs,
    dueAgainAtMs: deadlineMs + claimBackoffMs,
  });
  switch (claimed.kind) {
    case "taken":
      if (claimed.untilMs !== undefined && claimed.untilMs > nowMs + believableAheadMs) {
        telemetry.finding(alias, claimTooLong(alias, claimed.untilMs, nowMs));
      }
      return;
    case "newer-schema": {
      const seen = `its item has schema ${claimed.schema}, newer than this code's`;
      const next = "deploy the newer version of keyturn again";
      telemetry.finding(alias, finding("SCHEMA_NEWER", alias, seen, next, nowMs));
      return;
    }
    case "claimed": {
      const turn = { ports, pacer, telemetry, deadlineMs, stopAtMs, home: homes.get(alias) };
      await takeTurn(turn, claimed.stored);
    }
  }
}
