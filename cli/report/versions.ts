/** The report of each version: its phases, its active time and its cryptoperiod. */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import type { KeyShape } from "../../lambda/workflow/model/types.ts";
import { rotationsOf, tenuresOf } from "./history.ts";
import type { Phase, PhaseKind } from "./phases.ts";
import { kindOf, type Tenure } from "./tenure.ts";

export type Span = { fromMs: number; toMs: number | undefined };

export type VersionReport = {
  number: number;
  keyId: string;
  /** Empty if no version is left that shows the account and Region. */
  arn: string;
  shape: KeyShape | undefined;
  phases: Phase[];
  /** The present phase. */
  phase: PhaseKind;
  /** The first start and the last end of its active time; undefined: not known, or never. */
  activeFromMs: number | undefined;
  activeToMs: number | undefined;
  /** Its whole active time; undefined if some of it is not known. */
  activeMs: number | undefined;
  cryptoperiodMs: number | undefined;
  cryptoperiodEndsAtMs: number | undefined;
  overdue: Span[];
  deletionAtMs: number | undefined;
  compromisedAtMs: number | undefined;
  /** DER SubjectPublicKeyInfo, in Base64: it stays when the version is deleted. */
  publicKey: string | undefined;
};

export function versionsOf(history: KeyHistory, nowMs: number): VersionReport[] {
  const arnOf = arnFor(history);
  const shapes = shapesOf(history);
  return tenuresOf(history).map((tenure) => {
    const { number, keyId, phases, periodFromMs, limitMs } = tenure;
    const active = phases.filter(({ kind }) => kind === "active");
    const isOver = active.length > 0 && active.every(({ toMs }) => toMs !== undefined);
    const known = periodFromMs !== undefined && limitMs !== undefined;
    return {
      number,
      keyId,
      arn: arnOf(keyId),
      shape: shapes.get(number),
      phases,
      phase: kindOf(tenure) ?? "unknown",
      activeFromMs: active[0]?.fromMs,
      activeToMs: isOver ? active.at(-1)?.toMs : undefined,
      activeMs: durationOf(active, nowMs),
      cryptoperiodMs: known ? limitMs - periodFromMs : undefined,
      cryptoperiodEndsAtMs: limitMs,
      overdue: overdueIn(tenure, nowMs),
      deletionAtMs: tenure.deletionAtMs,
      compromisedAtMs: tenure.compromisedAtMs,
      publicKey: publicKeyOf(history, keyId),
    };
  });
}

/** From its journal line, which outlives the version. */
function publicKeyOf({ journal }: KeyHistory, keyId: string): string | undefined {
  const line = journal.find(
    ({ event, detail }) => event === "public-key-archived" && detail.keyId === keyId,
  );
  return line === undefined ? undefined : String(line.detail.publicKey);
}

function durationOf(phases: Phase[], nowMs: number): number | undefined {
  let sumMs = 0;
  for (const [index, { fromMs, toMs }] of phases.entries()) {
    // Only the last phase may have no end.
    const endMs = toMs ?? (index === phases.length - 1 ? nowMs : undefined);
    if (fromMs === undefined || endMs === undefined) return undefined;
    sumMs += Math.max(0, endMs - fromMs);
  }
  return sumMs;
}

function overdueIn({ phases, limitMs }: Tenure, nowMs: number): Span[] {
  if (limitMs === undefined) return [];
  return phases.flatMap(({ kind, fromMs, toMs }): Span[] => {
    const startMs = Math.max(limitMs, fromMs ?? limitMs);
    const isBeyond = kind === "active" && (toMs ?? nowMs) > startMs;
    return isBeyond ? [{ fromMs: startMs, toMs }] : [];
  });
}

/** All keys of a managed key have the same account and Region: only the id differs. */
function arnFor({ record }: KeyHistory): (keyId: string) => string {
  const [any] = record.versions;
  const prefix = any?.arn.slice(0, any.arn.lastIndexOf("/") + 1);
  return (keyId) => (prefix === undefined ? "" : `${prefix}${keyId}`);
}

/** By number. A successor has the shape of its predecessor. */
function shapesOf(history: KeyHistory): Map<number, KeyShape> {
  const shapes = new Map<number, KeyShape>();
  for (const { from, to, direction, intent } of rotationsOf(history).values()) {
    if (direction === "back") continue;
    shapes.set(to, intent.shape);
    if (!shapes.has(from)) shapes.set(from, intent.shape);
  }
  for (const { number, shape } of history.record.versions) shapes.set(number, shape);
  return shapes;
}
