import type { Telemetry } from "../lambda/telemetry/telemetry.ts";
import type { Finding } from "../lambda/workflow/model/findings.ts";

/** Keeps what a run tells of findings and errors, for tests to look at. */
export function listener(
  reported: { alias: string; finding: Finding }[],
  errors: unknown[],
): Telemetry {
  return {
    transition: () => undefined,
    refused: () => undefined,
    unanswered: () => undefined,
    finding: (alias, finding) => void reported.push({ alias, finding }),
    failed: (_alias, error) => void errors.push(error),
    rested: () => undefined,
    census: () => undefined,
    run: () => undefined,
    answered: () => undefined,
    ignored: () => undefined,
  };
}
