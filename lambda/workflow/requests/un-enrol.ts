/** Un-enrolment: keyturn removes its tags, and every key and alias stays as it is. */
import { finding, type Finding } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { consistencyMs } from "../model/limits.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Decision, KmsRead, ManagedKey, Scene, Transition } from "../model/types.ts";

export function decideUnenrolment(scene: Scene): Decision {
  const { record, observed, context } = scene;
  if (record.unenrolment?.endedAtMs !== undefined) return atRest(scene);
  const keyIds = [...record.versions, ...record.extras].map(({ keyId }) => keyId);
  const reads = keyIds.flatMap((keyId): KmsRead[] => [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
  ]);
  const first = observeFirst(scene, reads);
  if (first !== undefined) return first;
  for (const keyId of keyIds) {
    const names = ourTagsOn(scene, keyId);
    if (names.length === 0) continue;
    if (
      context.nowMs < record.authorizationChangedAtMs + consistencyMs &&
      wasJustUntagged(record, keyId)
    ) {
      return { kind: "retry", reason: "reads do not show the removal of the tags yet" };
    }
    return {
      kind: "call",
      call: { kind: "UntagResource", keyId, names },
      matter: { kind: "un-enrolment" },
      reason: "un-enrolment was requested",
    };
  }
  const left = keyIds.filter((keyId) => valueOf(observed.key[keyId])?.state === "PendingDeletion");
  return {
    kind: "change",
    next: {
      ...record,
      versions: [],
      extras: [],
      unlistedAliases: [],
      unenrolment: { by: "", atMs: context.nowMs, ...record.unenrolment, endedAtMs: context.nowMs },
    },
    entry: {
      event: "un-enrolled",
      reason: "no key has keyturn's tags but keyturn:alias, except those pending deletion",
      detail: { keys: keyIds.join(), pendingDeletion: left.join() },
    },
  };
}

/** Leaves another owner's key, and one pending deletion, as it is. */
function ourTagsOn({ record, observed }: Scene, keyId: string): string[] {
  const tags = valueOf(observed.tags[keyId]) ?? {};
  const state = valueOf(observed.key[keyId])?.state;
  if (state === undefined || state === "PendingDeletion") return [];
  if (tags[tagNames.owner] !== record.owner) return [];
  const names = Object.values(tagNames).filter((name) => Object.hasOwn(tags, name));
  // Rights of callers may rest on it: without it, KMS would deny them every retired version.
  return names.filter((name) => name !== tagNames.alias);
}

function wasJustUntagged(record: ManagedKey, keyId: string): boolean {
  return record.unenrolment?.untagged?.includes(keyId) ?? false;
}

/** The record once KMS accepted to remove the tags of a key. */
export function untagged(record: ManagedKey, keyId: string, nowMs: number): Transition {
  const { unenrolment } = record;
  if (unenrolment === undefined) throw new Error(`${record.alias} is not being un-enrolled`);
  const all = [...(unenrolment.untagged ?? []), keyId];
  return {
    next: {
      ...record,
      unenrolment: { ...unenrolment, untagged: all },
      authorizationChangedAtMs: nowMs,
    },
    entry: { event: "untagged", reason: "KMS removed keyturn's tags", detail: { keyId } },
  };
}

function atRest({ record, context }: Scene): Decision {
  const untilMs = Number.MAX_SAFE_INTEGER;
  const what = stillNamed(record, context.home !== undefined);
  const reason = "the managed key is un-enrolled";
  return { kind: "wait", untilMs, reason, ...(what === undefined ? {} : { finding: what }) };
}

function stillNamed({ alias, unenrolment }: ManagedKey, named: boolean): Finding | undefined {
  if (!named || unenrolment === undefined) return undefined;
  const observed = `${alias} was un-enrolled by ${unenrolment.by}, and the configuration still names it`;
  return finding("UNENROLLED", alias, observed, requestCommand(alias, "resume"), unenrolment.atMs);
}
