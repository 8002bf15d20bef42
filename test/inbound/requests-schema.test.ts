import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseRequest } from "../../lambda/inbound/requests.ts";
import type { Request } from "../../lambda/workflow/model/requests.ts";

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
  enrol: { policy: "quarterly" },
  "un-enrol": { confirm },
};

describe("a request", () => {
  test.each(Object.entries(least))("of kind %s is parsed", (kind, fields) => {
    expect(read({ kind, by, ...fields })).toMatchObject({ id, kind, by, reason: "", ...fields });
    const more = { reason: "because", schema: 1 };
    expect(read({ kind, by, ...fields, ...more })).toMatchObject({ kind, reason: "because" });
  });

  test("to reconcile may name a proposal, and one to approve may override", () => {
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
    [{ kind: "pause", by, until: 7 }, /^until: got 7, .*\(fields: schema, by, reason, ifHead\)$/],
    [{ kind: "pause", by, ifHead: "12" }, /^ifHead: got "12", expected 64 hexadecimal/],
    [{ kind: "pause", by, ttl: 1 }, /^ttl: got 1, expected no field/],
    [{ kind: "pause", by, "a\nb": 1 }, /^"a\\nb": got 1/],
    [{ kind: "pause", by, version: 1 }, /^version: got 1, expected no field/],
    [{ kind: "pause", by, ["__proto__"]: {} }, /^__proto__: got {}/],
    [{ kind: "pause", by, reason: "x".repeat(1025) }, /^reason: got "x{76}\.\.\., expected/],
    [{ kind: "pause", by, schema: "1" }, /^schema: got "1"/],
    [{ kind: "pause", by, schema: 2 }, /^schema: got 2/],
    [{ kind: "Pause", by }, /^kind: got "Pause", expected one of rotate, /],
    [{ kind: "toString", by }, /^kind: /],
    [{ by }, /^kind: got nothing/],
    [{ kind: "rollback", by }, /^version: got nothing/],
    [{ kind: "rollback", by, version: "2" }, /^version: got "2", .* type N, not a text$/],
    [{ kind: "rollback", by, version: 0 }, /^version: got 0/],
    [{ kind: "rollback", by, version: 1.5 }, /^version: got 1.5/],
    [{ kind: "rollback", by, version: NaN }, /^version: got NaN/],
    [{ kind: "rollback", by, version: 2n }, /^version: got bigint/],
    [{ kind: "compromised", by }, /^version: got nothing/],
    [{ kind: "compromised", by, version: -2 }, /^version: got -2/],
    [{ kind: "approve", by, version: 1 }, /^evidence: got nothing/],
    [{ kind: "approve", by, version: 1, evidence: "" }, /^evidence: got ""/],
    [{ kind: "approve", by, version: 1, evidence: "XYZ" }, /^evidence: got "XYZ"/],
    [{ kind: "approve", by, version: 1, evidence: evidence.toUpperCase() }, /lower case$/],
    [{ kind: "approve", by, version: 1, evidence, confirm }, /^confirm: got "alias\/orders", /],
    [{ kind: "approve", by, version: 1, override: true }, /^confirm: got nothing, .* the alias/],
    [{ kind: "approve", by, version: 1, override: true, confirm: "" }, /^confirm: got ""/],
    [{ kind: "approve", by, version: 1, evidence, override: false }, /^override: got false/],
    [{ kind: "acknowledge", by, version: 2, dependent: "a b" }, /^dependent: got "a b"/],
    [{ kind: "acknowledge", by, dependent: "billing" }, /^version: got nothing/],
    [{ kind: "reconcile", by, proposal: "12" }, /^proposal: got "12", .* type N, not a text$/],
    [{ kind: "reconcile", by, proposal: -1 }, /^proposal: got -1/],
    [{ kind: "un-enrol", by }, /^confirm: got nothing/],
    [{ kind: "un-enrol", by, confirm: "" }, /^confirm: got ""/],
    [{ kind: "pause", by: new Set(["a"]) }, /^by: got {"set":\["a"\]}/],
    [{ kind: "pause", by: new Uint8Array([1, 2]) }, /^by: got {"bytes":2}/],
    [{ kind: "pause", by: 12n }, /^by: got bigint/],
  ] as [Record<string, unknown>, RegExp][])(
    "that is malformed reports the expectation: %o",
    (body, why) => {
      const request = read(body);
      expect(request.kind).toBe("malformed");
      expect(request).toMatchObject({ why: expect.stringMatching(why) as unknown });
    },
  );

  test.each(["short", "x".repeat(65), "01KB 000000", "01KB/000000"])(
    "whose id is %s is malformed",
    (wrong) => {
      const request = parseRequest({ id: wrong, body: { kind: "pause", by } });
      expect(request).toMatchObject({ kind: "malformed", id: wrong });
    },
  );

  test("to approve may override evidence that it names", () => {
    const both = { kind: "approve", by, version: 1, evidence, override: true, confirm };
    expect(read(both)).toEqual({ ...both, id, reason: "", accepts: [], of: "disable" });
  });

  test("with the longest possible names is reported in a line that fits a record", () => {
    const names = [1, 2, 3, 4, 5].map((number) => [`${number}${"x".repeat(60_000)}`, 1] as const);
    const long = Object.fromEntries<unknown>(names);
    expect(whyOf(read({ kind: "pause", by, ...long })).length).toBeLessThan(300);
  });

  test("is never cut within a surrogate pair, which storing would change", () => {
    for (const length of [74, 75, 76, 77]) {
      const why = whyOf(read({ kind: "pause", by: "x".repeat(length) + "😀".repeat(200) }));
      expect(why.isWellFormed()).toBe(true);
    }
  });
});

function whyOf(request: Request): string {
  return request.kind === "malformed" ? request.why : "";
}

describe("any item", () => {
  const kinds = [...Object.keys(least), "malformed"];
  const anything = fc.anything({ withBigInt: true, withSet: true, withMap: true });
  const ids = fc.oneof(fc.constant(id), fc.string(), fc.stringMatching(/^[0-9A-Za-z_-]{8,64}$/));
  const names = ["kind", "by", "reason", "schema", "version", "evidence", "override", "confirm"];
  const name = fc.oneof(fc.constantFrom(...names, "dependent", "proposal"), fc.string());
  /** A valid request with up to two changed fields. */
  const changed = fc
    .tuple(fc.constantFrom(...Object.entries(least)), fc.dictionary(name, anything, { maxKeys: 2 }))
    .map(([[kind, fields], odd]) => ({ kind, by, ...fields, ...odd }));

  test("is a valid request, or a malformed one with a reason in a short line", () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(ids, fc.oneof(changed, fc.dictionary(name, anything)), (anyId, body) => {
        const request = parseRequest({ id: anyId, body });
        expect(kinds).toContain(request.kind);
        expect(request.id).toBe(anyId);
        met.add(request.kind);
        if (request.kind !== "malformed") return;
        expect(request.why).toMatch(/^.{1,300}$/);
        expect(request.why).toMatch(/: got .*, expected ./);
      }),
      { numRuns: 2000 },
    );
    expect([...met].sort()).toEqual([...kinds].sort());
  });
});

describe("docs/requests.md", () => {
  const text = readFileSync(new URL("../../docs/requests.md", import.meta.url), "utf8");

  test("shows valid requests that the next run finds", () => {
    const items = [...text.matchAll(/--item '(\{[\s\S]*?\})'/g)].map(([, item]) => item ?? "");
    const requests = items.map((item) => {
      const attributes = JSON.parse(item) as Record<string, { S?: string; N?: string }>;
      const plain = Object.entries(attributes).map(([key, { S, N }]) => [key, S ?? Number(N)]);
      const { pk, sk, queue, dueAtMs, ...body } = Object.fromEntries(plain) as Record<
        string,
        unknown
      >;
      expect([pk, queue, dueAtMs]).toEqual(["request#alias/orders", "due", 1]);
      return parseRequest({ id: String(sk), body });
    });
    expect(requests).toMatchObject([{ kind: "pause" }, { kind: "rollback", version: 2 }]);
  });

  test("names every kind, and shows a permission in JSON", () => {
    for (const kind of Object.keys(least)) expect(text).toContain(`| \`${kind}\``);
    const [, permission] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
    expect(JSON.parse(permission ?? "")).toMatchObject({ Action: "dynamodb:PutItem" });
  });
});
