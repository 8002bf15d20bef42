import { describe, expect, test } from "vitest";
import { aliasWasMoved, decideActivate } from "../../lambda/workflow/3-activate.ts";
import { inUseOf, without } from "../../lambda/workflow/model/record.ts";
import type { Version } from "../../lambda/workflow/model/types.ts";
import { aHome, hourMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  alias,
  blockedMs,
  denied,
  nowMs,
  openedAtMs,
  retiredAtMs,
  present,
  observedKey,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const aliases = [alias, "alias/b"];
const two: StepSetting = { record: { aliases }, intent: { aliases } };
const decide = (setting: StepSetting) => spoken(decideActivate(stepScene("activate", setting)));
const moved = { [alias]: nowMs - 10 * minuteMs };
const on = (first: string, second = first) => ({
  key: { [alias]: observedKey(first), "alias/b": observedKey(second) },
});

describe("an alias moves", () => {
  test("only after the new version, the alias and both owners were observed", () => {
    const scene = stepScene("activate");
    const asked = readsOf((observed) => decideActivate({ ...scene, observed }), scene.observed);
    expect(asked).toEqual(["key key-2", `key ${alias}`, "tags key-2", "tags key-1"]);
  });

  test("to a version that is Enabled, one after the other", () => {
    expect(decide({})).toMatchObject(calls("UpdateAlias", { alias, keyId: "key-2" }));
    const rest = decide({ ...two, rotation: { movedAtMs: moved }, observed: on("key-2", "key-1") });
    expect(rest).toMatchObject(calls("UpdateAlias", { alias: "alias/b", keyId: "key-2" }));
  });

  test.each<[why: string, observed: StepSetting["observed"], code: string, subject: string]>([
    [
      "the new version is not Enabled",
      { key: { "key-2": observedKey("key-2", { state: "Disabled" }) } },
      "NEW_VERSION_NOT_ENABLED",
      "key-2",
    ],
    ["the alias is on a third key", on("key-3"), "ALIAS_MOVED", alias],
    ["the alias is deleted", { key: { [alias]: absent } }, "ALIAS_NOT_FOUND", alias],
    ["the alias may not be read", { key: { [alias]: denied } }, "ACCESS_DENIED", alias],
    ["the new version is not ours", { tags: { "key-2": present({}) } }, "OTHER_OWNER", "key-2"],
    ["the old version is not ours", { tags: { "key-1": present({}) } }, "OTHER_OWNER", alias],
    ["the tags may not be read", { tags: { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
    [
      "the new version was retired already",
      { tags: { "key-2": present({ "keyturn:owner": "acme", "keyturn:retired": "r1" }) } },
      "STATE_BEHIND_KMS",
      alias,
    ],
  ])("not where %s", (_why, observed, code, subject) => {
    expect(decide({ ...(observed === undefined ? {} : { observed }) })).toMatchObject(
      halts(code, subject),
    );
  });
});

describe("an alias that was moved", () => {
  const movedAgo = (ms: number) => ({ rotation: { movedAtMs: { [alias]: nowMs - ms } } });

  test("may lag in reads for five minutes; later the cause is an external actor", () => {
    expect(decide(movedAgo(5 * minuteMs - 1))).toMatchObject({ kind: "retry" });
    expect(decide(movedAgo(5 * minuteMs))).toMatchObject(halts("ALIAS_MOVED", alias));
  });

  test("without an answer counts as moved, if it was the only one", () => {
    const unanswered = { unanswered: "UpdateAlias" as const };
    const landed = decide({ rotation: unanswered, observed: on("key-2") });
    expect(landed).toMatchObject(changes("moved", { alias, version: 2, keyId: "key-2" }));
    expect(nextOf(landed).rotations[0]).toMatchObject({ movedAtMs: { [alias]: nowMs } });
    expect(nextOf(landed).rotations[0]).not.toHaveProperty("unanswered");
    const both = decide({ ...two, rotation: unanswered, observed: on("key-2", "key-2") });
    expect(both).toMatchObject(halts("ALIAS_MOVED", alias));
    const other = { unanswered: "CreateGrant" as const };
    expect(decide({ rotation: other, observed: on("key-2") })).toMatchObject(
      halts("ALIAS_MOVED", alias),
    );
  });

  test("without a move on record halts with the command that moves it back", () => {
    const next = `aws kms update-alias --alias-name ${alias} --target-key-id key-1`;
    const moved = {
      finding: {
        next,
        observed: expect.stringContaining("(version 2, not activated yet)") as string,
      },
    };
    expect(decide({ observed: on("key-2") })).toMatchObject(halts("ALIAS_MOVED", alias));
    expect(decide({ observed: on("key-2") })).toMatchObject(moved);
  });

  test("off a version with the label of a later table state halts until reconciliation", () => {
    const tags = { "key-1": present({ "keyturn:retired": "r1" }) };
    const later = decide({ observed: { ...on("key-2"), tags } });
    expect(later).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });

  test("is on record with the time at which KMS accepted it, besides the others", () => {
    const { record, rotation } = stepScene("activate", { rotation: { movedAtMs: { a: 5 } } });
    const done = aliasWasMoved(record, rotation, alias, nowMs);
    expect(done.next.rotations[0]?.movedAtMs).toEqual({ a: 5, [alias]: nowMs });
    expect(done.entry).toMatchObject({
      event: "moved",
      rotationId: "r1",
      step: "activate",
      detail: { alias, version: 2, keyId: "key-2" },
    });
    expect(done.entry.reason).not.toBe("");
  });
});

describe("with every alias observed on the new version", () => {
  const there: StepSetting = { rotation: { movedAtMs: moved }, observed: on("key-2") };

  test("it is active, and the old one drains", () => {
    const done = decide(there);
    expect(done).toMatchObject(
      changes("activated", { version: 2, keyId: "key-2", aliases: alias }),
    );
    expect(done).toMatchObject({ entry: { rotationId: "r1", step: "activate" } });
    const { versions, rotations } = nextOf(done);
    expect(versions).toMatchObject([
      { number: 1, state: "draining", retiredAtMs: nowMs },
      { number: 2, state: "active", activatedAtMs: nowMs },
    ]);
    expect(rotations).toMatchObject([{ step: "drain", stepSinceMs: nowMs, drainSinceMs: nowMs }]);
  });

  test("callers got it from the first move on, also once the rotation is closed", () => {
    const firstMs = nowMs - 4 * hourMs;
    const movedAtMs = { [alias]: firstMs, "alias/b": nowMs - minuteMs };
    const done = decide({ ...two, rotation: { movedAtMs }, observed: on("key-2", "key-2") });
    const { versions } = nextOf(done);
    const times = versions.map((version) => inUseOf({ versions, rotations: [] }, version));
    expect(times).toMatchObject([{ untilMs: firstMs }, { fromMs: firstMs, untilMs: Infinity }]);
  });

  test("and goes on from its activation after a rollback of a version that no alias had reached", () => {
    const { record, rotation, old } = stepScene("activate", two);
    const left = {
      ...(record.versions.at(-1) as Version),
      state: "draining" as const,
      retiredAtMs: nowMs,
    };
    const [first, rolledBack] = [{ ...old, activatedAtMs: 5 }, without(left, "activatedAtMs")];
    const back = { ...rotation, from: left.number, to: old.number, direction: "back" as const };
    const fromMs = (versions: Version[], movedAtMs = {}) =>
      inUseOf({ ...record, versions, rotations: [{ ...back, movedAtMs }] }, first).fromMs;
    expect(fromMs([first, rolledBack])).toBe(5);
    expect(fromMs([first, { ...left, activatedAtMs: 7 }])).toBe(nowMs);
    expect(fromMs([first, rolledBack], { [alias]: 9 })).toBe(9);
  });

  test("the event lists all of them", () => {
    const movedAtMs = { ...moved, "alias/b": 1 };
    const done = decide({ ...two, rotation: { movedAtMs }, observed: on("key-2", "key-2") });
    expect(done).toMatchObject(changes("activated", { aliases: "alias/orders,alias/b" }));
  });

  test("it waits until no earlier call can move an alias", () => {
    const blocked = decide({ ...there, record: { unsettled } });
    expect(blocked).toMatchObject(waits(blockedMs));
    const own = [{ epoch: 7, untilMs: blockedMs }];
    expect(decide({ ...there, record: { unsettled: own } })).toMatchObject({ kind: "change" });
    const unsure = decide({ ...there, record: { unsettled: own }, context: { uncertain: true } });
    expect(unsure).toMatchObject(waits(blockedMs));
  });
});

describe("in a rollback", () => {
  const back: StepSetting = {
    old: { state: "active" },
    fresh: {
      state: "reactivating",
      activatedAtMs: 5,
      retiredAtMs,
      firstAliasLeftAtMs: 6,
      label: "r0",
    },
    rotation: { direction: "back", movedAtMs: moved },
    observed: on("key-2"),
  };

  test("the reactivated version keeps its age, and loses its label", () => {
    const done = decide(back);
    expect(done).toMatchObject(changes("reactivated"));
    const [, version] = nextOf(done).versions;
    expect(version).toMatchObject({ state: "active", activatedAtMs: 5 });
    expect(version).not.toHaveProperty("retiredAtMs");
    expect(version).not.toHaveProperty("firstAliasLeftAtMs");
    expect(version).not.toHaveProperty("label");
  });

  test("one that was never active is as old as its key", () => {
    const done = decide({ ...back, fresh: { state: "reactivating", activatedAtMs: undefined } });
    expect(nextOf(done).versions[1]).toMatchObject({ activatedAtMs: 200 * 86_400_000 });
  });

  test("an alias that did not have to move is observed again after five minutes", () => {
    const openedNow = (ms: number) =>
      decide({ ...back, rotation: { direction: "back", openedAtMs: nowMs - ms } });
    expect(openedNow(5 * minuteMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(openedNow(5 * minuteMs)).toMatchObject({ kind: "change" });
    const wasMoved = { ...back.rotation, openedAtMs: nowMs };
    expect(decide({ ...back, rotation: wasMoved })).toMatchObject({ kind: "change" });
    const onlyOne = { ...two, ...back, rotation: wasMoved, observed: on("key-2", "key-2") };
    expect(decide(onlyOne)).toMatchObject(waits(nowMs + 5 * minuteMs));
  });

  test("a forward rotation does not wait for that", () => {
    const rotation = { openedAtMs: nowMs, movedAtMs: { [alias]: nowMs } };
    expect(decide({ rotation, observed: on("key-2") })).toMatchObject({ kind: "change" });
  });

  test("a forward rotation waits for the new version to be visible", () => {
    const made = { createdAtMs: nowMs - minuteMs };
    const observed = { key: { "key-2": absent } };
    expect(decide({ fresh: made, observed })).toMatchObject({ kind: "retry" });
    expect(decide({ context: { home: aHome() }, record: { aliases: [alias] } })).toMatchObject({
      kind: "call",
    });
    expect(openedAtMs).toBeLessThan(nowMs);
  });
});

describe("an alias on a third key", () => {
  const commandFor = (setting: StepSetting) => {
    const halted = decide({ observed: on("key-3"), ...setting });
    expect(halted).toMatchObject(halts("ALIAS_MOVED", alias));
    return halted.kind === "halt" ? halted.finding.next : "";
  };

  test("goes back to the old version, or to the new one once it was moved there", () => {
    expect(commandFor({})).toMatch(/key-1\b/);
    expect(commandFor({ rotation: { movedAtMs: moved } })).toMatch(/key-2\b/);
  });

  test("goes to the active version where the rotation was reversed", () => {
    const reversed: StepSetting = {
      old: { state: "pending-activation" },
      fresh: { state: "active", activatedAtMs: 5 },
      rotation: { direction: "back" },
    };
    expect(commandFor(reversed)).toMatch(/key-2\b/);
  });
});

test("an alias on the new version that no call moved is judged by the old version's label", () => {
  const scene = stepScene("activate", { observed: on("key-2") });
  const asked = readsOf((observed) => decideActivate({ ...scene, observed }), scene.observed);
  expect(asked).toEqual(["key key-2", `key ${alias}`, "tags key-1", "key key-1"]);
  const observed = { ...on("key-2"), tags: { "key-1": denied } };
  expect(decide({ observed })).toMatchObject(halts("ACCESS_DENIED", "key-1"));
});
