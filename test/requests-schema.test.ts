import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseRequest } from "../lambda/requests.ts";

const id = "01KB0000000000000000000001";
const by = "ada";
const evidence = "a".repeat(64);
const confirm = "alias/orders";

function read(body: Record<string, unknown>) {
  return parseRequest({ id, body });
}

const least: Record<string, Record<string, unknown>> = {
  rotate: {},
  compromised: { version: 2 },
  rollback: { version: 2 },
  pause: {},
  resume: {},
  approve: { version: 1, evidence },
  acknowledge: { version: 2, dependent: "billing" },
  reconcile: {},
  "un-enrol": { confirm },
};

describe("a request", () => {
  test.each(Object.entries(least))("of kind %s is understood as it is meant", (kind, fields) => {
    expect(read({ kind, by, ...fields })).toMatchObject({ id, kind, by, reason: "", ...fields });
    const more = { reason: "because", schema: 1 };
    expect(read({ kind, by, ...fields, ...more })).toMatchObject({ kind, reason: "because" });
  });

  test("to reconcile may name what was shown, and one to approve may override", () => {
    expect(read({ kind: "reconcile", by, proposal: 12 })).toMatchObject({ proposal: 12 });
    const override = { kind: "approve", by, version: 1, override: true, confirm };
    expect(read(override)).toMatchObject({ override: true, evidence: "", confirm });
    expect(read({ kind: "approve", by, version: 1, evidence })).toMatchObject({ override: false });
  });

  test.each([
    [{ kind: "pause" }, /^by: got nothing/],
    [{ kind: "pause", by: "" }, /^by: got ""/],
    [{ kind: "pause", by: "x".repeat(257) }, /^by: /],
    [{ kind: "pause", by, reason: 7 }, /^reason: got 7/],
    [{ kind: "pause", by, until: 7 }, /^until: no field/],
    [{ kind: "pause", by, schema: 2 }, /^schema: got 2/],
    [{ kind: "Pause", by }, /^kind: got "Pause", expected one of rotate, /],
    [{ kind: "toString", by }, /^kind: /],
    [{ by }, /^kind: got nothing/],
    [{ kind: "rollback", by }, /^version: got nothing/],
    [{ kind: "rollback", by, version: "2" }, /^version: got "2"/],
    [{ kind: "rollback", by, version: 0 }, /^version: got 0/],
    [{ kind: "rollback", by, version: 1.5 }, /^version: got 1.5/],
    [{ kind: "approve", by, version: 1 }, /^evidence: got nothing/],
    [{ kind: "approve", by, version: 1, evidence: "" }, /^evidence: got ""/],
    [{ kind: "approve", by, version: 1, evidence: "XYZ" }, /^evidence: got "XYZ"/],
    [{ kind: "approve", by, version: 1, evidence, confirm }, /^confirm: /],
    [{ kind: "approve", by, version: 1, override: true }, /^confirm: /],
    [{ kind: "approve", by, version: 1, evidence, override: false }, /^override: got false/],
    [{ kind: "acknowledge", by, version: 2, dependent: "a b" }, /^dependent: got "a b"/],
    [{ kind: "reconcile", by, proposal: -1 }, /^proposal: got -1/],
    [{ kind: "un-enrol", by }, /^confirm: got nothing/],
    [{ kind: "pause", by: new Set(["a"]) }, /^by: /],
    [{ kind: "pause", by: 12n }, /^by: got bigint/],
  ])("that is wrong says what was expected: %o", (body, why) => {
    const request = read(body);
    expect(request.kind).toBe("malformed");
    expect(request).toMatchObject({ why: expect.stringMatching(why) as unknown });
  });

  test.each(["short", "x".repeat(65), "01KB 000000", "01KB/000000"])(
    "whose id is %s is malformed",
    (wrong) => {
      const request = parseRequest({ id: wrong, body: { kind: "pause", by } });
      expect(request).toMatchObject({ kind: "malformed", id: wrong });
    },
  );

  test("of whatever content is understood or malformed, and never an error", () => {
    const kinds = [...Object.keys(least), "malformed"];
    const body = fc.oneof(
      fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withSet: true, withMap: true })),
      fc.record({ kind: fc.constantFrom(...kinds), by: fc.anything(), version: fc.anything() }),
    );
    fc.assert(
      fc.property(fc.string(), body, (anyId, some) => {
        const request = parseRequest({ id: anyId, body: some });
        expect(kinds).toContain(request.kind);
      }),
    );
  });
});

test("what docs/requests.md shows is understood", () => {
  const text = readFileSync(new URL("../docs/requests.md", import.meta.url), "utf8");
  const [, item] = /--item '(\{[\s\S]*?\})'/.exec(text) ?? [];
  const attributes = JSON.parse(item ?? "") as Record<string, { S?: string; N?: string }>;
  const plain = Object.entries(attributes).map(([name, { S, N }]) => [name, S ?? Number(N)]);
  const { pk, sk, queue, dueAtMs, ...body } = Object.fromEntries(plain) as Record<string, unknown>;
  expect([pk, queue, dueAtMs]).toEqual(["request#alias/orders", "due", 1]);
  expect(parseRequest({ id: String(sk), body })).toMatchObject({ kind: "rollback", version: 2 });
  for (const kind of Object.keys(least)) expect(text).toContain(`| \`${kind}\``);
});
