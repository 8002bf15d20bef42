/** The settle rule's parts, each of which the search can do without, to see what it holds up. */
import type { ManagedKey, Moment } from "../../lambda/workflow/types.ts";

export const parts = {
  waiting: "nobody waits for what an earlier epoch may have under way",
  list: "one mark in place of a list: the newer epoch's wipes the older one's",
  "second look": "what gave a key back is not looked at again once nothing can land any longer",
  "own doubt": "an epoch goes on after a call of its own that has no answer",
  "mark kept": "a mark is taken off although a call of its epoch has no answer",
} as const;

export type Part = keyof typeof parts;

/** What the transition function is shown of the record and the moment, with that part left out. */
export function shown(
  record: ManagedKey,
  moment: Moment,
  without: Part | undefined,
): { record: ManagedKey; moment: Moment } {
  const isGivingBack = record.rotations.some(({ restored }) => restored?.enabledAtMs !== undefined);
  if (without === "waiting" || (without === "second look" && isGivingBack)) {
    const own = record.unsettled.filter(({ epoch }) => epoch === moment.epoch);
    return { record: { ...record, unsettled: own }, moment: { ...moment, uncertain: false } };
  }
  if (without === "own doubt") return { record, moment: { ...moment, uncertain: false } };
  return { record, moment };
}
