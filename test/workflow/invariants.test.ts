import { describe, expect, test } from "vitest";
import { violations } from "../../lambda/workflow/safety/invariants.ts";
import type { Call, ManagedKey, Matter, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { ofRotation } from "./decided.ts";
import {
  absent,
  aVersion,
  denied,
  lastUsedAtMs,
  nowMs,
  saw,
  sawKey,
  sawUse,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { lookedAtMs: nowMs - dayMs, hash: "h", lastUse };
const own = { epoch: 7, untilMs: nowMs + 1 };
const matter = ofRotation as Matter;

function broken(call: Call, setting: StepSetting = {}, of: Matter = matter): string[] {
  const { record, seen, moment } = stepScene("revoke", {
    ...setting,
    record: { unsettled: [own], ...setting.record },
    rotation: { evidence, ...setting.rotation },
  });
  return violations(record, call, of, seen, moment);
}

const disable: Call = { kind: "DisableKey", keyId: "key-1" };
const schedule: Call = { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 30 };
const move: Call = { kind: "UpdateAlias", alias: "alias/orders", keyId: "key-2" };
const enable: Call = { kind: "EnableKey", keyId: "key-1" };
const tag: Call = { kind: "TagResource", keyId: "key-1", tags: {} };
const create: Call = {
  kind: "CreateKey",
  shape: aVersion(1).shape,
  policy: "{}",
  description: "",
  tags: {},
};
const foreign = { tags: { "key-1": saw({ "keyturn:owner": "other" }) } };

describe("a call that rests on all it must is made", () => {
  test.each<[Call]>([[disable], [schedule], [move], [enable], [tag], [create]])("%j", (call) => {
    expect(broken(call)).toEqual([]);
  });
});

describe("the settle rule", () => {
  const rule = (setting: StepSetting) =>
    [disable, schedule, move, tag, create].map((call) => broken(call, setting).length);
  const free = (setting: StepSetting) =>
    [enable, { kind: "CancelKeyDeletion", keyId: "key-1" } as const].map((call) =>
      broken(call, setting),
    );

  test.each<[what: string, unsettled: ManagedKey["unsettled"], uncertain: boolean]>([
    ["a call of another epoch may still land", [own, { epoch: 3, untilMs: nowMs + 1 }], false],
    ["an answer of this epoch is missing", [own], true],
    ["this epoch's mark is not on record", [], false],
    ["this epoch's mark has passed", [{ ...own, untilMs: nowMs }], false],
    ["only another epoch's passed mark is on record", [{ epoch: 3, untilMs: nowMs }], false],
  ])("forbids every call but giving a key back, where %s", (_what, unsettled, uncertain) => {
    const setting = { record: { unsettled }, moment: { uncertain } };
    expect(rule(setting)).toEqual([1, 1, 1, 1, 1]);
    expect(free(setting)).toEqual([[], []]);
    for (const what of broken(disable, setting)) expect(what).toMatch(/^settle rule: \w/);
  });
});

describe("I1: an alias moves", () => {
  test.each<[where: string, setting: StepSetting, invariant: RegExp]>([
    [
      "to a key that is not Enabled",
      { seen: { key: { "key-2": sawKey("key-2", { state: "Disabled" }) } } },
      /^I1: .*Enabled/,
    ],
    ["to a key that is not there", { seen: { key: { "key-2": absent } } }, /^I1: .*Enabled/],
    [
      "to a key that was not looked at",
      { seen: { key: { "key-2": undefined } } },
      /^I1: .*Enabled/,
    ],
    [
      "to a key of another owner",
      { seen: { tags: { "key-2": saw({ "keyturn:owner": "x" }) } } },
      /^I4: .*ours/,
    ],
    [
      "to a key whose tags were not looked at",
      { seen: { tags: { "key-2": undefined } } },
      /^I4: .*ours/,
    ],
  ])("never %s", (_where, setting, invariant) => {
    expect(broken(move, setting)).toEqual([expect.stringMatching(invariant)]);
  });

  test("never to a key that is no version", () => {
    const seen = {
      key: { "key-9": sawKey("key-9") },
      tags: { "key-9": saw({ "keyturn:owner": "acme" }) },
    };
    expect(broken({ ...move, keyId: "key-9" }, { seen })).toEqual([
      "I1: the alias may only move to a version on record",
    ]);
  });
});

describe.each<[Call["kind"], Call]>([
  ["DisableKey", disable],
  ["ScheduleKeyDeletion", schedule],
])("I2 to I4: %s", (_kind, call) => {
  const old = (changes: Partial<Version>): StepSetting => ({ old: changes });
  test.each<[where: string, setting: StepSetting, invariant: RegExp]>([
    ["an alias is on the key", { seen: { aliases: { "key-1": saw(["a"]) } } }, /^I2: \w/],
    ["its aliases were not looked at", { seen: { aliases: { "key-1": undefined } } }, /^I2: \w/],
    ["its aliases may not be seen", { seen: { aliases: { "key-1": denied } } }, /^I2: \w/],
    [
      "its last use was not read",
      { seen: { "last-use": { "key-1": undefined } } },
      /^I3: the last/,
    ],
    ["it is another owner's", { seen: foreign }, /^I4: \w/],
    ["no evidence is on record", { rotation: { evidence: undefined } }, /^I3: no evidence/],
    ["it carries no label", { rotation: { labelledAtMs: undefined } }, /^I3: no evidence/],
    [
      "it serves",
      { ...old({ standing: "serving" }), seen: { aliases: { "key-1": saw([]) } } },
      /^I3: no evidence/,
    ],
    ["it is to serve", old({ standing: "returning" }), /^I3: no evidence/],
    ["it is to be deleted already", old({ standing: "deletion-scheduled" }), /^I3: no evidence/],
    ["its rotation is not open", { record: { rotations: [] } }, /^I3: no evidence/],
    ["it is what replaces the old one", { rotation: { from: 2, to: 1 } }, /^I3: no evidence/],
  ])("is not made where %s", (_where, setting, invariant) => {
    expect(broken(call, setting)).toEqual([expect.stringMatching(invariant)]);
  });

  test("is made of a version that is disabled", () => {
    expect(broken(call, old({ standing: "disabled" }))).toEqual([]);
  });

  test("is not made by another rotation, nor by what is no rotation", () => {
    const others: Matter[] = [
      { kind: "rotation", rotationId: "r2" },
      { kind: "serving" },
      { kind: "enrolment" },
      { kind: "un-enrolment" },
    ];
    for (const of of others) expect(broken(call, {}, of)).toHaveLength(1);
  });

  test("is made of an extra key, which no version may be", () => {
    const seen = {
      aliases: { "key-9": saw([]) },
      tags: { "key-9": saw({ "keyturn:owner": "acme" }) },
      "last-use": { "key-9": sawUse("Sign", 0) },
    };
    const extra: Matter = { kind: "extra", keyId: "key-9" };
    expect(broken({ ...call, keyId: "key-9" } as Call, { seen }, extra)).toEqual([]);
    expect(broken(call, {}, { kind: "extra", keyId: "key-1" })).toHaveLength(1);
  });
});

describe("I4: a key of another owner is never changed", () => {
  test.each<[Call]>([
    [enable],
    [tag],
    [{ kind: "CancelKeyDeletion", keyId: "key-1" }],
    [{ kind: "UntagResource", keyId: "key-1", names: [] }],
    [{ kind: "CreateGrant", keyId: "key-1", grant: { grantee: "app", operations: [] } }],
  ])("%j", (call) => {
    expect(broken(call, { seen: foreign })).toEqual(["I4: it is not ours"]);
    expect(broken(call)).toEqual([]);
  });

  test("but for the one tagging at enrolment", () => {
    expect(broken(tag, { seen: foreign }, { kind: "enrolment" })).toEqual([]);
  });
});
