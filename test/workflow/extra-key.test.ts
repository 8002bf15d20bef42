import { describe, expect, test } from "vitest";
import { decideExtra, quarantined } from "../../lambda/workflow/restore/quarantine.ts";
import type { Extra } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { calls, looksOf, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  aScene,
  denied,
  nowMs,
  saw,
  sawKey,
  sawUnknownUse,
  sawUse,
  type Sights,
} from "./scene.ts";

const made: Extra = {
  keyId: "key-9",
  rotationId: "r0",
  madeAfterMs: 900 * dayMs,
  foundAtMs: nowMs - 65 * minuteMs,
};
const grant = { grantId: "g", grantee: "app", operations: [] };
const tags = { "keyturn:owner": "acme", "keyturn:rotation": "r0" };

/** As a rotation leaves a key that it made in excess: nobody ever came to need it. */
const unused: Sights = {
  key: { "key-9": sawKey("key-9", { createdAtMs: 900 * dayMs }) },
  tags: { "key-9": saw(tags) },
  aliases: { "key-9": saw([]) },
  grants: { "key-9": saw([]) },
  "last-use": { "key-9": saw({ lastUse: { kind: "never" as const, sinceMs: 0 }, hash: "h" }) },
  policy: { "key-9": saw({ document: "{}", hash: "h" }) },
};
const decide = (extra: Partial<Extra> = {}, seen: Sights = {}) =>
  spoken(decideExtra(aScene({ seen: { ...unused, ...seen } }), { ...made, ...extra }));
const ofExtra = { kind: "extra", keyId: "key-9" };
const labelledAtMs = nowMs - minuteMs;

describe("a key made in excess", () => {
  test("is left alone until all reads agree, and the evidence of its use is in", () => {
    expect(decide({ foundAtMs: made.foundAtMs + 1 })).toMatchObject(waits(nowMs + 1));
    expect(decide()).toMatchObject({ kind: "call" });
  });

  test("is looked at from all sides", () => {
    const scene = aScene({ seen: unused });
    const asked = looksOf((seen) => decideExtra({ ...scene, seen }, made), scene.seen);
    const kinds = ["key", "tags", "aliases", "grants", "last-use", "policy"];
    expect(asked).toEqual(kinds.map((kind) => `${kind} key-9`));
  });

  test("is labelled first, and then disabled", () => {
    const label = { keyId: "key-9", tags: { "keyturn:retired": "r0" } };
    expect(decide()).toMatchObject(calls("TagResource", label, ofExtra));
    expect(decide({ labelledAtMs })).toMatchObject(
      calls("DisableKey", { keyId: "key-9" }, ofExtra),
    );
  });

  test.each<[what: string, seen: Sights, reason: string]>([
    ["gone", { key: { "key-9": absent } }, "the extra key is gone"],
    [
      "Disabled",
      { key: { "key-9": sawKey("key-9", { state: "Disabled" }) } },
      "the extra key is Disabled",
    ],
    [
      "PendingDeletion",
      { key: { "key-9": sawKey("key-9", { state: "PendingDeletion" }) } },
      "the extra key is PendingDeletion",
    ],
  ])("that is %s already is out of use", (_what, seen, reason) => {
    const done = decide({}, seen);
    expect(done).toMatchObject({ kind: "change", entry: { event: "quarantined", reason } });
    expect(nextOf(done).extras).toEqual([{ ...made, quarantinedAtMs: nowMs }]);
  });

  test.each<[why: string, seen: Sights, words: RegExp]>([
    ["has an alias", { aliases: { "key-9": saw(["alias/x"]) } }, /has an alias$/],
    ["has a grant", { grants: { "key-9": saw([grant]) } }, /has grants$/],
    ["was used", { "last-use": { "key-9": sawUse("Decrypt", 5) } }, /was used: Decrypt$/],
    ["may have been used", { "last-use": { "key-9": sawUnknownUse } }, /does not know$/],
    [
      "is another owner's",
      { tags: { "key-9": saw({ ...tags, "keyturn:owner": "x" }) } },
      /owner tag$/,
    ],
    ["has no tags", { tags: { "key-9": saw({}) } }, /owner tag$/],
    [
      "is of another rotation",
      { tags: { "key-9": saw({ ...tags, "keyturn:rotation": "r1" }) } },
      /another rotation$/,
    ],
    [
      "is older than its rotation",
      { key: { "key-9": sawKey("key-9", { createdAtMs: 900 * dayMs - minuteMs - 1 }) } },
      /is older than that rotation$/,
    ],
    ["may not be seen", { key: { "key-9": denied } }, /looked at$/],
    ["has tags that may not be seen", { tags: { "key-9": denied } }, /looked at$/],
    ["has aliases that may not be seen", { aliases: { "key-9": denied } }, /looked at$/],
    ["has grants that may not be seen", { grants: { "key-9": denied } }, /looked at$/],
    ["has a use that may not be seen", { "last-use": { "key-9": denied } }, /looked at$/],
    ["has a policy that may not be seen", { policy: { "key-9": denied } }, /looked at$/],
  ])("that %s is left as it is, and told", (_why, seen, words) => {
    const left = decide({ labelledAtMs }, seen);
    expect(left).toMatchObject(waits(nowMs + 24 * hourMs, "EXTRA_NOT_QUARANTINED", "key-9"));
    const sights = `^key-9, made in excess by rotation r0, .*${words.source}`;
    expect(left).toMatchObject({ finding: { seen: expect.stringMatching(sights) as string } });
  });

  test("may be a minute older than its rotation, by another clock", () => {
    const createdAtMs = 900 * dayMs - minuteMs;
    const seen = { key: { "key-9": sawKey("key-9", { createdAtMs }) } };
    expect(decide({}, seen)).toMatchObject({ kind: "call" });
  });

  test("that a version turned out to be is left as it is", () => {
    const left = decideExtra(aScene(), { ...made, keyId: "key-1" });
    expect(left).toMatchObject({
      kind: "wait",
      finding: { seen: expect.stringMatching(/is a version$/) as string },
    });
  });

  test("is not disabled before the guardrail in its policy allows it", () => {
    const document = JSON.stringify({ C: { "kms:TrailingDaysWithoutKeyUsage": 200 } });
    const seen = { policy: { "key-9": saw({ document, hash: "h" }) } };
    const untilMs = 900 * dayMs + 201 * dayMs;
    expect(decide({ labelledAtMs }, seen)).toMatchObject(waits(untilMs, "GUARDRAIL", "key-9"));
  });
});

test("the record says when an extra key went out of use", () => {
  const other = { ...made, keyId: "key-8" };
  const { record } = aScene({ record: { extras: [made, other] } });
  const { next, entry } = quarantined(record, made, "made in excess", nowMs);
  expect(next.extras).toEqual([other, { ...made, quarantinedAtMs: nowMs }]);
  expect(entry).toEqual({
    event: "quarantined",
    reason: "made in excess",
    rotationId: "r0",
    detail: { keyId: "key-9" },
  });
});
