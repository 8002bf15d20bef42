import { describe, expect, test } from "vitest";
import { policyHash } from "../../lambda/record/canonical.ts";
import { genesisHash, hashOf, transition } from "../../lambda/record/journal.ts";
import type { Stored } from "../../lambda/ports.ts";
import { newManagedKey } from "../../lambda/workflow/model/record.ts";
import type { EntryDraft } from "../../lambda/workflow/model/types.ts";
import { aHome } from "../fixtures.ts";

function fresh(): Stored {
  const record = newManagedKey({ owner: "acme", tableId: "table-1" }, aHome(), "configuration", 0);
  return { record, journalHead: genesisHash, outbox: [], writes: 0 };
}

describe("a transition", () => {
  const draft: EntryDraft = { event: "found", reason: "it is there", detail: { version: 1 } };

  test("increments the revision and adds one journal line", () => {
    const after = transition(fresh(), fresh().record, draft, 7);
    expect(after.record.revision).toBe(1);
    expect(after.outbox).toHaveLength(1);
    expect(after.outbox[0]).toMatchObject({ revision: 1, atMs: 7, ...draft });
  });

  test("chains each line to the one before: a changed line breaks the chain", () => {
    const first = transition(fresh(), fresh().record, draft, 7);
    const second = transition(first, first.record, { ...draft, event: "enrolled" }, 8);
    const [one, two] = second.outbox;
    if (one === undefined || two === undefined) throw new Error("two lines were expected");
    expect(two.previousHash).toBe(one.hash);
    expect(second.journalHead).toBe(two.hash);
    const { hash, ...line } = one;
    expect(hashOf(line)).toBe(hash);
    expect(hashOf({ ...line, reason: "it was not there" })).not.toBe(hash);
  });
});

describe("two key policies are equal", () => {
  const hashOfPolicy = (text: unknown) => policyHash(JSON.stringify(text));

  test("in any order of fields and lists, and with a single value as a list or not", () => {
    const one = { Statement: [{ Effect: "Allow", Action: ["kms:A", "kms:B"], Principal: "p" }] };
    const other = { Statement: { Principal: ["p"], Action: ["kms:B", "kms:A"], Effect: "Allow" } };
    expect(hashOfPolicy(one)).toBe(hashOfPolicy(other));
  });

  test("only if they allow the same", () => {
    const allow = { Statement: [{ Effect: "Allow", Action: "kms:A" }] };
    expect(hashOfPolicy(allow)).not.toBe(
      hashOfPolicy({ Statement: [{ Effect: "Deny", Action: "kms:A" }] }),
    );
  });
});
