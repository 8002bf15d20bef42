/** What a run tells the outside of itself, in the domain's words; log lines and metrics are made of it. */
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

/** What a managed key is like at the end of its turn. */
export type Rested = {
  alias: string;
  overdueMs: number;
  halted: boolean;
  /** A rotation of it is longer in its step than its policy explains, or turn after turn fails. */
  stuck: boolean;
  /** How many turns in a row came to nothing. */
  tries: number;
  dueAtMs: number;
  /** What it waits for. */
  waitingFor: string;
};

export interface Telemetry {
  /** A transition of a managed key was written; its line of history is the outbox's last. */
  transition(stored: Stored): void;
  refused(report: CallReport & { refusal: Refusal }): void;
  /** A call whose answer is not known: it may have happened. */
  unanswered(report: CallReport): void;
  finding(alias: string, finding: Finding): void;
  /** A managed key's turn, a chore, or the run ended in an error; the others go on. */
  failed(alias: string, error: unknown): void;
  rested(state: Rested): void;
  /** All managed keys, as the audit reads them. */
  census(records: ManagedKey[]): void;
  run(summary: RunSummary): void;
  /** A use attempt, and what came of it. */
  answered(report: { keyId: string; eventId: string; outcome: string }): void;
  /** An event that claims to be a use attempt, and is not believed. */
  ignored(why: string): void;
}
