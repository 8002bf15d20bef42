/** What `status` says of a managed key, out of its record; pure. */
import { effects, type Effect, type Finding } from "../lambda/workflow/findings.ts";
import { servingVersion } from "../lambda/workflow/record.ts";
import { overdueAtMs } from "../lambda/workflow/serving.ts";
import type { ManagedKey } from "../lambda/workflow/types.ts";

export type Overview = {
  alias: string;
  /** The key spec of the version that serves. */
  spec: string | undefined;
  /** The version that serves. */
  version: number | undefined;
  ageMs: number | undefined;
  cryptoperiodMs: number;
  overdueAtMs: number | undefined;
  /** Of the newest open rotation, or what it rests in. */
  step: string;
  rotationId: string | undefined;
  dueAtMs: number;
  /** What it waits for, as its last turn had it. */
  why: string;
  findings: Finding[];
  /** The gravest of its findings. */
  effect: Effect | undefined;
};

const gravity: Record<Effect, number> = { refuse: 4, halt: 3, block: 2, notice: 1 };

export function overviewOf(record: ManagedKey, nowMs: number): Overview {
  const serving = servingVersion(record);
  const rotation = record.rotations.at(-1);
  const grave = [...record.findings].sort((a, b) => gravityOf(b) - gravityOf(a));
  return {
    alias: record.alias,
    spec: serving?.shape.spec,
    version: serving?.number,
    ageMs: serving?.activatedAtMs === undefined ? undefined : nowMs - serving.activatedAtMs,
    cryptoperiodMs: record.policy.cryptoperiodMs,
    overdueAtMs: serving === undefined ? undefined : overdueAtMs(record, serving),
    step: rotation?.step ?? restOf(record),
    rotationId: rotation?.id,
    dueAtMs: record.dueAtMs,
    why: record.resting,
    findings: grave,
    effect: grave[0] === undefined ? undefined : effects[grave[0].code],
  };
}

/** Those that need a person first; then what is overdue, what moves, and the names. */
export function byNeed(a: Overview, b: Overview): number {
  return (
    needOf(b) - needOf(a) ||
    Number(b.rotationId !== undefined) - Number(a.rotationId !== undefined) ||
    (a.alias < b.alias ? -1 : 1)
  );
}

function needOf({ findings }: Overview): number {
  return Math.max(0, ...findings.map(gravityOf));
}

function gravityOf({ code }: Finding): number {
  return gravity[effects[code]];
}

function restOf({ enrolledAtMs, unenrolment }: ManagedKey): string {
  if (unenrolment !== undefined) return "un-enrolled";
  return enrolledAtMs === undefined ? "enrolling" : "at rest";
}
