/** The parts of the settle rule. The search can omit each one, to show what it prevents. */
import { blockedUntilMs, isExempt, leftUnsettled } from "../../lambda/workflow/safety/settle.ts";
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import type { ManagedKey, Context, Unsettled } from "../../lambda/workflow/model/types.ts";
import type { CallDecision } from "./state.ts";

export const parts = {
  waiting: "no run waits for a call that an earlier epoch may have in flight",
  list: "one mark instead of a list: the newer epoch's mark replaces the older one's",
  "second observation": "no observation after a restore, once no call can land any longer",
  "own doubt": "an epoch continues after its own call without a response",
  "read lag": "a mark ends when its call can no longer land, not when all reads show the effect",
  "mark kept": "a pass removes its mark although a call of its epoch has no response",
} as const;

export type Part = keyof typeof parts;

/**
 * The record and the context as the transition function gets them without that part of the rule. No
 * line of production is replaced: it decides by a list without some entries.
 */
export function shown(
  record: ManagedKey,
  context: Context,
  without: Part | undefined,
): { record: ManagedKey; context: Context } {
  const own = (): ManagedKey => ({
    ...record,
    unsettled: record.unsettled.filter(({ epoch }) => epoch === context.epoch),
  });
  switch (without) {
    case "waiting":
      return { record: own(), context };
    case "second observation": {
      const isBack = record.rotations.some(
        ({ restored, reactivation }) =>
          restored?.enabledAtMs !== undefined || reactivation?.enabledAtMs !== undefined,
      );
      return isBack ? { record: own(), context } : { record, context };
    }
    case "own doubt":
      return { record, context: { ...context, uncertain: false } };
    case "read lag": {
      const unsettled = record.unsettled.map((entry) => ({
        ...entry,
        untilMs: entry.untilMs - consistencyMs,
      }));
      return { record: { ...record, unsettled }, context };
    }
    default:
      return { record, context };
  }
}

/** The marks after the announcement of a call. */
export function announcedMarks(
  marks: Unsettled[],
  epoch: number,
  without: Part | undefined,
): Unsettled[] {
  return without === "list" ? marks.filter((entry) => entry.epoch === epoch) : marks;
}

/** The marks after a pass (`finish.ts`). */
export function marksAtRest(
  { unsettled }: ManagedKey,
  epoch: number,
  uncertain: boolean,
  nowMs: number,
  without: Part | undefined,
): Unsettled[] {
  return leftUnsettled(unsettled, epoch, uncertain && without !== "mark kept", nowMs);
}

/** "second observation" lifts the rule from the calls of a restore, not from any other call. */
export function mayBeMade(
  record: ManagedKey,
  { call }: CallDecision,
  { epoch, uncertain, nowMs }: Context,
  without: Part | undefined,
): boolean {
  if (without !== "second observation" || isExempt(call) || call.kind === "TagResource")
    return true;
  return blockedUntilMs(record.unsettled, epoch, uncertain, nowMs) === undefined;
}
