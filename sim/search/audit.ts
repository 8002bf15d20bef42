/** What the audit (`findDrift` of `lambda/chores/audit.ts`) observes of an alias and makes due. */
import { foundByInspection } from "../../lambda/workflow/model/findings.ts";
import { rotationBeforeActivation, activeVersion } from "../../lambda/workflow/model/record.ts";
import { isHeld, shownOf, type SearchState } from "./state.ts";

export function auditReads(state: SearchState): { name: string; state: SearchState }[] {
  const { record, nowMs } = state;
  const { target } = shownOf(state);
  // While a finding of an inspection is open, every pass inspects.
  const isOpen = record.findings.some(({ code }) => foundByInspection.includes(code));
  if (record.suspectedAtMs !== undefined || isOpen || isHeld(state)) return [];
  const active = activeVersion(record);
  if (active === undefined) return [];
  const busy = rotationBeforeActivation(record);
  const rightful = record.versions
    .filter(({ number }) => [active.number, busy?.from, busy?.to].includes(number))
    .map(({ keyId }) => keyId);
  const astray = !rightful.includes(target);
  const reactivation = record.versions.some(
    ({ keyId, state }) =>
      (state === "disabled" || state === "pending-deletion") && target === keyId,
  );
  if (!astray && !reactivation) return [];
  const next = { ...record, dueAtMs: nowMs, suspectedAtMs: nowMs };
  return [{ name: "the audit finds the alias on another key", state: { ...state, record: next } }];
}
