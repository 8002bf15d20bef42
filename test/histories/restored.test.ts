import { describe, expect, test } from "vitest";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import {
  aLife,
  changingCalls,
  live,
  names,
  orders,
  pairsOf,
  type Life,
  type Moment,
} from "../lives.ts";
import { Restored, type Into } from "./restore.ts";
import { sample } from "../sizes.ts";

/** Changing calls that were made in the 60 days after a restore: which moment, when, and what. */
async function callsAfter(life: Life, into: Into, pairs: [Moment, Moment][]): Promise<string[]> {
  const made: string[] = [];
  for (const [then, now] of sample(pairs, 12)) {
    const restored = new Restored(life, then, now, into);
    await restored.runs(60, into === "another table" ? 6 : 3);
    const calls = changingCalls(restored.world);
    if (calls.length > 0) made.push(`${then.stage} -> ${now.stage}: ${calls.join()}`);
  }
  return made;
}

describe("a table restored into another one, at any moment of a life with", () => {
  test.each(names)("%s: nothing changes in KMS", async (name) => {
    const life = await live(name);
    const pairs = pairsOf(life.beginnings(), life.beginnings());
    expect(await callsAfter(life, "another table", pairs)).toEqual([]);
  });
});

describe("a table overwritten with what it held at any moment of a life with", () => {
  test.each(names)("%s: nothing changes in KMS, once anything did", async (name) => {
    const life = await live(name);
    const pairs = pairsOf(life.beginnings(), life.beginnings()).filter(
      ([then, now]) => then.calls !== now.calls,
    );
    expect(pairs.length).toBeGreaterThan(10);
    expect(await callsAfter(life, "the same table", pairs)).toEqual([]);
  });
});

/** Enough to meet each stage a few times. */
function someOf<T>(all: T[]): T[] {
  return all.filter((_, at) => at % 9 === 3);
}

describe.each(["the same table", "another table"] as const)("reconciled, in %s", (into) => {
  test.each(names)("after a life with %s: no data is lost, and rotations go on", async (name) => {
    const life = await live(name);
    for (const [then, now] of sample(someOf(pairsOf(life.beginnings(), life.beginnings())), 3)) {
      const which = `${then.stage} -> ${now.stage}`;
      const restored = new Restored(life, then, now, into);
      const { world, application } = restored;
      await restored.reconcile();
      expect(world.history(), which).toContain("reconciled");
      if ((await world.record()).stops.length > 0) await world.asks("resume");
      await restored.days(90);
      application.migratesAfterMs = 10 * dayMs;
      await restored.days(110);
      expect(application.failures, which).toEqual([]);
      expect(world.errors, which).toEqual([]);
      const history = world.history();
      expect(history.slice(history.lastIndexOf("reconciled")), which).toContain("activated");
    }
  });
});

describe("nothing changes in KMS before it is reconciled, where the table is taken back", () => {
  const attempted = "a use attempt in the soak, and another drain";
  const standing = ({ versions }: ManagedKey): string | undefined => versions[0]?.standing;
  const isRelabelled = ({ rotations }: ManagedKey): boolean =>
    rotations.some(({ restored }) => restored?.relabelled === true);
  const disabledAgain = ({ rotations, versions }: ManagedKey): boolean =>
    versions[0]?.standing === "disabled" && rotations[0]?.episode === 2;

  test("from a version's deletion to the first hour of its soak", async () => {
    const life = await live("two rotations, and both old versions deleted");
    const then = life.when((record) => standing(record) === "disabled");
    const now = life.last(({ versions }) => versions.length === 1 && versions[0]?.number === 2);
    expect(await callsAfter(life, "the same table", [[then, now]])).toEqual([]);
  });

  test("to a rollback, from when the version that came back is out of use again", async () => {
    const life = await live("a rollback in the drain, and another rotation");
    const then = life.when((record) => standing(record) === "returning");
    const now = life.when(
      ({ versions }) =>
        versions[2] !== undefined && standing({ versions } as ManagedKey) === "disabled",
    );
    expect(await callsAfter(life, "the same table", [[then, now]])).toEqual([]);
  });

  test.each(["the same table", "another table"] as const)(
    "to a version given back, from when it is out of use again: %s",
    async (into) => {
      const life = await live(attempted);
      const pair: [Moment, Moment] = [life.when(isRelabelled), life.when(disabledAgain)];
      expect(await callsAfter(life, into, [pair])).toEqual([]);
    },
  );

  test("to a soak, from a second one that it ended in, after an alias was put on it", async () => {
    const life = await aLife({ policy: { retire: "disable" } });
    const KeyId = await life.world.targetOf(orders);
    await life.days(160);
    const AliasName = "alias/other";
    await life.world.ask("CreateAlias", { AliasName, TargetKeyId: KeyId });
    await life.days(15);
    await life.world.ask("DeleteAlias", { AliasName });
    await life.days(69);
    const then = life.when((record) => standing(record) === "disabled");
    const now = life.last(({ rotations }) => rotations.length === 0);
    expect(now.atMs - then.atMs).toBeGreaterThan(80 * dayMs);
    expect(await callsAfter(life, "the same table", [[then, now]])).toEqual([]);
  });

  test("to a wait for dependents, from after it, while an older version's soak ends", async () => {
    const policy = { cryptoperiodMs: 50 * dayMs };
    const life = await aLife({ policy, dependents: ["billing"] });
    await life.days(44);
    await (await life.asks("acknowledge", { version: 2, dependent: "billing" })).days(43);
    await life.world.pass(hourMs);
    const then = life.when(({ rotations }) => rotations[1]?.step === "distribute");
    await life.asks("acknowledge", { version: 3, dependent: "billing" });
    await life.world.pass(hourMs);
    const now = life.last(({ versions }) => versions[2]?.standing === "serving");
    expect(standing(now.record)).toBe("disabled");
    expect(await callsAfter(life, "the same table", [[then, now]])).toEqual([]);
  });
});
