/** What the audit sees of an alias (`findDrift` of `lambda/chores/audit.ts`), and has a run look at. */
import { rotationBeforeActivation, servingVersion } from "../../lambda/workflow/model/record.ts";
import { isHeld, shownOf, type SearchState } from "./state.ts";

export function auditLooks(state: SearchState): { name: string; state: SearchState }[] {
  const { record, nowMs } = state;
  const { target } = shownOf(state);
  if (record.suspectedAtMs !== undefined || isHeld(state)) return [];
  const serving = servingVersion(record);
  if (serving === undefined) return [];
  const busy = rotationBeforeActivation(record);
  const rightful = record.versions
    .filter(({ number }) => [serving.number, busy?.from, busy?.to].includes(number))
    .map(({ keyId }) => keyId);
  const astray = !rightful.includes(target);
  const revived = record.versions.some(
    ({ keyId, standing }) =>
      (standing === "disabled" || standing === "deletion-scheduled") && target === keyId,
  );
  if (!astray && !revived) return [];
  const next = { ...record, dueAtMs: nowMs, suspectedAtMs: nowMs };
  return [{ name: "the audit sees the alias astray", state: { ...state, record: next } }];
}
