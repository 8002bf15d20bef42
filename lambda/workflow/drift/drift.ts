/**
 * Drift: an external actor changed the state of a version that keyturn retires. keyturn reports it
 * within a day, with the command that restores the state, and never overwrites it.
 */
import { aliasInTheWay, aliasesOn, ownerFinding, stateFinding } from "../safety/old-version.ts";
import { needed } from "../restore/restore.ts";
import { observeEveryMs } from "../model/limits.ts";
import { isRetiring } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, KeyState, ManagedKey, StepScene } from "../model/types.ts";

/**
 * The halt where the version is not in the expected state. The remedy may be to disable it, so the
 * aliases are observed first; if there is one, an operator has to move it.
 */
export function drifted(scene: StepScene, expected: KeyState): Decision | undefined {
  return changed(scene, expected, () => aliasInTheWay(scene));
}

/** The same for a version out of use: with an alias on it, keyturn restores it. */
export function neededOrDrifted(scene: StepScene, expected: KeyState): Decision | undefined {
  return changed(scene, expected, () => {
    const onIt = aliasesOn(scene);
    return onIt === undefined ? undefined : needed(scene, "alias", onIt.observed);
  });
}

function changed(
  scene: StepScene,
  expected: KeyState,
  ifAliased: () => Decision | undefined,
): Decision | undefined {
  const { old, observed } = scene;
  const { keyId } = old;
  const first = observeFirst(scene, [{ kind: "key", key: keyId }]);
  if (first !== undefined) return first;
  const wrong = stateFinding(scene, expected);
  if (wrong === undefined) return undefined;
  if (expected === "Enabled" || valueOf(observed.key[keyId]) === undefined) {
    return { kind: "halt", finding: wrong };
  }
  const more = observeFirst(scene, [
    { kind: "aliases", keyId },
    { kind: "tags", keyId },
  ]);
  if (more !== undefined) return more;
  const foreign = ownerFinding(scene, old);
  if (foreign !== undefined) return { kind: "halt", finding: foreign };
  return ifAliased() ?? { kind: "halt", finding: wrong };
}

/** A wait in which the version keeps its state; only an unanswered call may change it. */
export function waitObserving(
  scene: StepScene,
  expected: KeyState,
  untilMs: number,
  reason: string,
): Decision {
  const drift = expected === "Enabled" ? drifted : neededOrDrifted;
  const found = scene.rotation.unanswered === undefined ? drift(scene, expected) : undefined;
  return found ?? { kind: "wait", untilMs, reason };
}

/** The latest time of the next observation of the versions that keyturn retires. */
export function observeAgainAtMs(
  { rotations, unenrolment }: Pick<ManagedKey, "rotations" | "unenrolment">,
  nowMs: number,
): number {
  const retires = rotations.some(isRetiring);
  return retires && unenrolment === undefined ? nowMs + observeEveryMs : Infinity;
}
