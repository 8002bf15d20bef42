/** Interrupts a history at one request after another, and compares the end states. */
import { unreadable } from "./application.ts";
import { checkpointOf, restored, type Checkpoint } from "./checkpoint.ts";
import { Deployment, startMs } from "./deployment.ts";
import { differences, endOf, type EndState } from "./end-state.ts";
import { killTick, wholeTick, type Kill } from "./killed-tick.ts";
import type { History } from "./history.ts";
import { makeFirstVersions } from "./histories.ts";

/** A tick of the undisturbed history: its start, and its requests in order. */
export type Tick = { from: Checkpoint; operations: string[] };

export type Reference = { history: History; ticks: Tick[]; end: EndState; deleted: string[] };

export type Case = { history: string; tick: number; operation: string; kill: Kill };

export type Verdict = { case: Case; deviations: string[]; extras: number };

/** Plays the undisturbed history; any violation in it is an error. */
export async function referenceOf(
  history: History,
  how: "in this process" | "as processes" = "in this process",
): Promise<Reference> {
  const deployment = await Deployment.open(history);
  const ticks: Tick[] = [];
  try {
    makeFirstVersions(deployment);
    await deployment.passUntil(startMs + history.horizonMs, async () => {
      const operations: string[] = [];
      const from = await checkpointOf(deployment);
      deployment.aws.fault = (service, name) => void operations.push(`${service} ${name}`);
      await (how === "as processes" ? wholeTick(deployment) : deployment.tick());
      deployment.aws.fault = undefined;
      ticks.push({ from, operations });
    });
    const { state, wrong } = await endOf(deployment);
    const { keys } = deployment.aws.kms.world;
    const deleted = deployment.products.filter(({ keyId }) => !keys.has(keyId));
    const names = [...new Set(deleted.map(({ version }) => version))];
    const all = [...deployment.complaints, ...wrong, ...unreadable(deployment, names)];
    if (all.length > 0) throw new Error(`${history.name}, uninterrupted: ${all.join("; ")}`);
    return { history, ticks, end: state, deleted: names };
  } finally {
    await deployment.close();
  }
}

/**
 * The differences of two undisturbed histories: in their end states, or in their KMS calls. Chores
 * do not count: a few milliseconds decide which tick they share with other work.
 */
export function differencesOf(one: Reference, other: Reference): string[] {
  const asked = ({ ticks }: Reference): string[] =>
    ticks.flatMap(({ operations }) => operations.filter((name) => name.startsWith("kms "))).sort();
  return [...differences(one.end, other.end), ...differences(asked(one), asked(other))];
}

const reads = new RegExp(
  "^(dynamodb (Query|GetItem|BatchGetItem|DescribeTable)|tagging GetResources|" +
    "kms (DescribeKey|List\\w+|GetKeyPolicy|GetKeyLastUsage|GetPublicKey))$",
);

/** A case at every request; before and after it is applied, if it changes something. */
export function casesOf({ history, ticks }: Reference): Case[] {
  return ticks.flatMap(({ operations }, tick) =>
    operations.flatMap((operation, index) => {
      const whens: Kill["when"][] = reads.test(operation) ? ["before"] : ["before", "after"];
      return whens.map((when) => {
        const kill = { request: index + 1, when };
        return { history: history.name, tick, operation, kill };
      });
    }),
  );
}

/** The cases in ticks that make a key. */
export function casesOfGenerate(reference: Reference): Case[] {
  return casesOf(reference).filter(({ tick }) =>
    reference.ticks[tick]?.operations.includes("kms CreateKey"),
  );
}

/** Kills one tick there, lets ticks run until nothing is due, and compares. */
export async function verdictOn(reference: Reference, one: Case, seed: number): Promise<Verdict> {
  const from = reference.ticks[one.tick]?.from;
  if (from === undefined) throw new Error(`no tick ${one.tick}`);
  const deployment = await restored(from, seed);
  try {
    const operation = await killTick(deployment, one.kill);
    await deployment.passUntil(startMs + reference.history.horizonMs);
    const { state, wrong, extras } = await endOf(deployment);
    const needless = extras > 0 && reference.history.tagsFoundAfterMs === 0;
    const deviations = [
      ...deployment.complaints,
      ...wrong,
      ...(needless ? [`${extras} excess keys, although a lookup finds all`] : []),
      ...differences(reference.end, state),
      ...unreadable(deployment, reference.deleted),
    ];
    return { case: { ...one, operation }, deviations, extras };
  } finally {
    await deployment.close();
  }
}

/** Plays a few cases at once: one runs in this process while another waits for its own. */
export async function sweep(
  reference: Reference,
  cases: Case[],
  atOnce: number,
  reported: (verdict: Verdict) => void = () => undefined,
): Promise<Verdict[]> {
  const queue = cases.map((one, index) => ({ one, seed: index + 2 }));
  const verdicts: Verdict[] = [];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const verdict = await verdictOn(reference, next.one, next.seed);
      verdicts.push(verdict);
      reported(verdict);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return verdicts;
}

export function describeVerdict({ case: one, deviations }: Verdict): string {
  const { history, tick, operation, kill } = one;
  const where = `${history}, tick ${tick}, request ${kill.request}: killed ${kill.when} ${operation}`;
  return `${where}\n${deviations.map((text) => `    ${text}`).join("\n")}`;
}
