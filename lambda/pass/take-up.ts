/** Claims one managed key and makes its pass. */
import { homeOf } from "../configuration/homes.ts";
import { acceptedOf } from "../configuration/patterns.ts";
import type { ClaimRequest } from "../ports.ts";
import type { Run } from "./context.ts";
import { makePass } from "./pass.ts";
import { explain } from "../workflow/model/commands.ts";
import { finding, type Finding } from "../workflow/model/findings.ts";
import { isoOf } from "../workflow/model/iso.ts";
import { believableAheadMs } from "../workflow/model/limits.ts";
import type { UseAttempt } from "../workflow/model/types.ts";

/** How long after its claim a managed key falls due again if its run never finishes. */
const claimBackoffMs = 30_000;

function claimTooLong(alias: string, untilMs: number, nowMs: number): Finding {
  const observed = `a run has a claim until ${isoOf(untilMs)}, longer than any run lasts`;
  return finding("CLOCK_SKEW", alias, observed, "date -u", nowMs);
}

/** Makes one managed key's pass; false if it could not be claimed. */
export async function oneKey(
  current: Run,
  alias: string,
  taking: ClaimRequest["taking"],
  attempt?: UseAttempt,
): Promise<boolean> {
  const { ports, telemetry, deadlineMs, configuration, homes } = current;
  const nowMs = ports.clock.nowMs();
  const claimed = await ports.table.claim(alias, {
    runId: current.id,
    passId: ports.chance.id(),
    nowMs,
    untilMs: deadlineMs,
    dueAgainAtMs: deadlineMs + claimBackoffMs,
    taking,
  });
  switch (claimed.kind) {
    case "taken":
      if (claimed.untilMs !== undefined && claimed.untilMs > nowMs + believableAheadMs) {
        telemetry.finding(alias, claimTooLong(alias, claimed.untilMs, nowMs));
      }
      return false;
    case "newer-schema": {
      const observed = `newer code wrote the record, with schema ${claimed.schema}`;
      const next = explain("SCHEMA_NEWER");
      telemetry.finding(alias, finding("SCHEMA_NEWER", alias, observed, next, nowMs));
      return true;
    }
    case "claimed": {
      const home = homeOf(homes, configuration, claimed.stored.record);
      const asked = attempt === undefined ? {} : { attempt };
      const acceptedRefusals = acceptedOf(configuration, alias);
      const pass = { ...current, home, mode: configuration.mode, acceptedRefusals, ...asked };
      await makePass(pass, claimed.stored);
      return true;
    }
  }
}
