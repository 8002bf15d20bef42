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
const disabled = { standing: "disabled" as const, disabledAtMs: nowMs - hourMs };
const record = (setting: StepSetting): ManagedKey => stepScene("revoke", setting).record;

describe("an attempt to use a version", () => {
  test.each<[what: string, setting: StepSetting, concerns: "news" | "known" | "none"]>([
    ["that is disabled", { old: disabled }, "news"],
    ["that is to be deleted", { old: { standing: "deletion-scheduled" } }, "news"],
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
      { old: { standing: "serving" }, rotation: { unanswered: "DisableKey" } },
      "none",
    ],
    ["that is coming back for another reason", { rotation: { restored: restored("use") } }, "news"],
    [
      "that is coming back for this reason",
      { rotation: { restored: restored("attempt") } },
      "known",
    ],
    ["that is to serve again", { old: { standing: "returning" } }, "known"],
    [
      "that a person put out of use whatever the evidence",
      { old: { ...disabled, overriddenBy: "ada" } },
      "none",
    ],
    ["that the record was just rebuilt with", { record: { reconciledAtMs: 5 } }, "news"],
    [
      "that serves, with the record just rebuilt",
      { old: { standing: "serving" }, record: { reconciledAtMs: 5 } },
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
      changes("needed", {
        version: 1,
        keyId: "key-1",
        eventId: "event-1",
        principal: "arn:app",
        operation: "Decrypt",
      }),
    );
    const { versions, rotations, stops } = nextOf(decision);
    expect(versions[0]).toMatchObject({ number: 1, standing: "draining" });
    expect(versions[0]).not.toHaveProperty("disabledAtMs");
    expect(rotations).toMatchObject([
      {
        id: "r1",
        step: "drain",
        stepSinceMs: nowMs,
        restored: { because: "attempt", cancel: true, relabelled: false },
      },
    ]);
    const seen = "Decrypt by arn:app on version 1, key-1; CloudTrail event event-1";
    expect(stops).toEqual([{ kind: "attempt", atMs: nowMs, by: "arn:app", version: 1, seen }]);
  });

  test("the other rotations and stops stay as they are", () => {
    const other = { ...stepScene("revoke").rotation, id: "r2", from: 2, to: 3 };
    const { rotation } = stepScene("revoke");
    const pause = { kind: "pause" as const, atMs: 0, by: "ada", seen: "" };
    const given = { rotations: [rotation, other], stops: [pause] };
    const { rotations, stops } = nextOf(decide({ old: disabled, record: given }));
    expect(rotations.map(({ id }) => id).sort()).toEqual(["r1", "r2"]);
    expect(rotations.find(({ id }) => id === "r2")).toEqual(other);
    expect(stops.map(({ kind }) => kind)).toEqual(["pause", "attempt"]);
  });

  test("one whose rotation is closed gets a way out of its own", () => {
    const given = { old: disabled, record: { rotations: [] } };
    expect(nextOf(decide(given)).rotations).toMatchObject([{ id: "r-new-1", from: 1, to: 2 }]);
    const alone = { ...given, fresh: { standing: "created" as const } };
    expect(nextOf(decide(alone)).rotations).toMatchObject([{ from: 1, to: 1 }]);
  });

  test("it says through which service, and with which context, the key was used", () => {
    const change = { service: "s3.amazonaws.com", encryptionContextKeys: ["bucket", "tenant"] };
    const [stop] = nextOf(decide({ old: disabled }, change)).stops;
    expect(stop?.seen).toBe(
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
  const pending = (standing: "disabled" | "deletion-scheduled", more: object) =>
    mayBePending(aVersion(1, { standing }), { ...rotation, ...more });
  expect(pending("deletion-scheduled", {})).toBe(true);
  expect(pending("disabled", {})).toBe(false);
  expect(pending("disabled", { unanswered: "ScheduleKeyDeletion" })).toBe(true);
  expect(pending("disabled", { unanswered: "DisableKey" })).toBe(false);
  expect(pending("disabled", { restored: { ...restored("use"), cancel: true } })).toBe(true);
});
