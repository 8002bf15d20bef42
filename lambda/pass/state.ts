/** What a turn works with and holds between two decisions, and the ways in which it can end. */
import type { Pacer } from "./pacer.ts";
import type { Ports, Stored } from "../ports.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Finding } from "../workflow/model/findings.ts";
import { recheckMs } from "../workflow/model/limits.ts";
import type {
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
  /** The run may not outlive this: no call is sent later. */
  deadlineMs: number;
  /** From here on the run only leaves off. */
  stopAtMs: number;
  home: Home | undefined;
  mode: Mode;
  drainWatch?: DrainWatch;
  /** The table that the record was read from. */
  tableId: string;
  /** Somebody tried to use a version that is out of use. */
  attempt?: UseAttempt;
};

/** What a turn holds between two decisions. */
export type PassState = {
  stored: Stored;
  observed: ObservedState;
  /** When the oldest of what was seen was looked at. */
  observedSinceMs: number;
  uncertain: boolean;
  parked: Context["parked"];
  /** What was asked when the turn began, in order. */
  asked: Request[];
};

export type Finish =
  /** It waits, or, where `halted`, a person must look; `findings` is all there is to know. */
  | {
      kind: "rest";
      dueAtMs: number;
      reason: string;
      findings: Finding[];
      halted: boolean;
      /** What mode `plan` would have called. */
      planned?: Planned;
    }
  | { kind: "blocked"; dueAtMs: number; reason: string }
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
