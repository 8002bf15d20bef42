/** The rotations and rollbacks of a managed key, with the times of their steps. */
import type { KeyHistory } from "../../lambda/aws/dynamodb-reading.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import type { EventName } from "../../lambda/workflow/model/events.ts";
import { rotationsOf } from "./history.ts";

export type RotationReport = {
  id: string;
  /** "way out": the retirement of a version that was never active, or was restored. */
  kind: "rotation" | "rollback" | "way out";
  from: number | undefined;
  to: number | undefined;
  reason: string;
  outcome: string;
  isOpen: boolean;
  beganAtMs: number;
  lastAtMs: number;
  activatedAtMs: number | undefined;
  drainedAtMs: number | undefined;
  disabledAtMs: number | undefined;
  deletionScheduledAtMs: number | undefined;
  completedAtMs: number | undefined;
};

export function rotationReports(history: KeyHistory): RotationReport[] {
  const known = rotationsOf(history);
  const byId = Map.groupBy(
    history.journal.filter(({ rotationId }) => rotationId !== undefined),
    ({ rotationId }) => rotationId ?? "",
  );
  return [...byId].flatMap(([id, lines]) => {
    const rotation = known.get(id);
    const first = lines.find(({ event }) => event === "opened" || event === "rolled-back");
    const [began] = lines;
    // An excess key has lines with a rotation id, and is not a rotation.
    if (began === undefined || (first === undefined && rotation === undefined)) return [];
    const open = history.record.rotations.find((one) => one.id === id);
    const lastAtMs = lines.at(-1)?.atMs ?? began.atMs;
    return {
      id,
      kind: kindOf(first?.event as EventName | undefined),
      from: numberOf(first?.detail.from) ?? rotation?.from,
      to: numberOf(first?.detail.to) ?? rotation?.to,
      reason: first?.reason ?? began.reason,
      outcome: open === undefined ? endOf(history.journal, lines) : `under way: ${open.step}`,
      isOpen: open !== undefined,
      beganAtMs: began.atMs,
      lastAtMs,
      activatedAtMs: firstOf(lines, ["activated", "reactivated"]),
      drainedAtMs: firstOf(lines, ["drained"]),
      disabledAtMs: lastOf(lines, "disabled"),
      deletionScheduledAtMs: lastOf(lines, "deletion-scheduled"),
      completedAtMs: lastOf(lines, "completed"),
    };
  });
}

function kindOf(event: EventName | undefined): RotationReport["kind"] {
  if (event === "opened") return "rotation";
  return event === "rolled-back" ? "rollback" : "way out";
}

function numberOf(value: string | number | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

function firstOf(lines: JournalEntry[], events: EventName[]): number | undefined {
  return lines.find(({ event }) => events.some((one) => one === event))?.atMs;
}

function lastOf(lines: JournalEntry[], wanted: EventName): number | undefined {
  return lines.findLast(({ event }) => event === wanted)?.atMs;
}

const finishes: Partial<Record<EventName, string>> = {
  "rolled-back": "ended by a rollback",
  "un-enrol-requested": "ended by un-enrolment",
  reconciled: "ended when the record was rebuilt",
};

/** The end of a closed rotation: by its own line, or by the first later line that ends all. */
function endOf(journal: readonly JournalEntry[], lines: JournalEntry[]): string {
  const own: Partial<Record<EventName, string>> = {
    completed: "completed",
    cancelled: "cancelled",
    abandoned: "abandoned",
  };
  for (const { event } of lines.toReversed()) {
    const end = own[event as EventName];
    if (end !== undefined) return end;
  }
  const lastLine = lines.at(-1)?.revision ?? 0;
  const ended = journal.find(
    ({ revision, event }) => revision > lastLine && finishes[event as EventName] !== undefined,
  );
  return finishes[ended?.event as EventName] ?? "ended; the cause is not in the journal";
}
