/** The requests for a managed key, and their outcomes. */
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
  /** The hash of the approved evidence; "overridden" if the request ignored the evidence. */
  evidence: string | undefined;
  /** The ids of the needs that an approval accepts, with spaces between them. */
  accepts: string | undefined;
};

export function decisionsOf(journal: readonly JournalEntry[]): PersonsDecision[] {
  return journal
    .filter(({ detail }) => detail.request !== undefined)
    .map(({ atMs, revision, event, reason, detail, rotationId }) => ({
      atMs,
      line: revision,
      asked: String(detail.asked),
      by: String(detail.by ?? "not given"),
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
      accepts: detail.accepts === undefined ? undefined : String(detail.accepts),
    }));
}
