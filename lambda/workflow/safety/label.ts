/** The label `keyturn:retired`: for IAM policies and SCPs, and as a trace of the retirement. */
import { callOn } from "./destruction.ts";
import { labelOf } from "./lineage.ts";
import { versionOf, without, withRotation, withVersion } from "../model/record.ts";
import { valueOf } from "./observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Decision,
  ManagedKey,
  Rotation,
  StepScene,
  Transition,
  Version,
} from "../model/types.ts";

/** Sets the label, unless an unanswered call did so. Requires observed and known tags. */
export function labelAs(scene: StepScene, episode: number, reason: string): Decision {
  const { record, rotation, old, observed, context } = scene;
  const label = labelOf(rotation.id, episode);
  const there = valueOf(observed.tags[old.keyId])?.[tagNames.retired];
  if (there === label && old.label !== label) {
    const answered = without(rotation, "unanswered");
    return { kind: "change", ...labelled(record, answered, context.nowMs) };
  }
  const tags = { [tagNames.retired]: label };
  return callOn(rotation, { kind: "TagResource", keyId: old.keyId, tags }, reason);
}

export function labelled(record: ManagedKey, rotation: Rotation, nowMs: number): Transition {
  const { restored } = rotation;
  const again =
    restored === undefined
      ? rotation
      : { ...rotation, episode: rotation.episode + 1, restored: { ...restored, relabelled: true } };
  const version = { ...versionOf(record, rotation.from), label: labelOf(again.id, again.episode) };
  const next = withRotation(withVersion(record, version), { ...again, labelledAtMs: nowMs });
  return {
    next: { ...next, authorizationChangedAtMs: nowMs },
    entry: {
      event: "labelled",
      reason: "labelled as retired",
      rotationId: rotation.id,
      step: "drain",
      detail: { version: rotation.from, keyId: versionOf(record, rotation.from).keyId },
    },
  };
}

/** The version after an unanswered call, which may have set or removed its label. */
export function unsureOfLabel(version: Version, { unanswered }: Partial<Rotation> = {}): Version {
  const isUnsure = unanswered === "TagResource" || unanswered === "UntagResource";
  return isUnsure ? { ...version, label: "unknown" } : version;
}
