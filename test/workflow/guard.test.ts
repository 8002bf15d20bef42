import { describe, expect, test } from "vitest";
import { guard } from "../../lambda/workflow/drift/guard.ts";
import type { Call, Matter } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import { halts, readsOf, ofRotation, spoken } from "./decided.ts";
import {
  absent,
  alias,
  aRotation,
  aScene,
  aVersion,
  denied,
  nowMs,
  retiredAtMs,
  present,
  observedKey,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const matter = ofRotation as Matter;
const create: Call = {
  kind: "CreateKey",
  shape: aVersion(1).shape,
  policy: "{}",
  description: "",
  tags: {},
};
const disable: Call = { kind: "DisableKey", keyId: "key-1" };
const schedule: Call = { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 30 };
const newer = {
  lineage: { [alias]: present([{ keyId: "key-3", tags: {} }]) },
  key: { "key-3": observedKey("key-3") },
  tags: {
    "key-3": present({
      "keyturn:owner": "acme",
      "keyturn:alias": alias,
      "keyturn:version": "3",
    }),
  },
};

describe("before any changing call", () => {
  test.each<Call>([
    create,
    disable,
    schedule,
    { kind: "UpdateAlias", alias, keyId: "key-2" },
    { kind: "TagResource", keyId: "key-1", tags: {} },
    { kind: "UntagResource", keyId: "key-1", names: [] },
    { kind: "CreateGrant", keyId: "key-2", grant: { grantee: "app", operations: [] } },
  ])("a version that is not on record blocks: $kind", (call) => {
    const scene = stepScene("drain", { observed: newer });
    expect(spoken(guard(scene, call, matter))).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(guard(scene, call, { kind: "un-enrolment" })).toBeUndefined();
  });

  test("the keys with our tags are searched for first", () => {
    const { record, context, observed } = stepScene("drain");
    const asked = readsOf(
      (some) => guard({ record, context, observed: some }, create, matter),
      observed,
    );
    expect(asked).toEqual([`lineage ${alias}`, `key ${alias}`]);
  });
});

describe("with the alias on another key than the record has", () => {
  const astray = { key: { [alias]: observedKey("key-9") } };
  test.each<[Call["kind"], Call, Matter, blocks: boolean]>([
    ["CreateKey", create, matter, true],
    ["DisableKey", disable, matter, true],
    ["ScheduleKeyDeletion", schedule, matter, true],
    ["DisableKey", disable, { kind: "extra", keyId: "key-1" }, false],
    ["UpdateAlias", { kind: "UpdateAlias", alias, keyId: "key-2" }, matter, false],
    ["EnableKey", { kind: "EnableKey", keyId: "key-1" }, matter, false],
    ["CancelKeyDeletion", { kind: "CancelKeyDeletion", keyId: "key-1" }, matter, false],
    ["TagResource", { kind: "TagResource", keyId: "key-1", tags: {} }, matter, false],
    ["UntagResource", { kind: "UntagResource", keyId: "key-1", names: [] }, matter, false],
  ])("%s is made or not", (_kind, call, of, blocks) => {
    const decision = spoken(guard(stepScene("drain", { observed: astray }), call, of));
    if (blocks) expect(decision).toMatchObject(halts("ALIAS_MOVED", alias));
    else expect(decision).toBeUndefined();
  });

  test("nothing is revoked or made while it cannot be read or is deleted", () => {
    const deleted = stepScene("drain", { observed: { key: { [alias]: absent } } });
    expect(guard(deleted, disable, matter)).toMatchObject(halts("ALIAS_NOT_FOUND", alias));
    const hidden = stepScene("drain", { observed: { key: { [alias]: denied } } });
    expect(guard(hidden, create, matter)).toMatchObject(halts("ACCESS_DENIED", alias));
  });

  test("no version is active, and no key is the right one", () => {
    const scene = stepScene("drain", { fresh: { state: "pending-activation" }, observed: astray });
    expect(guard(scene, disable, matter)).toMatchObject(halts("ALIAS_MOVED", alias));
  });
});

describe("while a later rotation moves the aliases", () => {
  const versions = [
    aVersion(1, { state: "draining", retiredAtMs }),
    aVersion(2),
    aVersion(3, { state: "pending-activation" }),
  ];
  const at = (keyId: string, step: "activate" | "distribute") => {
    const rotations = [
      aRotation({ step: "revoke" }),
      aRotation({ id: "r2", from: 2, to: 3, step }),
    ];
    return aScene({
      record: { versions, rotations },
      observed: { key: { [alias]: observedKey(keyId) } },
    });
  };

  test.each([
    ["key-2", "activate", true],
    ["key-3", "activate", true],
    ["key-1", "activate", false],
    ["key-3", "distribute", false],
    ["key-2", "distribute", true],
  ] as const)("an alias on %s is right in %s: %s", (keyId, step, right) => {
    const decision = spoken(guard(at(keyId, step), disable, matter));
    if (right) expect(decision).toBeUndefined();
    else expect(decision).toMatchObject(halts("ALIAS_MOVED", alias));
  });

  test("every alias counts, not only the first", () => {
    const aliases = [alias, "alias/b"];
    const scene = aScene({
      record: { aliases, versions, rotations: [] },
      observed: { key: { "alias/b": observedKey("key-1") } },
    });
    expect(guard(scene, create, matter)).toMatchObject(halts("ALIAS_MOVED", "alias/b"));
  });
});

describe("the next version is made whatever an external actor did to a retiring one", () => {
  const disabled = { state: "disabled" as const };
  const scheduled = { state: "pending-deletion" as const, deletionAtMs: nowMs + dayMs };
  const state = (name: "Enabled" | "Disabled" | "PendingDeletion") => ({
    key: { "key-1": observedKey("key-1", { state: name }) },
  });
  test.each<[what: string, step: "drain" | "revoke", StepSetting]>([
    ["disabled it in its drain", "drain", { observed: state("Disabled") }],
    ["scheduled its deletion in its drain", "drain", { observed: state("PendingDeletion") }],
    ["enabled it in its soak", "revoke", { old: disabled, observed: state("Enabled") }],
    ["cancelled its deletion", "revoke", { old: scheduled, observed: state("Disabled") }],
    [
      "deleted it before its date",
      "revoke",
      { old: scheduled, observed: { key: { "key-1": absent } } },
    ],
    ["denied its read", "drain", { observed: { key: { "key-1": denied } } }],
  ])("%s", (_what, step, setting) => {
    const { record, context, observed } = stepScene(step, setting);
    expect(guard({ record, context, observed }, create, matter)).toBeUndefined();
    const asked = readsOf(
      (some) => guard({ record, context, observed: some }, create, matter),
      observed,
    );
    expect(asked).toEqual([`lineage ${alias}`, `key ${alias}`]);
  });

  test("but not while its label shows a run that is not on record", () => {
    const tags = { "keyturn:owner": "acme", "keyturn:alias": alias, "keyturn:version": "1" };
    const relabelled = { ...tags, "keyturn:retired": "r7" };
    const scene = stepScene("drain", {
      observed: {
        lineage: { [alias]: present([{ keyId: "key-1", tags: relabelled }]) },
        tags: { "key-1": present(relabelled) },
      },
    });
    expect(spoken(guard(scene, create, matter))).toMatchObject(halts("STATE_BEHIND_KMS", alias));
  });
});
