/** The configured dependents acknowledge a new version before an alias points at it. */
import { explain, inOrder } from "../model/commands.ts";
import { finding, type FindingCode } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { isoOf } from "../model/iso.ts";
import { recheckMs } from "../model/limits.ts";
import { failsSilently } from "../safety/public-keys.ts";
import type { Decision, ManagedKey, StepScene, Version } from "../model/types.ts";

/** A caller that agrees or encapsulates with the old public key fails silently once the alias moves. */
export function dependentRequired(record: ManagedKey, { shape }: Version, nowMs: number): Decision {
  const { alias } = record;
  const observed = `${alias} has usage ${shape.usage}, and no dependent is named for it`;
  const code = "DEPENDENT_REQUIRED";
  const what = finding(code, alias, observed, explain(code), nowMs);
  const untilMs = nowMs + 6 * recheckMs;
  return { kind: "wait", untilMs, reason: "a dependent must be named", finding: what };
}

/** keyturn also waits for dependents added or removed since the rotation opened: that is safe. */
export function notAcknowledged(
  { record, rotation, context }: StepScene,
  fresh: Version,
  readyAtMs: number,
): Decision | undefined {
  if (rotation.direction === "back") return undefined;
  const named = new Set([...rotation.dependents, ...record.dependents]);
  // A rotation that an older version opened: the same as at its opening.
  if (named.size === 0 && failsSilently(fresh.shape)) {
    return dependentRequired(record, fresh, context.nowMs);
  }
  const missing = [...named].filter((name) => !Object.hasOwn(rotation.acknowledgedAtMs, name));
  if (missing.length === 0) return undefined;
  const untilMs = readyAtMs + rotation.policy.acknowledgeWithinMs;
  const late = context.nowMs >= untilMs;
  const code: FindingCode = late ? "DEPENDENT_NOT_READY" : "ACKNOWLEDGEMENT_AWAITED";
  const observed = `version ${fresh.number}, ${fresh.keyId}: no acknowledgement from ${missing.join(", ")}; due ${isoOf(untilMs)}`;
  const next = inOrder(
    missing.map((dependent) =>
      requestCommand(record.alias, "acknowledge", { version: fresh.number, dependent }),
    ),
  );
  const what = finding(code, record.alias, observed, next, context.nowMs);
  if (late) return { kind: "halt", finding: what };
  return { kind: "wait", untilMs, reason: "dependents must acknowledge", finding: what };
}
