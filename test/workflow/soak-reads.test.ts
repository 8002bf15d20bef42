/** What the soak reads, and what it concludes from a read that shows nothing. */
import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { evidenceOf } from "../../lambda/workflow/safety/destruction.ts";
import type { Grant } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { changes, halts, readsOf, spoken, waits } from "./decided.ts";
import { absent, lastUsedAtMs, nowMs, present, stepScene, type StepSetting } from "./scene.ts";

const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { observedAtMs: nowMs - 20 * dayMs, hash: "evidence-hash", lastUse };
const unanswered = "ScheduleKeyDeletion" as const;

/** Version 1 is disabled, and soaks since this time. */
function scene(soakSinceMs: number, setting: StepSetting = {}) {
  const old = { state: "disabled" as const, disabledAtMs: nowMs - 15 * dayMs };
  const rotation = {
    evidence,
    soakSinceMs,
    lateUseReadAtMs: nowMs - 13 * dayMs,
    policy: aPolicy({ retire: "delete" }),
    ...setting.rotation,
  };
  return stepScene("revoke", { ...setting, old, rotation });
}
const over = nowMs - 14 * dayMs;
const decide = (soakSinceMs: number, setting: StepSetting = {}) =>
  spoken(decideRevoke(scene(soakSinceMs, setting)));

describe("a soak with a ScheduleKeyDeletion that has no answer", () => {
  const rotation = { unanswered };

  test("reads the key, whatever it still lasts", () => {
    const full = scene(nowMs - hourMs, { rotation });
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    expect(asked).toEqual(["key key-1"]);
  });

  test("reads no grants before its end", () => {
    const held: Grant = { grantId: "b0", grantee: "ec2.amazonaws.com", operations: ["Decrypt"] };
    const observed = { grants: { "key-1": present([held]) } };
    const untilMs = nowMs - hourMs + 14 * dayMs;
    expect(decide(nowMs - hourMs, { rotation, observed })).toMatchObject(waits(untilMs));
    expect(decide(nowMs - hourMs, { observed })).toMatchObject(changes("restore-started"));
    expect(decide(over, { rotation, observed })).toMatchObject(changes("restore-started"));
  });

  test("reports a key that is deleted", () => {
    const observed = { key: { "key-1": absent } };
    expect(decide(over, { rotation, observed })).toMatchObject(halts("VERSION_DELETED", "key-1"));
  });
});

describe("the last use of a key that KMS does not know", () => {
  const observed = { "last-use": { "key-1": absent } };

  test("is unknown, and unknown is not unused", () => {
    const asked = decide(over, { observed });
    expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "USAGE_UNKNOWN", "key-1"));
    expect(asked).toMatchObject({ finding: { observed: "no such key" } });
  });

  test("has no hash that an approval could name", () => {
    expect(evidenceOf(scene(over, { observed }))).toEqual({
      observedAtMs: nowMs,
      lastUse: { kind: "unknown", why: "no such key" },
      hash: "",
    });
  });
});
