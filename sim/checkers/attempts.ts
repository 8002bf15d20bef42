/** A use attempt restores a version only if KMS refused it since keyturn disabled that version. */
import type { KmsKey } from "../../embedded-aws/kms/types.ts";
import { keyIdIn, nameOf, type Checker, type Facts } from "./checker.ts";

/** The first of several DisableKey calls without an answer counts: so long the next ones may take. */
const slackMs = 60 * 60_000;

export function attempts(
  facts: Pick<Facts, "nowMs" | "ours" | "kms" | "attempts" | "violated">,
): Checker {
  const { nowMs, ours, kms, violated } = facts;
  const disabledAtMs = new Map<string, number>();
  const keyOf = (keyId: string): KmsKey | undefined => kms.keys.get(keyId);
  return {
    beforeChange(operation, input, by) {
      const keyId = keyIdIn(input);
      if (by !== ours || operation !== "DisableKey" || keyOf(keyId)?.state !== "Enabled") return;
      disabledAtMs.set(keyId, nowMs());
    },
    onWrite(before, { record, outbox }) {
      const line = outbox.at(-1);
      if (line === undefined || before?.record.revision === record.revision) return;
      const keyId = String(line.detail.keyId);
      const refusedAtMs = facts.attempts.get(String(line.detail.eventId)) ?? Infinity;
      if (refusedAtMs + slackMs >= (disabledAtMs.get(keyId) ?? -Infinity)) return;
      const what = `${record.alias}: ${nameOf(keyOf(keyId), keyId)} was disabled after the use attempt`;
      violated("an old use attempt restores nothing", what);
    },
  };
}
