/** Whether a journal is whole: every line as it was written, none missing, none in another place. */
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { JournalEntry } from "../../lambda/ports.ts";

export type ChainVerdict =
  | { kind: "whole"; lines: number; head: string }
  /** `revision` is that of the first line that is not as it should be. */
  | { kind: "broken"; revision: number; why: string };

/** A head that was noted elsewhere: in a log line, an event, an earlier report. */
export type Anchor = { hash: string; revision?: number };

/** `head` is the one that the record has; whoever can write the table can write that anew, too. */
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
    const why = `the record ends in ${head}, and the last line that is there in ${previousHash}`;
    return { kind: "broken", revision: lines + 1, why };
  }
  if (anchor !== undefined && !isAnchored(entries, anchor)) {
    const why = `no line of it has the hash ${anchor.hash} that was noted elsewhere: the chain was written anew`;
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
    return `line ${expected.revision} is missing; the next one there is ${entry.revision}`;
  }
  if (entry.alias !== expected.alias) return `it is a line of ${entry.alias}`;
  if (entry.previousHash !== expected.previousHash) {
    return `it follows a line with the hash ${entry.previousHash}; the one before has ${expected.previousHash}`;
  }
  const actual = hashOf(unhashed);
  return hash === actual ? undefined : `its hash is ${hash}; what it says has ${actual}`;
}

function isAnchored(entries: readonly JournalEntry[], { hash, revision }: Anchor): boolean {
  const lines = revision === undefined ? entries : [entries[revision - 1]];
  return lines.some((entry) => entry?.hash === hash);
}
