/** Who a move locked out, where it is not the only one: rollbacks, quick rotations, sets of aliases. */
import { describe, expect, test } from "vitest";
import { refusalFindings } from "../../lambda/workflow/safety/refusal-findings.ts";
import { needsOfRefusals } from "../../lambda/workflow/safety/refusals.ts";
import type { OtherRefusals, RefusedUse } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { alarms, at, lockedOut, movedMs, refusing, settledMs } from "./alarms.ts";
import { aUse, nameOfUse, othersOf, soaked, usesOf, type On } from "./refused.ts";
import { aVersion, nowMs } from "./scene.ts";

describe("after a rollback", () => {
  const versions = [
    aVersion(1, { activatedAtMs: nowMs - 90 * dayMs }),
    aVersion(2, { state: "draining", activatedAtMs: movedMs - 2 * dayMs, retiredAtMs: movedMs }),
  ];
  const rotation = { direction: "back" as const, from: 2, to: 1 };
  const back = (use: RefusedUse) =>
    alarms({ "key-1": usesOf(use) }, { record: { versions }, rotation });

  test("the refusals from the version's retirement raise no alarm", () => {
    expect(back(lockedOut({ lastAtMs: movedMs - dayMs }))).toEqual([]);
    expect(back(lockedOut({ lastAtMs: settledMs - 1 }))).toEqual([]);
  });

  test("a caller that the version refused before it, also while it was retired, raises no alarm", () => {
    const lastBeforeMs = movedMs - 30 * dayMs;
    expect(back(lockedOut({ firstAtMs: 0, lastBeforeMs }))).toEqual([]);
    const others = (known: OtherRefusals["known"]) =>
      alarms(
        { "key-1": othersOf({ lastAtMs: settledMs, known }) },
        { record: { versions }, rotation },
      );
    expect(others({ one: [0, settledMs, lastBeforeMs] })).toEqual([]);
    expect(others({ one: [0, settledMs, lastBeforeMs - 1] })).toHaveLength(1);
  });

  test("a caller that it refused once, long ago, may be locked out now", () => {
    const lastBeforeMs = movedMs - 31 * dayMs;
    expect(back(lockedOut({ firstAtMs: 0, lastBeforeMs }))).toHaveLength(1);
  });

  test("a caller that it locks out is reported, without another rollback", () => {
    expect(back(lockedOut())).toMatchObject([
      { subject: "key-1", next: "npx keyturn explain REFUSED_SINCE_ACTIVATION" },
    ]);
  });
});

describe("a predecessor that was active for an hour", () => {
  const versions = [
    aVersion(1, { state: "draining", retiredAtMs: movedMs - hourMs }),
    aVersion(2, { state: "draining", activatedAtMs: movedMs - hourMs, retiredAtMs: movedMs }),
    aVersion(3, { activatedAtMs: movedMs }),
  ];
  const third = (first: Partial<RefusedUse>) =>
    alarms(
      { "key-1": usesOf(lockedOut(first)), "key-3": usesOf(lockedOut()) },
      { record: { versions } },
    );

  test("makes no victim of a caller that the version before it refused", () => {
    expect(third({ lastBeforeMs: movedMs - 2 * dayMs })).toEqual([]);
    expect(third({ lastBeforeMs: movedMs - 31 * dayMs })).toHaveLength(1);
  });
});

describe("a caller that the move before this one locked out", () => {
  /** Version 2 was active for ten days. */
  const secondMs = movedMs - 10 * dayMs;
  const versions = [
    aVersion(1, { state: "draining", retiredAtMs: secondMs }),
    aVersion(2, { state: "draining", activatedAtMs: secondMs, retiredAtMs: movedMs }),
    aVersion(3, { activatedAtMs: movedMs }),
  ];
  const onSecond = { firstAtMs: secondMs + dayMs, lastBeforeMs: movedMs - hourMs };
  const onAll = (first: Partial<RefusedUse> | undefined, second: Partial<RefusedUse>): On => ({
    ...(first === undefined ? {} : { "key-1": usesOf(lockedOut(first)) }),
    "key-2": usesOf(lockedOut(second)),
    "key-3": usesOf(lockedOut()),
  });
  const third = (first: Partial<RefusedUse> | undefined, second: Partial<RefusedUse>) =>
    alarms(onAll(first, second), { record: { versions } }).filter(
      ({ subject }) => subject === "key-3",
    );

  test("stays reported for three days after the next move: that move does not let it in", () => {
    const on = { "key-2": usesOf(lockedOut({ ...onSecond, lastAtMs: movedMs - hourMs })) };
    expect(alarms(on, { record: { versions } })).toMatchObject([
      { subject: "key-2", next: "npx keyturn explain REFUSED_SINCE_ACTIVATION" },
    ]);
    const later = { nowMs: movedMs + 3 * dayMs };
    expect(alarms(on, { record: { versions }, context: later })).toEqual([]);
  });

  test("is reported by the next move, too: it is still locked out", () => {
    expect(third(undefined, onSecond)).toHaveLength(1);
  });

  test("is not, where the first version refused it as well", () => {
    expect(third({ lastBeforeMs: secondMs - dayMs }, onSecond)).toEqual([]);
  });

  test("is not once it has been refused for 35 days: no operator needed that access", () => {
    const long = { ...onSecond, firstAtMs: movedMs - 35 * dayMs };
    expect(third(undefined, long)).toEqual([]);
  });

  test("is known where the item has dropped who the earlier versions refused", () => {
    const on = { "key-2": usesOf(lockedOut(onSecond)), "key-3": usesOf(lockedOut()) };
    const subjects = (more: On) =>
      alarms({ ...on, ...more }, { record: { versions } }).map(({ subject }) => subject);
    expect(subjects({})).toContain("key-3");
    expect(subjects({ "key-1": { uses: {}, isDropped: true } })).not.toContain("key-3");
  });

  test("is reported after a rollback and a new rotation", () => {
    const again = [
      aVersion(1, { state: "draining", retiredAtMs: movedMs }),
      aVersion(2, { state: "draining", activatedAtMs: secondMs, retiredAtMs: secondMs + hourMs }),
      aVersion(3, { activatedAtMs: movedMs }),
    ];
    const on = { "key-2": usesOf(lockedOut(onSecond)), "key-3": usesOf(lockedOut()) };
    expect(alarms(on, { record: { versions: again } })).toHaveLength(1);
  });
});

test("a caller among the predecessor's others that it refused since the move alone was locked out", () => {
  const on = refusing(
    usesOf(lockedOut()),
    othersOf({ known: at(nameOfUse(lockedOut()), settledMs) }),
  );
  expect(alarms(on)).toHaveLength(1);
});

describe("a set of aliases whose move stops half-way", () => {
  const versions = [
    aVersion(1),
    aVersion(2, { state: "pending-activation", activatedAtMs: undefined }),
  ];
  const moving = { step: "activate" as const, movedAtMs: { "alias/orders": movedMs } };
  const halfWay = (on: On, rotation = {}) =>
    alarms(on, {
      record: { versions },
      old: { state: "active", retiredAtMs: undefined },
      fresh: versions[1] ?? {},
      rotation: { ...moving, ...rotation },
    });

  test("reports whom the new version refuses already, with the rollback", () => {
    expect(halfWay(refusing(usesOf(lockedOut())))).toMatchObject([
      { subject: "key-2", next: "npx keyturn rollback alias/orders --version 2" },
    ]);
  });

  test("reports nobody whom the key policy alone denies, as on the version that is still active", () => {
    const scanner = lockedOut({ byKeyPolicy: true });
    expect(halfWay(refusing(usesOf(scanner)))).toEqual([]);
  });

  test("keeps whom it reported once the last alias has moved, a day later", () => {
    const versionsNow = [
      aVersion(1, { state: "draining", retiredAtMs: nowMs - hourMs }),
      aVersion(2, { activatedAtMs: nowMs - hourMs }),
    ];
    const rotation = {
      step: "drain" as const,
      movedAtMs: { "alias/orders": movedMs, "alias/b": nowMs - hourMs },
    };
    const setting = {
      record: { versions: versionsNow },
      old: versionsNow[0] ?? {},
      fresh: versionsNow[1] ?? {},
      rotation,
    };
    const on = refusing(usesOf(lockedOut()));
    expect(alarms(on, setting)).toHaveLength(1);
    const scene = soaked({ ...setting, on });
    expect(needsOfRefusals(scene, scene.old, scene.rotation)).toHaveLength(1);
  });

  test("reports nobody before the first alias has moved", () => {
    expect(halfWay(refusing(usesOf(lockedOut())), { movedAtMs: {} })).toEqual([]);
  });
});

describe("while KMS will delete the old version", () => {
  const deletionAtMs = nowMs + 5 * dayMs;
  const old = { state: "pending-deletion" as const, deletionAtMs };
  const on = { ...refusing(usesOf(lockedOut())), alias: usesOf(aUse()) };
  const all = (mode: "act" | "plan") => {
    const scene = soaked({ on: { ...on, "key-1": usesOf(aUse()) }, old, context: { mode } });
    return refusalFindings(scene).map(({ observed, next }) => ({ observed, next }));
  };

  test("each finding has the date", () => {
    const date = "; KMS deletes version 1, key-1, at 1972-10-02T00:00:00Z or later";
    const texts = all("act");
    expect(texts.length).toBeGreaterThan(1);
    for (const { observed } of texts) expect(observed).toContain(date);
  });

  test("keyturn cancels it, but in mode plan: there each finding has the command", () => {
    for (const { next } of all("act")) expect(next).not.toContain("cancel-key-deletion");
    for (const { next } of all("plan")) {
      expect(next).toBe("aws kms cancel-key-deletion --key-id key-1");
    }
  });
});
