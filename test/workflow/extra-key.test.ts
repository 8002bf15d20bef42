import { describe, expect, test } from "vitest";
import { decideExtra, quarantined } from "../../lambda/workflow/restore/quarantine.ts";
import type { Extra } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { calls, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  aScene,
  denied,
  nowMs,
  present,
  observedKey,
  unknownLastUse,
  lastUsed,
  type Observations,
  stepScene,
} from "./scene.ts";

const made: Extra = {
  keyId: "key-9",
  rotationId: "r0",
  madeAfterMs: 900 * dayMs,
  foundAtMs: nowMs - 65 * minuteMs,
};
const grant = { grantId: "g", grantee: "app", operations: [] };
const tags = { "keyturn:owner": "acme", "keyturn:rotation": "r0" };

const neverSince = (sinceMs: number) =>
  present({ lastUse: { kind: "never" as const, sinceMs }, hash: "h" });

/** An excess key of a rotation, which no caller ever used. */
const unused: Observations = {
  key: { "key-9": observedKey("key-9", { createdAtMs: 900 * dayMs }) },
  tags: { "key-9": present(tags) },
  aliases: { "key-9": present([]) },
  grants: { "key-9": present([]) },
  "last-use": { "key-9": neverSince(0) },
  policy: { "key-9": present({ document: "{}", hash: "h" }) },
};
const decide = (extra: Partial<Extra> = {}, observed: Observations = {}) =>
  spoken(decideExtra(aScene({ observed: { ...unused, ...observed } }), { ...made, ...extra }));
const ofExtra = { kind: "extra", keyId: "key-9" };
const labelledAtMs = nowMs - minuteMs;

describe("an excess key", () => {
  test("stays as it is until all reads agree, and the evidence of its use is complete", () => {
    expect(decide({ foundAtMs: made.foundAtMs + 1 })).toMatchObject(waits(nowMs + 1));
    expect(decide()).toMatchObject({ kind: "call" });
  });

  test("is observed completely", () => {
    const scene = aScene({ observed: unused });
    const asked = readsOf((observed) => decideExtra({ ...scene, observed }, made), scene.observed);
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

  test.each<[what: string, observed: Observations, reason: string]>([
    ["deleted", { key: { "key-9": absent } }, "the excess key is deleted"],
    [
      "Disabled",
      { key: { "key-9": observedKey("key-9", { state: "Disabled" }) } },
      "the excess key is Disabled",
    ],
    [
      "PendingDeletion",
      { key: { "key-9": observedKey("key-9", { state: "PendingDeletion" }) } },
      "the excess key is PendingDeletion",
    ],
  ])("that is already %s is out of use", (_what, observed, reason) => {
    const done = decide({}, observed);
    expect(done).toMatchObject({ kind: "change", entry: { event: "quarantined", reason } });
    expect(nextOf(done).extras).toEqual([{ ...made, quarantinedAtMs: nowMs }]);
  });

  test.each<[why: string, observed: Observations, words: RegExp]>([
    ["has an alias", { aliases: { "key-9": present(["alias/x"]) } }, /has an alias$/],
    ["has a grant", { grants: { "key-9": present([grant]) } }, /has grants$/],
    ["was used", { "last-use": { "key-9": lastUsed("Decrypt", 5) } }, /was used: Decrypt$/],
    [
      "has no known use, and is older than the tracking",
      { "last-use": { "key-9": neverSince(900 * dayMs + 1) } },
      /has an unknown last use$/,
    ],
    ["may have been used", { "last-use": { "key-9": unknownLastUse } }, /has an unknown last use$/],
    [
      "is another owner's",
      { tags: { "key-9": present({ ...tags, "keyturn:owner": "x" }) } },
      /owner tag$/,
    ],
    ["has no tags", { tags: { "key-9": present({}) } }, /owner tag$/],
    [
      "is of another rotation",
      { tags: { "key-9": present({ ...tags, "keyturn:rotation": "r1" }) } },
      /another rotation$/,
    ],
    [
      "is older than its rotation",
      { key: { "key-9": observedKey("key-9", { createdAtMs: 900 * dayMs - minuteMs - 1 }) } },
      /is older than that rotation$/,
    ],
    ["may not be read", { key: { "key-9": denied } }, /cannot be read$/],
    ["has tags that may not be read", { tags: { "key-9": denied } }, /cannot be read$/],
    ["has aliases that may not be read", { aliases: { "key-9": denied } }, /cannot be read$/],
    ["has grants that may not be read", { grants: { "key-9": denied } }, /cannot be read$/],
    ["has a use that may not be read", { "last-use": { "key-9": denied } }, /cannot be read$/],
    ["has a policy that may not be read", { policy: { "key-9": denied } }, /cannot be read$/],
  ])("that %s stays as it is, and is reported", (_why, observed, words) => {
    const left = decide({ labelledAtMs }, observed);
    expect(left).toMatchObject(waits(nowMs + 24 * hourMs, "EXTRA_NOT_QUARANTINED", "key-9"));
    const observations = `^key-9, an excess key of rotation r0, .*${words.source}`;
    expect(left).toMatchObject({
      finding: { observed: expect.stringMatching(observations) as string },
    });
  });

  test("may be a minute older than its rotation, by another clock", () => {
    const createdAtMs = 900 * dayMs - minuteMs;
    const observed = { key: { "key-9": observedKey("key-9", { createdAtMs }) } };
    expect(decide({}, observed)).toMatchObject({ kind: "call" });
  });

  test("that is a version stays as it is", () => {
    const left = decideExtra(aScene(), { ...made, keyId: "key-1" });
    expect(left).toMatchObject({
      kind: "wait",
      finding: { observed: expect.stringMatching(/is a version$/) as string },
    });
    const second = decideExtra(stepScene("drain"), { ...made, keyId: "key-2" });
    expect(second).toMatchObject({
      finding: { observed: expect.stringMatching(/is a version$/) as string },
    });
  });

  test("must be as old as the quiet period, and a minute for the clocks", () => {
    const quietForMs = 20 * dayMs;
    const drain = { ...aPolicy().drain, quietForMs };
    const young = (evidence: "required" | "advisory", createdAtMs: number) =>
      spoken(
        decideExtra(
          aScene({
            record: { policy: aPolicy({ drain: { ...drain, evidence } }) },
            observed: { ...unused, key: { "key-9": observedKey("key-9", { createdAtMs }) } },
          }),
          made,
        ),
      );
    const ripe = nowMs - quietForMs - minuteMs;
    expect(young("required", ripe + 1)).toMatchObject(waits(nowMs + 1));
    expect(young("required", ripe)).toMatchObject({ kind: "call" });
    expect(young("advisory", nowMs - minuteMs)).toMatchObject({ kind: "call" });
  });

  test("whose tracking begins with the key is known to be unused", () => {
    const observed = { "last-use": { "key-9": neverSince(900 * dayMs) } };
    expect(decide({}, observed)).toMatchObject({ kind: "call" });
  });

  test("is not disabled before the guardrail in its policy allows it", () => {
    const document = JSON.stringify({ C: { "kms:TrailingDaysWithoutKeyUsage": 200 } });
    const observed = { policy: { "key-9": present({ document, hash: "h" }) } };
    const untilMs = 900 * dayMs + 201 * dayMs;
    expect(decide({ labelledAtMs }, observed)).toMatchObject(waits(untilMs, "GUARDRAIL", "key-9"));
  });
});

test("the record has the time at which an excess key went out of use", () => {
  const other = { ...made, keyId: "key-8" };
  const { record } = aScene({ record: { extras: [made, other] } });
  const { next, entry } = quarantined(record, made, "an excess key", nowMs);
  expect(next.extras).toEqual([other, { ...made, quarantinedAtMs: nowMs }]);
  expect(entry).toEqual({
    event: "quarantined",
    reason: "an excess key",
    rotationId: "r0",
    detail: { keyId: "key-9" },
  });
});
