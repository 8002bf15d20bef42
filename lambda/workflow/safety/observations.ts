/** How a step reads what was seen: what is missing is looked at, what is denied is a finding. */
import { showKey, showPolicy } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { authorizationLagMs } from "../model/limits.ts";
import type {
  Decision,
  KmsRead,
  ManagedKey,
  Context,
  Scene,
  ObservedState,
  Observation,
} from "../model/types.ts";

export function nothingObserved(): ObservedState {
  return {
    key: {},
    aliases: {},
    policy: {},
    tags: {},
    grants: {},
    "last-use": {},
    successors: {},
    lineage: {},
    watch: {},
  };
}

/** What a look was at: the key id, alias or rotation id under which `Seen` keeps the answer. */
export function subjectOfRead(read: KmsRead): string {
  switch (read.kind) {
    case "key":
      return read.key;
    case "successors":
      return read.rotationId;
    case "lineage":
      return read.alias;
    case "aliases":
    case "policy":
    case "tags":
    case "grants":
    case "last-use":
    case "watch":
      return read.keyId;
  }
}

export function observationOf(
  observed: ObservedState,
  read: KmsRead,
): Observation<unknown> | undefined {
  return observed[read.kind][subjectOfRead(read)];
}

/**
 * Whether all of these were seen: undefined where they were (each is then "seen" or "absent"), else
 * the decision to look, or what a look that KMS denied amounts to.
 */
export function observeFirst(
  { record, observed, context }: Scene,
  reads: KmsRead[],
): Decision | undefined {
  const missing = stillToObserve(observed, reads);
  if (missing !== undefined) return missing;
  for (const read of reads) {
    const observation = observationOf(observed, read);
    if (observation?.kind === "denied") {
      return accessDenied(record, context, subjectOfRead(read), observation.message);
    }
  }
  return undefined;
}

/** The decision to look at what of these was not yet seen; undefined where all of it was. */
export function stillToObserve(observed: ObservedState, reads: KmsRead[]): Decision | undefined {
  const missing = reads.filter((read) => observationOf(observed, read) === undefined);
  return missing.length > 0 ? { kind: "observe", reads: missing } : undefined;
}

/** The value of a sight that `lookFirst` let through; undefined where the thing is absent. */
export function valueOf<T>(observation: Observation<T> | undefined): T | undefined {
  return observation?.kind === "observed" ? observation.value : undefined;
}

/** Authorization lags behind tags, aliases and policies: for a while, a denial may only be early. */
export function accessDenied(
  record: ManagedKey,
  context: Context,
  subject: string,
  message: string,
): Decision {
  const lagEndsMs = record.authorizationChangedAtMs + authorizationLagMs;
  if (context.nowMs < lagEndsMs) {
    return { kind: "wait", untilMs: lagEndsMs, reason: "denied, and authorization may still lag" };
  }
  const next = subject.startsWith("alias/") ? showKey(subject) : showPolicy(subject);
  return {
    kind: "halt",
    finding: finding("ACCESS_DENIED", subject, message, next, context.nowMs),
  };
}
