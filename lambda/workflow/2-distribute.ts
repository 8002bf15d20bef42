/**
 * Step 2, distribute: make the new version usable before an alias points at it. keyturn copies the
 * grants, and waits until tags, policies and grants have reached authorization.
 */
import { extraOf } from "./1-generate.ts";
import {
  copyOf,
  grantsLeftOut,
  grantsToCopy,
  grantTerms,
  whyGrantsNotCarried,
} from "./enrolment/carried-grants.ts";
import { bringToEnabled } from "./model/commands.ts";
import { finding } from "./model/findings.ts";
import { consistencyMs } from "./model/limits.ts";
import { deletedFinding, ownerFinding } from "./safety/old-version.ts";
import { unknownOf, versionOf, withRotation } from "./model/record.ts";
import { notAcknowledged } from "./requests/acknowledgement.ts";
import { notYetReactivated } from "./restore/reactivate.ts";
import { withGrantees } from "./safety/other-accounts.ts";
import { observeFirst, valueOf } from "./safety/observations.ts";
import type {
  Decision,
  Extra,
  Grant,
  KmsRead,
  ManagedKey,
  Rotation,
  StepScene,
  Version,
} from "./model/types.ts";

export function decideDistribute(scene: StepScene): Decision {
  const { record, rotation, context } = scene;
  const fresh = versionOf(record, rotation.to);
  const back = rotation.direction === "back" ? notYetReactivated(scene, fresh) : undefined;
  if (back !== undefined && !isPropagating(scene)) return back;
  if (rotation.enabledSinceMs === undefined) return grantsFirst(scene, fresh);
  const readyAtMs = rotation.enabledSinceMs + rotation.policy.propagationMs;
  if (context.nowMs < readyAtMs) {
    return { kind: "wait", untilMs: readyAtMs, reason: "propagation" };
  }
  const notReady = whyNotEnabledYet(scene, fresh);
  if (notReady !== undefined) return notReady;
  const late = copyGrants(scene, fresh);
  if (late !== undefined) return late;
  return notAcknowledged(scene, fresh, readyAtMs) ?? distributed(scene, fresh);
}

/** During this wait keyturn reads nothing. */
function isPropagating({ rotation, context }: StepScene): boolean {
  const { enabledSinceMs, policy } = rotation;
  return enabledSinceMs !== undefined && context.nowMs < enabledSinceMs + policy.propagationMs;
}

function grantsFirst(scene: StepScene, fresh: Version): Decision {
  const { record, rotation, old, observed, context } = scene;
  const copying = copyGrants(scene, fresh);
  if (copying !== undefined) return copying;
  const notReady = whyNotEnabledYet(scene, fresh);
  if (notReady !== undefined) return notReady;
  const grants = valueOf(observed.grants[old.keyId]) ?? [];
  const sharedWith = withGrantees(rotation.sharedWith ?? [], grants, old.arn);
  const shared = sharedWith.length === 0 ? {} : { sharedWith };
  return {
    kind: "change",
    next: withRotation(record, { ...rotation, ...shared, enabledSinceMs: context.nowMs }),
    entry: {
      event: "propagating",
      reason: "the new version is Enabled and has the grants of the old one",
      rotationId: rotation.id,
      step: "distribute",
      detail: {
        version: fresh.number,
        keyId: fresh.keyId,
        grants: rotation.grantsCopied.length,
      },
    },
  };
}

/** The next decision about grants; undefined where the new version has all of them. */
function copyGrants(scene: StepScene, fresh: Version): Decision | undefined {
  const { rotation, old, observed, context } = scene;
  const observeOld = observeFirst(scene, [{ kind: "grants", keyId: old.keyId }]);
  if (observeOld !== undefined) return observeOld;
  const carried = grantsToCopy(valueOf(observed.grants[old.keyId]) ?? []);
  const isCopied = ({ grantId }: Grant): boolean => rotation.grantsCopied.includes(grantId);
  const wanted = carried.filter((grant) => !isCopied(grant));
  if (wanted.length === 0) return undefined;
  const observeNew = observeFirst(scene, [
    { kind: "grants", keyId: fresh.keyId },
    { kind: "tags", keyId: fresh.keyId },
  ]);
  if (observeNew !== undefined) return observeNew;
  const foreign = ownerFinding(scene, fresh);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  // The listing may be older than the copies of this pass.
  const there = [...(valueOf(observed.grants[fresh.keyId]) ?? []), ...carried.filter(isCopied)];
  const terms = new Set(there.map(grantTerms));
  const missing = wanted.filter((grant) => !terms.has(grantTerms(grant)));
  const [next] = missing;
  if (next === undefined) return undefined;
  const problem = whyGrantsNotCarried(old.keyId, missing, context.nowMs);
  return problem === undefined
    ? copyGrant(rotation, fresh, next)
    : { kind: "halt", finding: problem };
}

function copyGrant(rotation: Rotation, fresh: Version, grant: Grant): Decision {
  return {
    kind: "call",
    call: {
      kind: "CreateGrant",
      keyId: fresh.keyId,
      copyOf: grant.grantId,
      grant: copyOf(grant),
    },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `${grant.grantee} has this grant on version ${rotation.from}`,
  };
}

/** The record once KMS accepted a copy; a late one restarts the propagation wait, once. */
export function granted(
  record: ManagedKey,
  rotation: Rotation,
  copyOf: string | undefined,
  nowMs: number,
): ManagedKey {
  const grantsCopied = [...rotation.grantsCopied, ...(copyOf === undefined ? [] : [copyOf])];
  const late = rotation.enabledSinceMs !== undefined && rotation.lateGrantsAtMs === undefined;
  const again = late ? { enabledSinceMs: nowMs, lateGrantsAtMs: nowMs } : {};
  const next = withRotation(record, { ...rotation, grantsCopied, ...again });
  return { ...next, authorizationChangedAtMs: nowMs };
}

/** Why the new version does not read Enabled; a new key may not be visible at once. */
export function whyNotEnabledYet(scene: StepScene, fresh: Version): Decision | undefined {
  const { observed, context } = scene;
  const first = observeFirst(scene, [{ kind: "key", key: fresh.keyId }]);
  if (first !== undefined) return first;
  const key = valueOf(observed.key[fresh.keyId]);
  if (key?.state === "Enabled") return undefined;
  const young = context.nowMs < fresh.createdAtMs + consistencyMs;
  if (young && (key === undefined || key.state === "Creating")) {
    return { kind: "retry", reason: `${fresh.keyId} is not visible yet` };
  }
  const version = `version ${fresh.number}, ${fresh.keyId},`;
  if (key === undefined) return { kind: "halt", finding: deletedFinding(scene, fresh) };
  const observedNow = `${version} is ${key.state}, and is not active yet`;
  const next = bringToEnabled(key);
  const changed = finding("NEW_VERSION_NOT_ENABLED", fresh.keyId, observedNow, next, context.nowMs);
  return { kind: "halt", finding: changed };
}

function distributed(scene: StepScene, fresh: Version): Decision {
  const { record, rotation, old, observed, context } = scene;
  const extras = extraSuccessors(scene);
  if ("kind" in extras) return extras;
  // The last listing: for a minute, KMS shows a new principal by its id too.
  const left = grantsLeftOut(valueOf(observed.grants[old.keyId]) ?? []);
  const grantsLeft = left.length === 0 ? {} : { grantsLeft: left };
  const moved = {
    ...rotation,
    ...grantsLeft,
    step: "activate",
    stepSinceMs: context.nowMs,
  } as const;
  return {
    kind: "change",
    next: { ...withRotation(record, moved), extras: [...record.extras, ...extras.found] },
    entry: {
      event: "distributed",
      reason: "Enabled, propagation wait over",
      rotationId: rotation.id,
      step: "distribute",
      detail: { version: fresh.number, keyId: fresh.keyId, extras: extras.found.length },
    },
  };
}

/** After more than one CreateKey, an earlier search may have missed a key that is visible now. */
function extraSuccessors(scene: StepScene): Decision | { found: Extra[] } {
  const { record, rotation, observed, context } = scene;
  if (rotation.intent.attempts < 2) return { found: [] };
  const read: KmsRead = { kind: "successors", rotationId: rotation.id };
  const first = observeFirst(scene, [read]);
  if (first !== undefined) return first;
  const successors = valueOf(observed.successors[rotation.id]) ?? [];
  const found = unknownOf(record, successors).map((keyId) =>
    extraOf(rotation, keyId, context.nowMs),
  );
  return { found };
}
