/** What one record shows of the service. It is small, to hold ten thousand in memory; pure. */
import {
  isDanger,
  isOutage,
  type Finding,
  type FindingCode,
} from "../../lambda/workflow/model/findings.ts";
import { heardForMs } from "../../lambda/workflow/revoke/watched.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import { overdueAtMs } from "../../lambda/workflow/active-version.ts";
import { clockIsSkewed } from "../../lambda/workflow/safety/settle.ts";
import { stuckAtMs } from "../../lambda/workflow/safety/stuck.ts";
import type { ManagedKey, RefusalsWatch } from "../../lambda/workflow/model/types.ts";
import { isUncollected } from "../forecast/refusals.ts";
import { effectOf } from "../status/overview.ts";

export type Sign = {
  alias: string;
  dueAtMs: number;
  /** The latest time at which a run certainly worked on it; 0 if there is none. */
  tracedAtMs: number;
  waitsForPerson: boolean;
  /** A retired version that somebody needs, or may need. */
  needed: boolean;
  /** A call that cannot be undone waits for an approval. */
  unapproved: boolean;
  overdue: boolean;
  stuck: boolean;
  drifted: boolean;
  /** A claim or mark ends later than a correct clock can have written. */
  skewed: boolean;
  otherOwner: boolean;
  /** Excess keys that are not quarantined yet. */
  excess: string[];
  /** The revocation of an old version waits for an event that proves the monitoring. */
  unheard: boolean;
  /** KMS has refused callers on the active version since its activation. */
  lockedOut: boolean;
  /** An external actor endangers a version, or changed the key policy of one. */
  changed: boolean;
  /** Whether a canary of the refused uses should have arrived by now, and did not. */
  uncollected: boolean;
};

const drift: FindingCode[] = ["ALIAS_MOVED", "ALIAS_SET_SPLIT", "ALIAS_NOT_FOUND"];
const need: FindingCode[] = [
  "GRANT_HOLDS_OLD_VERSION",
  "ORIGINATED_AFTER_ACTIVATION",
  "READ_BY_ALIAS",
  "REFUSED_USE",
  "USED_WHILE_DISABLED",
];

/** The canaries that arrived, and whether the deployment collects refused uses. */
export type Heard = {
  heardAtMs: number | undefined;
  refusalsWatch: RefusalsWatch | undefined;
  collectsRefusals: boolean | undefined;
};

export function signOf(record: ManagedKey, heard: Heard, nowMs: number): Sign {
  const { heardAtMs, refusalsWatch, collectsRefusals } = heard;
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
    waitsForPerson: findings.some(needsOperator),
    needed: has(need),
    unapproved: has(["APPROVAL_REQUIRED"]),
    overdue: active !== undefined && overdueAtMs(record, active) <= nowMs,
    stuck: stuckAtMs(record) <= nowMs,
    drifted: has(drift),
    skewed: has(["CLOCK_SKEW"]) || clockIsSkewed(record, nowMs),
    otherOwner: has(["OTHER_OWNER"]),
    excess: record.extras
      .filter((one) => one.quarantinedAtMs === undefined)
      .map((one) => one.keyId),
    unheard: has(["DRAIN_NOT_WATCHED"]) || (asksForEvent && !isHeard),
    lockedOut: findings.some(isOutage),
    changed: findings.some(isDanger) || has(["VERSION_CHANGED", "KEY_POLICY_CHANGED"]),
    uncollected: collectsRefusals === true && isUncollected(record, refusalsWatch, nowMs),
  };
}

function needsOperator({ code }: Finding): boolean {
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
