import { describe, expect, test } from "vitest";
import type { FindingCode } from "../../lambda/workflow/model/findings.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import {
  aHistory,
  changingCalls,
  historyNamed,
  names,
  orders,
  pairsOf,
  type History,
  type Snapshot,
} from "../recorded-history.ts";
import { Restored, type Into } from "./table-restore.ts";
import { sample } from "../sizes.ts";
import { aWorld } from "../world.ts";

/** Calls of a rotation up to the label: what concerns an old version alone does not stop the next one. */
const ofNextRotation = ["CreateKey", "CreateGrant", "UpdateAlias", "TagResource"];
const ofOldVersion: FindingCode[] = [
  "VERSION_CHANGED",
  "VERSION_DELETED",
  "DELETION_SCHEDULED_BY_OTHERS",
  "DISABLED_BY_OTHERS",
];

/** Whether keyturn reports that the state of an old version differs from the record. */
function reportsOldVersion({ findings, versions }: ManagedKey): boolean {
  const active = versions.find(({ state }) => state === "active")?.keyId;
  return findings.some(({ code, subject }) => ofOldVersion.includes(code) && subject !== active);
}

/**
 * The changing calls in the 60 days after a restore, with the stages of both snapshots; without the calls of the
 * next rotation, where the table has less of an old version alone, and keyturn reports that.
 */
async function callsAfter(
  history: History,
  into: Into,
  pairs: [Snapshot, Snapshot][],
): Promise<string[]> {
  const made: string[] = [];
  for (const [then, now] of sample(pairs, 12)) {
    const restored = new Restored(history, then, now, into);
    const { world } = restored;
    await restored.runs(60, into === "another table" ? 6 : 3);
    const goesOn = into === "the same table" && reportsOldVersion(await world.record());
    const calls = changingCalls(world).filter((name) => !goesOn || !ofNextRotation.includes(name));
    if (calls.length > 0) {
      made.push(`${then.stage} -> ${now.stage}: ${changingCalls(world).join()}`);
    }
  }
  return made;
}

describe("a table restored into another one, at any point of a history with", () => {
  test.each(names)("%s: nothing changes in KMS", async (name) => {
    const history = await historyNamed(name);
    const pairs = pairsOf(history.beginnings(), history.beginnings());
    expect(await callsAfter(history, "another table", pairs)).toEqual([]);
  });
});

test("a record of another table has a pass every hour until an operator reconciles it", async () => {
  const world = await aWorld();
  await world.passDays(20);
  world.table.tableId = "table-2";
  await world.passDays(1);
  let passes = 0;
  world.afterRun = () => Promise.resolve(void (passes += 1));
  await world.passDays(1);
  expect(await world.findings()).toEqual(["STATE_BEHIND_KMS"]);
  expect(passes).toBeLessThanOrEqual(25);
});

describe("a table overwritten with its content at any earlier point of a history with", () => {
  test.each(names)(
    "%s: nothing changes in KMS, if a changing call was made since",
    async (name) => {
      const history = await historyNamed(name);
      const pairs = pairsOf(history.beginnings(), history.beginnings()).filter(
        ([then, now]) => then.calls !== now.calls,
      );
      expect(pairs.length).toBeGreaterThan(10);
      expect(await callsAfter(history, "the same table", pairs)).toEqual([]);
    },
  );
});

/** Enough to test each stage a few times. */
function someOf<T>(all: T[]): T[] {
  return all.filter((_, at) => at % 9 === 3);
}

describe.each(["the same table", "another table"] as const)("reconciled, in %s", (into) => {
  test.each(names)(
    "after a history with %s: no data is lost, and rotations continue",
    async (name) => {
      const history = await historyNamed(name);
      for (const [then, now] of sample(
        someOf(pairsOf(history.beginnings(), history.beginnings())),
        3,
      )) {
        const which = `${then.stage} -> ${now.stage}`;
        const restored = new Restored(history, then, now, into);
        const { world, application } = restored;
        await restored.reconcile();
        expect(world.history(), which).toContain("reconciled");
        if ((await world.record()).holds.length > 0) await world.asks("resume");
        await restored.days(90);
        application.migratesAfterMs = 10 * dayMs;
        await restored.days(110);
        expect(application.failures, which).toEqual([]);
        expect(world.errors, which).toEqual([]);
        const events = world.history();
        expect(events.slice(events.lastIndexOf("reconciled")), which).toContain("activated");
      }
    },
  );
});

describe("nothing changes in KMS before reconcile, where the table returns", () => {
  const attempted = "a use attempt in the soak, and another drain";
  const state = ({ versions }: ManagedKey): string | undefined => versions[0]?.state;
  const isRelabelled = ({ rotations }: ManagedKey): boolean =>
    rotations.some(({ restored }) => restored?.relabelled === true);
  const disabledAgain = ({ rotations, versions }: ManagedKey): boolean =>
    versions[0]?.state === "disabled" && rotations[0]?.episode === 2;

  test("from a version's deletion to the first hour of its soak", async () => {
    const history = await historyNamed("two rotations, and both old versions deleted");
    const then = history.when((record) => state(record) === "disabled");
    const now = history.last(({ versions }) => versions.length === 1 && versions[0]?.number === 2);
    expect(await callsAfter(history, "the same table", [[then, now]])).toEqual([]);
  });

  test("to a rollback, from when its target is disabled again", async () => {
    const history = await historyNamed("a rollback in the drain, and another rotation");
    const then = history.when((record) => state(record) === "reactivating");
    const now = history.when(
      ({ versions }) =>
        versions[2] !== undefined && state({ versions } as ManagedKey) === "disabled",
    );
    expect(await callsAfter(history, "the same table", [[then, now]])).toEqual([]);
  });

  test("to the drains of two versions, from when one of the two is disabled", async () => {
    const history = await historyNamed("a rollback in the drain, and another rotation");
    const states = ({ versions }: ManagedKey): string =>
      versions.map((version) => version.state).join();
    const then = history.when((record) => states(record) === "draining,draining,active");
    const now = history.when((record) => states(record) === "draining,disabled,active");
    expect(await callsAfter(history, "the same table", [[then, now]])).toEqual([]);
  });

  test.each(["the same table", "another table"] as const)(
    "to a restored version, from when it is disabled again: %s",
    async (into) => {
      const history = await historyNamed(attempted);
      const pair: [Snapshot, Snapshot] = [history.when(isRelabelled), history.when(disabledAgain)];
      expect(await callsAfter(history, into, [pair])).toEqual([]);
    },
  );

  test("to a soak, from after the next one, which an alias on the version caused", async () => {
    const history = await aHistory({ policy: { retire: "disable" } });
    const KeyId = await history.world.targetOf(orders);
    await history.days(160);
    const AliasName = "alias/other";
    await history.world.ask("CreateAlias", { AliasName, TargetKeyId: KeyId });
    await history.days(15);
    await history.world.ask("DeleteAlias", { AliasName });
    await history.days(69);
    const then = history.when((record) => state(record) === "disabled");
    const now = history.last(({ rotations }) => rotations.length === 0);
    expect(now.atMs - then.atMs).toBeGreaterThan(80 * dayMs);
    expect(await callsAfter(history, "the same table", [[then, now]])).toEqual([]);
  });

  test("to a wait for dependents, from after it, while an older version's soak ends", async () => {
    const policy = { cryptoperiodMs: 50 * dayMs };
    const history = await aHistory({ policy, dependents: ["billing"] });
    await history.days(44);
    await (await history.asks("acknowledge", { version: 2, dependent: "billing" })).days(43);
    await history.world.pass(hourMs);
    const then = history.when(({ rotations }) => rotations[1]?.step === "distribute");
    await history.asks("acknowledge", { version: 3, dependent: "billing" });
    await history.world.pass(hourMs);
    const now = history.last(({ versions }) => versions[2]?.state === "active");
    expect(state(now.record)).toBe("disabled");
    expect(await callsAfter(history, "the same table", [[then, now]])).toEqual([]);
  });
});
