/**
 * Claims a managed key in up to three requests, without a transaction: read the record, set the
 * claim on condition that it is unchanged, and read again if the condition failed.
 */
import type { Claimed, ClaimRequest, Stored } from "../ports.ts";

export type Held =
  /** `storedSchema` is the item's schema. */
  | { kind: "held"; stored: Stored; storedSchema: number }
  /** Newer code wrote it: this code cannot read it and does not change it. */
  | { kind: "newer-schema"; schema: number };

export type ClaimSteps = {
  /** A consistent read; undefined without such a managed key. */
  read(): Promise<Held | undefined>;
  /** The record with the claim; undefined if the condition failed and nothing was set. */
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

/** The condition may have failed on our own claim: the SDK retries after a lost response. */
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

/** Compares passes, not runs: two passes of one run would both take the claim for their own. */
function isOwn({ record }: Stored, { passId }: ClaimRequest, epoch: number): boolean {
  return record.claim?.passId === passId && record.epoch === epoch;
}
