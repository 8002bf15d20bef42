/**
 * No refusal proves nothing where refusals are not collected: before a deletion, they were for as long as the version
 * must be quiet, without a gap.
 */
import { finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { dayMs, observeEveryMs, recheckMs } from "../model/limits.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import type { Decision, StepScene } from "../model/types.ts";

/** Canaries are a day apart, and CloudTrail's events may be late: a longer silence is a gap. */
export const refusalsGapMs = 1.5 * dayMs;
/** A pass sends another where the last one is older: the next pass may be a day later, and its event late. */
export const canaryAfterMs = refusalsGapMs - observeEveryMs - 2 * recheckMs;

/** Undefined where refusals were collected, or where the deployment does not collect them. */
export function notCollected(scene: StepScene): Decision | undefined {
  const { record, rotation, old, observed, context } = scene;
  const { nowMs, refusalsWatch } = context;
  if (refusalsWatch !== "cloudtrail") return undefined;
  const first = observeFirst(scene, [{ kind: "refusals-watch", keyId: old.keyId }]);
  if (first !== undefined) return first;
  const watch = valueOf(observed["refusals-watch"][old.keyId]);
  const isHeard = watch !== undefined && nowMs - watch.heardAtMs <= refusalsGapMs;
  const sinceMs = Math.max(watch?.sinceMs ?? nowMs, record.collectedFromMs ?? 0);
  const enoughAtMs = sinceMs + rotation.policy.drain.quietForMs;
  if (isHeard && nowMs >= enoughAtMs) return undefined;
  const since = isHeard
    ? `only since ${isoOf(sinceMs)}`
    : `since ${isoOf(watch?.heardAtMs ?? nowMs)} without a canary event`;
  const what = `refused uses are collected ${since}; keyturn does not delete ${old.keyId}`;
  const next = "aws cloudtrail describe-trails";
  return {
    kind: "wait",
    untilMs: isHeard ? Math.min(enoughAtMs, nowMs + dayMs) : nowMs + recheckMs,
    reason: "refused uses must be collected for longer",
    finding: finding("REFUSALS_NOT_WATCHED", rotation.id, what, next, nowMs),
  };
}
