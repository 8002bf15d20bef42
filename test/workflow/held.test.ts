import { describe, expect, test } from "vitest";
import type { Call, Decision, Matter, Hold } from "../../lambda/workflow/model/types.ts";
import { decide } from "../../lambda/workflow/workflow.ts";
import { dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, halts, nextOf, ofRotation, spoken } from "./decided.ts";
import { alias, nowMs, present, observedKey, stepScene, type StepSetting } from "./scene.ts";

const hold = (kind: Hold["kind"], more: Partial<Hold> = {}): Hold => ({
  kind,
  atMs: 5,
  by: "ada",
  reason: "an incident",
  ...more,
});
const paused = { holds: [hold("pause")] };
const asked = { holds: [hold("restored", { version: 1 }), hold("restored", { version: 2 })] };
const restored = { because: "use", cancel: false, relabelled: false } as const;
const disabled = { state: "disabled" as const };
const disabledKey = observedKey("key-1", { state: "Disabled" });
const later: Decision = { kind: "wait", untilMs: nowMs + 5, reason: "until later" };
const read: Decision = { kind: "observe", reads: [{ kind: "tags", keyId: "key-1" }] };
const called = (call: Call): Decision => ({
  kind: "call",
  call,
  matter: ofRotation as Matter,
  reason: "it is time",
});
const label = called({ kind: "TagResource", keyId: "key-1", tags: {} });
const enable = called({ kind: "EnableKey", keyId: "key-1" });
const nothingMoves = {
  kind: "wait",
  untilMs: nowMs + hourMs,
  reason: "on hold: keyturn changes nothing",
};
const verdictOn = (setting: StepSetting) => {
  const { record, observed, context } = stepScene("revoke", setting);
  const verdict = decide(record, observed, context);
  [verdict.decision, ...verdict.findings].forEach(spoken);
  return verdict;
};
const at = (setting: StepSetting) => verdictOn(setting).decision;

describe("a managed key that is paused", () => {
  test("waits for an operator", () => {
    const { decision, findings } = verdictOn({ record: { ...paused, rotations: [] } });
    expect(decision).toMatchObject({
      kind: "wait",
      untilMs: Number.MAX_SAFE_INTEGER,
      reason: "held: PAUSED",
      finding: { code: "PAUSED" },
    });
    expect(findings).toMatchObject([{ code: "PAUSED", subject: alias }]);
  });

  test("does not continue to revoke, and checks again after a while for a restore", () => {
    expect(at({})).toMatchObject(changes("evidence-read"));
    expect(at({ record: paused })).toEqual(nothingMoves);
  });

  test.each<[what: string, decided: Decision, stays: boolean]>([
    ["a read", read, true],
    ["a wait", later, true],
    ["enabling a needed key", enable, true],
    ["a label", label, false],
    ["a retry", { kind: "retry", reason: "reads have not settled" }, false],
  ])("of revoke's decisions, keeps only restores: %s", (_what, decided, stays) => {
    const context = { parked: { r1: decided } };
    expect(at({ record: paused, context })).toEqual(stays ? decided : nothingMoves);
  });

  test("puts on record that KMS has scheduled a deletion: only then keyturn watches over it", () => {
    const observed = { key: { "key-1": observedKey("key-1", { state: "PendingDeletion" }) } };
    const rotation = {
      soakSinceMs: nowMs - hourMs,
      lateUseReadAtMs: nowMs - hourMs,
      unanswered: "ScheduleKeyDeletion" as const,
    };
    expect(at({ old: disabled, record: paused, rotation, observed })).toMatchObject(
      changes("deletion-scheduled"),
    );
  });

  test("puts on record that a version is needed", () => {
    const observed = { aliases: { "key-1": present([alias]) } };
    expect(at({ old: disabled, record: paused, observed })).toMatchObject(
      changes("restore-started"),
    );
  });

  test("completes the restore", () => {
    const back: StepSetting = { rotation: { step: "drain", restored }, record: paused };
    expect(at({ ...back, observed: { key: { "key-1": disabledKey } } })).toMatchObject(
      calls("EnableKey", { keyId: "key-1" }),
    );
    expect(at({ ...back, context: { parked: { r1: label } } })).toEqual(label);
    const relabelled = { ...restored, relabelled: true };
    expect(at({ ...back, rotation: { step: "drain", restored: relabelled } })).toMatchObject(
      changes("drain-restarted"),
    );
  });
});

describe("a managed key with a use attempt", () => {
  test("is halted, and every such version is reported", () => {
    const { decision, findings } = verdictOn({ record: { ...asked, rotations: [] } });
    expect(decision).toMatchObject({ kind: "halt", finding: { code: "USED_WHILE_DISABLED" } });
    expect(findings).toMatchObject([{ subject: "key-1" }, { subject: "key-2" }]);
  });

  test("is reported together with the record's own findings", () => {
    const record = { ...asked, rotations: [], unlistedAliases: ["alias/other"] };
    expect(verdictOn({ record }).findings).toMatchObject([
      { code: "UNLISTED_ALIAS" },
      { code: "USED_WHILE_DISABLED" },
      { code: "USED_WHILE_DISABLED" },
    ]);
  });

  test("restores before it halts, and before any other read", () => {
    const { rotation } = stepScene("revoke");
    const rotations = [
      { ...rotation, restored },
      { ...rotation, id: "r2" },
    ];
    const given = (r1: Decision, r2: Decision) =>
      at({ record: { ...asked, rotations }, context: { parked: { r1, r2 } } });
    expect(given(label, read)).toEqual(label);
    const relabelled: Decision = {
      kind: "change",
      next: stepScene("revoke").record,
      entry: { event: "labelled", reason: "it was restored", detail: {} },
    };
    expect(given(relabelled, read)).toEqual(relabelled);
    expect(given(read, read)).toMatchObject({ kind: "observe" });
    expect(given(later, later)).toMatchObject({ kind: "halt" });
  });
});

describe("a version without an open rotation, with a new alias on it", () => {
  const moved: StepSetting = {
    old: disabled,
    record: { ...paused, rotations: [], suspectedAtMs: 5 },
    observed: { aliases: { "key-1": present([alias]) }, key: { "key-1": disabledKey } },
  };
  const ofActive = { kind: "active" };

  test("is restored while the managed key is held, too", () => {
    expect(at(moved)).toMatchObject(calls("EnableKey", { keyId: "key-1" }, ofActive));
    const parked = { active: later };
    expect(at({ ...moved, context: { parked } })).toEqual(later);
  });

  test("that reads Enabled again is on record as retained", () => {
    const key = { "key-1": observedKey("key-1") };
    const back = at({ ...moved, observed: { ...moved.observed, key } });
    expect(back).toMatchObject(changes("re-enabled", { version: 1 }));
    expect(nextOf(back).versions[0]).toMatchObject({ state: "retained" });
  });

  test("is found by the daily inspection, and not searched for between two inspections", () => {
    const inspected = (inspectedAtMs: number) =>
      at({ ...moved, record: { ...paused, rotations: [], inspectedAtMs } });
    expect(inspected(nowMs - dayMs)).toMatchObject(
      calls("EnableKey", { keyId: "key-1" }, ofActive),
    );
    expect(inspected(nowMs - hourMs)).toMatchObject({ finding: { code: "PAUSED" } });
  });

  test("does not exist where the suspicion was wrong", () => {
    const observed = { aliases: { "key-1": present([]) } };
    const { decision, findings } = verdictOn({ ...moved, observed });
    expect(decision).toMatchObject({ finding: { code: "PAUSED" } });
    expect(findings).toHaveLength(1);
  });

  test("stays as it is where the configuration does not name the managed key", () => {
    const unnamed = at({ ...moved, context: { home: undefined, parked: { active: enable } } });
    expect(unnamed).toMatchObject(halts("NOT_CONFIGURED", alias));
  });
});

describe("a managed key that is held is inspected:", () => {
  const changed = { key: { "key-2": observedKey("key-2", { state: "Disabled" }) } };
  const suspected = { rotations: [], suspectedAtMs: nowMs - hourMs };
  const codes = (setting: StepSetting) =>
    verdictOn({ ...setting, observed: changed }).findings.map(({ code }) => code);

  test("an active version that an external actor disabled is reported, and the hold decides", () => {
    const record = { ...paused, ...suspected };
    expect(codes({ record })).toEqual(["PAUSED", "DISABLED_BY_OTHERS"]);
    expect(at({ record, observed: changed })).toMatchObject({
      kind: "wait",
      untilMs: nowMs + hourMs,
    });
    const attempted = { ...asked, ...suspected };
    expect(at({ record: attempted, observed: changed })).toMatchObject({
      kind: "halt",
      finding: { code: "USED_WHILE_DISABLED" },
    });
  });

  test("also where the configuration does not name it", () => {
    expect(codes({ record: suspected, context: { home: undefined } })).toEqual([
      "NOT_CONFIGURED",
      "DISABLED_BY_OTHERS",
    ]);
  });

  test("but not by a record of another table", () => {
    const record = { ...suspected, tableId: "another" };
    expect(codes({ record })).toEqual(["STATE_BEHIND_KMS"]);
  });
});
