/** What a run, and each pass of it, works with. */
import type { Configuration } from "../configuration/configuration.ts";
import { homesOf } from "../configuration/homes.ts";
import { createPacer, type Pacer } from "./pacer.ts";
import type { Ports } from "../ports.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { leavingOffMs } from "../workflow/model/limits.ts";
import type { DrainWatch, Home } from "../workflow/model/types.ts";

export type RunOptions = {
  ports: Ports;
  telemetry: Telemetry;
  configuration: Configuration;
  /** Of the configuration; a run that finds another one applied, applies its own. */
  configurationHash: string;
  /** False on the first run of a process, until the configuration is known to be applied. */
  configurationApplied: boolean;
  /** Of each KMS request quota, above 0 and up to 1. */
  quotaShare: number;
  /** Whether a key goes out of use only where CloudTrail's events are seen to come. */
  drainWatch?: DrainWatch;
  /** When the platform ends this run, whatever it does. */
  deadlineMs: number;
};

/** The run claim is renewed while the run works; one that was killed is in nobody's way for long. */
export const runClaimMs = 60_000;

export type Run = RunOptions & {
  id: string;
  /** When the run claim is to be renewed. */
  renewAtMs: number;
  pacer: Pacer;
  homes: Map<string, Home>;
  stopAtMs: number;
  tableId: string;
};

export function begin(options: RunOptions): Run {
  const { clock, chance } = options.ports;
  return {
    ...options,
    id: chance.id(),
    renewAtMs: clock.nowMs() + runClaimMs / 2,
    pacer: createPacer(clock, options.quotaShare),
    homes: homesOf(options.configuration),
    stopAtMs: options.deadlineMs - leavingOffMs,
    tableId: "",
  };
}
