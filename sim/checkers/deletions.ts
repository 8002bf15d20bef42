/**
 * A version that an external actor scheduled for deletion has a finding from five days before the date on, as long as
 * KMS has the key.
 */
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import type { Engine } from "../world/engine.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

const hourMs = 3_600_000;
const checkedBeforeMs = [5 * 24, 4 * 24, 3 * 24, 2 * 24, 24, 1].map((hours) => hours * hourMs);

export function deletions(
  { kms, ours, policies, nowMs, violated }: Facts,
  engine: Engine,
  recordOf: (alias: string) => ManagedKey | undefined,
): Checker {
  /** `atMs`: when the deletion was scheduled. */
  const check = (keyId: string, atMs: number, dateMs: number): void => {
    const key = kms.keys.get(keyId);
    if (key?.deletionAtMs !== dateMs) return;
    for (const alias of policies.keys()) {
      const record = recordOf(alias);
      const version = record?.versions.find((one) => one.keyId === keyId);
      if (record === undefined || version === undefined) continue;
      const isManaged =
        (record.enrolledAtMs ?? Infinity) < atMs && record.unenrolment === undefined;
      const isReported = record.findings.some(
        ({ code, subject }) => code === "DELETION_SCHEDULED_BY_OTHERS" && subject === keyId,
      );
      if (!isManaged || version.state === "pending-deletion" || isReported) continue;
      const hours = Math.round((dateMs - nowMs()) / hourMs);
      const what = `${nameOf(key, keyId)}, ${version.state}, is deleted in ${hours} hours, without a finding`;
      violated("a change by others is reported", what);
    }
  };
  return {
    onChange({ operation, input, principalArn, atMs }) {
      if (operation !== "ScheduleKeyDeletion" || principalArn === ours) return;
      const keyId = keyIdIn(input);
      const dateMs = kms.keys.get(keyId)?.deletionAtMs;
      if (dateMs === undefined) return;
      for (const beforeMs of checkedBeforeMs) {
        engine.at(dateMs - beforeMs, () => check(keyId, atMs, dateMs));
      }
    },
  };
}
