/** The five steps of an open rotation, with times and reasons from its journal; pure. */
import type { JournalEntry } from "../../lambda/ports.ts";
import type { ManagedKey, Rotation, Step } from "../../lambda/workflow/model/types.ts";
import { waitsOf, type Wait } from "./waits.ts";

export type StepView = {
  step: Step;
  /** `passed over`: the step is not part of this kind of rotation. */
  state: "done" | "now" | "ahead" | "passed over";
  beganAtMs?: number;
  endedAtMs?: number;
  lines: Pick<JournalEntry, "revision" | "atMs" | "event" | "reason" | "detail">[];
  /** What it waits for; only for the present step. */
  waits: Wait[];
};

const order: Step[] = ["generate", "distribute", "activate", "drain", "revoke"];

export function stepsOf(
  record: ManagedKey,
  rotation: Rotation,
  journal: readonly JournalEntry[],
  nowMs: number,
): StepView[] {
  const own = journal.filter(({ rotationId }) => rotationId === rotation.id);
  const present = order.indexOf(rotation.step);
  let beganAtMs = rotation.openedAtMs;
  return order.map((step, index) => {
    const lines = own
      .filter((line) => line.step === step)
      .map(({ revision, atMs, event, reason, detail }) => {
        return { revision, atMs, event, reason, detail };
      });
    if (index > present) return { step, state: "ahead", lines, waits: [] };
    if (index === present) {
      const waits = waitsOf(record, rotation, nowMs);
      return { step, state: "now", beganAtMs: rotation.stepSinceMs, lines, waits };
    }
    const endedAtMs = lines.at(-1)?.atMs;
    if (endedAtMs === undefined) return { step, state: "passed over", lines, waits: [] };
    const view: StepView = { step, state: "done", beganAtMs, endedAtMs, lines, waits: [] };
    beganAtMs = endedAtMs;
    return view;
  });
}

export type Deleted = { number: number; keyId: string; atMs: number };

/** Versions in the journal that the record no longer lists, with the time of their last line. */
export function deletedVersions(
  { versions }: Pick<ManagedKey, "versions">,
  journal: readonly JournalEntry[],
): Deleted[] {
  const listed = new Set(versions.map(({ number }) => number));
  const deleted = new Map<number, Deleted>();
  for (const { atMs, detail } of journal) {
    const { version: number, keyId } = detail;
    if (typeof number !== "number" || typeof keyId !== "string" || listed.has(number)) continue;
    deleted.set(number, { number, keyId, atMs });
  }
  return [...deleted.values()].sort((a, b) => a.number - b.number);
}

/** The last requests and their results, the latest last. */
export function askedOf(journal: readonly JournalEntry[], atMost: number): JournalEntry[] {
  return journal.filter(({ detail }) => detail["request"] !== undefined).slice(-atMost);
}
