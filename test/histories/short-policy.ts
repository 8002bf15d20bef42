import type { Policy } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";

/** Opened on day 28, drained on day 30, soaked on day 32, deleted on day 40. */
export const short: Partial<Policy> = {
  cryptoperiodMs: 30 * dayMs,
  leadMs: 2 * dayMs,
  drain: { atLeastMs: 2 * dayMs, quietForMs: dayMs, evidence: "required" },
  retire: "delete",
  soakMs: 2 * dayMs,
  deletionWindowDays: 7,
};
