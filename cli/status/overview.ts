/** What `status` shows of a managed key, from its record; pure. */
import { explain } from "../../lambda/workflow/model/commands.ts";
import {
  effects,
  finding,
  type Effect,
  type Finding,
  isUrgent,
} from "../../lambda/workflow/model/findings.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import { overdueAtMs } from "../../lambda/workflow/active-version.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { nextAtMs } from "./waits.ts";

export type Overview = {
  alias: string;
  /** The key spec of the active version. */
  spec: string | undefined;
  /** The number of the active version. */
  version: number | undefined;
  ageMs: number | undefined;
  /** 0 if the record cannot be read. */
  cryptoperiodMs: number;
  overdueAtMs: number | undefined;
  /** The step of the newest open rotation, or the state without one. */
  step: string;
  rotationId: string | undefined;
  dueAtMs: number;
  /** The end of the present wait. */
  nextAtMs: number;
  /** What it waits for, as of its last pass. */
  why: string;
  findings: Finding[];
  /** The most severe effect of its findings. */
  effect: Effect | undefined;
};

const severity: Record<Effect, number> = { refuse: 4, halt: 3, block: 2, notice: 1 };

export function overviewOf(record: ManagedKey, nowMs: number): Overview {
  const active = activeVersion(record);
  const rotation = record.rotations.at(-1);
  const findings = [...record.findings].sort((a, b) => severityOf(b) - severityOf(a));
  return {
    alias: record.alias,
    spec: active?.shape.spec,
    version: active?.number,
    ageMs: active?.activatedAtMs === undefined ? undefined : nowMs - active.activatedAtMs,
    cryptoperiodMs: record.policy.cryptoperiodMs,
    overdueAtMs: active === undefined ? undefined : overdueAtMs(record, active),
    step: rotation?.step ?? stateOf(record),
    rotationId: rotation?.id,
    dueAtMs: record.dueAtMs,
    nextAtMs: nextAtMs(record, nowMs),
    why: record.waitingFor,
    findings,
    effect: findings[0] === undefined ? undefined : effectOf(findings[0].code),
  };
}

/** For a record that newer code wrote: shows only that it exists. */
export function unreadOverview(alias: string, schema: number, nowMs: number): Overview {
  const observed = `schema ${schema}, newer than this keyturn can read`;
  const what = finding("SCHEMA_NEWER", alias, observed, explain("SCHEMA_NEWER"), nowMs);
  return {
    alias,
    spec: undefined,
    version: undefined,
    ageMs: undefined,
    cryptoperiodMs: 0,
    overdueAtMs: undefined,
    step: "unknown",
    rotationId: undefined,
    dueAtMs: Number.MAX_SAFE_INTEGER,
    nextAtMs: Number.MAX_SAFE_INTEGER,
    why: observed,
    findings: [what],
    effect: effects[what.code],
  };
}

/** Whether a finding holds anything until an operator acts, or reports an outage. */
export function needsPerson({ effect, findings }: Overview): boolean {
  const isHeld = effect !== undefined && effect !== "notice";
  return isHeld || findings.some(isUrgent);
}

/** Whether no step follows before an operator acts: `nextAtMs` is then the next observation. */
export function isStopped({ findings }: Pick<Overview, "findings">): boolean {
  return findings.some(({ code }) => code === "PAUSED" || effectOf(code) === "halt");
}

/** Sorts by the severity of the findings, then those in rotation first, then by name. */
export function byNeed(a: Overview, b: Overview): number {
  return (
    needOf(b) - needOf(a) ||
    Number(b.rotationId !== undefined) - Number(a.rotationId !== undefined) ||
    (a.alias < b.alias ? -1 : 1)
  );
}

function needOf({ findings }: Overview): number {
  return Math.max(0, ...findings.map(severityOf));
}

/** A finding of newer code, unknown here, counts as the most severe effect on one managed key. */
export function effectOf(code: Finding["code"]): Effect {
  return Object.hasOwn(effects, code) ? effects[code] : "halt";
}

function severityOf({ code }: Finding): number {
  return severity[effectOf(code)];
}

function stateOf({ enrolledAtMs, unenrolment }: ManagedKey): string {
  if (unenrolment !== undefined) return "un-enrolled";
  return enrolledAtMs === undefined ? "enrolling" : "idle";
}
