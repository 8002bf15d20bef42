import { describe, expect, test } from "vitest";
import { violations } from "../../lambda/workflow/safety/invariants.ts";
import type { Call, ManagedKey, Matter, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { ofRotation } from "./decided.ts";
import {
  anApproval,
  absent,
  aVersion,
  denied,
  lastUsedAtMs,
  nowMs,
  present,
  observedKey,
  lastUsed,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { observedAtMs: nowMs - dayMs, hash: "h", lastUse };
const approval = anApproval({ evidence: "h", of: "delete" });
const own = { epoch: 7, untilMs: nowMs + 1 };
const matter = ofRotation as Matter;

function broken(call: Call, setting: StepSetting = {}, of: Matter = matter): string[] {
  const { record, observed, context } = stepScene("revoke", {
    ...setting,
    record: { unsettled: [own], ...setting.record },
    rotation: { evidence, approval, ...setting.rotation },
  });
  return violations(record, call, of, observed, context);
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
const foreign = { tags: { "key-1": present({ "keyturn:owner": "other" }) } };

describe("a call that meets all invariants is made", () => {
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
    ["this epoch lacks an answer", [own], true],
    ["this epoch's mark is not on record", [], false],
    ["this epoch's mark has passed", [{ ...own, untilMs: nowMs }], false],
    ["only another epoch's passed mark is on record", [{ epoch: 3, untilMs: nowMs }], false],
  ])("forbids every call except a restore, where %s", (_what, unsettled, uncertain) => {
    const setting = { record: { unsettled }, context: { uncertain } };
    expect(rule(setting)).toEqual([1, 1, 1, 1, 1]);
    expect(free(setting)).toEqual([[], []]);
    for (const what of broken(disable, setting)) expect(what).toMatch(/^settle rule: \w/);
  });
});

test("the mark of another epoch is not this epoch's own", () => {
  const unsettled = [{ epoch: 3, untilMs: nowMs + 1 }];
  expect(broken(disable, { record: { unsettled } })).toEqual([
    "settle rule: a call without an answer may still land",
    "settle rule: this epoch's own mark is not on record",
  ]);
});

describe("I1: an alias moves", () => {
  test.each<[where: string, setting: StepSetting, invariant: RegExp]>([
    [
      "to a key that is not Enabled",
      { observed: { key: { "key-2": observedKey("key-2", { state: "Disabled" }) } } },
      /^I1: .*Enabled/,
    ],
    ["to a key that does not exist", { observed: { key: { "key-2": absent } } }, /^I1: .*Enabled/],
    [
      "to a key that was not observed",
      { observed: { key: { "key-2": undefined } } },
      /^I1: .*Enabled/,
    ],
    [
      "to a key of another owner",
      { observed: { tags: { "key-2": present({ "keyturn:owner": "x" }) } } },
      /^I4: .*ours/,
    ],
    [
      "to a key whose tags were not observed",
      { observed: { tags: { "key-2": undefined } } },
      /^I4: .*ours/,
    ],
  ])("never %s", (_where, setting, invariant) => {
    expect(broken(move, setting)).toEqual([expect.stringMatching(invariant)]);
  });

  test("never to a key that is no version", () => {
    const observed = {
      key: { "key-9": observedKey("key-9") },
      tags: { "key-9": present({ "keyturn:owner": "acme" }) },
    };
    expect(broken({ ...move, keyId: "key-9" }, { observed })).toEqual([
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
    ["an alias is on the key", { observed: { aliases: { "key-1": present(["a"]) } } }, /^I2: \w/],
    ["its aliases were not observed", { observed: { aliases: { "key-1": undefined } } }, /^I2: \w/],
    ["its aliases may not be read", { observed: { aliases: { "key-1": denied } } }, /^I2: \w/],
    [
      "its last use was not read",
      { observed: { "last-use": { "key-1": undefined } } },
      /^I3: the last/,
    ],
    ["it is another owner's", { observed: foreign }, /^I4: \w/],
    ["no evidence is on record", { rotation: { evidence: undefined } }, /^I3: no evidence/],
    ["it has no label", { rotation: { labelledAtMs: undefined } }, /^I3: no evidence/],
    [
      "it is active",
      { ...old({ state: "active" }), observed: { aliases: { "key-1": present([]) } } },
      /^I3: no evidence/,
    ],
    ["it is reactivating", old({ state: "reactivating" }), /^I3: no evidence/],
    ["it is already pending deletion", old({ state: "pending-deletion" }), /^I3: no evidence/],
    ["its rotation is not open", { record: { rotations: [] } }, /^I3: no evidence/],
    ["it is the new version", { rotation: { from: 2, to: 1 } }, /^I3: no evidence/],
  ])("is not made where %s", (_where, setting, invariant) => {
    const found = broken(call, setting).filter((one) => !one.startsWith("I8"));
    expect(found).toEqual([expect.stringMatching(invariant)]);
  });

  test("is made on a disabled version", () => {
    expect(broken(call, old({ state: "disabled" }))).toEqual([]);
  });

  test.each(["key-2", "key-9"])(
    "is not made on %s, which this rotation does not retire",
    (keyId) => {
      const observed = {
        aliases: { [keyId]: present([]) },
        tags: { [keyId]: present({ "keyturn:owner": "acme" }) },
        "last-use": { [keyId]: lastUsed("Sign", lastUsedAtMs) },
      };
      expect(broken({ ...call, keyId } as Call, { observed })).toEqual([
        "I3: no evidence of drain is on record",
      ]);
    },
  );

  test("is not made by another rotation, or by another kind of matter", () => {
    const others: Matter[] = [
      { kind: "rotation", rotationId: "r2" },
      { kind: "active" },
      { kind: "enrolment" },
      { kind: "un-enrolment" },
    ];
    for (const of of others)
      expect(broken(call, {}, of)).toContain("I3: no evidence of drain is on record");
  });

  test("is made on an excess key, which must not be a version", () => {
    const observed = {
      aliases: { "key-9": present([]) },
      tags: { "key-9": present({ "keyturn:owner": "acme" }) },
      "last-use": { "key-9": lastUsed("Sign", 0) },
    };
    const extra: Matter = { kind: "extra", keyId: "key-9" };
    const onExtra = broken({ ...call, keyId: "key-9" } as Call, { observed }, extra);
    // keyturn never deletes an excess key.
    expect(onExtra).toEqual(call.kind === "DisableKey" ? [] : [expect.stringMatching(/^I8/)]);
    expect(broken(call, {}, { kind: "extra", keyId: "key-1" })).toContain(
      "I3: no evidence of drain is on record",
    );
  });
});

describe("I8: a deletion", () => {
  test.each([
    ["no approval is on record", undefined],
    ["only DisableKey was approved", { ...approval, of: "disable" as const }],
    ["the evidence was overridden", { ...approval, override: true }],
  ])("is not scheduled where %s", (_where, given) => {
    expect(broken(schedule, { rotation: { approval: given } })).toEqual([
      "I8: no operator approved this deletion",
    ]);
    expect(broken(disable, { rotation: { approval: given } })).toEqual([]);
  });
});

test("I8: the approval of another rotation serves no deletion", () => {
  const without = stepScene("revoke", { rotation: { evidence } }).rotation;
  const other = { ...without, id: "r0", from: 8, to: 9, approval };
  expect(broken(schedule, { record: { rotations: [other, without] } })).toEqual([
    "I8: no operator approved this deletion",
  ]);
});

describe("I4: a key of another owner is never changed", () => {
  test.each<[Call]>([
    [enable],
    [tag],
    [{ kind: "CancelKeyDeletion", keyId: "key-1" }],
    [{ kind: "UntagResource", keyId: "key-1", names: [] }],
    [{ kind: "CreateGrant", keyId: "key-1", grant: { grantee: "app", operations: [] } }],
  ])("%j", (call) => {
    expect(broken(call, { observed: foreign })).toEqual(["I4: it is not ours"]);
    expect(broken(call)).toEqual([]);
  });

  test("except by the tagging at enrolment", () => {
    expect(broken(tag, { observed: foreign }, { kind: "enrolment" })).toEqual([]);
  });
});
