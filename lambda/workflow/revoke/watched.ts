/**
 * An unmonitored drain looks the same as a quiet one: a trail may exclude KMS, or a rule may be
 * disabled. So keyturn revokes a key only if the event of a canary call arrived within a day.
 */
import { finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { consistencyMs, dayMs, recheckMs } from "../model/limits.ts";
import { entryOf } from "../safety/old-version.ts";
import { withRotation } from "../model/record.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, StepScene } from "../model/types.ts";

/** How long one event proves that the path of events works. */
export const heardForMs = dayMs;

/** Undefined where events of use attempts arrive, or where the deployment does not watch drains. */
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
      entry: entryOf(scene, "watch-tested", "no KMS event arrived for a day"),
    };
  }
  const reason = "waiting for the canary event";
  // Most events reach EventBridge within minutes; CloudTrail guarantees none.
  if (nowMs < watchTestedAtMs + recheckMs) {
    return { kind: "wait", untilMs: nowMs + consistencyMs, reason };
  }
  const since = heardAtMs === undefined ? "" : ` since ${isoOf(heardAtMs)}`;
  const observations = `no canary event has arrived through CloudTrail${since}; keyturn does not disable or delete ${old.keyId}`;
  const next = "aws cloudtrail describe-trails";
  const what = finding("DRAIN_NOT_WATCHED", rotation.id, observations, next, nowMs);
  return { kind: "wait", untilMs: nowMs + recheckMs, reason, finding: what };
}
