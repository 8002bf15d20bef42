/** The state of the process: the ports, the configuration, and whether it is applied. */
import { answer, type Answer } from "./run/answer.ts";
import type { Configuration } from "./configuration/configuration.ts";
import { configurationHash } from "./configuration/configuration.ts";
import type { Ports } from "./ports.ts";
import { run, type RunResult } from "./run/run.ts";
import type { RunOptions } from "./pass/context.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import type { DrainWatch, UseAttempt } from "./workflow/model/types.ts";

export type Service = {
  /** One run; Lambda ends it at `deadlineMs`. */
  run(deadlineMs: number): Promise<RunResult>;
  /** Attempts to use these keys: restores each that is ours. */
  answer(attempts: UseAttempt[], deadlineMs: number): Promise<Answer[]>;
  /** The event of a canary sent at `atMs` arrived. */
  heard(atMs: number): Promise<void>;
};

export function createService(
  ports: Ports,
  telemetry: Telemetry,
  configuration: Configuration,
  quotaShare: number,
  drainWatch: DrainWatch = "none",
  refusalsWatch: DrainWatch = "none",
): Service {
  const hash = configurationHash(configuration, refusalsWatch);
  let configurationApplied = false;
  const options = (deadlineMs: number): RunOptions => ({
    ports,
    telemetry,
    configuration,
    configurationHash: hash,
    configurationApplied,
    quotaShare,
    drainWatch,
    refusalsWatch,
    deadlineMs,
  });
  return {
    async run(deadlineMs) {
      const result = await run(options(deadlineMs));
      configurationApplied = result.configurationApplied;
      return result;
    },
    heard: (atMs) => ports.table.heard(atMs),
    async answer(attempts, deadlineMs) {
      const answers: Answer[] = [];
      for (const attempt of attempts) {
        const one = await answer(options(deadlineMs), attempt);
        telemetry.answered(one);
        answers.push(one);
      }
      return answers;
    },
  };
}
