/**
 * Step 5, revoke: disable, read the aliases at once and again, soak, and only then, if the policy
 * deletes, schedule the deletion. keyturn reads the evidence again before each of the two calls.
 */
import { notQuiet } from "./revoke/quiet.ts";
import { approvalRequired, heldByGrants } from "./requests/approval.ts";
import { isApproved } from "./safety/needs.ts";
import { archive } from "./safety/public-keys.ts";
import { awaitDeletion } from "./revoke/deletion.ts";
import {
  callOn,
  everythingOf,
  evidenceOf,
  evidenceRead,
  guardrail,
  lapsed,
} from "./safety/destruction.ts";
import { describeLastUse } from "./safety/evidence.ts";
import { needed } from "./restore/restore.ts";
import { wrongLabel } from "./safety/lineage.ts";
import {
  aliasInTheWay,
  aliasesOn,
  entryOf,
  ownerFinding,
  stateFinding,
} from "./safety/old-version.ts";
import { versionOf, without, withRotation, withVersion } from "./model/record.ts";
import { observeFirst, valueOf } from "./safety/observations.ts";
import { observeAliases, soak, stillNeeded } from "./revoke/soak.ts";
import { reportedOfStack } from "./revoke/stack-owned.ts";
import { notWatched } from "./revoke/watched.ts";
import type {
  Decision,
  KeyState,
  ManagedKey,
  Rotation,
  StepScene,
  Transition,
} from "./model/types.ts";

export function decideRevoke(scene: StepScene): Decision {
  const { rotation, old } = scene;
  switch (old.state) {
    case "draining":
      return rotation.policy.retire === "retain" ? backToDrain(scene) : disable(scene);
    case "disabled":
      return rotation.soakSinceMs === undefined ? observeAliases(scene) : soak(scene);
    case "pending-deletion":
      return awaitDeletion(scene);
    case "pending-activation":
    case "active":
    case "reactivating":
    case "retained":
      throw new Error(`version ${old.number} is ${old.state}: it cannot be revoked`);
  }
}

/**
 * The policy became milder before DisableKey: the drain ends, and the version is retained. Where
 * our DisableKey has no answer, it may have taken effect: keyturn restores the version.
 */
function backToDrain(scene: StepScene): Decision {
  const { record, rotation, context } = scene;
  const { nowMs } = context;
  const back: Rotation = { ...rotation, step: "drain", stepSinceMs: nowMs };
  const inDoubt: Rotation = {
    ...back,
    restored: { because: "use", cancel: false, relabelled: false },
  };
  return {
    kind: "change",
    next: withRotation(record, rotation.unanswered === undefined ? back : inDoubt),
    entry: entryOf(scene, "not-revoked", "the policy now retains old versions"),
  };
}

function disable(scene: StepScene): Decision {
  const { record, rotation, old, observed, context } = scene;
  const first = observeFirst(scene, everythingOf(old.keyId));
  if (first !== undefined) return first;
  const key = valueOf(observed.key[old.keyId]);
  // Where IAM forbids our role to disable a key in use, an operator disables it after the override.
  const overridden = rotation.approval?.override === true;
  const isDisabled =
    key?.state === "Disabled" && (overridden || rotation.unanswered === "DisableKey");
  const onIt = aliasesOn(scene);
  const evidence = evidenceOf(scene);
  const { lastUse } = evidence;
  const inUse = notQuiet(scene, evidence);
  if (isDisabled && onIt !== undefined) return needed(scene, "alias", onIt.observed);
  if (isDisabled && inUse !== undefined) {
    return needed(scene, "use", `not proved unused at DisableKey: ${describeLastUse(lastUse)}`);
  }
  // Since DisableKey landed no use was possible: only earlier evidence shows whether it was quiet.
  const still = isDisabled ? stillNeeded(scene, evidence) : undefined;
  if (still !== undefined) return still;
  const expected: KeyState = isDisabled ? "Disabled" : "Enabled";
  const wrong = stateFinding(scene, expected) ?? ownerFinding(scene, old);
  if (wrong !== undefined) return { kind: "halt", finding: wrong };
  const aliased = aliasInTheWay(scene);
  if (aliased !== undefined) return aliased;
  const mislabelled = wrongLabel(scene, old);
  if (mislabelled !== undefined) return mislabelled;
  const blocked = inUse ?? (isDisabled ? undefined : guardrail(scene, old, lastUse));
  if (blocked !== undefined) return lapsed(scene) ?? blocked;
  const newEvidence = evidenceRead(scene, lastUse);
  if (newEvidence !== undefined) return newEvidence;
  if (isDisabled) return { kind: "change", ...disabled(record, rotation, context.nowMs) };
  const archived = archive(scene, old);
  if (archived !== undefined) return archived;
  const held = heldByGrants(scene, evidence);
  if (held !== undefined) return held;
  const early = reportedOfStack(scene, "disable") ?? notWatched(scene);
  if (early !== undefined) return early;
  if (rotation.policy.approval === "revoke" && !isApproved(rotation, evidence, "disable")) {
    return approvalRequired(scene, evidence, "disable");
  }
  return callOn(rotation, { kind: "DisableKey", keyId: old.keyId }, "proved unused");
}

/** The record once the old version is disabled. */
export function disabled(record: ManagedKey, rotation: Rotation, nowMs: number): Transition {
  const old = versionOf(record, rotation.from);
  const next = withVersion(record, { ...old, state: "disabled", disabledAtMs: nowMs });
  return {
    next: withRotation(next, {
      ...without(rotation, "unanswered", "watchTestedAtMs"),
      stepSinceMs: nowMs,
    }),
    entry: entryOf({ rotation, old }, "disabled", "unused; evidence read again", {
      lastUse: rotation.evidence === undefined ? "" : describeLastUse(rotation.evidence.lastUse),
    }),
  };
}
