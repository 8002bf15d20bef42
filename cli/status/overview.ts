/** What `status` says of a managed key, out of its record; pure. */
import { explain } from "../../lambda/workflow/model/commands.ts";
import {
  effects,
  finding,
  type Effect,
  type Finding,
} from "../../lambda/workflow/model/findings.ts";
import { activeVersion } from "../../lambda/workflow/model/record.ts";
import { overdueAtMs } from "../../lambda/workflow/active-version.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { nextAtMs } from "./waits.ts";

export type Overview = {
  alias: string;
  /** The key spec of the version that serves. */
  spec: string | undefined;
  /** The version that serves. */
  version: number | undefined;
  ageMs: number | undefined;
  /** 0 where the record cannot be read. */
  cryptoperiodMs: number;
  overdueAtMs: number | undefined;
  /** Of the newest open rotation, or what it rests in. */
  step: string;
  rotationId: string | undefined;
  dueAtMs: number;
  /** When what it waits for ends. */
  nextAtMs: number;
  /** What it waits for, as its last turn had it. */
  why: string;
  findings: Finding[];
  /** The gravest of its findings. */
  effect: Effect | undefined;
};

const gravity: Record<Effect, number> = { refuse: 4, halt: 3, block: 2, notice: 1 };

export function overviewOf(record: ManagedKey, nowMs: number): Overview {
  const active = activeVersion(record);
  const rotation = record.rotations.at(-1);
  const grave = [...record.findings].sort((a, b) => gravityOf(b) - gravityOf(a));
  return {
    alias: record.alias,
    spec: active?.shape.spec,
    version: active?.number,
    ageMs: active?.activatedAtMs === undefined ? undefined : nowMs - active.activatedAtMs,
    cryptoperiodMs: record.policy.cryptoperiodMs,
    overdueAtMs: active === undefined ? undefined : overdueAtMs(record, active),
    step: rotation?.step ?? restOf(record),
    rotationId: rotation?.id,
    dueAtMs: record.dueAtMs,
    nextAtMs: nextAtMs(record, nowMs),
    why: record.waitingFor,
    findings: grave,
    effect: grave[0] === undefined ? undefined : effectOf(grave[0].code),
  };
}

/** Of a record that newer code wrote: that there is one, and no more. */
export function unreadOverview(alias: string, schema: number, nowMs: number): Overview {
  const observed = `its item has schema ${schema}, newer than this keyturn can read`;
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

/** Whether anything of it waits for somebody. */
export function needsPerson({ effect }: Overview): boolean {
  return effect !== undefined && effect !== "notice";
}

/** Those that need a person first; then what should be known, what moves, and the names. */
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

/** What newer code found, and this code has no word for, is not taken for less than it may be. */
export function effectOf(code: Finding["code"]): Effect {
  return Object.hasOwn(effects, code) ? effects[code] : "halt";
}

function gravityOf({ code }: Finding): number {
  return gravity[effectOf(code)];
}

function restOf({ enrolledAtMs, unenrolment }: ManagedKey): string {
  if (unenrolment !== undefined) return "un-enrolled";
  return enrolledAtMs === undefined ? "enrolling" : "at rest";
}
