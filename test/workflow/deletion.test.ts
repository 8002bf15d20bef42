import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { scheduled } from "../../lambda/workflow/revoke/deletion.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { changes, halts, nextOf, spoken, waits } from "./decided.ts";
import { absent, denied, nowMs, observedKey, stepScene, type StepSetting } from "./scene.ts";

/** Version 1 is disabled, has soaked, and its policy deletes. */
function scene(setting: StepSetting = {}) {
  const rotation = { soakSinceMs: nowMs - 14 * dayMs, policy: aPolicy({ retire: "delete" }) };
  return stepScene("revoke", { ...setting, rotation: { ...rotation, ...setting.rotation } });
}
const decide = (setting: StepSetting = {}) => spoken(decideRevoke(scene(setting)));

describe("a scheduled deletion", () => {
  const due = nowMs - minuteMs;
  const wait = (setting: StepSetting = {}) =>
    decide({ ...setting, old: { state: "pending-deletion", deletionAtMs: due } });

  test("has KMS's date, or the end of the policy's window", () => {
    const { record, rotation } = scene({ rotation: { unanswered: "ScheduleKeyDeletion" } });
    const given = scheduled(record, rotation, 77, nowMs);
    expect(given.entry).toMatchObject({
      event: "deletion-scheduled",
      detail: { deletionAtMs: 77 },
    });
    expect(given.entry.reason).not.toBe("");
    expect(given.next.rotations[0]).toMatchObject({ stepSinceMs: nowMs });
    expect(given.next.rotations[0]).not.toHaveProperty("unanswered");
    const guessed = scheduled(record, rotation, undefined, nowMs);
    expect(guessed.next.versions[0]).toMatchObject({ deletionAtMs: nowMs + 30 * dayMs });
  });

  test("is observed before its date too, once reads show it", () => {
    const old = { state: "pending-deletion" as const, deletionAtMs: nowMs + 1 };
    const observed = { key: { "key-1": absent } };
    const just = { stepSinceMs: nowMs - 5 * minuteMs + 1 };
    expect(decide({ old, rotation: just, observed })).toMatchObject(waits(nowMs + 1));
    const settled = { stepSinceMs: nowMs - 5 * minuteMs };
    const pending = { key: { "key-1": observedKey("key-1", { state: "PendingDeletion" }) } };
    expect(decide({ old, rotation: settled, observed: pending })).toMatchObject(waits(nowMs + 1));
    const cancelled = { key: { "key-1": observedKey("key-1", { state: "Disabled" }) } };
    const reported = decide({ old, rotation: settled, observed: { ...cancelled } });
    expect(reported).toMatchObject(halts("VERSION_CHANGED", "key-1"));
    expect(decide({ old, rotation: settled, observed })).toMatchObject(changes("completed"));
    expect(decide({ old: { ...old, deletionAtMs: nowMs }, observed })).toMatchObject(
      changes("completed"),
    );
    expect(decide({ old: { ...old, deletionAtMs: undefined }, observed })).toMatchObject(
      changes("completed"),
    );
  });

  test("is observed at its date, even just after it was scheduled", () => {
    const just = { stepSinceMs: nowMs - minuteMs };
    const deleted = { key: { "key-1": absent } };
    const reached = (deletionAtMs: number, observed: StepSetting["observed"] = {}) =>
      decide({ old: { state: "pending-deletion", deletionAtMs }, rotation: just, observed });
    expect(reached(nowMs, deleted)).toMatchObject(changes("completed"));
    expect(reached(nowMs - 1, deleted)).toMatchObject(changes("completed"));
    expect(reached(nowMs)).toMatchObject(waits(nowMs + hourMs));
  });

  test("is complete when the key is deleted, and the version leaves the record", () => {
    const done = wait({ observed: { key: { "key-1": absent } } });
    expect(done).toMatchObject(changes("completed", { version: 1, keyId: "key-1" }));
    const { versions, rotations, closed } = nextOf(done);
    expect(versions.map(({ number }) => number)).toEqual([2]);
    expect([rotations, closed]).toMatchObject([[], [{ id: "r1" }]]);
  });

  test("may be a day late: the key is read every hour, or at KMS's date", () => {
    expect(wait()).toMatchObject(waits(nowMs + hourMs));
    const later = observedKey("key-1", { state: "PendingDeletion", deletionAtMs: nowMs + dayMs });
    expect(wait({ observed: { key: { "key-1": later } } })).toMatchObject(waits(nowMs + dayMs));
  });

  test("that an external actor cancelled is reported", () => {
    const observed = { key: { "key-1": observedKey("key-1", { state: "Disabled" }) } };
    expect(wait({ observed })).toMatchObject(halts("VERSION_CHANGED", "key-1"));
    const hidden = { key: { "key-1": denied } };
    expect(wait({ observed: hidden })).toMatchObject(halts("ACCESS_DENIED", "key-1"));
  });
});
