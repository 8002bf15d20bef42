import { describe, expect, test } from "vitest";
import { announce } from "../../lambda/workflow/apply-outcome.ts";
import { concern, decideAttempt, mayBePending } from "../../lambda/workflow/restore/use-attempt.ts";
import type { ManagedKey, Restored, UseAttempt } from "../../lambda/workflow/model/types.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { changes, nextOf, spoken } from "./decided.ts";
import { aRotation, aScene, aVersion, nowMs, stepScene, type StepSetting } from "./scene.ts";

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
    ["that is pending deletion", { old: { state: "pending-deletion" } }, "news"],
    ["that drains", {}, "none"],
    [
      "that drains, with a DisableKey under way",
      { rotation: { unanswered: "DisableKey" } },
      "news",
    ],
    [
      "that drains, with another call under way",
      { rotation: { unanswered: "TagResource" } },
      "none",
    ],
    [
      "that is active, with a DisableKey on record",
      { old: { state: "active" }, rotation: { unanswered: "DisableKey" } },
      "none",
    ],
    [
      "that is being restored for another reason",
      { rotation: { restored: restored("use") } },
      "news",
    ],
    [
      "that is being restored for this reason",
      { rotation: { restored: restored("attempt") } },
      "known",
    ],
    ["that is reactivating", { old: { state: "reactivating" } }, "known"],
    [
      "that an operator revoked by an override",
      { old: { ...disabled, overriddenBy: "ada" } },
      "none",
    ],
    ["that drains, with the record just rebuilt", { record: { reconciledAtMs: 5 } }, "news"],
    [
      "that is active, with the record just rebuilt",
      { old: { state: "active" }, record: { reconciledAtMs: 5 } },
      "none",
    ],
    ["whose rotation is closed", { old: disabled, record: { rotations: [] } }, "news"],
  ])("%s: %s", (_what, setting, concerns) => {
    expect(concern(record(setting), attempt)).toBe(concerns);
  });

  test("counts from the announced DisableKey on, also while that call has no answer", () => {
    const old = { disablingAtMs: nowMs - hourMs };
    const given = record({ old, rotation: { unanswered: "DisableKey" } });
    expect(concern(given, attempt)).toBe("news");
    expect(concern(given, { ...attempt, atMs: nowMs - 2 * hourMs })).toBe("none");
  });

  test("on a key that is not on record does not concern keyturn", () => {
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
    [
      "keyturn announced its DisableKey",
      { rotation: { drainSinceMs: 10 * hourMs }, old: { disablingAtMs: 12 * hourMs } },
      12 * hourMs,
    ],
    [
      "keyturn announced its DisableKey, its rotation closed",
      { record: { rotations: [] }, old: { retiredAtMs: 8 * hourMs, disablingAtMs: 9 * hourMs } },
      9 * hourMs,
    ],
    [
      "its drain began, after an earlier DisableKey",
      { rotation: { drainSinceMs: 10 * hourMs }, old: { disablingAtMs: 9 * hourMs } },
      10 * hourMs,
    ],
  ])("counts from when %s, and a minute before, by another clock", (_since, setting, sinceMs) => {
    const given = record({ ...setting, old: { ...disabled, ...setting.old } });
    expect(concern(given, { ...attempt, atMs: sinceMs - minuteMs })).toBe("news");
    expect(concern(given, { ...attempt, atMs: sinceMs - minuteMs - 1 })).toBe("none");
  });
});

test("the record has when keyturn announced the first DisableKey that may have taken effect", () => {
  const announced = (kind: "DisableKey" | "EnableKey", setting: StepSetting) => {
    const scene = stepScene("revoke", setting);
    const matter = { kind: "rotation", rotationId: "r1" } as const;
    const decision = { kind: "call", call: { kind, keyId: "key-1" }, matter, reason: "" } as const;
    return announce(scene.record, decision, scene.context, nowMs).versions[0]?.disablingAtMs;
  };
  const old = { disablingAtMs: 5 };
  const after = (unanswered: "TagResource" | "DisableKey") => ({ old, rotation: { unanswered } });
  expect(announced("DisableKey", {})).toBe(nowMs);
  expect(announced("DisableKey", { old })).toBe(nowMs);
  expect(announced("DisableKey", after("TagResource"))).toBe(nowMs);
  expect(announced("DisableKey", after("DisableKey"))).toBe(5);
  expect(announced("EnableKey", {})).toBeUndefined();
  expect(announced("EnableKey", { old })).toBe(5);
});

describe("the record after an attempt", () => {
  const decide = (setting: StepSetting, change: Partial<UseAttempt> = {}) =>
    spoken(decideAttempt(stepScene("revoke", setting), { ...attempt, ...change }));

  test("restores the version, also from an external deletion, and holds the managed key", () => {
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

  test("keeps the other rotations and holds", () => {
    const other = { ...stepScene("revoke").rotation, id: "r2", from: 2, to: 3 };
    const { rotation } = stepScene("revoke");
    const pause = { kind: "pause" as const, atMs: 0, by: "ada", reason: "" };
    const given = { rotations: [rotation, other], holds: [pause] };
    const { rotations, holds } = nextOf(decide({ old: disabled, record: given }));
    expect(rotations.map(({ id }) => id).sort()).toEqual(["r1", "r2"]);
    expect(rotations.find(({ id }) => id === "r2")).toEqual(other);
    expect(holds.map(({ kind }) => kind)).toEqual(["pause", "restored"]);
  });

  test("has a new rotation for a version without an open one", () => {
    const given = { old: disabled, record: { rotations: [] } };
    expect(nextOf(decide(given)).rotations).toMatchObject([{ id: "r-new-1", from: 1, to: 2 }]);
    const alone = { ...given, fresh: { state: "pending-activation" as const } };
    expect(nextOf(decide(alone)).rotations).toMatchObject([{ from: 1, to: 1 }]);
  });

  test("names the service and the encryption context of the use", () => {
    const change = { service: "s3.amazonaws.com", encryptionContextKeys: ["bucket", "tenant"] };
    const [hold] = nextOf(decide({ old: disabled }, change)).holds;
    expect(hold?.reason).toBe(
      "Decrypt by arn:app via s3.amazonaws.com on version 1, key-1, " +
        "encryption context keys bucket, tenant; CloudTrail event event-1",
    );
  });

  test("does not change where the attempt is known", () => {
    expect(decide({ rotation: { restored: restored("attempt") } })).toBeUndefined();
  });
});

test("a deletion of ours may be pending, now or as soon as a late call lands", () => {
  const { rotation } = stepScene("revoke");
  const pending = (state: "disabled" | "pending-deletion", more: object) =>
    mayBePending(aVersion(1, { state }), { ...rotation, ...more });
  expect(pending("pending-deletion", {})).toBe(true);
  expect(pending("disabled", {})).toBe(false);
  expect(pending("disabled", { unanswered: "ScheduleKeyDeletion" })).toBe(true);
  expect(pending("disabled", { unanswered: "DisableKey" })).toBe(false);
  expect(pending("disabled", { restored: { ...restored("use"), cancel: true } })).toBe(true);
});

describe("with several versions on record, an attempt", () => {
  const out = { state: "disabled" as const, retiredAtMs: nowMs - 2 * hourMs };
  const versions = [aVersion(1, out), aVersion(2, out), aVersion(3)];
  const rotations = [
    aRotation({ step: "revoke" }),
    aRotation({ id: "r2", from: 2, to: 3, step: "revoke" }),
  ];

  test("restores the version of its key alone", () => {
    const scene = aScene({ record: { versions, rotations } });
    const next = nextOf(decideAttempt(scene, { ...attempt, keyId: "key-2" }));
    expect(next.versions.map(({ state }) => state)).toEqual(["disabled", "draining", "active"]);
    expect(next.holds).toMatchObject([{ kind: "restored", version: 2 }]);
    expect(next.rotations.find(({ id }) => id === "r1")).toEqual(rotations[0]);
  });

  test.each(["active", "retained", "draining"] as const)(
    "on one that is %s and in no rotation restores nothing",
    (state) => {
      const alone = stepScene("revoke", { old: { state }, record: { rotations: [] } });
      expect(concern(alone.record, attempt)).toBe("none");
      expect(decideAttempt(alone, attempt)).toBeUndefined();
    },
  );
});
