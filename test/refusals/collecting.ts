/** A collector on the table in memory, with the events that its queue delivers. */
import { Collector, type Collected, type Message } from "../../lambda/refusals/collect.ts";
import type { Tally } from "../../lambda/refusals/tally.ts";
import { nameOf } from "../../lambda/refusals/tally.ts";
import { refusalsMark } from "../../lambda/inbound/canary.ts";
import type { RefusedOn, Refusals, Version } from "../../lambda/workflow/model/types.ts";
import { SimClock } from "../../embedded-aws/clock.ts";
import { aRecord, aVersion } from "../contract/tables.ts";
import { dayMs } from "../fixtures.ts";
import { account, arnOf, eventOf, first, second } from "../inbound/cloudtrail.ts";
import { denialOf, deniedOf, home, incorrectKeyOf } from "../inbound/refused.ts";
import { aCountedTable, type Counted } from "./counted.ts";

export const orders = "alias/orders";
export const startMs = Date.UTC(2027, 0, 30);
/** Version 1 was retired, and version 2 became active. */
export const movedAtMs = startMs - 2 * dayMs;

export const roleArn = (name: string): string =>
  `arn:aws:sts::${account}:assumed-role/${name}/session`;

/** Versions 1, retired, and 2, active. */
export function versionsOf(changes: Partial<Version> = {}): Version[] {
  const retired = { activatedAtMs: movedAtMs - 90 * dayMs, retiredAtMs: movedAtMs };
  return [
    aVersion({ number: 1, keyId: first, state: "draining", ...retired }),
    aVersion({ number: 2, keyId: second, activatedAtMs: movedAtMs, ...changes }),
  ];
}

export function aTally(changes: Partial<Tally> = {}): Tally {
  const { principal = "arn:aws:iam::111122223333:role/app", operation = "Decrypt" } = changes;
  const { error = "AccessDenied", lastAtMs = startMs } = changes;
  const name = nameOf(principal, operation, error);
  const times = { firstAtMs: lastAtMs, lastAtMs, count: 1 };
  return { subject: first, name, principal, operation, error, ...times, ...changes };
}

/** One use by each of so many principals. */
export function manyTallies(count: number, changes: Partial<Tally> = {}): Tally[] {
  return Array.from({ length: count }, (_, index) =>
    aTally({ principal: `arn:aws:iam::111122223333:role/app-${index}`, ...changes }),
  );
}

const timeOf = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`;

export type Refused = { by?: string; keyId?: string; atMs?: number; operation?: string };

/** A denied call on a key, by a session of a role. */
export function deniedUse(refused: Refused = {}): unknown {
  const { by = "app", keyId = first, atMs = startMs, operation = "Decrypt" } = refused;
  return deniedOf({
    eventName: operation,
    eventTime: timeOf(atMs),
    userIdentity: { type: "AssumedRole", arn: roleArn(by), accountId: account },
    errorMessage: denialOf(arnOf(keyId)),
  });
}

/** A Decrypt that named this alias, or key, for data of another key. */
export function incorrectKey(named: string, atMs = startMs): unknown {
  return incorrectKeyOf(named, { eventTime: timeOf(atMs) });
}

export const unattributed = (): unknown => deniedOf({ errorMessage: "you are not authorized" });

export function canaryOf(atMs: number): unknown {
  const userAgent = `aws-sdk-js/3 ${refusalsMark}`;
  return eventOf({ eventName: "DescribeKey", eventTime: timeOf(atMs), userAgent });
}

export function messagesOf(events: unknown[]): Message[] {
  return events.map((event, index) => ({ id: `m${index}`, body: JSON.stringify(event) }));
}

export type Collecting = Counted & {
  clock: SimClock;
  collect: (...events: unknown[]) => Promise<Collected>;
  /** Another process on the same table. */
  another: () => (...events: unknown[]) => Promise<Collected>;
  stored: (alias?: string) => Promise<Refusals | undefined>;
  /** What is stored of a version. */
  on: (keyId?: string) => Promise<RefusedOn>;
};

/** The managed key `alias/orders`, unless `versions` is undefined; `alias/orders-eu` is of its set. */
export async function aCollector(
  { versions }: { versions?: Version[] } = { versions: versionsOf() },
): Promise<Collecting> {
  const clock = new SimClock({ startMs });
  const there = aCountedTable();
  const { twin, table } = there;
  if (versions !== undefined) {
    await twin.create(aRecord({ alias: orders, versions }));
    for (const { keyId } of versions) await twin.bind(keyId, orders, startMs);
  }
  const process = () => {
    const aliasOf = (alias: string) => (alias === "alias/orders-eu" ? orders : alias);
    const collector = new Collector(table, () => clock.nowMs(), aliasOf);
    return (...events: unknown[]) => collector.collect(messagesOf(events), home);
  };
  const stored = (alias = orders) => twin.refusals(alias);
  return {
    ...there,
    clock,
    collect: process(),
    another: process,
    stored,
    on: async (keyId = first) => (await stored())?.on[keyId] ?? { uses: {} },
  };
}
