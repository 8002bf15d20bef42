/**
 * Quarantine disables an excess key of a rotation, and never deletes it. Only a key that
 * no caller can need qualifies: no alias, no grant, never used, and old enough for all reads to
 * agree.
 */
import { showKey } from "../model/commands.ts";
import { guardrail, lastUseOf } from "../safety/destruction.ts";
import { finding } from "../model/findings.ts";
import { clockSkewMs, consistencyMs, dayMs, lastUseLagMs, recheckMs } from "../model/limits.ts";
import { provenQuietDays } from "../model/policy.ts";
import { withExtra } from "../model/record.ts";
import { stillToObserve, valueOf } from "../safety/observations.ts";
import { tagNames } from "../model/tag-names.ts";
import type { Decision, Extra, ManagedKey, Scene, Transition } from "../model/types.ts";

export function decideExtra(scene: Scene, extra: Extra): Decision {
  const { record, observed, context } = scene;
  const { keyId } = extra;
  const ripeAtMs = extra.foundAtMs + consistencyMs + lastUseLagMs;
  if (context.nowMs < ripeAtMs) {
    return { kind: "wait", untilMs: ripeAtMs, reason: "reads of an excess key may lag" };
  }
  const first = stillToObserve(observed, [
    { kind: "key", key: keyId },
    { kind: "tags", keyId },
    { kind: "aliases", keyId },
    { kind: "grants", keyId },
    { kind: "last-use", keyId },
    { kind: "policy", keyId },
  ]);
  if (first !== undefined) return first;
  const state = valueOf(observed.key[keyId])?.state;
  if (
    observed.key[keyId]?.kind === "absent" ||
    state === "PendingDeletion" ||
    state === "Disabled"
  ) {
    const reason = `the excess key is ${state ?? "deleted"}`;
    return { kind: "change", ...quarantined(record, extra, reason, context.nowMs) };
  }
  const why = whyNotExtra(scene, extra);
  if (why !== undefined) {
    const next = showKey(keyId);
    const observations = `${keyId}, an excess key of rotation ${extra.rotationId}, ${why}`;
    const what = finding("EXTRA_NOT_QUARANTINED", keyId, observations, next, context.nowMs);
    const untilMs = context.nowMs + recheckMs * 24;
    return { kind: "wait", untilMs, reason: "an excess key may be in use", finding: what };
  }
  const createdAtMs = valueOf(observed.key[keyId])?.createdAtMs ?? extra.foundAtMs;
  const quietAtMs = createdAtMs + provenQuietDays(record.policy) * dayMs + clockSkewMs;
  if (context.nowMs < quietAtMs) {
    const reason = "an excess key must be unused for the quiet period";
    return { kind: "wait", untilMs: quietAtMs, reason };
  }
  const matter = { kind: "extra", keyId } as const;
  if (extra.labelledAtMs === undefined) {
    const tags = { [tagNames.retired]: extra.rotationId };
    const call = { kind: "TagResource", keyId, tags } as const;
    return { kind: "call", call, matter, reason: "it is an excess key" };
  }
  const blocked = guardrail(scene, { keyId, createdAtMs }, lastUseOf(observed, keyId));
  if (blocked !== undefined) return blocked;
  return {
    kind: "call",
    call: { kind: "DisableKey", keyId },
    matter,
    reason: "it is an excess key",
  };
}

/** The record once an excess key is out of use. */
export function quarantined(
  record: ManagedKey,
  extra: Extra,
  reason: string,
  nowMs: number,
): Transition {
  return {
    next: withExtra(record, { ...extra, quarantinedAtMs: nowMs }),
    entry: {
      event: "quarantined",
      reason,
      rotationId: extra.rotationId,
      detail: { keyId: extra.keyId },
    },
  };
}

/** Why keyturn leaves a key as it is, although its tags show an excess key of a rotation. */
function whyNotExtra({ record, observed }: Scene, extra: Extra): string | undefined {
  const { keyId, rotationId } = extra;
  if (record.versions.some((version) => version.keyId === keyId)) return "is a version";
  const observations = [
    observed.key[keyId],
    observed.tags[keyId],
    observed.aliases[keyId],
    observed.grants[keyId],
    observed["last-use"][keyId],
    observed.policy[keyId],
  ];
  if (observations.some((observation) => observation?.kind !== "observed")) return "cannot be read";
  const tags = valueOf(observed.tags[keyId]) ?? {};
  if (tags[tagNames.owner] !== record.owner) return "lacks keyturn's owner tag";
  if (tags[tagNames.rotation] !== rotationId) return "carries the tags of another rotation";
  const createdAtMs = valueOf(observed.key[keyId])?.createdAtMs ?? 0;
  if (createdAtMs < extra.madeAfterMs - clockSkewMs) return "is older than that rotation";
  if ((valueOf(observed.aliases[keyId]) ?? []).length > 0) return "has an alias";
  if ((valueOf(observed.grants[keyId]) ?? []).length > 0) return "has grants";
  const lastUse = lastUseOf(observed, keyId);
  if (lastUse.kind === "used") return `was used: ${lastUse.operation}`;
  if (lastUse.kind !== "never" || lastUse.sinceMs > createdAtMs) {
    return "has an unknown last use";
  }
  return undefined;
}
