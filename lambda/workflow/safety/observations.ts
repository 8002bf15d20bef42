/** How a step uses observations: it requests missing reads, and reports denied ones. */
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
    "public-key": {},
    "auto-rotation": {},
    successors: {},
    lineage: {},
    watch: {},
    refusals: {},
    "refusals-watch": {},
  };
}

/** The subject of a read: the key id, alias or rotation id under which `ObservedState` keeps it. */
export function subjectOfRead(read: KmsRead): string {
  switch (read.kind) {
    case "key":
      return read.key;
    case "successors":
      return read.rotationId;
    case "lineage":
    case "refusals":
    case "refusals-watch":
      return read.alias;
    case "aliases":
    case "policy":
    case "tags":
    case "grants":
    case "last-use":
    case "public-key":
    case "auto-rotation":
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
 * Undefined where all of these were observed (each is then "observed" or "absent"); otherwise the
 * decision to read them, or the decision about a read that KMS denied.
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

/** The decision to make the missing ones of these reads; undefined where none is missing. */
export function stillToObserve(
  observed: ObservedState,
  reads: KmsRead[],
): Extract<Decision, { kind: "observe" }> | undefined {
  const missing = reads.filter((read) => observationOf(observed, read) === undefined);
  return missing.length > 0 ? { kind: "observe", reads: missing } : undefined;
}

/** The value of an observation after `observeFirst`; undefined where the subject is absent. */
export function valueOf<T>(observation: Observation<T> | undefined): T | undefined {
  return observation?.kind === "observed" ? observation.value : undefined;
}

/** Authorization lags behind tags, aliases and policies: for a while, a denial may be temporary. */
export function mayStillLag(
  { authorizationChangedAtMs }: Pick<ManagedKey, "authorizationChangedAtMs">,
  nowMs: number,
): Extract<Decision, { kind: "wait" }> | undefined {
  const untilMs = authorizationChangedAtMs + authorizationLagMs;
  if (nowMs >= untilMs) return undefined;
  return { kind: "wait", untilMs, reason: "denied; authorization may still lag" };
}

export function accessDenied(
  record: ManagedKey,
  context: Context,
  subject: string,
  message: string,
): Decision {
  const lag = mayStillLag(record, context.nowMs);
  if (lag !== undefined) return lag;
  const next = subject.startsWith("alias/") ? showKey(subject) : showPolicy(subject);
  return {
    kind: "halt",
    finding: finding("ACCESS_DENIED", subject, message, next, context.nowMs),
  };
}
