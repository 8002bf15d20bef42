/** Callers that version 2 refuses since the move from version 1, and the alarms about them. */
import { refusalFindings } from "../../lambda/workflow/safety/refusal-findings.ts";
import type { Finding } from "../../lambda/workflow/model/findings.ts";
import type { OtherRefusals, RefusedOn, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { dayMs, minuteMs } from "../fixtures.ts";
import { spoken } from "./decided.ts";
import { aUse, soaked, type On, type RefusedSetting } from "./refused.ts";
import { nowMs } from "./scene.ts";

/** Version 2 has been active for a day. */
export const movedMs = nowMs - dayMs;
export const settledMs = movedMs + 10 * minuteMs;

export function alarms(
  on: On,
  { rotation, old, fresh, ...setting }: RefusedSetting = {},
): Finding[] {
  const findings = refusalFindings(
    soaked({
      ...setting,
      on,
      old: { state: "draining", retiredAtMs: movedMs, ...old },
      fresh: { activatedAtMs: movedMs, ...fresh },
      rotation: { step: "drain", ...rotation },
    }),
  );
  for (const finding of findings) spoken(finding);
  return findings.filter(({ code }) => code === "REFUSED_SINCE_ACTIVATION");
}

/** Among the others, refused once. */
export const at = (name: string, atMs: number): OtherRefusals["known"] => ({
  [name]: [atMs, atMs],
});
export const lockedOut = (changes: Partial<RefusedUse> = {}): RefusedUse =>
  aUse({ operation: "Encrypt", lastAtMs: settledMs, ...changes });
export const refusing = (second: RefusedOn, first?: RefusedOn): On => ({
  "key-2": second,
  ...(first === undefined ? {} : { "key-1": first }),
});
