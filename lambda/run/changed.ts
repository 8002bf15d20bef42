/**
 * The answer to a change by an external actor: its managed key is suspected and due, and the next run inspects it. A
 * storm of events costs one read an event, and at most one write a minute and managed key.
 */
import { pauseMs } from "../pass/backoff.ts";
import { begin, type Run, type RunOptions } from "../pass/context.ts";
import { RotationError } from "../errors.ts";
import type { KeyChange } from "../inbound/key-change.ts";
import { inspectionPauseMs } from "../workflow/model/limits.ts";
import { isRecent, note, type Recent } from "./recent.ts";

export type ChangeOutcome = {
  alias: string;
  /** "known": marked within the last minute, and the next inspection comes later. */
  outcome: "due" | "known";
};

/**
 * Those that the change concerns; none where it concerns no managed key. `marked`: since CloudTrail delivers an event
 * later than a minute after the call, the inspection after a recent mark shows the change. `waits`: until no run holds
 * them; a client that retries sends its next event soon.
 */
export async function changed(
  options: RunOptions,
  change: Pick<KeyChange, "keyIds" | "alias">,
  marked: Recent,
  waits = true,
): Promise<ChangeOutcome[]> {
  const current = begin(options);
  const outcomes: ChangeOutcome[] = [];
  for (const alias of await concerned(current, change)) {
    const nowMs = current.ports.clock.nowMs();
    if (isRecent(marked, alias, nowMs)) {
      outcomes.push({ alias, outcome: "known" });
      continue;
    }
    if (!(await mark(current, alias, waits))) continue;
    note(marked, alias, nowMs);
    outcomes.push({ alias, outcome: "due" });
  }
  return outcomes;
}

/** The managed keys of the keys, and that of the alias, which may leave a key that is not managed. */
async function concerned(
  { ports, homes }: Run,
  { keyIds, alias }: Pick<KeyChange, "keyIds" | "alias">,
): Promise<string[]> {
  const bound = await Promise.all(keyIds.map((keyId) => ports.table.boundTo(keyId)));
  const listed = [...homes.values()].find(({ aliases }) => aliases.includes(alias ?? ""))?.alias;
  const all = [...bound, listed ?? alias].flatMap((one) => one ?? []);
  return [...new Set(all)];
}

/** False where it is not managed. A run that holds it may have read KMS before the change. */
async function mark({ ports, stopAtMs }: Run, alias: string, waits: boolean): Promise<boolean> {
  const { table, clock } = ports;
  for (let tries = 0; ; tries++) {
    const record = (await table.read(alias))?.record;
    if (record?.enrolledAtMs === undefined || record.unenrolment !== undefined) return false;
    const nowMs = clock.nowMs();
    // A wrong clock may have written a time ahead.
    const inspectedAtMs = Math.min(record.inspectedAtMs ?? 0, nowMs);
    const dueAtMs = Math.min(record.dueAtMs, Math.max(nowMs, inspectedAtMs + inspectionPauseMs));
    if (await table.nudge(alias, nowMs, { suspectedAtMs: nowMs, dueAtMs })) return true;
    if (!waits) return false;
    if (clock.nowMs() >= stopAtMs) {
      // Lambda then invokes the function with this event again.
      throw new RotationError("TABLE_FAILED", `${alias}: runs hold it`, undefined);
    }
    await clock.sleep(pauseMs(tries));
  }
}
