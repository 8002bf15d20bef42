/**
 * How a managed key is claimed, in up to three requests to a table that has no transaction over them:
 * read it, set the claim on condition of what was read, and, where that condition failed, read again.
 */
import type { Claimed, ClaimRequest, Stored } from "../ports.ts";

export type Held =
  /** `storedSchema` is the schema that the item is of. */
  | { kind: "held"; stored: Stored; storedSchema: number }
  /** Newer code wrote it: this code cannot read it, and leaves it alone. */
  | { kind: "newer-schema"; schema: number };

export type ClaimSteps = {
  /** Consistently; undefined where there is no such managed key. */
  read(): Promise<Held | undefined>;
  /** What it is then; undefined where the condition failed, and nothing was set. */
  set(before: Extract<Held, { kind: "held" }>): Promise<Held | undefined>;
};

export async function claimBy(steps: ClaimSteps, request: ClaimRequest): Promise<Claimed> {
  const before = await steps.read();
  if (before === undefined) return { kind: "taken" };
  if (before.kind === "newer-schema") return before;
  const after = await steps.set(before);
  if (after === undefined) return claimedAfterAll(steps, request, before.stored.record.epoch + 1);
  return after.kind === "held" ? { kind: "claimed", stored: after.stored } : after;
}

/** The condition may have failed on our own claim, whose response was lost and which was retried. */
async function claimedAfterAll(
  steps: ClaimSteps,
  request: ClaimRequest,
  epoch: number,
): Promise<Claimed> {
  const held = await steps.read();
  if (held === undefined) return { kind: "taken" };
  if (held.kind === "newer-schema") return held;
  const { stored } = held;
  if (isOwn(stored, request, epoch)) return { kind: "claimed", stored };
  const untilMs = stored.record.claim?.untilMs ?? 0;
  return untilMs < request.nowMs ? { kind: "taken" } : { kind: "taken", untilMs };
}

/** By the pass, not by the run: two passes of one run would both take the claim for their own. */
function isOwn({ record }: Stored, { passId }: ClaimRequest, epoch: number): boolean {
  return record.claim?.passId === passId && record.epoch === epoch;
}
