/** How long each step may last by its policy, and when one that lasts longer is stuck. */
import { dayMs, deletionSlackMs, lastUseLagMs } from "../model/limits.ts";
import { saferOf } from "../model/policy.ts";
import type { FindingCode } from "../model/findings.ts";
import type { ManagedKey, Rotation } from "../model/types.ts";

/** For what no policy plans: throttling, outages, runs that were lost. */
const slackMs = dayMs;

/** Somebody wants it to wait: a person, or a policy that says until when. */
const wanted: FindingCode[] = ["PAUSED", "GUARDRAIL"];

type Stepping = Pick<ManagedKey, "rotations" | "versions" | "policy" | "dependents" | "findings">;

/** From when on a rotation of it is longer in its step than its policy explains. */
export function stuckAtMs(record: Stepping): number {
  if (record.findings.some(({ code }) => code === "STUCK")) return 0;
  if (record.findings.some(({ code }) => wanted.includes(code))) return Infinity;
  const ends = record.rotations.map((rotation) => {
    const sinceMs = Math.max(rotation.stepSinceMs, rotation.drainSinceMs ?? 0);
    return sinceMs + limitMs(record, rotation) + slackMs;
  });
  return Math.min(...ends);
}

function limitMs(record: Stepping, rotation: Rotation): number {
  const policy = saferOf(rotation.policy, record.policy);
  switch (rotation.step) {
    case "generate":
    case "activate":
      return 0;
    case "distribute": {
      const isAwaited = [...rotation.dependents, ...record.dependents].length > 0;
      // A grant that comes late makes the wait for propagation begin anew, once.
      return 2 * policy.propagationMs + (isAwaited ? policy.acknowledgeWithinMs : 0);
    }
    case "drain":
      // As the finding DRAIN_PROLONGED has it.
      return 2 * (policy.drain.atLeastMs + policy.drain.quietForMs);
    case "revoke": {
      const old = record.versions.find(({ number }) => number === rotation.from);
      if (old?.state === "disabled") return policy.soakMs + 2 * lastUseLagMs;
      if (old?.state !== "pending-deletion") return 0;
      return policy.deletionWindowDays * dayMs + deletionSlackMs;
    }
  }
}
