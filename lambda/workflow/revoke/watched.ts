/**
 * Nobody can tell a drain that is not watched from one that is quiet: a trail may leave KMS out, a rule be
 * disabled. So a key goes out of use only where an event of ours came all the way within a day.
 */
import { finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { consistencyMs, dayMs, recheckMs } from "../model/limits.ts";
import { entryOf } from "../safety/old-version.ts";
import { withRotation } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, StepScene } from "../model/types.ts";

/** How long an event of yesterday still shows that the path is open. */
export const heardForMs = dayMs;

/** Undefined where use attempts would be heard of, or nobody asked that they be. */
export function notWatched(scene: StepScene): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  const { nowMs, drainWatch } = context;
  if (drainWatch !== "cloudtrail") return undefined;
  const first = observeFirst(scene, [{ kind: "watch", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const { heardAtMs } = valueOf(observed.watch[old.keyId]) ?? {};
  if (heardAtMs !== undefined && nowMs - heardAtMs < heardForMs) return undefined;
  const { watchTestedAtMs } = rotation;
  if (watchTestedAtMs === undefined) {
    return {
      kind: "change",
      next: withRotation(record, { ...rotation, watchTestedAtMs: nowMs }),
      entry: entryOf(scene, "watch-tested", "no event of KMS has come for a day"),
    };
  }
  const reason = "no event shows yet that the drain is watched";
  // EventBridge has most events within minutes; CloudTrail promises none.
  if (nowMs < watchTestedAtMs + recheckMs) {
    return { kind: "wait", untilMs: nowMs + consistencyMs, reason };
  }
  const since = heardAtMs === undefined ? "ever" : `since ${isoOf(heardAtMs)}`;
  const observations = `no event of a call of ours came through CloudTrail ${since}; ${old.keyId} stays as it is`;
  const next = "aws cloudtrail describe-trails";
  const what = finding("DRAIN_NOT_WATCHED", rotation.id, observations, next, nowMs);
  return { kind: "wait", untilMs: nowMs + recheckMs, reason, finding: what };
}
