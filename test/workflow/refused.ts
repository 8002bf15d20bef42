/** Refused uses, as a run observes them, for the scenes of a rotation from version 1 to version 2. */
import { nameOf } from "../../lambda/refusals/tally.ts";
import type {
  AcceptedRefusal,
  OtherRefusals,
  RefusalsWatch,
  RefusedOn,
  RefusedUse,
} from "../../lambda/workflow/model/types.ts";
import { aHome, aPolicy, dayMs, minuteMs } from "../fixtures.ts";
import {
  alias,
  lastUsedAtMs,
  nowMs,
  present,
  retiredAtMs,
  stepScene,
  type Observations,
  type StepSetting,
} from "./scene.ts";

export const reader = "arn:aws:sts::000000000000:assumed-role/reader";
/** The first time at which a refusal of version 2 is no lag of authorization. */
export const settledAtMs = retiredAtMs + 10 * minuteMs;

/** By default a Decrypt a day ago. */
export function aUse(changes: Partial<RefusedUse> = {}): RefusedUse {
  const { lastAtMs = nowMs - dayMs, principal = reader } = changes;
  const times = { firstAtMs: lastAtMs, lastAtMs, storedAtMs: lastAtMs, count: 1 };
  return { principal, operation: "Decrypt", error: "AccessDenied", ...times, ...changes };
}

export function usesOf(...uses: RefusedUse[]): RefusedOn {
  const named = uses.map((use): [string, RefusedUse] => [nameOfUse(use), use]);
  return { uses: Object.fromEntries(named) };
}

export function nameOfUse({ principal, operation, error }: RefusedUse): string {
  return nameOf(principal, operation, error);
}

/** Callers beyond the first twenty, refused and joined last two days ago. */
export function othersOf(changes: Partial<OtherRefusals> = {}): RefusedOn {
  const { lastAtMs = nowMs - 2 * dayMs } = changes;
  const { grownAtMs = lastAtMs, joinedAtMs = grownAtMs } = changes;
  const times = { firstAtMs: lastAtMs, lastAtMs, grownAtMs, joinedAtMs, storedAtMs: lastAtMs };
  return { uses: {}, others: { ...times, count: 7, known: {}, ...changes } };
}

export const watching: RefusalsWatch = {
  revision: 1,
  heardAtMs: nowMs - dayMs,
  sinceMs: nowMs - 90 * dayMs,
  unattributed: 0,
  storedAtMs: nowMs - dayMs,
};

/** By key id, or under `alias`. */
export type On = Record<string, RefusedOn>;

export function refusalsOf(on: On, watch: Partial<RefusalsWatch> = {}): Observations {
  return {
    refusals: { [alias]: present({ revision: 1, on }) },
    "refusals-watch": { [alias]: present({ ...watching, ...watch }) },
  };
}

export function accepting(changes: Partial<AcceptedRefusal> = {}): AcceptedRefusal {
  return { alias: "alias/*", principal: reader, operation: "*", error: "*", ...changes };
}

export const evidence = {
  observedAtMs: nowMs - 20 * dayMs,
  hash: "evidence-hash",
  lastUse: { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" },
};

export type RefusedSetting = StepSetting & { on?: On; watch?: Partial<RefusalsWatch> };

/** Version 1 is disabled and has soaked; its policy deletes, and refused uses are collected. */
export function soaked({ on = {}, watch = {}, ...setting }: RefusedSetting = {}) {
  const policy = aPolicy({ retire: "delete" });
  const rotation = {
    evidence,
    soakSinceMs: nowMs - 14 * dayMs,
    lateUseReadAtMs: nowMs - 13 * dayMs,
    stepSinceMs: nowMs - 15 * dayMs,
    policy,
    ...setting.rotation,
  };
  const old = { state: "disabled" as const, disabledAtMs: nowMs - 15 * dayMs, ...setting.old };
  const home = aHome({ alias, policy });
  const context = { refusalsWatch: "cloudtrail" as const, home, ...setting.context };
  const record = { policy, ...setting.record };
  const observed = { ...refusalsOf(on, watch), ...setting.observed };
  return stepScene("revoke", { ...setting, record, old, rotation, context, observed });
}
