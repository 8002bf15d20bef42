/** The phases of one version, in order. */
import type { Phase, PhaseKind } from "./phases.ts";

export type Tenure = {
  number: number;
  keyId: string;
  phases: Phase[];
  /** The start of its cryptoperiod; undefined if it is not known, or if it was never active. */
  periodFromMs: number | undefined;
  /** The end of its cryptoperiod, by the policy at that time. */
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

/** Ends the present phase and starts another; does nothing if it is the same one. */
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

/** Ends the phase at its last known time, adds an unknown one, and starts another. */
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
