import { describe, expect, test } from "vitest";
import { cancelled, rollBack } from "../../lambda/workflow/requests/rollback.ts";
import type {
  ManagedKey,
  Rotation,
  Transition,
  Version,
} from "../../lambda/workflow/model/types.ts";
import { hourMs } from "../fixtures.ts";
import { alias, aRecord, aRotation, aVersion, changed, nowMs, retiredAtMs } from "./scene.ts";

const when = { nowMs, newRotationId: "r-new" };
const retired = (number: number, more: Partial<Version> = {}): Version =>
  aVersion(number, { state: "draining", retiredAtMs, ...more });

function done(record: ManagedKey, number: number): Transition {
  const result = rollBack(record, number, when);
  if ("refused" in result) throw new Error(result.refused);
  expect(result.entry.reason).not.toBe("");
  return result;
}

function refusal(record: ManagedKey, number: number): string {
  const result = rollBack(record, number, when);
  if (!("refused" in result)) throw new Error("it was not refused");
  return result.refused;
}

describe("a rollback of the active version", () => {
  const out = aRotation({ id: "r1", from: 1, to: 2 });
  const record = (old: Partial<Version> = {}, changes: Parameters<typeof aRecord>[0] = {}) =>
    aRecord({ versions: [retired(1, old), aVersion(2)], rotations: [out], ...changes });

  test("returns to the previous version, by a rotation in the other direction", () => {
    const { next, entry } = done(record(), 2);
    expect(entry).toMatchObject({
      event: "rolled-back",
      reason: "version 1 becomes active again",
      rotationId: "r-new",
      step: "distribute",
      detail: { from: 2, to: 1 },
    });
    expect(next.rotations).toMatchObject([
      { id: "r-new", from: 2, to: 1, direction: "back", step: "distribute", dependents: [] },
    ]);
    expect(next.rotations[0]).not.toHaveProperty("drainSinceMs");
    expect(next.closed).toMatchObject([{ id: "r1" }]);
    expect(next.versions).toMatchObject([
      { number: 1, state: "reactivating" },
      { number: 2, state: "active" },
    ]);
    expect(next.versions[0]).not.toHaveProperty("label");
  });

  test.each(["draining", "retained", "disabled", "pending-deletion"] as const)(
    "returns to one that is %s",
    (state) => {
      const { next } = done(record({ state, disabledAtMs: 4, deletionAtMs: nowMs + 1 }), 2);
      expect(next.versions[0]).toMatchObject({ state: "reactivating" });
      expect(next.versions[0]).not.toHaveProperty("disabledAtMs");
      expect(next.versions[0]).not.toHaveProperty("deletionAtMs");
    },
  );

  test("marks a possible label on it as unknown", () => {
    const rotations = [{ ...out, unanswered: "TagResource" as const }];
    expect(done(record({}, { rotations }), 2).next.versions[0]).toMatchObject({ label: "unknown" });
  });

  test("returns to the newest earlier version that was active", () => {
    const versions = [
      retired(1),
      retired(2),
      retired(3, { activatedAtMs: undefined } as never),
      aVersion(4),
      retired(5),
    ].map((version) => changed(version));
    const { next } = done(aRecord({ versions, rotations: [] }), 4);
    expect(next.rotations).toMatchObject([{ from: 4, to: 2 }]);
    expect(next.closed).toEqual([]);
  });

  test("returns to the version that was active last, not to a newer one that was itself rolled back", () => {
    const versions = [
      retired(1, { retiredAtMs: nowMs - 2 }),
      retired(2, { retiredAtMs: nowMs - 5 }),
      aVersion(3),
    ];
    const { next } = done(aRecord({ versions, rotations: [] }), 3);
    expect(next.rotations).toMatchObject([{ from: 3, to: 1 }]);
  });

  test("does not return to one whose deletion date has come", () => {
    const why = refusal(record({ state: "pending-deletion", deletionAtMs: nowMs }), 2);
    expect(why).toMatch(
      /^the deletion date of version 1, key-1, has passed: 1972-09-27T00:00:00Z$/,
    );
  });

  test("is rejected where no earlier version exists", () => {
    const none = "no version before 2 exists";
    expect(refusal(record({}, { versions: [aVersion(2)] }), 2)).toBe(none);
    expect(refusal(record({}, { versions: [aVersion(2), retired(3)] }), 2)).toBe(none);
    expect(refusal(record({ state: "reactivating" }), 2)).toBe(none);
    expect(refusal(record({ state: "pending-activation" }), 2)).toBe(none);
  });

  test("is rejected for another version", () => {
    expect(refusal(record(), 1)).toBe("version 1 is neither active nor about to be");
    expect(refusal(record({}, { versions: [] }), 2)).toMatch(/neither active/);
  });

  test("cancels a rotation to the next one that has moved no alias", () => {
    const fresh = aVersion(3, { state: "pending-activation" });
    const versions = [retired(1), aVersion(2), fresh];
    const busy = aRotation({ id: "r2", from: 2, to: 3, step: "distribute" });
    const { next } = done(aRecord({ versions, rotations: [out, busy] }), 2);
    expect(next.closed.map(({ id }) => id)).toEqual(["r2", "r1"]);
    expect(next.versions[2]).toMatchObject({ state: "draining", retiredAtMs: nowMs });
    expect(next.rotations).toMatchObject([
      { id: "r-new-3", from: 3, to: 2 },
      { id: "r-new", from: 2, to: 1 },
    ]);
  });

  test("is rejected while aliases move to the next one, or already move back", () => {
    const versions = [retired(1), aVersion(2), aVersion(3, { state: "pending-activation" })];
    const busy = aRotation({ id: "r2", from: 2, to: 3, step: "activate" });
    const at = (rotation: Rotation) => refusal(aRecord({ versions, rotations: [rotation] }), 2);
    const first = "aliases are moving to version 3: roll back that version first";
    expect(at({ ...busy, movedAtMs: { [alias]: 1 } })).toBe(first);
    expect(at({ ...busy, unanswered: "UpdateAlias" })).toBe(first);
    const back = { ...busy, to: 1, direction: "back" as const };
    expect(at(back)).toBe("a rollback is already under way");
    const untouched = rollBack(aRecord({ versions, rotations: [busy] }), 2, when);
    expect(untouched).not.toHaveProperty("refused");
    const otherCall = { ...busy, unanswered: "CreateGrant" as const };
    expect(rollBack(aRecord({ versions, rotations: [otherCall] }), 2, when)).not.toHaveProperty(
      "refused",
    );
  });
});

describe("a rollback of a version that is about to be active", () => {
  const versions = [aVersion(1), aVersion(2, { state: "pending-activation" })];
  const about = (changes: Partial<Rotation>) =>
    aRecord({ versions, rotations: [aRotation({ step: "activate", ...changes })] });

  test("moves its aliases back, where one was moved or may have been", () => {
    for (const touched of [{ movedAtMs: { [alias]: 1 } }, { unanswered: "UpdateAlias" as const }]) {
      const { next, entry } = done(about(touched), 2);
      expect(entry).toMatchObject({
        event: "rolled-back",
        rotationId: "r-new",
        step: "activate",
        detail: { from: 2, to: 1 },
      });
      expect(next.rotations).toMatchObject([
        {
          id: "r-new",
          from: 2,
          to: 1,
          direction: "back",
          step: "activate",
          intent: { aliases: [alias], policyHash: "policy-hash", writtenAtMs: nowMs },
        },
      ]);
      expect(next.rotations[0]).not.toHaveProperty("drainSinceMs");
      expect(next.closed).toMatchObject([{ id: "r1" }]);
    }
  });

  test("cancels its rotation, where no alias pointed at it", () => {
    const { next, entry } = done(about({}), 2);
    expect(entry).toMatchObject({
      event: "cancelled",
      rotationId: "r1",
      step: "activate",
      detail: { from: 1, to: 2 },
    });
    expect(next.closed).toMatchObject([{ id: "r1" }]);
    expect(next.versions[1]).toMatchObject({ state: "draining", retiredAtMs: nowMs });
    expect(next.rotations).toMatchObject([
      { id: "r-new-2", from: 2, to: 1, step: "drain", drainSinceMs: nowMs },
    ]);
    expect(next.rotations[0]).not.toHaveProperty("restored");
  });

  test("counts moved aliases only in the activate step", () => {
    const moved = { step: "distribute" as const, movedAtMs: { [alias]: 1 } };
    expect(done(about(moved), 2).entry.event).toBe("cancelled");
  });
});

describe("a rotation is cancelled", () => {
  const versions = [aVersion(1)];
  const busy = aRotation({ step: "generate" });

  test("at once, where it created no key", () => {
    const { next, entry } = cancelled(aRecord({ versions, rotations: [busy] }), busy, when);
    expect(entry.event).toBe("cancelled");
    expect(next.rotations).toEqual([]);
    expect(next.closed).toEqual([busy]);
    expect(next.versions).toEqual(versions);
  });

  test("later, where a CreateKey may still create a key", () => {
    const unanswered = { ...busy, intent: { ...busy.intent, unansweredEpoch: 3 } };
    const other = aRotation({ id: "r0" });
    const record = aRecord({ versions, rotations: [other, unanswered] });
    const { next, entry } = cancelled(record, unanswered, when);
    expect(entry.event).toBe("cancelled");
    expect(next.rotations).toEqual([other, { ...unanswered, cancelledAtMs: nowMs }]);
    expect(next.closed).toEqual([]);
    const past = { ...unanswered, step: "distribute" as const };
    expect(cancelled(aRecord({ versions, rotations: [past] }), past, when).next.rotations).toEqual(
      [],
    );
  });

  test("in a rollback, and its half-done restore is completed", () => {
    const back = aRotation({
      from: 2,
      to: 1,
      direction: "back",
      step: "distribute",
      unanswered: "UntagResource",
    });
    const reactivating = [aVersion(1, { state: "reactivating" }), aVersion(2)];
    const { next } = cancelled(aRecord({ versions: reactivating, rotations: [back] }), back, when);
    expect(next.rotations).toMatchObject([
      { from: 1, to: 2, restored: { because: "use", cancel: true, relabelled: false } },
    ]);
    expect(next.versions[0]).toMatchObject({ state: "draining", label: "unknown" });
    expect(hourMs).toBeLessThan(nowMs);
  });
});

describe("a rollback finds its version", () => {
  test("by number, where two were retired at the same time, in whatever order they are on record", () => {
    const record = aRecord({ versions: [retired(2), retired(1), aVersion(3)] });
    expect(done(record, 3).next.rotations).toMatchObject([{ from: 3, to: 2 }]);
    const sorted = aRecord({ versions: [retired(1), retired(2), aVersion(3)] });
    expect(done(sorted, 3).next.rotations).toMatchObject([{ from: 3, to: 2 }]);
  });

  test("only once: of a version whose aliases already go back to it, it is refused", () => {
    const reversed = aRotation({ from: 2, to: 1, direction: "back", step: "activate" });
    const versions = [aVersion(1), aVersion(2, { state: "pending-activation" })];
    expect(refusal(aRecord({ versions, rotations: [reversed] }), 1)).toBe(
      "a rollback is already under way",
    );
  });

  test("also while no version is active: the new one is cancelled", () => {
    const versions = [retired(1), aVersion(2, { state: "pending-activation" })];
    const rotations = [aRotation({ step: "distribute" })];
    const { next, entry } = done(aRecord({ versions, rotations }), 2);
    expect(entry.event).toBe("cancelled");
    expect(next.versions[1]).toMatchObject({ state: "draining" });
  });
});
