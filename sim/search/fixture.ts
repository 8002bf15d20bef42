/** The one managed key that is searched, with waits so short that few moments tell everything apart. */
import type { Home, Policy } from "../../lambda/workflow/types.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

export const alias = "alias/orders";
export const owner = "acme";
export const tableId = "table-1";
export const startMs = Date.UTC(2027, 0, 1);
export const runLimitMs = 5 * minuteMs;
/**
 * How long after its run's deadline a call can still take effect and be seen: the request's limit, the
 * skew of two clocks, KMS's consistency; by design.md, whatever production reckons with.
 */
export const lateMs = 10_000 + minuteMs + 5 * minuteMs - 1;
/** By when an attempt to use a key has reached the handler. */
export const attemptWithinMs = hourMs;

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
