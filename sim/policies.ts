/** The policies of the simulated worlds: so short that hours show what takes months. */
import type { SimRandom } from "../embedded-aws/random.ts";
import type { Policy } from "../lambda/workflow/model/types.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** So short that a rotation passes all its steps within a day. */
export function hasty(random: SimRandom, index: number): Policy {
  const hours = (low: number, high: number): number =>
    Math.round((low + random.next() * (high - low)) * hourMs);
  return {
    name: `policy-${index}`,
    cryptoperiodMs: hours(18, 44),
    leadMs: hours(1, 3),
    propagationMs: 5 * minuteMs,
    originate: random.next() < 0.3 ? "alias-only" : "observe",
    drain: { atLeastMs: hours(1, 4), quietForMs: hours(1, 3), evidence: "required" },
    retire: (["retain", "disable", "delete", "delete"] as const)[index % 4] ?? "disable",
    soakMs: hours(1, 4),
    deletionWindowDays: 7,
    approval: "none",
    acknowledgeWithinMs: 24 * hourMs,
  };
}

/** Some policies have a long propagation time. */
export function varied(random: SimRandom, index: number): Policy {
  const propagationMs = Math.round((random.next() < 0.5 ? 0.1 : 1 + 2 * random.next()) * hourMs);
  return { ...hasty(random, index), propagationMs };
}

/** Slow enough to complete a deletion, which takes KMS at least seven days. */
export function patient(random: SimRandom, index: number): Policy {
  return {
    ...varied(random, index),
    cryptoperiodMs: Math.round((4 + 4 * random.next()) * 24 * hourMs),
    leadMs: 12 * hourMs,
    retire: index === 0 ? "disable" : "delete",
  };
}

/** Policies without waits, which make runs overlap: only the protocol prevents harm. */
export function rash(random: SimRandom, index: number): Policy {
  return {
    ...hasty(random, index),
    cryptoperiodMs: Math.round((2 + 2 * random.next()) * hourMs),
    leadMs: hourMs,
    propagationMs: random.next() < 0.5 ? 0 : 10 * minuteMs,
    drain: { atLeastMs: 0, quietForMs: 0, evidence: "required" },
    soakMs: random.next() < 0.5 ? 0 : 20 * minuteMs,
    retire: random.next() < 0.5 ? "disable" : "delete",
  };
}

/** Every version goes as far as a deletion. */
export function deleting(random: SimRandom, index: number): Policy {
  return { ...hasty(random, index), retire: "delete", originate: "observe" };
}
