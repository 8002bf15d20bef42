/** The ports of one process: the twins, behind a network with faults. */
import { canonicalJson } from "../../lambda/record/canonical.ts";
import { RotationError, type FaultCode } from "../../lambda/errors.ts";
import { claimBy, type ClaimSteps } from "../../lambda/pass/claim.ts";
import type {
  Claimed,
  ClaimRequest,
  Discovery,
  Expected,
  Guard,
  KeyService,
  Ports,
  Stored,
  Table,
  Written,
} from "../../lambda/ports.ts";
import { tagNames } from "../../lambda/workflow/model/tag-names.ts";
import type { Call } from "../../lambda/workflow/model/types.ts";
import type { Checker } from "../checkers/checker.ts";
import { createKeyServiceTwin } from "../ports/keys.ts";
import type { TableTwin } from "../ports/table.ts";
import type { SimRandom } from "../../embedded-aws/random.ts";
import type { Engine } from "./engine.ts";
import type { FaultPlan, Medium } from "./fault-plan.ts";
import type { Network } from "./network.ts";
import type { Sandbox } from "./sandbox.ts";
import type { SharedKms } from "./shared-kms.ts";

/** A changing call that has left its process and has not arrived yet. */
export type Flight = { call: Call; sentAtMs: number };

export type Outside = {
  engine: Engine;
  kms: SharedKms;
  table: TableTwin;
  network: Network;
  faultPlan: FaultPlan;
  random: SimRandom;
  flights: Set<Flight>;
  principalArn: string;
  /** Called with the mark of each canary. */
  canary: (mark: string) => void;
  /** Called with the answer of the table to the claim of a pass. */
  claimed: NonNullable<Checker["onClaim"]>;
  /** Called on every write of a record. */
  wrote: (before: Stored | undefined, after: Stored) => void;
};

export function portsOf(sandbox: Sandbox, outside: Outside): Ports {
  const { kms, network, principalArn, random, faultPlan } = outside;
  const real = createKeyServiceTwin(kms, sandbox.clock, principalArn);
  const unhindered = createKeyServiceTwin(kms.twin, sandbox.clock, principalArn);
  const faulty = <T>(port: string, of: T, medium: Medium, code: FaultCode): T =>
    passing(network, sandbox, port, of, medium, code);
  const lastUseOf: KeyService["lastUseOf"] = async (keyId) =>
    faultPlan.strikes("unknownUse")
      ? { kind: "observed", value: { kind: "unknown", why: "not tracked" } }
      : real.lastUseOf(keyId);
  const canary: KeyService["canary"] = async (keyId, mark) => {
    await real.canary(keyId, mark);
    outside.canary(mark);
  };
  return {
    keys: {
      ...faulty("KMS", { ...real, lastUseOf, canary }, "observe", "KMS_FAILED"),
      change: changing(sandbox, outside, real),
      // No decision rests on the answer: it passes no faults, and draws none from the seed (ADR 13).
      rotatesItself: (keyId) => unhindered.rotatesItself(keyId),
    },
    discovery: faulty("tagging", discoveryOf(outside), "observe", "DISCOVERY_FAILED"),
    table: {
      ...faulty("table", tableOf(outside), "table", "TABLE_FAILED"),
      claim: claiming(outside, (steps) => faulty("table claim", steps, "table", "TABLE_FAILED")),
    },
    events: faulty("events", { publish: () => Promise.resolve() }, "other", "EVENTS_FAILED"),
    clock: sandbox.clock,
    chance: { next: () => random.next(), id: () => random.uuid() },
  };
}

type Method = (...input: unknown[]) => Promise<unknown>;

/** Each method of a port, through the network; its failures are faults of this code. */
function passing<T>(
  network: Network,
  sandbox: Sandbox,
  port: string,
  of: T,
  medium: Medium,
  code: FaultCode,
): T {
  const methods = Object.entries(of as object).flatMap(([name, method]: [string, unknown]) => {
    if (typeof method !== "function") return [];
    const far = (...input: unknown[]): Promise<unknown> =>
      network.pass(sandbox, {
        medium,
        name: () => `${port} ${name} ${input.map(plainly).join(" ")}`,
        apply: () => (method as Method)(...input),
        unanswered: () => Promise.reject(new RotationError(code, "no response", undefined)),
        refused: () => Promise.reject(new RotationError(code, "too many requests", undefined)),
      });
    return [[name, far]];
  });
  return Object.fromEntries(methods) as T;
}

/** A short form of an argument, for the trace. */
function plainly(argument: unknown): string {
  if (typeof argument !== "object" || argument === null) return String(argument);
  const { record } = argument as Partial<Stored>;
  if (record === undefined) return JSON.stringify(argument).slice(0, 200);
  return `${record.alias} revision ${record.revision} epoch ${record.epoch}`;
}

function changing(
  sandbox: Sandbox,
  { network, flights, faultPlan }: Outside,
  real: KeyService,
): KeyService["change"] {
  return (call: Call, guard: Guard) =>
    network.pass(sandbox, {
      medium: "change",
      name: () => describeCall(call),
      apply: () => real.change(call, { ...guard, deadlineMs: Infinity }),
      unanswered: () => Promise.resolve({ kind: "unknown", message: "no response" }),
      refused: () =>
        Promise.resolve({ kind: "refused", refusal: "Throttled", message: "Rate exceeded" }),
      isLate: () => {
        if (!faultPlan.envelope.deadlinesHold) return undefined;
        if (sandbox.clock.nowMs() <= guard.deadlineMs) return undefined;
        const message = "past the deadline of the run";
        return Promise.resolve({ kind: "refused", refusal: "PastDeadline", message });
      },
      underWay: () => {
        const flight = { call, sentAtMs: sandbox.clock.nowMs() };
        flights.add(flight);
        return () => void flights.delete(flight);
      },
    });
}

export function describeCall(call: Call): string {
  switch (call.kind) {
    case "CreateKey":
      return `CreateKey for ${call.tags[tagNames.alias] ?? "?"}`;
    case "UpdateAlias":
      return `UpdateAlias ${call.alias} to ${call.keyId}`;
    case "CreateGrant":
    case "TagResource":
    case "UntagResource":
    case "CancelKeyDeletion":
    case "EnableKey":
    case "DisableKey":
    case "ScheduleKeyDeletion":
      return `${call.kind} ${call.keyId}`;
  }
}

/** Searches the tags of some time ago: the tagging API documents no bound of its lag. */
function discoveryOf({ kms, faultPlan }: Outside): Discovery {
  const keysWhere = async (carries: (tags: ReadonlyMap<string, string>) => boolean) => {
    const thenMs = kms.world.clock.nowMs() - faultPlan.lagMs("unfound");
    return [...kms.world.keys.keys()].flatMap((keyId) => {
      const tags = kms.recentStates.keyAt(keyId, thenMs)?.tags;
      if (tags === undefined || !carries(tags)) return [];
      return [{ keyId, tags: Object.fromEntries(tags) }];
    });
  };
  return {
    keysTagged: (wanted) =>
      keysWhere((there) =>
        Object.entries(wanted).every(([name, value]) => there.get(name) === value),
      ),
    keysWithTag: (name) => keysWhere((there) => there.has(name)),
  };
}

/** Like the adapter: a write that arrives twice counts as its own. */
function tableOf({ table, wrote }: Outside): Table {
  const write = async (next: Stored, expected: Expected): Promise<Written> => {
    const before = await table.read(next.record.alias);
    const written = await table.write(next, expected);
    if (written.kind === "written") {
      wrote(before, next);
      return written;
    }
    const isOwn = before !== undefined && canonicalJson(before) === canonicalJson(plain(next));
    return isOwn ? { kind: "written" } : written;
  };
  return { ...table, write };
}

/** Each request of a claim passes the network: another pass may act between two of them. */
function claiming(
  { table, claimed }: Outside,
  far: (steps: ClaimSteps) => ClaimSteps,
): Table["claim"] {
  return async (alias: string, request: ClaimRequest): Promise<Claimed> => {
    const answer = await claimBy(far(table.claimSteps(alias, request)), request);
    const stored = table.stored(alias) as Stored | undefined;
    claimed(alias, request, answer, stored?.record.claim);
    return answer;
  };
}

function plain(stored: Stored): unknown {
  return JSON.parse(JSON.stringify(stored));
}
