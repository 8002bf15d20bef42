/** The one managed key of the search. Its short waits keep the number of distinct times small. */
import type { Home, Policy } from "../../lambda/workflow/model/types.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const alias = "alias/orders";
export const owner = "acme";
export const tableId = "table-1";
export const startMs = Date.UTC(2027, 0, 1);
export const longMs = 30 * dayMs;
/** The last inspection of a record that the daily inspection never reaches. */
export const neverAgainMs = startMs + 1000 * longMs;
export const runLimitMs = 5 * minuteMs;
/** Within this time an attempt to use a key reaches the handler. */
export const attemptWithinMs = hourMs;

/** No rotation is due by itself: operators request rotations, and the budget counts them. */
export const policy: Policy = {
  name: "searched",
  cryptoperiodMs: 100_000 * hourMs,
  leadMs: 0,
  propagationMs: 0,
  originate: "observe",
  drain: { atLeastMs: 0, quietForMs: 0, evidence: "required" },
  retire: "delete",
  soakMs: hourMs,
  deletionWindowDays: 7,
  approval: "none",
  acknowledgeWithinMs: hourMs,
};

export const home: Home = { alias, aliases: [alias], policy, dependents: [] };
