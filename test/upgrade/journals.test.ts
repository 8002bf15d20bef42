import { describe, expect, test } from "vitest";
import { verifyChain } from "../../cli/journal/chain.ts";
import { inPresentNames } from "../../lambda/record/earlier-events.ts";
import { hashOf } from "../../lambda/record/journal.ts";
import { eventCatalogue } from "../../lambda/workflow/model/events.ts";
import { effects } from "../../lambda/workflow/model/findings.ts";
import { schema2 } from "./recorded.ts";

const journals = (schema2.journals ?? []).map((one) => [one.name, one] as const);

describe.each(journals)("a journal of version 0.1.0: %s", (_name, { head, lines }) => {
  test("verifies line by line", () => {
    const verdict = verifyChain("alias/orders", lines, head);
    expect(verdict).toEqual({ kind: "whole", lines: lines.length, head });
  });

  test("is read with the present names of events and findings", () => {
    const present = lines.map(inPresentNames);
    expect(present.map(({ event }) => event).filter((event) => !(event in eventCatalogue))).toEqual(
      [],
    );
    const codes = present.flatMap(
      ({ detail }) =>
        `${detail.opened ?? ""}, ${detail.closed ?? ""}`.match(/\b[A-Z][A-Z_]+\b/g) ?? [],
    );
    expect(codes.filter((code) => !(code in effects))).toEqual([]);
  });
});

test("names were mapped, and a line with present names has another hash than the written one", () => {
  const lines = journals.flatMap(([, journal]) => journal.lines);
  const renamed = lines.filter((line) => inPresentNames(line).event !== line.event);
  expect(new Set(renamed.map(({ event }) => event)).size).toBeGreaterThan(5);
  for (const line of renamed) {
    const { hash, ...unhashed } = inPresentNames(line);
    expect(hashOf(unhashed)).not.toBe(hash);
  }
});
