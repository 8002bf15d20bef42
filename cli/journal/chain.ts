/** Verifies a journal: every line as it was written, none missing, none in another place. */
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { JournalEntry } from "../../lambda/ports.ts";

export type ChainVerdict =
  | { kind: "whole"; lines: number; head: string }
  /** `revision` is that of the first wrong line. */
  | { kind: "broken"; revision: number; why: string };

/** A head noted outside the table: in a log line, an event, an earlier report. */
export type Anchor = { hash: string; revision?: number };

/** `head` is from the record. A principal that can write the table can rewrite it, too. */
export function verifyChain(
  alias: string,
  entries: readonly JournalEntry[],
  head: string,
  anchor?: Anchor,
): ChainVerdict {
  let previousHash = genesisHash;
  for (const [index, entry] of entries.entries()) {
    const why = wrongIn(entry, { alias, revision: index + 1, previousHash });
    if (why !== undefined) return { kind: "broken", revision: index + 1, why };
    previousHash = entry.hash;
  }
  const lines = entries.length;
  if (previousHash !== head) {
    const why = `the record has the head ${head}; the last line has the hash ${previousHash}`;
    return { kind: "broken", revision: lines + 1, why };
  }
  if (anchor !== undefined && !isAnchored(entries, anchor)) {
    const why = `no line has the hash ${anchor.hash} of --anchor: the chain was rewritten`;
    return { kind: "broken", revision: anchor.revision ?? 1, why };
  }
  return { kind: "whole", lines, head };
}

function wrongIn(
  entry: JournalEntry,
  expected: { alias: string; revision: number; previousHash: string },
): string | undefined {
  const { hash, ...unhashed } = entry;
  if (entry.revision !== expected.revision) {
    return `line ${expected.revision} is missing; line ${entry.revision} follows`;
  }
  if (entry.alias !== expected.alias) return `it is a line of the journal of ${entry.alias}`;
  if (entry.previousHash !== expected.previousHash) {
    return `it names ${entry.previousHash} as the previous hash; the previous line has ${expected.previousHash}`;
  }
  const actual = hashOf(unhashed);
  return hash === actual ? undefined : `its hash is ${hash}; the hash of its content is ${actual}`;
}

function isAnchored(entries: readonly JournalEntry[], { hash, revision }: Anchor): boolean {
  const lines = revision === undefined ? entries : [entries[revision - 1]];
  return lines.some((entry) => entry?.hash === hash);
}
