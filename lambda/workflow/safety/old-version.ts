/** Findings about a retiring version. */
import { keyFirst, moveTo } from "./alias-target.ts";
import { bring, showTags } from "../model/commands.ts";
import { finding, type Finding } from "../model/findings.ts";
import { activeVersion } from "../model/record.ts";
import { reconcileCommand } from "../model/request-command.ts";
import { valueOf } from "./observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Decision, EntryDraft, KeyState, Scene, StepScene, Version } from "../model/types.ts";

/** An external actor changed its state: reported, never overwritten. */
export function stateFinding(scene: StepScene, expected: KeyState): Finding | undefined {
  const { record, rotation, old, context } = scene;
  const key = valueOf(scene.observed.key[old.keyId]);
  if (key === undefined) {
    const observed = `version ${old.number}, ${old.keyId}, is not in KMS`;
    return finding("VERSION_DELETED", old.keyId, observed, reconcileCommand(record), context.nowMs);
  }
  if (key.state === expected) return undefined;
  const observed = `version ${old.number}, ${old.keyId}, is ${key.state}; expected ${expected}`;
  const next = bring(key, expected, rotation.policy.deletionWindowDays);
  return finding("VERSION_CHANGED", old.keyId, observed, next, context.nowMs);
}

/** A key whose owner tag changed belongs to another deployment: keyturn never changes it. */
export function ownerFinding(scene: Scene, { number, keyId }: Version): Finding | undefined {
  const { record, context } = scene;
  const owner = valueOf(scene.observed.tags[keyId])?.[tagNames.owner];
  if (owner === record.owner) return undefined;
  const has = owner === undefined ? "no owner tag" : `the owner tag ${owner}`;
  const observed = `version ${number}, ${keyId}, has ${has}`;
  return finding("OTHER_OWNER", record.alias, observed, showTags(keyId), context.nowMs);
}

/** Any alias counts, also an unmanaged one: its callers still need the key. */
export function aliasesOn({
  old,
  observed,
}: StepScene): { names: string[]; observed: string } | undefined {
  const names = valueOf(observed.aliases[old.keyId]) ?? [];
  if (names.length === 0) return undefined;
  const point = names.length === 1 ? "points" : "point";
  const words = `${names.join(" and ")} ${point} at version ${old.number}, ${old.keyId}, which is retired`;
  return { names, observed: words };
}

/** The halt for an alias on a retired version: it belongs on the active version. */
export function aliasInTheWay(scene: StepScene): Decision | undefined {
  const { record, old, context } = scene;
  const found = aliasesOn(scene);
  if (found === undefined) return undefined;
  const active = activeVersion(record);
  if (active === undefined) throw new Error(`${record.alias}: no version is active`);
  const first = keyFirst(scene, active.keyId);
  if (first !== undefined) return first;
  const next = moveTo(scene, active, found.names);
  const what = finding("ALIAS_ON_OLD_VERSION", old.keyId, found.observed, next, context.nowMs);
  return { kind: "halt", finding: what };
}

/** A journal line about revoking the old version. */
export function entryOf(
  { rotation, old }: Pick<StepScene, "rotation" | "old">,
  event: EntryDraft["event"],
  reason: string,
  detail: EntryDraft["detail"] = {},
): EntryDraft {
  return {
    event,
    reason,
    rotationId: rotation.id,
    step: "revoke",
    detail: { version: old.number, keyId: old.keyId, ...detail },
  };
}
