/** The settle rule's parts, each of which the search can do without, to see what it holds up. */
import { blockedUntilMs, isExempt, leftUnsettled } from "../../lambda/workflow/safety/settle.ts";
import { consistencyMs } from "../../lambda/workflow/model/limits.ts";
import type { ManagedKey, Context, Unsettled } from "../../lambda/workflow/model/types.ts";
import type { CallDecision } from "./state.ts";

export const parts = {
  waiting: "nobody waits for what an earlier epoch may have under way",
  list: "one mark in place of a list: the newer epoch's wipes the older one's",
  "second look": "what gave a key back is not looked at again once nothing can land any longer",
  "own doubt": "an epoch goes on after a call of its own that has no answer",
  "read lag": "a mark ends when its call can no longer land, not when all reads show what it did",
  "mark kept": "a mark is taken off although a call of its epoch has no answer",
} as const;

export type Part = keyof typeof parts;

/**
 * What the transition function is shown of the record and the moment, with that part left out. No line
 * of production is replaced: it decides by a list from which entries are missing.
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
    case "second look": {
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

/** The marks as they stand once a call is announced. */
export function announcedMarks(
  marks: Unsettled[],
  epoch: number,
  without: Part | undefined,
): Unsettled[] {
  return without === "list" ? marks.filter((entry) => entry.epoch === epoch) : marks;
}

/** The marks as a turn leaves them (`ending.ts`). */
export function marksAtRest(
  { unsettled }: ManagedKey,
  epoch: number,
  uncertain: boolean,
  nowMs: number,
  without: Part | undefined,
): Unsettled[] {
  return leftUnsettled(unsettled, epoch, uncertain && without !== "mark kept", nowMs);
}

/** "second look" takes it from what gives a key back, not from any other call. */
export function mayBeMade(
  record: ManagedKey,
  { call }: CallDecision,
  { epoch, uncertain, nowMs }: Context,
  without: Part | undefined,
): boolean {
  if (without !== "second look" || isExempt(call) || call.kind === "TagResource") return true;
  return blockedUntilMs(record.unsettled, epoch, uncertain, nowMs) === undefined;
}
