/** What an open rotation waits for, and until when, as its record alone tells; pure. */
import { lastUseLagMs } from "../../lambda/workflow/model/limits.ts";
import { hurried, saferOf } from "../../lambda/workflow/model/policy.ts";
import type { ManagedKey, Policy, Rotation, Version } from "../../lambda/workflow/model/types.ts";
import { roughly } from "../terminal/words.ts";

/** Without a time it takes an event: somebody's word, an answer, a run. */
export type Wait = { why: string; untilMs?: number };

export function waitsOf(record: ManagedKey, rotation: Rotation, nowMs: number): Wait[] {
  const safer = saferOf(rotation.policy, record.policy);
  const policy = rotation.urgent === true ? hurried(safer) : safer;
  const old = record.versions.find(({ number }) => number === rotation.from);
  const waits = inStep(rotation, policy, old);
  return waits.filter(({ untilMs }) => untilMs === undefined || untilMs > nowMs);
}

/** What a decision says it waits for, where the view of its step has other words. */
const sameWait: Record<string, string> = { "the deletion window": "KMS to delete it" };

/**
 * When what a managed key rests in ends. It is due sooner where a version retires, since the state of
 * that is read once a day.
 */
export function nextAtMs(record: ManagedKey, nowMs: number): number {
  const why = sameWait[record.waitingFor] ?? record.waitingFor;
  const waits = record.rotations.flatMap((rotation) => waitsOf(record, rotation, nowMs));
  const ends = waits.flatMap((wait) => (wait.why === why ? (wait.untilMs ?? []) : []));
  return ends.length === 0 ? record.dueAtMs : Math.min(...ends);
}

function inStep(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  if (rotation.restored !== undefined) return [{ why: `v${rotation.from} to be back in use` }];
  switch (rotation.step) {
    case "generate":
      return [{ why: "KMS to make the key" }];
    case "distribute":
      return distributing(rotation, policy);
    case "activate": {
      const left = rotation.intent.aliases.filter((alias) => !(alias in rotation.movedAtMs));
      const what =
        left.length === 0 ? "every alias to be seen on it" : `${left.join(", ")} to move`;
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
  if (enabledSinceMs === undefined) return [{ why: "the new version to be usable" }];
  const knownAtMs = enabledSinceMs + policy.propagationMs;
  const silent = dependents.filter((name) => !(name in acknowledgedAtMs));
  return [
    { why: "the new version to be known everywhere", untilMs: knownAtMs },
    ...silent.map((name) => ({
      why: `${name} to say that it is ready`,
      untilMs: knownAtMs + policy.acknowledgeWithinMs,
    })),
  ];
}

function draining(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  const { labelledAtMs, drainSinceMs = old?.retiredAtMs ?? rotation.stepSinceMs } = rotation;
  if (labelledAtMs === undefined) return [{ why: "KMS to accept the label keyturn:retired" }];
  const agedAtMs = drainSinceMs + policy.drain.atLeastMs;
  const aged = { why: "the minimum time in drain", untilMs: agedAtMs };
  if (policy.retire === "retain") return [aged];
  const lastUse = rotation.evidence?.lastUse;
  if (lastUse?.kind === "used") {
    const untilMs = lastUse.atMs + policy.drain.quietForMs + lastUseLagMs;
    return [aged, { why: `${roughly(policy.drain.quietForMs)} without a use`, untilMs }];
  }
  return [aged, { why: `KMS to tell of no use for ${roughly(policy.drain.quietForMs)}` }];
}

function revoking(rotation: Rotation, policy: Policy, old: Version | undefined): Wait[] {
  switch (old?.state) {
    case "disabled": {
      if (rotation.soakSinceMs === undefined) return [{ why: "a second look for aliases" }];
      return [{ why: "the soak", untilMs: rotation.soakSinceMs + policy.soakMs }];
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
      return [{ why: "the last looks before it is disabled" }];
  }
}
