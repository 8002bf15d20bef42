/** How long each step may last under its policy; a longer one is stuck. */
import { dayMs, deletionSlackMs, lastUseLagMs } from "../model/limits.ts";
import { saferOf } from "../model/policy.ts";
import type { FindingCode } from "../model/findings.ts";
import type { ManagedKey, Rotation } from "../model/types.ts";

/** Allowance for throttling, outages and lost runs. */
const slackMs = dayMs;

/** Intended waits: by an operator, or by a key policy with a date. */
const wanted: FindingCode[] = ["PAUSED", "GUARDRAIL"];

type Stepping = Pick<ManagedKey, "rotations" | "versions" | "policy" | "dependents" | "findings">;

/** From when on one of its rotations is in its step for longer than its policy explains. */
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
      // A late grant restarts the propagation wait, once.
      return 2 * policy.propagationMs + (isAwaited ? policy.acknowledgeWithinMs : 0);
    }
    case "drain":
      // The limit of the finding DRAIN_PROLONGED.
      return 2 * (policy.drain.atLeastMs + policy.drain.quietForMs);
    case "revoke": {
      const old = record.versions.find(({ number }) => number === rotation.from);
      if (old?.state === "disabled") return policy.soakMs + 2 * lastUseLagMs;
      if (old?.state !== "pending-deletion") return 0;
      return policy.deletionWindowDays * dayMs + deletionSlackMs;
    }
  }
}
