/** What determines a simulated history, and what comes of it. */
import type { Scenario } from "../scenario.ts";
import type { Violation } from "../checkers/checker.ts";
import type { Faults } from "./fault-plan.ts";

export type HistoryResult = {
  violations: Violation[];
  rates: Faults;
  faults: Partial<Record<string, number>>;
  faultCount: number;
  events: number;
  runs: number;
  simulatedMs: number;
  rotations: number;
};

export type RotatorName = "keyturn" | "naive";

export type WorldOptions = {
  seed: number;
  scenario: Scenario;
  rotator?: RotatorName;
  /** After this many faults there are no more. */
  faultsMax?: number;
  /** Whether the table returns copies, like any table, or its own values, which is faster. */
  tableCopies?: boolean;
  /** Receives every line of the trace. Without it the world builds no lines. */
  trace?: (line: string) => void;
};
