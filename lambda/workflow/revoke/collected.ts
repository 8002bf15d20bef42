/**
 * No refusal proves nothing where refusals are not collected: before a deletion, they were for as long as the version
 * must be quiet, without a gap.
 */
import { finding, type Finding } from "../model/findings.ts";
import { isoOf } from "../model/iso.ts";
import { dayMs, observeEveryMs, recheckMs } from "../model/limits.ts";
import { observeFirst, valueOf } from "../safety/observations.ts";
import { readsOfWatch } from "../safety/refusals.ts";
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
  const first = observeFirst(scene, readsOfWatch(record));
  if (first !== undefined) return first;
  const unheard = notHeard(scene, `keyturn does not delete ${old.keyId}`);
  const reason = "refused uses must be collected for longer";
  if (unheard !== undefined) {
    return { kind: "wait", untilMs: nowMs + recheckMs, reason, finding: unheard };
  }
  const { sinceMs = nowMs } = valueOf(observed["refusals-watch"][record.alias]) ?? {};
  const fromMs = Math.max(sinceMs, record.collectedFromMs ?? 0);
  const enoughAtMs = fromMs + rotation.policy.drain.quietForMs;
  if (nowMs >= enoughAtMs) return undefined;
  const what = `refused uses are collected only since ${isoOf(fromMs)}; keyturn deletes ${old.keyId} at ${isoOf(enoughAtMs)} at the earliest`;
  const untilMs = Math.min(enoughAtMs, nowMs + dayMs);
  return { kind: "wait", untilMs, reason, finding: findingOf(scene, what) };
}

/** While the deletion is scheduled, a refusal could not stop it: an operator must know. */
export function reportUnheard(scene: StepScene, wait: Decision): Decision {
  const { old, context } = scene;
  if (wait.kind !== "wait" || wait.finding !== undefined) return wait;
  const date = isoOf(old.deletionAtMs ?? context.nowMs);
  const unheard = notHeard(scene, `KMS deletes ${old.keyId} at ${date} or later`);
  return unheard === undefined ? wait : { ...wait, finding: unheard };
}

function notHeard(scene: StepScene, consequence: string): Finding | undefined {
  const { record, observed, context } = scene;
  if (context.refusalsWatch !== "cloudtrail") return undefined;
  const { heardAtMs } = valueOf(observed["refusals-watch"][record.alias]) ?? {};
  if (heardAtMs !== undefined && context.nowMs - heardAtMs <= refusalsGapMs) return undefined;
  const since = heardAtMs === undefined ? "" : ` since ${isoOf(heardAtMs)}`;
  const what = `no canary event came through the queue of refused uses${since}; ${consequence}`;
  return findingOf(scene, what);
}

function findingOf({ rotation, context }: StepScene, what: string): Finding {
  const next = "aws cloudtrail describe-trails";
  return finding("REFUSALS_NOT_WATCHED", rotation.id, what, next, context.nowMs);
}
