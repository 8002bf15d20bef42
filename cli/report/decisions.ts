/** What people asked of a managed key, and what came of it. */
import type { JournalEntry } from "../../lambda/ports.ts";

export type PersonsDecision = {
  atMs: number;
  line: number;
  asked: string;
  by: string;
  reason: string;
  outcome: "done" | "refused";
  version: number | undefined;
  requestId: string;
  rotationId: string | undefined;
  /** Of the evidence that was approved; "overridden" where none was asked for. */
  evidence: string | undefined;
};

export function decisionsOf(journal: readonly JournalEntry[]): PersonsDecision[] {
  return journal
    .filter(({ detail }) => detail.request !== undefined)
    .map(({ atMs, revision, event, reason, detail, rotationId }) => ({
      atMs,
      line: revision,
      asked: String(detail.asked),
      by: String(detail.by ?? "not said"),
      reason,
      outcome: event === "request-rejected" ? ("refused" as const) : ("done" as const),
      version: detail.version === undefined ? undefined : Number(detail.version),
      requestId: String(detail.request),
      rotationId,
      evidence:
        detail.override === "true"
          ? "overridden"
          : detail.evidence === undefined
            ? undefined
            : String(detail.evidence),
    }));
}
