import { describe, expect, test } from "vitest";
import { concern, decideAttempt, mayBePending } from "../../lambda/workflow/restore/use-attempt.ts";
import type { ManagedKey, Restored, UseAttempt } from "../../lambda/workflow/model/types.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { changes, nextOf, spoken } from "./decided.ts";
import { aVersion, nowMs, stepScene, type StepSetting } from "./scene.ts";

const attempt: UseAttempt = {
  eventId: "event-1",
  keyId: "key-1",
  atMs: nowMs - minuteMs,
  operation: "Decrypt",
  principal: "arn:app",
  encryptionContextKeys: [],
};
const restored = (because: Restored["because"]): Restored => ({
  because,
  cancel: false,
  relabelled: false,
});
const disabled = { state: "disabled" as const, disabledAtMs: nowMs - hourMs };
const record = (setting: StepSetting): ManagedKey => stepScene("revoke", setting).record;

describe("an attempt to use a version", () => {
  test.each<[what: string, setting: StepSetting, concerns: "news" | "known" | "none"]>([
    ["that is disabled", { old: disabled }, "news"],
    ["that is to be deleted", { old: { state: "pending-deletion" } }, "news"],
    ["that drains", {}, "none"],
    [
      "that drains, and may be disabled any moment",
      { rotation: { unanswered: "DisableKey" } },
      "news",
    ],
    [
      "that drains, with another call under way",
      { rotation: { unanswered: "TagResource" } },
      "none",
    ],
    [
      "that serves, with a DisableKey on record",
      { old: { state: "active" }, rotation: { unanswered: "DisableKey" } },
      "none",
    ],
    ["that is coming back for another reason", { rotation: { restored: restored("use") } }, "news"],
    [
      "that is coming back for this reason",
      { rotation: { restored: restored("attempt") } },
      "known",
    ],
    ["that is to serve again", { old: { state: "reactivating" } }, "known"],
    [
      "that a person put out of use whatever the evidence",
      { old: { ...disabled, overriddenBy: "ada" } },
      "none",
    ],
    ["that the record was just rebuilt with", { record: { reconciledAtMs: 5 } }, "news"],
    [
      "that serves, with the record just rebuilt",
      { old: { state: "active" }, record: { reconciledAtMs: 5 } },
      "none",
    ],
    ["whose rotation is closed", { old: disabled, record: { rotations: [] } }, "news"],
  ])("%s: %s", (_what, setting, concerns) => {
    expect(concern(record(setting), attempt)).toBe(concerns);
  });

  test("that is none of ours is no concern", () => {
    expect(concern(record({ old: disabled }), { ...attempt, keyId: "key-9" })).toBe("none");
    const scene = stepScene("revoke", { old: disabled });
    expect(decideAttempt(scene, { ...attempt, keyId: "key-9" })).toBeUndefined();
  });

  test.each<[since: string, setting: StepSetting, sinceMs: number]>([
    ["its drain began", { rotation: { drainSinceMs: 10 * hourMs } }, 10 * hourMs],
    [
      "it was retired",
      { rotation: { drainSinceMs: undefined }, old: { retiredAtMs: 9 * hourMs } },
      9 * hourMs,
    ],
    [
      "it was retired, its rotation closed",
      { record: { rotations: [] }, old: { retiredAtMs: 8 * hourMs } },
      8 * hourMs,
    ],
    ["ever", { record: { rotations: [] }, old: { retiredAtMs: undefined } }, 0],
  ])("counts from when %s, and a minute before, by another clock", (_since, setting, sinceMs) => {
    const given = record({ ...setting, old: { ...disabled, ...setting.old } });
    expect(concern(given, { ...attempt, atMs: sinceMs - minuteMs })).toBe("news");
    expect(concern(given, { ...attempt, atMs: sinceMs - minuteMs - 1 })).toBe("none");
  });
});

describe("what an attempt makes of the record", () => {
  const decide = (setting: StepSetting, change: Partial<UseAttempt> = {}) =>
    spoken(decideAttempt(stepScene("revoke", setting), { ...attempt, ...change }));

  test("the version comes back, whoever scheduled its deletion, and nothing else moves", () => {
    const decision = decide({ old: disabled });
    expect(decision).toMatchObject(
      changes("restore-started", {
        version: 1,
        keyId: "key-1",
        eventId: "event-1",
        principal: "arn:app",
        operation: "Decrypt",
      }),
    );
    const { versions, rotations, holds } = nextOf(decision);
    expect(versions[0]).toMatchObject({ number: 1, state: "draining" });
    expect(versions[0]).not.toHaveProperty("disabledAtMs");
    expect(rotations).toMatchObject([
      {
        id: "r1",
        step: "drain",
        stepSinceMs: nowMs,
        restored: { because: "attempt", cancel: true, relabelled: false },
      },
    ]);
    const observed = "Decrypt by arn:app on version 1, key-1; CloudTrail event event-1";
    expect(holds).toEqual([
      { kind: "restored", atMs: nowMs, by: "arn:app", version: 1, reason: observed },
    ]);
  });

  test("the other rotations and stops stay as they are", () => {
    const other = { ...stepScene("revoke").rotation, id: "r2", from: 2, to: 3 };
    const { rotation } = stepScene("revoke");
    const pause = { kind: "pause" as const, atMs: 0, by: "ada", reason: "" };
    const given = { rotations: [rotation, other], holds: [pause] };
    const { rotations, holds } = nextOf(decide({ old: disabled, record: given }));
    expect(rotations.map(({ id }) => id).sort()).toEqual(["r1", "r2"]);
    expect(rotations.find(({ id }) => id === "r2")).toEqual(other);
    expect(holds.map(({ kind }) => kind)).toEqual(["pause", "restored"]);
  });

  test("one whose rotation is closed gets a way out of its own", () => {
    const given = { old: disabled, record: { rotations: [] } };
    expect(nextOf(decide(given)).rotations).toMatchObject([{ id: "r-new-1", from: 1, to: 2 }]);
    const alone = { ...given, fresh: { state: "pending-activation" as const } };
    expect(nextOf(decide(alone)).rotations).toMatchObject([{ from: 1, to: 1 }]);
  });

  test("it says through which service, and with which context, the key was used", () => {
    const change = { service: "s3.amazonaws.com", encryptionContextKeys: ["bucket", "tenant"] };
    const [hold] = nextOf(decide({ old: disabled }, change)).holds;
    expect(hold?.reason).toBe(
      "Decrypt by arn:app via s3.amazonaws.com on version 1, key-1, " +
        "encryption context of bucket, tenant; CloudTrail event event-1",
    );
  });

  test("nothing, where it is known already", () => {
    expect(decide({ rotation: { restored: restored("attempt") } })).toBeUndefined();
  });
});

test("a deletion may be pending by our doing, now or as soon as a late call lands", () => {
  const { rotation } = stepScene("revoke");
  const pending = (state: "disabled" | "pending-deletion", more: object) =>
    mayBePending(aVersion(1, { state }), { ...rotation, ...more });
  expect(pending("pending-deletion", {})).toBe(true);
  expect(pending("disabled", {})).toBe(false);
  expect(pending("disabled", { unanswered: "ScheduleKeyDeletion" })).toBe(true);
  expect(pending("disabled", { unanswered: "DisableKey" })).toBe(false);
  expect(pending("disabled", { restored: { ...restored("use"), cancel: true } })).toBe(true);
});
