/**
 * Step 2, distribute: make the new version usable before an alias points at it. keyturn copies the
 * grants, and waits until tags, policies and grants have reached authorization.
 */
import { extraOf } from "./1-generate.ts";
import { bringToEnabled } from "./model/commands.ts";
import { finding } from "./model/findings.ts";
import { consistencyMs } from "./model/limits.ts";
import { deletedFinding, ownerFinding } from "./safety/old-version.ts";
import { unknownOf, versionOf, withRotation } from "./model/record.ts";
import { notAcknowledged } from "./requests/acknowledgement.ts";
import { notYetReactivated } from "./restore/reactivate.ts";
import { serviceOf } from "./model/service-principal.ts";
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

/** AWS services make grants for their own resources: keyturn does not copy these. */
export function customersGrants(grants: Grant[]): Grant[] {
  return grants.filter((grant) => serviceOf(grant) === undefined);
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
  const { rotation, old, observed } = scene;
  const observeOld = observeFirst(scene, [{ kind: "grants", keyId: old.keyId }]);
  if (observeOld !== undefined) return observeOld;
  const wanted = customersGrants(valueOf(observed.grants[old.keyId]) ?? []).filter(
    ({ grantId }) => !rotation.grantsCopied.includes(grantId),
  );
  if (wanted.length === 0) return undefined;
  const observeNew = observeFirst(scene, [
    { kind: "grants", keyId: fresh.keyId },
    { kind: "tags", keyId: fresh.keyId },
  ]);
  if (observeNew !== undefined) return observeNew;
  const foreign = ownerFinding(scene, fresh);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  const there = (valueOf(observed.grants[fresh.keyId]) ?? []).map(grantTerms);
  const missing = wanted.find((grant) => !there.includes(grantTerms(grant)));
  return missing === undefined ? undefined : copyGrant(rotation, fresh, missing);
}

/**
 * A grant without a name gets one: KMS creates a grant with the same name and terms only once, even
 * when the call is repeated (API reference, CreateGrant), and a listing may lag for minutes.
 */
function copyGrant(rotation: Rotation, fresh: Version, grant: Grant): Decision {
  const { name, grantee, retiring, operations, constraints } = grant;
  return {
    kind: "call",
    call: {
      kind: "CreateGrant",
      keyId: fresh.keyId,
      copyOf: grant.grantId,
      grant: {
        name: name ?? `${ourGrantNames}${grant.grantId.slice(0, 32)}`,
        grantee,
        ...(retiring === undefined ? {} : { retiring }),
        operations,
        ...(constraints === undefined ? {} : { constraints }),
      },
    },
    matter: { kind: "rotation", rotationId: rotation.id },
    reason: `${grantee} has this grant on version ${rotation.from}`,
  };
}

const ourGrantNames = "keyturn-";

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

/** The terms of a grant, without its id: what it permits, and to which principals. */
function grantTerms(grant: Grant): string {
  const sorted = (pairs: Record<string, string> | undefined): [string, string][] =>
    Object.entries(pairs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    grant.name?.startsWith(ourGrantNames) ? "" : (grant.name ?? ""),
    grant.grantee,
    grant.retiring ?? "",
    grant.constraints?.sourceArn ?? "",
    [...grant.operations].sort(),
    sorted(grant.constraints?.encryptionContextEquals),
    sorted(grant.constraints?.encryptionContextSubset),
  ]);
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
  const { record, rotation, context } = scene;
  const extras = extraSuccessors(scene);
  if ("kind" in extras) return extras;
  const moved: Rotation = { ...rotation, step: "activate", stepSinceMs: context.nowMs };
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
