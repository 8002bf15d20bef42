/** What may not be true of a version that is on its way out. */
import { finding, type Finding } from "./findings.ts";
import { valueOf } from "./sights.ts";
import { tagNames } from "./tag-names.ts";
import type { EntryDraft, Key, KeyState, Scene, StepScene, Version } from "./types.ts";

/** Somebody else changed its state: told, never overwritten. */
export function stateFinding(scene: StepScene, expected: KeyState[]): Finding | undefined {
  const { old, moment } = scene;
  const key = valueOf(scene.seen.key[old.keyId]);
  if (key === undefined) {
    const seen = `version ${old.number}, ${old.keyId}, is not in KMS`;
    const next = `aws cloudtrail lookup-events --lookup-attributes AttributeKey=ResourceName,AttributeValue=${old.arn}`;
    return finding("VERSION_GONE", old.keyId, seen, next, moment.nowMs);
  }
  if (expected.includes(key.state)) return undefined;
  const seen = `version ${old.number}, ${old.keyId}, is ${key.state}; expected ${expected.join()}`;
  return finding("VERSION_CHANGED", old.keyId, seen, commandTo(key), moment.nowMs);
}

function commandTo(key: Key): string {
  switch (key.state) {
    case "PendingDeletion":
      return `aws kms cancel-key-deletion --key-id ${key.keyId} && aws kms enable-key --key-id ${key.keyId}`;
    case "Disabled":
      return `aws kms enable-key --key-id ${key.keyId}`;
    case "Enabled":
    case "Creating":
    case "PendingImport":
    case "PendingReplicaDeletion":
    case "Unavailable":
    case "Updating":
      return `aws kms describe-key --key-id ${key.keyId}`;
  }
}

/** Whoever re-tagged it has taken it over: a key of another owner is never changed. */
export function ownerFinding(scene: Scene, { number, keyId }: Version): Finding | undefined {
  const { record, moment } = scene;
  const owner = valueOf(scene.seen.tags[keyId])?.[tagNames.owner];
  if (owner === record.owner) return undefined;
  const seen = `version ${number}, ${keyId}, belongs to ${owner ?? "nobody"} by its tags`;
  const next = `aws kms list-resource-tags --key-id ${keyId}`;
  return finding("OTHER_OWNER", record.alias, seen, next, moment.nowMs);
}

/** Any alias counts, also one that is not ours: whoever uses it still needs the key. */
export function aliasesInTheWay(scene: StepScene): Finding | undefined {
  const { rotation, old, moment } = scene;
  const [alias] = valueOf(scene.seen.aliases[old.keyId]) ?? [];
  if (alias === undefined) return undefined;
  const seen = `${alias} points at version ${old.number}, ${old.keyId}, which is retired`;
  const next = rotation.intent.aliases.includes(alias)
    ? `aws kms update-alias --alias-name ${alias} --target-key-id <version ${rotation.to}>`
    : `aws kms list-aliases --key-id ${old.keyId}`;
  return finding("ALIAS_ON_OLD_VERSION", old.keyId, seen, next, moment.nowMs);
}

/** A line of history about revoking the old version. */
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
