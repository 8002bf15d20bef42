/** The configured dependents acknowledge a new version before an alias points at it. */
import { inOrder } from "../model/commands.ts";
import { finding, type FindingCode } from "../model/findings.ts";
import { requestCommand } from "../model/request-command.ts";
import { isoOf } from "../model/iso.ts";
import type { Decision, StepScene, Version } from "../model/types.ts";

/** keyturn also waits for dependents added or removed since the rotation opened: that is safe. */
export function notAcknowledged(
  { record, rotation, context }: StepScene,
  fresh: Version,
  readyAtMs: number,
): Decision | undefined {
  if (rotation.direction === "back") return undefined;
  const named = new Set([...rotation.dependents, ...record.dependents]);
  const missing = [...named].filter((name) => !Object.hasOwn(rotation.acknowledgedAtMs, name));
  if (missing.length === 0) return undefined;
  const untilMs = readyAtMs + rotation.policy.acknowledgeWithinMs;
  const late = context.nowMs >= untilMs;
  const code: FindingCode = late ? "DEPENDENT_NOT_READY" : "ACKNOWLEDGEMENT_AWAITED";
  const observed = `version ${fresh.number}, ${fresh.keyId}, waits for ${missing.join(", ")}, until ${isoOf(untilMs)}`;
  const next = inOrder(
    missing.map((dependent) =>
      requestCommand(record.alias, "acknowledge", { version: fresh.number, dependent }),
    ),
  );
  const what = finding(code, record.alias, observed, next, context.nowMs);
  if (late) return { kind: "halt", finding: what };
  return { kind: "wait", untilMs, reason: "its dependents must acknowledge it", finding: what };
}
