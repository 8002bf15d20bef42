/**
 * The conditions for a changing call, besides those of its step: KMS agrees with the record. This
 * detects drift, and a record that is older than KMS.
 */
import { expectedOf } from "./inspect-version.ts";
import { aliasMoved } from "../safety/alias-target.ts";
import { lineageFirst } from "../safety/lineage.ts";
import { lossFirst, versionStateFinding } from "../safety/old-version.ts";
import { activeVersion, rightfulKeyIds, rotationOut } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Call, Decision, KmsRead, Matter, Scene } from "../model/types.ts";

/** The reads to make first, or the obstacle; undefined where the call may be made. */
export function guard(scene: Scene, call: Call, matter: Matter): Decision | undefined {
  // Even with an old record: an operator asked to remove keyturn's tags.
  if (matter.kind === "un-enrolment") return undefined;
  const behind = lineageFirst(scene);
  if (behind !== undefined) return behind;
  switch (call.kind) {
    case "CreateKey":
      return astray(scene);
    case "DisableKey":
    case "ScheduleKeyDeletion":
      return matter.kind === "rotation" ? astray(scene) : undefined;
    case "CreateGrant":
    case "UpdateAlias":
    case "TagResource":
    case "UntagResource":
    case "CancelKeyDeletion":
    case "EnableKey":
      return undefined;
  }
}

/** The finding for an alias that is not where the record has it. */
function astray(scene: Scene): Decision | undefined {
  const { record, observed } = scene;
  const reads = record.aliases.map((alias): KmsRead => ({ kind: "key", key: alias }));
  const first = observeFirst(scene, reads);
  if (first !== undefined) return first;
  const active = activeVersion(record);
  const rightful = rightfulKeyIds(record);
  for (const alias of record.aliases) {
    const key = valueOf(observed.key[alias]);
    if (key === undefined || !rightful.includes(key.keyId)) {
      return aliasMoved(scene, alias, active);
    }
  }
  return undefined;
}

/**
 * Before a version goes out of use, the active one and all retiring ones must be in their expected states: a DisableKey
 * that the record does not have leaves no other trace, and shows that the record may be behind.
 */
export function changedStates(scene: Scene): Decision | undefined {
  const { record, context } = scene;
  const judged = record.versions.flatMap((version) => {
    const { state, number } = version;
    const isJudged = state === "active" || rotationOut(record, number) !== undefined;
    const expected = isJudged ? expectedOf(record, version, context.nowMs) : undefined;
    return expected === undefined ? [] : [{ version, expected }];
  });
  const first = observeFirst(
    scene,
    judged.map(({ version }): KmsRead => ({ kind: "key", key: version.keyId })),
  );
  if (first !== undefined) return first;
  for (const { version, expected } of judged) {
    const lost = lossFirst(scene, version);
    if (lost !== undefined) return lost;
    const wrong = versionStateFinding(scene, version, expected);
    if (wrong !== undefined) return { kind: "halt", finding: wrong };
  }
  return undefined;
}
