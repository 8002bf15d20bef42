/** Findings about a version that an external actor changed. */
import { keyFirst, moveTo } from "./alias-target.ts";
import { bring, cancelDeletion, explain, inOrder, pointAt, showTags } from "../model/commands.ts";
import { finding, type Finding, type FindingCode } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { deletionSlackMs } from "../model/limits.ts";
import { activeVersion } from "../model/record.ts";
import { reconcileCommand } from "../model/request-command.ts";
import { stillToObserve, valueOf } from "./observations.ts";
import { tagAsVersion } from "./version-tags.ts";
import { tagNames } from "../model/tag-names.ts";
import type {
  Decision,
  EntryDraft,
  Key,
  KeyState,
  KmsRead,
  Scene,
  StepScene,
  Version,
} from "../model/types.ts";

/** An external actor changed its state: reported, never overwritten. */
export function stateFinding(scene: StepScene, expected: KeyState): Finding | undefined {
  return versionStateFinding(scene, scene.old, expected);
}

export function versionStateFinding(
  scene: Scene,
  version: Version,
  expected: KeyState,
): Finding | undefined {
  const { record, observed, context } = scene;
  const { number, keyId } = version;
  const name = `version ${number}, ${keyId},`;
  const key = valueOf(observed.key[keyId]);
  if (key === undefined) return deletedFinding(scene, version);
  const isEarlier = (key.deletionAtMs ?? Infinity) < (version.deletionAtMs ?? 0) - deletionSlackMs;
  if (key.state === expected && !isEarlier) return undefined;
  const rotation = record.rotations.find(({ from }) => from === number);
  const { deletionWindowDays } = rotation?.policy ?? record.policy;
  const next = isEarlier
    ? inOrder([
        cancelDeletion(keyId),
        bring({ keyId, state: "Disabled" }, expected, deletionWindowDays),
      ])
    : bring(key, expected, deletionWindowDays);
  const what = `${name} is ${describe(key)}; expected ${expected}`;
  return finding(codeOf(key, version, expected), keyId, what, next, context.nowMs);
}

export function deletedFinding(scene: Scene, version: Version): Finding {
  const { number, keyId } = version;
  const what = `version ${number}, ${keyId}, is not in KMS`;
  return finding(
    "VERSION_DELETED",
    keyId,
    what,
    afterDeletion(scene, version),
    scene.context.nowMs,
  );
}

/** What the command needs where KMS deleted the active version: which versions are left, and which aliases. */
export function lossFirst(scene: Scene, { keyId, state }: Version): Decision | undefined {
  const { record, observed } = scene;
  if (state !== "active" || observed.key[keyId]?.kind !== "absent") return undefined;
  // What a key policy denies to read, leaves the finding of the active version as it is.
  return stillToObserve(observed, [
    ...record.aliases.map((alias): KmsRead => ({ kind: "key", key: alias })),
    ...record.versions.flatMap((version): KmsRead[] => [
      { kind: "key", key: version.keyId },
      { kind: "tags", keyId: version.keyId },
    ]),
  ]);
}

/** KMS deleted the aliases of the active version with it: they belong on the newest version that KMS still has. */
function afterDeletion({ record, observed }: Scene, { state }: Version): string {
  const reconcile = reconcileCommand(record);
  if (state !== "active") return reconcile;
  const left = record.versions.flatMap((version) => {
    const key = valueOf(observed.key[version.keyId]);
    const tags = valueOf(observed.tags[version.keyId]);
    if (key === undefined || tags === undefined || version.overriddenBy !== undefined) return [];
    const { [tagNames.owner]: owner = record.owner } = tags;
    return owner === record.owner ? [{ version, key }] : [];
  });
  const newest = left.at(-1);
  if (newest === undefined) return explain("VERSION_DELETED");
  const { version, key } = newest;
  const astray = record.aliases.filter(
    (alias) => valueOf(observed.key[alias])?.keyId !== key.keyId,
  );
  const missing = astray.filter((alias) => observed.key[alias]?.kind === "absent");
  const moved = pointAt(key, astray, missing);
  // The first command has done this, and keyturn has made the proposal.
  if (moved === "" && record.proposal !== undefined) return reconcile;
  // Infrastructure code may have removed its tags, and a reconciliation knows it by them.
  return inOrder([...(moved === "" ? [] : [moved]), tagAsVersion(record, version), reconcile]);
}

function describe({ state, deletionAtMs }: Key): string {
  if (state !== "PendingDeletion" || deletionAtMs === undefined) return state;
  return `PendingDeletion, and KMS deletes it at ${isoOf(deletionAtMs)}`;
}

function codeOf({ state }: Key, version: Version, expected: KeyState): FindingCode {
  if (state === "PendingDeletion") return "DELETION_SCHEDULED_BY_OTHERS";
  if (state === "Disabled" && expected === "Enabled") return "DISABLED_BY_OTHERS";
  return version.state === "active" ? "KEY_NOT_ENABLED" : "VERSION_CHANGED";
}

/** A key whose owner tag changed belongs to another deployment: keyturn never changes it. */
export function ownerFinding(scene: Scene, version: Version): Finding | undefined {
  const { record, context } = scene;
  const { number, keyId, state } = version;
  const owner = valueOf(scene.observed.tags[keyId])?.[tagNames.owner];
  if (owner === record.owner) return undefined;
  const has = owner === undefined ? "no owner tag" : `the owner tag ${owner}`;
  const observed = `version ${number}, ${keyId}, has ${has}`;
  // KMS changes no tag of a key pending deletion; nobody but an operator decides between two owners.
  const isOurs = owner === undefined && state !== "pending-deletion";
  const key = valueOf(scene.observed.key[keyId]);
  const isPending = key?.state === "PendingDeletion";
  const kept = isPending ? [bring(key, state === "disabled" ? "Disabled" : "Enabled", 0)] : [];
  const tag = inOrder([...kept, tagAsVersion(record, version)]);
  const next = isOurs ? tag : showTags(keyId);
  const subject = state === "active" ? record.alias : keyId;
  return finding("OTHER_OWNER", subject, observed, next, context.nowMs);
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
