/** What a run reports, in the domain's terms; the source of log lines and metrics. */
import type { Stored } from "../ports.ts";
import type { Finding } from "../workflow/model/findings.ts";
import type { ManagedKey, Refusal } from "../workflow/model/types.ts";

type CallReport = { alias: string; call: string; reason: string; message: string };

export type RunSummary = {
  outcome: "worked" | "nothing-due" | "another-run-at-work";
  passes: number;
  failed: number;
  outOfTime: boolean;
  durationMs: number;
};

/** The state of a managed key at the end of its pass. */
export type Rested = {
  alias: string;
  overdueMs: number;
  halted: boolean;
  /** One of its rotations exceeds its step's expected time, or pass after pass fails. */
  stuck: boolean;
  /** A caller is refused since the active version is active. */
  lockedOut: boolean;
  /** A change by an external actor may end in an outage or a loss of data. */
  endangered: boolean;
  /** The number of failed passes in a row. */
  tries: number;
  dueAtMs: number;
  /** What it waits for. */
  waitingFor: string;
};

/** A change by an external actor; "known": within a minute of another one. */
export type ChangeReport = {
  alias: string;
  operation: string;
  principal: string;
  eventId: string;
  keyIds: string[];
  outcome: "due" | "known";
};

export interface Telemetry {
  /** A written transition of a managed key; its journal line is the outbox's last. */
  transition(stored: Stored): void;
  refused(report: CallReport & { refusal: Refusal }): void;
  /** A call without an answer: it may have taken effect. */
  unanswered(report: CallReport): void;
  finding(alias: string, finding: Finding): void;
  /** A pass, a chore, or the run ended in an error; the others continue. */
  failed(alias: string, error: unknown): void;
  rested(state: Rested): void;
  /** All managed keys, as the audit reads them. */
  census(records: ManagedKey[]): void;
  run(summary: RunSummary): void;
  /** A use attempt, and its outcome. */
  answered(report: { keyId: string; eventId: string; outcome: string }): void;
  /** A change by an external actor to a managed key, which is now due. */
  changed(report: ChangeReport): void;
  /** An event that claims to be a use attempt, and is not credible. */
  ignored(why: string): void;
}
