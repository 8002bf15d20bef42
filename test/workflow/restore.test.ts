import { describe, expect, test } from "vitest";
import { decideRestored, restoredBy, needed } from "../../lambda/workflow/restore/restore.ts";
import type { Restored, Version } from "../../lambda/workflow/model/types.ts";
import { dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  anApproval,
  absent,
  alias,
  blockedMs,
  denied,
  nowMs,
  retiredAtMs,
  present,
  observedKey,
  type Observations,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const lost: Restored = { because: "use", cancel: false, relabelled: false };
const drain = (setting: StepSetting, restored: Partial<Restored> = {}) =>
  stepScene("drain", {
    ...setting,
    rotation: { restored: { ...lost, ...restored }, ...setting.rotation },
  });
const decide = (restored: Partial<Restored> = {}, setting: StepSetting = {}) =>
  spoken(decideRestored(drain(setting, restored), { ...lost, ...restored }));
const state = (name: "Enabled" | "Disabled" | "PendingDeletion") => ({
  key: { "key-1": observedKey("key-1", { state: name }) },
});
const tagged = (label?: string): Observations => ({
  tags: {
    "key-1": present({
      "keyturn:owner": "acme",
      ...(label === undefined ? {} : { "keyturn:retired": label }),
    }),
  },
});
const attempt = {
  eventId: "e",
  keyId: "key-1",
  atMs: nowMs,
  operation: "Decrypt",
  principal: "app",
  encryptionContextKeys: [],
};
const ago = (ms: number): number => nowMs - ms;

describe("a version that is needed", () => {
  const back = (old: Partial<Version>, rotation: StepSetting["rotation"] = {}) => {
    const scene = stepScene("revoke", { old, rotation });
    return needed(scene, "use", "a caller needs it");
  };

  test("returns to the drain step, which enables it", () => {
    const decision = back({
      state: "disabled",
      disabledAtMs: 5,
      overriddenBy: "ada",
    });
    expect(decision).toMatchObject({
      kind: "change",
      entry: { event: "restore-started", reason: "a caller needs it", detail: { version: 1 } },
    });
    const { versions, rotations } = nextOf(decision);
    expect(versions[0]?.state).toBe("draining");
    for (const field of ["disabledAtMs", "deletionAtMs", "overriddenBy"]) {
      expect(versions[0]).not.toHaveProperty(field);
    }
    expect(rotations).toMatchObject([
      { step: "drain", stepSinceMs: nowMs, restored: { because: "use", relabelled: false } },
    ]);
  });

  test.each<[what: string, old: Partial<Version>, rotation: StepSetting["rotation"], boolean]>([
    ["is disabled", { state: "disabled" }, {}, false],
    ["is pending deletion", { state: "pending-deletion", deletionAtMs: 9 }, {}, true],
    ["may be pending deletion", { state: "disabled" }, { unanswered: "ScheduleKeyDeletion" }, true],
    ["was pending deletion", { state: "draining" }, { restored: { ...lost, cancel: true } }, true],
    ["was restored before", { state: "draining" }, { restored: lost }, false],
  ])("may have a deletion cancelled where it %s", (_what, old, rotation, cancel) => {
    expect(nextOf(back(old, rotation)).rotations[0]?.restored?.cancel).toBe(cancel);
  });
});

describe("restoring it", () => {
  test("begins with reads of the key, its tags and its aliases", () => {
    const scene = drain({ observed: state("Disabled") });
    const asked = readsOf(
      (observed) => decideRestored({ ...scene, observed }, lost),
      scene.observed,
    );
    expect(asked).toEqual(["key key-1", "tags key-1", "aliases key-1"]);
    const hidden = { aliases: { "key-1": denied } };
    expect(decide({}, { observed: hidden })).toMatchObject(halts("ACCESS_DENIED", "key-1"));
  });

  test("enables a Disabled key, with the reason", () => {
    const call = decide({}, { observed: state("Disabled") });
    expect(call).toMatchObject(calls("EnableKey", { keyId: "key-1" }));
    expect(call).toMatchObject({ reason: "version 1 is needed; KMS shows it as Disabled" });
  });

  test("is repeated if reads do not show it five minutes after KMS accepted it", () => {
    const observed = state("Disabled");
    expect(decide({ enabledAtMs: ago(5 * minuteMs - 1) }, { observed })).toMatchObject({
      kind: "retry",
    });
    expect(decide({ enabledAtMs: ago(5 * minuteMs) }, { observed })).toMatchObject(
      calls("EnableKey"),
    );
  });

  test("cancels a deletion of ours, and then enables", () => {
    const observed = state("PendingDeletion");
    const cancel = true;
    expect(decide({ cancel }, { observed })).toMatchObject(
      calls("CancelKeyDeletion", { keyId: "key-1" }),
    );
    const cancelledAtMs = ago(minuteMs);
    expect(decide({ cancel, cancelledAtMs }, { observed })).toMatchObject(
      calls("EnableKey", { keyId: "key-1" }),
    );
    const enabledAtMs = ago(minuteMs);
    expect(decide({ cancel, cancelledAtMs, enabledAtMs }, { observed })).toMatchObject({
      kind: "retry",
    });
    expect(decide({ cancel, cancelledAtMs: ago(hourMs), enabledAtMs }, { observed })).toMatchObject(
      calls("CancelKeyDeletion"),
    );
  });

  test("does not cancel an external actor's deletion", () => {
    const theirs = decide({}, { observed: state("PendingDeletion") });
    expect(theirs).toMatchObject(halts("DELETION_SCHEDULED_BY_OTHERS", "key-1"));
    expect(decide({ cancel: true }, { observed: state("Disabled") })).toMatchObject(
      calls("EnableKey"),
    );
  });

  test.each(["alias", "use", "attempt"] as const)(
    "because of %s, enables a key once that reads Enabled: the read may precede DisableKey",
    (because) => {
      expect(decide({ because })).toMatchObject(calls("EnableKey", { keyId: "key-1" }));
      expect(decide({ because, enabledAtMs: ago(hourMs) })).not.toMatchObject({
        kind: "call",
        call: { kind: "EnableKey" },
      });
    },
  );

  test("is complete once relabelled: an external actor disabled it later on purpose", () => {
    const relabelled = true;
    const observed = state("Disabled");
    expect(decide({ relabelled }, { observed })).toMatchObject(
      halts("DISABLED_BY_OTHERS", "key-1"),
    );
  });

  test("makes no call where the key is deleted, or has no owner", () => {
    const deleted = decide({}, { observed: { key: { "key-1": absent } } });
    expect(deleted).toMatchObject(halts("VERSION_DELETED", "key-1"));
    const foreign = decide({}, { observed: { tags: { "key-1": present({}) } } });
    expect(foreign).toMatchObject(halts("OTHER_OWNER", "key-1"));
  });

  test("is not based on an older record, except after a use attempt", () => {
    const observed = { ...state("Disabled"), ...tagged("r7") };
    expect(decide({}, { observed })).toMatchObject(halts("STATE_BEHIND_KMS", alias));
    expect(decide({}, { observed, context: { attempt } })).toMatchObject(calls("EnableKey"));
    const another = { ...attempt, keyId: "key-2" };
    expect(decide({}, { observed, context: { attempt: another } })).toMatchObject(
      halts("STATE_BEHIND_KMS", alias),
    );
  });
});

describe("a restored version", () => {
  const relabelled = true;
  const oldLabel = { label: "r1.2" };
  const enabled = { enabledAtMs: ago(hourMs) };

  test("is observed until no earlier call can disable it again", () => {
    expect(decide(enabled, { record: { unsettled } })).toMatchObject(waits(blockedMs));
    const own = [{ epoch: 7, untilMs: blockedMs }];
    expect(decide(enabled, { record: { unsettled: own } })).toMatchObject({ kind: "call" });
    const unsure = { record: { unsettled: own }, context: { uncertain: true } };
    expect(decide(enabled, unsure)).toMatchObject(waits(blockedMs));
  });

  test("has a label on the key that records the restore", () => {
    expect(decide(enabled)).toMatchObject(
      calls("TagResource", { keyId: "key-1", tags: { "keyturn:retired": "r1.2" } }),
    );
    const restored = { ...lost, ...enabled };
    const never = decide(enabled, { rotation: { labelledAtMs: undefined, restored } });
    expect(never).toMatchObject(changes("drain-restarted"));
  });

  test("does not keep an alias, except after a use attempt", () => {
    const observed = { aliases: { "key-1": present(["alias/x"]) } };
    expect(decide(enabled, { observed })).toMatchObject(halts("ALIAS_ON_OLD_VERSION", "key-1"));
    const because = "attempt" as const;
    expect(decide({ because, enabledAtMs: ago(hourMs) }, { observed })).toMatchObject(
      calls("TagResource"),
    );
  });

  test("waits for an operator after a use attempt", () => {
    const hold = { kind: "restored" as const, atMs: 0, by: "app", version: 1, reason: "Decrypt" };
    const restored = { because: "attempt" as const, enabledAtMs: ago(hourMs), relabelled };
    const old = oldLabel;
    const held = decide(restored, { old, record: { holds: [hold] } });
    expect(held).toMatchObject(waits(nowMs + hourMs));
    expect(decide(restored, { old })).toMatchObject(changes("drain-restarted"));
    const other = { because: "use" as const, relabelled };
    expect(decide(other, { old, record: { holds: [hold] } })).toMatchObject(
      changes("drain-restarted"),
    );
    const paused = { ...hold, kind: "pause" as const };
    expect(decide(restored, { old, record: { holds: [paused] } })).toMatchObject(
      changes("drain-restarted"),
    );
  });

  test("drains again, without the earlier evidence and approval", () => {
    const lastUse = { kind: "never" as const, sinceMs: 0 };
    const rotation = {
      restored: { ...lost, relabelled },
      evidence: { observedAtMs: 0, hash: "h", lastUse },
      approval: anApproval({ evidence: "h" }),
      soakSinceMs: 5,
      lateUseReadAtMs: 6,
      unanswered: "EnableKey" as const,
    };
    const anew = decide({ relabelled }, { old: oldLabel, rotation });
    expect(anew).toMatchObject(changes("drain-restarted", { version: 1, keyId: "key-1" }));
    expect(anew).toMatchObject({ entry: { rotationId: "r1", step: "drain" } });
    const [after] = nextOf(anew).rotations;
    expect(after).toMatchObject({ stepSinceMs: nowMs, drainSinceMs: nowMs });
    for (const field of Object.keys(rotation)) expect(after).not.toHaveProperty(field);
    expect(nextOf(anew).versions[0]).toMatchObject({ retiredAtMs });
  });

  test("with an alias on it originated legitimately until now", () => {
    const anew = decide({ because: "alias", relabelled }, { old: oldLabel });
    expect(nextOf(anew).versions[0]).toMatchObject({ retiredAtMs: nowMs });
  });
});

describe("once KMS accepted a restore call", () => {
  const { record, rotation } = drain({ rotation: { unanswered: "EnableKey", restored: lost } });

  test.each([
    ["EnableKey", "re-enabled", "enabledAtMs"],
    ["CancelKeyDeletion", "deletion-cancelled", "cancelledAtMs"],
  ] as const)("with %s, the record says when", (kind, event, field) => {
    const { next, entry } = restoredBy(record, rotation, kind, "a caller needs it", nowMs);
    expect(entry).toMatchObject({ event, reason: "a caller needs it", detail: { version: 1 } });
    expect(next.rotations[0]?.restored).toEqual({ ...lost, [field]: nowMs });
    expect(next.rotations[0]).not.toHaveProperty("unanswered");
  });

  test("a rotation that restores nothing is a bug", () => {
    const plain = stepScene("drain").rotation;
    expect(() => restoredBy(record, plain, "EnableKey", "", nowMs)).toThrow("r1 restores nothing");
    expect(dayMs).toBeLessThan(nowMs);
  });
});

test("a version that is deleted has no owner any more: its deletion is reported", () => {
  const observed = { key: { "key-1": absent }, tags: { "key-1": absent } };
  expect(decide({}, { observed })).toMatchObject(halts("VERSION_DELETED", "key-1"));
});
