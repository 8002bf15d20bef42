/** The options and state of a run, for each of its passes. */
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
  /** A run that finds another configuration applied, applies its own. */
  configurationHash: string;
  /** False in a new process, until it knows that the configuration is applied. */
  configurationApplied: boolean;
  /** The share of each KMS request quota, above 0 and up to 1. */
  quotaShare: number;
  /** Whether a key goes out of use only if CloudTrail's events arrive. */
  drainWatch?: DrainWatch;
  /** Whether a version is deleted only if refused uses are collected. */
  refusalsWatch?: DrainWatch;
  /** When Lambda ends this run. */
  deadlineMs: number;
};

/** A working run renews its claim; the claim of a killed run soon expires. */
export const runClaimMs = 60_000;

export type Run = RunOptions & {
  id: string;
  /** When to renew the run claim. */
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
