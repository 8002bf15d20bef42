/** What a pass uses, its state between two decisions, and the ways to finish. */
import type { Pacer } from "./pacer.ts";
import type { Ports, Stored } from "../ports.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Finding } from "../workflow/model/findings.ts";
import { recheckMs } from "../workflow/model/limits.ts";
import type {
  AcceptedRefusal,
  DrainWatch,
  Home,
  Mode,
  Context,
  Planned,
  Request,
  ObservedState,
  UseAttempt,
} from "../workflow/model/types.ts";

export type Pass = {
  ports: Ports;
  pacer: Pacer;
  telemetry: Telemetry;
  /** The end of the run: no call is sent later. */
  deadlineMs: number;
  /** From here on the run only finishes. */
  stopAtMs: number;
  home: Home | undefined;
  mode: Mode;
  drainWatch?: DrainWatch;
  refusalsWatch?: DrainWatch;
  acceptedRefusals: AcceptedRefusal[];
  /** The record's table. */
  tableId: string;
  /** An attempt to use a version that is out of use. */
  attempt?: UseAttempt;
};

/** The state of a pass between two decisions. */
export type PassState = {
  stored: Stored;
  observed: ObservedState;
  /** The time of the oldest observation. */
  observedSinceMs: number;
  uncertain: boolean;
  parked: Context["parked"];
  /** The requests at the start of the pass, in order. */
  asked: Request[];
  /** The grants that this pass created. */
  grantsMade: number;
};

export type Finish =
  /** It waits; if `halted`, for an operator. `findings` is complete. */
  | {
      kind: "rest";
      dueAtMs: number;
      reason: string;
      findings: Finding[];
      halted: boolean;
      /** The call that mode `plan` leaves out. */
      planned?: Planned;
    }
  /** `findings`: new ones that need no read of KMS; what it read may change while an earlier call lands. */
  | { kind: "blocked"; dueAtMs: number; reason: string; findings: Finding[] }
  | { kind: "retry"; reason: string; findings: Finding[] }
  | { kind: "out-of-time" };

export type Next =
  { kind: "on"; state: PassState } | { kind: "end"; state: PassState; finish: Finish };

export function end(state: PassState, finish: Finish): Next {
  return { kind: "end", state, finish };
}

export function halted(state: PassState, what: Finding, context: Context): Next {
  const dueAtMs = context.nowMs + recheckMs;
  return end(state, {
    kind: "rest",
    dueAtMs,
    reason: `halted: ${what.code}`,
    findings: [what],
    halted: true,
  });
}
