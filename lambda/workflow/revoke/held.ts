/** A grant of an AWS service that appears on a version out of use: the version is restored. */
import { showGrants } from "../model/commands.ts";
import { finding } from "../model/findings.ts";
import { needed } from "../restore/restore.ts";
import { heldBy, openNeeds } from "../safety/needs.ts";
import { observeFirst } from "../safety/observations.ts";
import type { Decision, StepScene } from "../model/types.ts";

/**
 * A wait in drain reports the holders of the version from the first observation on, unless it has a
 * finding of its own.
 */
export function reportHolders(scene: StepScene, wait: Decision): Decision {
  const { rotation, old, context } = scene;
  if (wait.kind !== "wait" || wait.finding !== undefined) return wait;
  if (rotation.policy.retire === "retain") return wait;
  const first = observeFirst(scene, [{ kind: "grants", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const needs = openNeeds(scene, old, rotation, "disable");
  if (needs.length === 0) return wait;
  const code = "GRANT_HOLDS_OLD_VERSION";
  const next = showGrants(old.keyId);
  const what = finding(code, old.keyId, heldBy(old, needs), next, context.nowMs);
  return { ...wait, finding: what };
}

/** Undefined where an approval accepts every grant, or where the evidence was overridden. */
export function heldSince(scene: StepScene): Decision | undefined {
  const { rotation, old } = scene;
  if (rotation.approval?.override === true) return undefined;
  const first = observeFirst(scene, [{ kind: "grants", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const [need] = openNeeds(scene, old, rotation, "disable");
  if (need === undefined) return undefined;
  return needed(scene, "grant", `an AWS service holds it: ${need.id}, ${need.state}`);
}
