/** What an open rotation waits for, and until when, from its record alone; pure. */
import { waitNames } from "../../lambda/workflow/model/wait-names.ts";
import { lastUseLagMs } from "../../lambda/workflow/model/limits.ts";
import { hurried, saferOf } from "../../lambda/workflow/model/policy.ts";
import type { ManagedKey, Policy, Rotation, Version } from "../../lambda/workflow/model/types.ts";
import { roughly } from "../terminal/words.ts";

/** Without a time, it waits for an event: a request, an answer, a run. */
export type Wait = { why: string; untilMs?: number };

export function waitsOf(record: ManagedKey, rotation: Rotation, nowMs: number): Wait[] {
  const safer = saferOf(rotation.policy, record.policy);
  const policy = rotation.urgent === true ? hurried(safer) : safer;
  const old = record.versions.find(({ number }) => number === rotation.from);
  const waits: Wait[] = isApprovalAwaited(record, rotation, old)
    ? [{ why: "an approval" }]
    : inStep(rotation, policy, old);
  return waits.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}

/** The finding is open since the last pass, and closes with an approval of this evidence. */
function isApprovalAwaited(
  { findings }: ManagedKey,
  { step }: Rotation,
  old: Version | undefined,
): boolean {
  const isOpen = findings.some(
    ({ code, subject }) => code === "APPROVAL_REQUIRED" && subject === old?.keyId,
  );
  return step === "revoke" && isOpen;
}

/** The wait of a decision, if the view of its step names it differently. */
const sameWait: Record<string, string> = { [waitNames.deletion]: "KMS to delete it" };

/**
 * The end of what a managed key waits for. It can be later than `dueAtMs`: during a drain, a pass reads
 * the state of the old version once a day.
 */
export function nextAtMs(record: ManagedKey, nowMs: number): number {
  const why = sameWait[record.waitingFor] ?? record.waitingFor;
  const waits = record.rotations.flatMap((rotation) => waitsOf(record, rotation, nowMs));
  const ends = waits.flatMap((wait) => (wait.why === why ? (wait.untilMs ?? []) : []));
  return ends.length === 0 ? record.dueAtMs : Math.min(...ends);
}

function inStep(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  if (rotation.restored !== undefined) return [{ why: `v${rotation.from} to be restored` }];
  switch (rotation.step) {
    case "generate":
      return [{ why: "KMS to create the key" }];
    case "distribute":
      return distributing(rotation, policy);
    case "activate": {
      const left = rotation.intent.aliases.filter((alias) => !(alias in rotation.movedAtMs));
      const what =
        left.length === 0
          ? "every alias to point at the new version"
          : `${left.join(", ")} to move`;
      return [{ why: what }];
    }
    case "drain":
      return draining(rotation, policy, old);
    case "revoke":
      return revoking(rotation, policy, old);
  }
}

function distributing(rotation: Rotation, policy: Policy): Wait[] {
  const { enabledSinceMs, dependents, acknowledgedAtMs } = rotation;
  if (enabledSinceMs === undefined) return [{ why: "the new version to be Enabled" }];
  const knownAtMs = enabledSinceMs + policy.propagationMs;
  const silent = dependents.filter((name) => !(name in acknowledgedAtMs));
  return [
    { why: "propagation", untilMs: knownAtMs },
    ...silent.map((name) => ({
      why: `${name} to acknowledge the new version`,
      untilMs: knownAtMs + policy.acknowledgeWithinMs,
    })),
  ];
}

function draining(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  const { labelledAtMs, drainSinceMs = old?.retiredAtMs ?? rotation.stepSinceMs } = rotation;
  if (labelledAtMs === undefined) return [{ why: "KMS to accept the label keyturn:retired" }];
  const agedAtMs = drainSinceMs + policy.drain.atLeastMs;
  const aged = { why: waitNames.drain, untilMs: agedAtMs };
  if (policy.retire === "retain") return [aged];
  const lastUse = rotation.evidence?.lastUse;
  if (lastUse?.kind === "used") {
    const untilMs = lastUse.atMs + policy.drain.quietForMs + lastUseLagMs;
    return [aged, { why: `${roughly(policy.drain.quietForMs)} without a use`, untilMs }];
  }
  return [aged, { why: `KMS to report no use for ${roughly(policy.drain.quietForMs)}` }];
}

function revoking(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  switch (old?.state) {
    case "disabled": {
      if (rotation.soakSinceMs === undefined) return [{ why: "a second check for aliases" }];
      return [{ why: waitNames.soak, untilMs: rotation.soakSinceMs + policy.soakMs }];
    }
    case "pending-deletion": {
      const { deletionAtMs } = old;
      if (deletionAtMs === undefined) return [{ why: "KMS to delete it" }];
      return [{ why: "KMS to delete it", untilMs: deletionAtMs }];
    }
    case "pending-activation":
    case "active":
    case "draining":
    case "retained":
    case "reactivating":
    case undefined:
      return [{ why: "the last checks before DisableKey" }];
  }
}
