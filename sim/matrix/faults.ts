/** The faults of one call, and of the process that makes it. */
import { requestLimitMs } from "../../lambda/workflow/model/limits.ts";
import { prompt, type PlannedFault, type Medium } from "../world/fault-plan.ts";

export const faults = {
  "crash before": { ...prompt, crash: "before" },
  "crash after": { ...prompt, crash: "after" },
  "crash after, and late": { ...prompt, outMs: requestLimitMs, crash: "after" },
  "response lost": { ...prompt, unanswered: true },
  "given up, and late": { ...prompt, outMs: requestLimitMs, unanswered: true },
  duplicated: { ...prompt, again: { afterMs: 3000, hears: "first" } },
  "duplicated, and answered second": { ...prompt, again: { afterMs: 3000, hears: "second" } },
  // The run stalls until the platform ends it, and never sends.
  "stalled, and unsent": { ...prompt, stallMs: 1, lost: true },
  // The run continues just before its end: its request arrives after the end.
  "stalled, and late": { ...prompt, stallMs: Infinity, outMs: requestLimitMs },
  // The run sends, and stalls until the platform ends it.
  "sent, and stalled": { ...prompt, stallMs: 1, outMs: requestLimitMs, backMs: Infinity },
} as const satisfies Record<string, PlannedFault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

const ofWrites: FaultName[] = ["duplicated", "duplicated, and answered second"];
/** A read has no effect: a read with a lost response equals a read that was never sent. */
const ofEffects: FaultName[] = [
  "crash after",
  "crash after, and late",
  "given up, and late",
  "sent, and stalled",
];

/** The adapter sends a changing call of KMS once: only writes to the table can be duplicated. */
export function applies(fault: FaultName, medium: Medium): boolean {
  if (ofWrites.includes(fault)) return medium === "table";
  return medium !== "observe" || !ofEffects.includes(fault);
}
