/** The journal: numbered lines; each has the hash of the one before, and so none can change. */
import { canonicalHash } from "./canonical.ts";
import type { JournalEntry, Stored } from "../ports.ts";
import type { EntryDraft, ManagedKey } from "../workflow/model/types.ts";

/** The hash before the first line. */
export const genesisHash = "0".repeat(64);

export function hashOf(entry: Omit<JournalEntry, "hash">): string {
  return canonicalHash(entry);
}

/** One transition: the revision grows by one, and exactly one line has the reason. */
export function transition(
  stored: Stored,
  next: ManagedKey,
  draft: EntryDraft,
  nowMs: number,
): Stored {
  const revision = stored.record.revision + 1;
  const unhashed: Omit<JournalEntry, "hash"> = {
    alias: next.alias,
    revision,
    atMs: nowMs,
    epoch: next.epoch,
    event: draft.event,
    reason: draft.reason,
    ...(draft.rotationId === undefined ? {} : { rotationId: draft.rotationId }),
    ...(draft.step === undefined ? {} : { step: draft.step }),
    detail: draft.detail,
    previousHash: stored.journalHead,
  };
  const entry = { ...unhashed, hash: hashOf(unhashed) };
  return {
    record: { ...next, revision },
    journalHead: entry.hash,
    outbox: [...stored.outbox, entry],
    writes: stored.writes,
  };
}
