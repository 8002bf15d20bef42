/** A deletion that no operator approved: keyturn cancels it, and the version stays disabled. */
import { describe, expect, test } from "vitest";
import { applyDone } from "../../lambda/workflow/apply-outcome.ts";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import type { Call, Decision, Matter } from "../../lambda/workflow/model/types.ts";
import { aPolicy, dayMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, nextOf, ofRotation, readsOf, spoken, waits } from "./decided.ts";
import {
  aRotation,
  aVersion,
  lastUsedAtMs,
  nowMs,
  observedKey,
  present,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { observedAtMs: nowMs - 20 * dayMs, hash: "evidence-hash", lastUse };
const scheduled = { state: "pending-deletion" as const, deletionAtMs: nowMs + 5 * dayMs };
const state = (name: "Enabled" | "Disabled" | "PendingDeletion") => ({
  key: { "key-1": observedKey("key-1", { state: name }) },
});

/** Version 1 is pending deletion, and keyturn scheduled it without an approval. */
function scene(setting: StepSetting = {}) {
  const rotation = {
    evidence,
    soakSinceMs: nowMs - 14 * dayMs,
    lateUseReadAtMs: nowMs - 13 * dayMs,
    stepSinceMs: nowMs - dayMs,
    policy: aPolicy({ retire: "delete" }),
    ...setting.rotation,
  };
  return stepScene("revoke", { old: scheduled, ...setting, rotation });
}
const decide = (setting: StepSetting = {}) => spoken(decideRevoke(scene(setting)));
const unanswered = "CancelKeyDeletion" as const;

describe("a deletion without an approval is cancelled", () => {
  test("once the key's state and owner were observed", () => {
    const full = scene();
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    expect(asked).toEqual(["key key-1", "tags key-1"]);
    expect(decide()).toMatchObject(calls("CancelKeyDeletion", { keyId: "key-1" }));
  });

  test("again where the first call had no effect", () => {
    const again = decide({ rotation: { unanswered }, observed: state("PendingDeletion") });
    expect(again).toMatchObject(calls("CancelKeyDeletion", { keyId: "key-1" }));
  });

  test("not where the key is another owner's", () => {
    const observed = { tags: { "key-1": present({ "keyturn:owner": "other" }) } };
    expect(decide({ observed })).toMatchObject(halts("OTHER_OWNER", "key-1"));
  });

  test("not where an external actor enabled the key", () => {
    const observed = state("Enabled");
    expect(decide({ observed })).toMatchObject(halts("VERSION_CHANGED", "key-1"));
  });

  test("also where another call cancelled it: a second CancelKeyDeletion is refused", () => {
    expect(decide({ observed: state("Disabled") })).toMatchObject(changes("deletion-cancelled"));
  });

  test("and keyturn's own call leaves it disabled, and the soak begins anew", () => {
    const done = decide({ rotation: { unanswered }, observed: state("Disabled") });
    expect(done).toMatchObject(changes("deletion-cancelled", { version: 1, keyId: "key-1" }));
    const { versions, rotations } = nextOf(done);
    expect(versions[0]).toMatchObject({ state: "disabled" });
    expect(rotations).toMatchObject([{ id: "r1", step: "revoke", stepSinceMs: nowMs, evidence }]);
    expect(rotations[0]).toMatchObject({ soakSinceMs: nowMs });
    expect(rotations[0]).not.toHaveProperty("unanswered");
  });
});

describe("once KMS accepted CancelKeyDeletion", () => {
  type CallDecision = Extract<Decision, { kind: "call" }>;
  const cancel: Call = { kind: "CancelKeyDeletion", keyId: "key-1" };
  const enable: Call = { kind: "EnableKey", keyId: "key-1" };
  const matter = ofRotation as Matter;
  const after = (call: Call, setting: StepSetting = {}) => {
    const { record, context } = scene({
      ...setting,
      rotation: { unanswered: call.kind, ...setting.rotation },
    });
    const decision: CallDecision = { kind: "call", call, matter, reason: "it is time" };
    return applyDone(record, decision, { kind: "done" }, context);
  };
  const restored = { because: "grant" as const, cancel: true, relabelled: false };

  test("the version is disabled again, and nothing else is on record of it", () => {
    const { next, entry } = after(cancel);
    expect(entry).toMatchObject({ event: "deletion-cancelled", detail: { version: 1 } });
    expect(next.versions[0]).toMatchObject({ state: "disabled" });
    expect(next.versions[0]).not.toHaveProperty("deletionAtMs");
    expect(next.rotations[0]).toMatchObject({ soakSinceMs: nowMs });
    expect(next.rotations[0]).not.toHaveProperty("reactivation");
  });

  test("the same where the version is not the first on record", () => {
    const versions = [
      aVersion(1, { state: "retained" }),
      aVersion(2, { ...scheduled, label: "r1" }),
      aVersion(3),
    ];
    const record = { versions, rotations: [aRotation({ step: "revoke", from: 2, to: 3 })] };
    const { next } = after({ ...cancel, keyId: "key-2" }, { record });
    expect(next.versions.map((one) => one.state)).toEqual(["retained", "disabled", "active"]);
  });

  test("the same for the version that a rollback retired", () => {
    const { next, entry } = after(cancel, { rotation: { direction: "back" } });
    expect(entry).toMatchObject({ event: "deletion-cancelled", detail: { version: 1 } });
    expect(next.versions[0]).toMatchObject({ state: "disabled" });
    expect(next.rotations[0]).not.toHaveProperty("reactivation");
  });

  test("in a restore it is the first of two calls: EnableKey follows", () => {
    const { next } = after(cancel, { rotation: { restored } });
    expect(next.versions[0]).toMatchObject({ state: "pending-deletion" });
    expect(next.rotations[0]?.restored).toMatchObject({ ...restored, cancelledAtMs: nowMs });
  });

  test("in a rollback it brings the previous version back", () => {
    const back = { direction: "back" as const, step: "distribute" as const, from: 2, to: 1 };
    const versions = [aVersion(1, { state: "reactivating" }), aVersion(2)];
    const { next } = after(cancel, { record: { versions, rotations: [aRotation(back)] } });
    expect(next.versions[0]).toMatchObject({ state: "reactivating" });
    expect(next.rotations[0]).toMatchObject({ reactivation: { cancelledAtMs: nowMs } });
  });

  test("EnableKey cancels no deletion", () => {
    const { next, entry } = after(enable);
    expect(entry).toMatchObject({ event: "re-enabled" });
    expect(next.versions[0]).toMatchObject(scheduled);
  });
});

describe("after a deletion was cancelled, the soak", () => {
  const old = { state: "disabled" as const, disabledAtMs: nowMs - 15 * dayMs };
  const ago = (ms: number) => decide({ old, rotation: { stepSinceMs: nowMs - ms } });

  test("waits until reads no longer show the deletion", () => {
    expect(ago(5 * minuteMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(ago(5 * minuteMs)).toMatchObject({ finding: { code: "APPROVAL_REQUIRED" } });
  });
});
