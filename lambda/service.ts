/** The state of the process: the ports, the configuration, and whether it is applied. */
import { answer, type Answer } from "./run/answer.ts";
import { changed, type ChangeOutcome } from "./run/changed.ts";
import { note, type Recent } from "./run/recent.ts";
import type { KeyChange } from "./inbound/key-change.ts";
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
  /** An external actor changed a key or an alias: marks its managed keys, which fall due. */
  changed(change: KeyChange, deadlineMs: number): Promise<ChangeOutcome[]>;
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
  const marked: Recent = new Map();
  const foreign: Recent = new Map();
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
      // It may enrol one of them.
      foreign.clear();
      const result = await run(options(deadlineMs));
      configurationApplied = result.configurationApplied;
      return result;
    },
    heard: (atMs) => ports.table.heard(atMs),
    async changed(change, deadlineMs) {
      const outcomes = await changed(options(deadlineMs), change, marked);
      for (const outcome of outcomes) telemetry.changed({ ...change, ...outcome });
      return outcomes;
    },
    async answer(attempts, deadlineMs) {
      const answers: Answer[] = [];
      for (const attempt of attempts) {
        const one = await answer(options(deadlineMs), attempt, foreign);
        if (one.outcome === "not-ours") note(foreign, one.keyId, ports.clock.nowMs());
        else telemetry.answered(one);
        answers.push(one);
      }
      const keyIds = answers.flatMap((one) => (one.outcome === "suspected" ? [one.keyId] : []));
      if (keyIds.length > 0) await changed(options(deadlineMs), { keyIds }, marked, false);
      return answers;
    },
  };
}
