/** One version from when it is known to when it is not: its phases, one after the other. */
import type { Phase, PhaseKind } from "./phases.ts";

export type Tenure = {
  number: number;
  keyId: string;
  phases: Phase[];
  /** From when its cryptoperiod counts; undefined where that is not known, or never was. */
  periodFromMs: number | undefined;
  /** When its cryptoperiod ends, or ended, by the policy of the time. */
  limitMs: number | undefined;
  deletionAtMs: number | undefined;
  compromisedAtMs: number | undefined;
};

export function newTenure(number: number, keyId: string): Tenure {
  return {
    number,
    keyId,
    phases: [],
    periodFromMs: undefined,
    limitMs: undefined,
    deletionAtMs: undefined,
    compromisedAtMs: undefined,
  };
}

export function kindOf({ phases }: Tenure): PhaseKind | undefined {
  return phases.at(-1)?.kind;
}

/** Ends the phase that lasts, and begins another; nothing where it is in that one. */
export function enter(
  tenure: Tenure,
  kind: PhaseKind,
  fromMs: number | undefined,
  note?: string,
): void {
  const last = tenure.phases.at(-1);
  if (last?.kind === kind) return;
  const begun: Phase = { kind, fromMs, toMs: undefined, ...(note === undefined ? {} : { note }) };
  if (last === undefined) {
    tenure.phases.push(begun);
    return;
  }
  const isEmpty = fromMs !== undefined && last.fromMs !== undefined && last.fromMs >= fromMs;
  if (isEmpty) {
    tenure.phases.pop();
    tenure.phases.push({ ...begun, fromMs: last.fromMs });
    return;
  }
  last.toMs = fromMs;
  tenure.phases.push(begun);
}

/** What it was between is not known: the phase ends where it was last known, and this one begins after. */
export function enterAfterGap(
  tenure: Tenure,
  kind: PhaseKind,
  gap: { fromMs: number | undefined; toMs: number | undefined },
  note: string,
): void {
  if (kindOf(tenure) === kind) return;
  enter(tenure, "unknown", gap.fromMs, note);
  enter(tenure, kind, gap.toMs, note);
}
