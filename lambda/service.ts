/** What lives as long as the process: the ports, the configuration, and whether it is applied. */
import type { Configuration } from "./config.ts";
import { configurationHash } from "./config.ts";
import type { Ports } from "./ports.ts";
import { run, type RunResult } from "./run.ts";
import type { Telemetry } from "./telemetry.ts";

export type Service = {
  /** One run, which the platform ends at `deadlineMs`. */
  run(deadlineMs: number): Promise<RunResult>;
};

export function createService(
  ports: Ports,
  telemetry: Telemetry,
  configuration: Configuration,
  quotaShare: number,
): Service {
  const hash = configurationHash(configuration);
  let configurationApplied = false;
  return {
    async run(deadlineMs) {
      const result = await run({
        ports,
        telemetry,
        configuration,
        configurationHash: hash,
        configurationApplied,
        quotaShare,
        deadlineMs,
      });
      configurationApplied = result.configurationApplied;
      return result;
    },
  };
}
