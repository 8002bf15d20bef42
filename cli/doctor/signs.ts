/** What the record of one managed key says of the service: little, so that ten thousand are little; pure. */
import type { Finding, FindingCode } from "../../lambda/workflow/model/findings.ts";
import { heardForMs } from "../../lambda/workflow/revoke/watched.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import { overdueAtMs } from "../../lambda/workflow/active-version.ts";
import { clockIsSkewed } from "../../lambda/workflow/safety/settle.ts";
import { stuckAtMs } from "../../lambda/workflow/safety/stuck.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { effectOf } from "../status/overview.ts";

export type Sign = {
  alias: string;
  dueAtMs: number;
  /** The latest moment at which a run certainly did something to it; 0 where none is known. */
  tracedAtMs: number;
  waitsForPerson: boolean;
  overdue: boolean;
  stuck: boolean;
  drifted: boolean;
  /** A claim or mark of it ends further ahead than a right clock can have written. */
  skewed: boolean;
  otherOwner: boolean;
  /** Keys made in excess that are not out of use yet. */
  orphans: string[];
  /** An old version of it is to go, and waits for an event to show that its drain is watched. */
  unheard: boolean;
};

const drift: FindingCode[] = ["ALIAS_MOVED", "ALIAS_SET_SPLIT", "ALIAS_NOT_FOUND"];

export function signOf(record: ManagedKey, heardAtMs: number | undefined, nowMs: number): Sign {
  const { alias, dueAtMs, findings } = record;
  const active = activeVersion(record);
  const has = (codes: FindingCode[]): boolean => findings.some(({ code }) => codes.includes(code));
  const asksForEvent = record.rotations.some(
    ({ watchTestedAtMs }) => watchTestedAtMs !== undefined,
  );
  const isHeard = heardAtMs !== undefined && nowMs - heardAtMs < heardForMs;
  return {
    alias,
    dueAtMs,
    tracedAtMs: tracedAtMs(record, nowMs),
    waitsForPerson: findings.some(asksForPerson),
    overdue: active !== undefined && overdueAtMs(record, active) <= nowMs,
    stuck: stuckAtMs(record) <= nowMs,
    drifted: has(drift),
    skewed: has(["CLOCK_SKEW"]) || clockIsSkewed(record, nowMs),
    otherOwner: has(["OTHER_OWNER"]),
    orphans: record.extras
      .filter((one) => one.quarantinedAtMs === undefined)
      .map((one) => one.keyId),
    unheard: has(["DRAIN_NOT_WATCHED"]) || (asksForEvent && !isHeard),
  };
}

function asksForPerson({ code }: Finding): boolean {
  return effectOf(code) !== "notice";
}

function tracedAtMs(record: ManagedKey, nowMs: number): number {
  const {
    enrolledAtMs = 0,
    taggedAtMs = 0,
    authorizationChangedAtMs,
    rotations,
    fulfilled,
  } = record;
  const inRotations = rotations.flatMap((rotation) => [
    rotation.stepSinceMs,
    rotation.evidence?.observedAtMs ?? 0,
    rotation.soakSinceMs ?? 0,
    rotation.labelledAtMs ?? 0,
  ]);
  const all = [enrolledAtMs, taggedAtMs, authorizationChangedAtMs, ...inRotations];
  const asked = [...fulfilled, ...record.rejected].map(({ atMs }) => atMs);
  return [...all, ...asked].reduce(
    (latest, atMs) => (atMs <= nowMs ? Math.max(latest, atMs) : latest),
    0,
  );
}
