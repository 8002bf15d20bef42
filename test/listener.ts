import type { Telemetry } from "../lambda/telemetry/telemetry.ts";
import type { Finding } from "../lambda/workflow/model/findings.ts";

/** Keeps the findings and errors that a run reports, for tests to check. */
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
    changed: () => undefined,
    ignored: () => undefined,
  };
}
