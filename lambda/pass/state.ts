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
  Moment,
  Planned,
  Request,
  Seen,
  UseAttempt,
} from "../workflow/model/types.ts";

export type Turn = {
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
  seen: Seen;
  /** When the oldest of what was seen was looked at. */
  seenSinceMs: number;
  uncertain: boolean;
  parked: Moment["parked"];
  /** What was asked when the turn began, in order. */
  asked: Request[];
};

export type Ending =
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
  { kind: "on"; state: PassState } | { kind: "end"; state: PassState; ending: Ending };

export function end(state: PassState, ending: Ending): Next {
  return { kind: "end", state, ending };
}

export function halted(state: PassState, what: Finding, moment: Moment): Next {
  const dueAtMs = moment.nowMs + recheckMs;
  return end(state, {
    kind: "rest",
    dueAtMs,
    reason: `halted: ${what.code}`,
    findings: [what],
    halted: true,
  });
}
