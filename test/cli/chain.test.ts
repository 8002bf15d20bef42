import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyChain } from "../../cli/journal/chain.ts";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { JournalEntry } from "../../lambda/ports.ts";
import { aWorld, type World } from "../world.ts";

const orders = "alias/orders";

/** A real journal: enrolment and a rotation. */
async function aJournal(): Promise<{ entries: JournalEntry[]; head: string }> {
  const world: World = await aWorld();
  await world.passDays(120);
  const stored = await world.table.read(orders);
  return { entries: world.table.journal(orders), head: stored?.journalHead ?? "" };
}

const { entries, head } = await aJournal();

type Edit = { what: string; lines: JournalEntry[]; head?: string };

const anyLine = fc.nat(entries.length - 1);
const letters = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Changes one letter or digit of one line. */
const aByte = fc
  .tuple(anyLine, fc.nat(10_000), fc.nat(letters.length - 1))
  .map(([at, place, letter]): Edit | undefined => {
    const text = JSON.stringify(entries[at]);
    const index = place % text.length;
    const changed = text.slice(0, index) + (letters[letter] ?? "") + text.slice(index + 1);
    const lines = [...entries];
    try {
      lines[at] = JSON.parse(changed) as JournalEntry;
    } catch {
      return undefined;
    }
    const isSame = JSON.stringify(lines[at]) === text;
    return isSame ? undefined : { what: `a byte of line ${at + 1}`, lines };
  });

const dropped = anyLine.map((at): Edit => ({
  what: `line ${at + 1} dropped`,
  lines: entries.filter((_, index) => index !== at),
}));

const swapped = fc.tuple(anyLine, anyLine).map(([one, other]): Edit | undefined => {
  if (one === other) return undefined;
  const lines = entries.map((entry, at) => {
    return (at === one ? entries[other] : at === other ? entries[one] : entry) ?? entry;
  });
  return { what: `lines ${one + 1} and ${other + 1} swapped`, lines };
});

const cut = anyLine.map((at): Edit => ({
  what: `cut before ${at + 1}`,
  lines: entries.slice(0, at),
}));

/** As a writer of the table could: with new hashes from that line on, and a new head. */
const rewritten = fc.tuple(anyLine, fc.string({ minLength: 1 })).map(([from, reason]): Edit => {
  const lines: JournalEntry[] = [];
  for (const [at, { hash: _, ...entry }] of entries.entries()) {
    const previousHash = lines.at(-1)?.hash ?? genesisHash;
    const changed = at === from ? { reason: `${entry.reason} ${reason}` } : {};
    const unhashed = { ...entry, ...changed, previousHash };
    lines.push({ ...unhashed, hash: hashOf(unhashed) });
  }
  return { what: `rewritten from line ${from + 1}`, lines, head: lines.at(-1)?.hash ?? "" };
});

describe("a journal", () => {
  test("as it was written is whole", () => {
    expect(entries.length).toBeGreaterThan(10);
    expect(verifyChain(orders, entries, head)).toEqual({
      kind: "whole",
      lines: entries.length,
      head,
    });
    const anchor = { hash: entries[4]?.hash ?? "", revision: 5 };
    expect(verifyChain(orders, entries, head, anchor)).toMatchObject({ kind: "whole" });
  });

  test("of another managed key is broken", () => {
    expect(verifyChain("alias/other", entries, head)).toMatchObject({
      kind: "broken",
      revision: 1,
    });
  });

  test("that was edited in any of 10,000 ways is broken", () => {
    const edits = fc.oneof(aByte, dropped, swapped, cut);
    const isFound = (edit: Edit | undefined): void => {
      if (edit === undefined) return fc.pre(false);
      expect(verifyChain(orders, edit.lines, head), edit.what).toMatchObject({ kind: "broken" });
    };
    fc.assert(fc.property(edits, isFound), { numRuns: 10_000, maxSkipsPerRun: 100 });
  });

  test("that was rewritten agrees with itself, but not with a head noted outside the table", () => {
    const isFound = (edit: Edit): void => {
      const forged = edit.head ?? "";
      expect(verifyChain(orders, edit.lines, forged)).toMatchObject({ kind: "whole" });
      const anchor = { hash: head };
      expect(verifyChain(orders, edit.lines, forged, anchor)).toMatchObject({ kind: "broken" });
      const withLine = { hash: head, revision: entries.length };
      expect(verifyChain(orders, edit.lines, forged, withLine)).toMatchObject({ kind: "broken" });
    };
    fc.assert(fc.property(rewritten, isFound), { numRuns: 1000 });
  });
});
