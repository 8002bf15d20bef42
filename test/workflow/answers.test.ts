import { describe, expect, test } from "vitest";
import {
  applyDone,
  applyRefused,
  afterRefusal,
  announce,
  subjectOfCall,
} from "../../lambda/workflow/apply-outcome.ts";
import type {
  Call,
  Decision,
  Matter,
  Outcome,
  Refusal,
  Rotation,
} from "../../lambda/workflow/model/types.ts";
import { hourMs, minuteMs } from "../fixtures.ts";
import { halts, ofRotation, spoken, waits } from "./decided.ts";
import { alias, aVersion, nowMs, stepScene, type StepSetting, unsettled } from "./scene.ts";

type CallDecision = Extract<Decision, { kind: "call" }>;
const matter = ofRotation as Matter;
const decided = (call: Call, of: Matter = matter): CallDecision => ({
  kind: "call",
  call,
  matter: of,
  reason: "it is time",
});
const create: Call = {
  kind: "CreateKey",
  shape: aVersion(1).shape,
  policy: "{}",
  description: "",
  tags: {},
};
const enable: Call = { kind: "EnableKey", keyId: "key-1" };
const disable: Call = { kind: "DisableKey", keyId: "key-1" };
const tag: Call = { kind: "TagResource", keyId: "key-1", tags: {} };
const untag: Call = { kind: "UntagResource", keyId: "key-2", names: [] };
const move: Call = { kind: "UpdateAlias", alias, keyId: "key-2" };
const extra = { keyId: "key-9", rotationId: "r0", madeAfterMs: 0, foundAtMs: 5 };

describe("before a call, the record has", () => {
  const deadlineMs = nowMs + minuteMs;
  const before = (call: Call, of: Matter, setting: StepSetting = {}) => {
    const { record, context } = stepScene("drain", setting);
    return announce(record, decided(call, of), context, deadlineMs);
  };
  const mark = { epoch: 7, untilMs: deadlineMs + 10_000 + 6 * minuteMs };

  test.each<[Matter["kind"], Matter]>([
    ["enrolment", { kind: "enrolment" }],
    ["active", { kind: "active" }],
    ["extra", { kind: "extra", keyId: "key-9" }],
    ["un-enrolment", { kind: "un-enrolment" }],
  ])("until when it may land, and of %s nothing else", (_kind, of) => {
    const { record } = stepScene("drain", { record: { unsettled } });
    expect(before(enable, of, { record: { unsettled } })).toEqual({
      ...record,
      unsettled: [...unsettled, mark],
    });
  });

  test("the rotation's call", () => {
    const next = before(disable, matter);
    expect(next.unsettled).toEqual([mark]);
    expect(next.rotations[0]).toMatchObject({ unanswered: "DisableKey" });
    expect(next.rotations[0]?.intent).toEqual(stepScene("drain").rotation.intent);
  });

  test("that a key may be made, with its number, attempt and epoch", () => {
    const { record, context } = stepScene("generate", { record: { lastNumber: 1 } });
    const next = announce(record, decided(create), context, deadlineMs);
    expect(next.lastNumber).toBe(2);
    expect(next.unsettled).toEqual([mark]);
    expect(next.rotations[0]).toMatchObject({
      unanswered: "CreateKey",
      intent: { attempts: 2, lastAttemptAtMs: nowMs, unansweredEpoch: 7 },
    });
    const later = announce({ ...record, lastNumber: 5 }, decided(create), context, deadlineMs);
    expect(later.lastNumber).toBe(5);
  });

  test.each<[what: string, unanswered: Rotation["unanswered"], call: Call, labels: unknown[]]>([
    ["the old version's label", "TagResource", enable, ["unknown", undefined]],
    ["the label of the reactivating version", "UntagResource", enable, ["r1", "unknown"]],
    ["no label, where the same call is repeated", "TagResource", tag, ["r1", undefined]],
    ["no label, where the call changes none", "EnableKey", tag, ["r1", undefined]],
    ["no label, where no call was under way", undefined, tag, ["r1", undefined]],
  ])("what an unanswered call makes unknown: %s", (_what, unanswered, call, labels) => {
    const next = before(call, matter, { rotation: { unanswered } });
    expect(next.versions.map(({ label }) => label)).toEqual(labels);
  });

  test("nothing about a version that no longer exists", () => {
    const setting = { rotation: { unanswered: "UntagResource" as const, to: 9 } };
    expect(before(enable, matter, setting).versions).toHaveLength(2);
    expect(() => before(enable, { kind: "rotation", rotationId: "r9" })).toThrow("r9");
  });
});

describe("once KMS accepted a call", () => {
  const after = (
    call: Call,
    setting: StepSetting = {},
    of: Matter = matter,
    outcome: Partial<Outcome> = {},
  ) => {
    const { record, context } = stepScene("drain", {
      ...setting,
      rotation: { unanswered: call.kind, ...setting.rotation },
    });
    const done = { kind: "done", ...outcome } as Extract<Outcome, { kind: "done" }>;
    const transition = applyDone(record, decided(call, of), done, context);
    expect(transition.entry.reason).not.toBe("");
    if (of.kind === "rotation") {
      expect(transition.next.rotations[0]).not.toHaveProperty("unanswered");
    }
    return transition;
  };
  const back = { because: "use" as const, cancel: true, relabelled: false };

  test.each<[Call["kind"], Call, StepSetting, event: string]>([
    ["UpdateAlias", move, {}, "moved"],
    ["TagResource", tag, {}, "labelled"],
    ["DisableKey", disable, {}, "disabled"],
    [
      "ScheduleKeyDeletion",
      { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 7 },
      {},
      "deletion-scheduled",
    ],
    ["EnableKey", enable, {}, "re-enabled"],
    ["EnableKey", enable, { rotation: { restored: back } }, "re-enabled"],
    ["CancelKeyDeletion", { kind: "CancelKeyDeletion", keyId: "key-1" }, {}, "deletion-cancelled"],
    [
      "CancelKeyDeletion",
      { kind: "CancelKeyDeletion", keyId: "key-1" },
      { rotation: { restored: back } },
      "deletion-cancelled",
    ],
    ["UntagResource", untag, {}, "unlabelled"],
  ])("%s is answered, and on record", (_kind, call, setting, event) => {
    expect(after(call, setting).entry).toMatchObject({ event, rotationId: "r1" });
  });

  test("a restore and a reactivation are recorded differently", () => {
    const restored = after(enable, { rotation: { restored: back } }).next.rotations[0];
    expect(restored?.restored).toMatchObject({ enabledAtMs: nowMs });
    expect(restored).not.toHaveProperty("reactivation");
    const returns = after(enable).next.rotations[0];
    expect(returns).toMatchObject({ reactivation: { enabledAtMs: nowMs } });
    const cancelled = after({ ...enable, kind: "CancelKeyDeletion" }).next.rotations[0];
    expect(cancelled).toMatchObject({ reactivation: { cancelledAtMs: nowMs } });
  });

  test("the date of a deletion is KMS's", () => {
    const call: Call = { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 7 };
    const { next } = after(call, {}, matter, { deletionAtMs: 99 });
    expect(next.versions[0]).toMatchObject({ deletionAtMs: 99 });
  });

  test("the new version has the key that KMS made", () => {
    const key = { keyId: "key-7", arn: "arn:7", createdAtMs: 11 };
    const setting = { record: { versions: [aVersion(1)] } };
    const { next, entry } = after(create, setting, matter, key);
    expect(entry.event).toBe("generated");
    expect(next.versions[1]).toMatchObject(key);
    const undated = after(create, setting, matter, { keyId: "key-7", arn: "arn:7" });
    expect(undated.next.versions[1]).toMatchObject({ createdAtMs: nowMs });
    for (const half of [{ keyId: "key-7" }, { arn: "arn:7" }]) {
      expect(() => after(create, setting, matter, half)).toThrow("CreateKey named no key");
    }
  });

  test("the new version has a copy of the grant", () => {
    const grant = { grantee: "app", operations: ["Sign"] };
    const call: Call = { kind: "CreateGrant", keyId: "key-2", grant, copyOf: "grant-1" };
    const { next, entry } = after(call);
    expect(next.rotations[0]).toMatchObject({ grantsCopied: ["grant-1"] });
    expect(entry).toEqual({
      event: "granted",
      reason: "it is time",
      rotationId: "r1",
      step: "distribute",
      detail: { keyId: "key-2", grantee: "app" },
    });
  });

  test("an excess key is labelled, and then disabled", () => {
    const of: Matter = { kind: "extra", keyId: "key-9" };
    const record = { extras: [extra, { ...extra, keyId: "key-8" }] };
    const label = after({ ...tag, keyId: "key-9" }, { record }, of);
    expect(label.entry).toMatchObject({
      event: "labelled",
      rotationId: "r0",
      detail: { keyId: "key-9" },
    });
    expect(label.next.extras).toContainEqual({ ...extra, labelledAtMs: nowMs });
    expect(label.next).toMatchObject({ authorizationChangedAtMs: nowMs });
    const out = after({ ...disable, keyId: "key-9" }, { record }, of);
    expect(out.entry).toMatchObject({ event: "quarantined", reason: "it is time" });
    expect(out.next.extras).toContainEqual({ ...extra, quarantinedAtMs: nowMs });
    expect(() => after(tag, { record }, { kind: "extra", keyId: "key-7" })).toThrow("key-7");
  });

  test("at enrolment the key is tagged, at un-enrolment it is untagged", () => {
    const tagged = after(tag, {}, { kind: "enrolment" });
    expect(tagged.entry).toMatchObject({ event: "tagged", detail: { keyId: "key-1" } });
    expect(tagged.next).toMatchObject({ taggedAtMs: nowMs });
    const unenrolment = { by: "ada", atMs: 5 };
    const off = after(untag, { record: { unenrolment } }, { kind: "un-enrolment" });
    expect(off.entry).toMatchObject({ event: "untagged", detail: { keyId: "key-2" } });
    expect(off.next.unenrolment).toEqual({ ...unenrolment, untagged: ["key-2"] });
  });

  test("a version without an open rotation is enabled and retained", () => {
    const active: Matter = { kind: "active" };
    const given = after(enable, { old: { state: "disabled" } }, active);
    expect(given.entry).toMatchObject({ event: "re-enabled", reason: "it is time" });
    expect(given.next.versions[0]).toMatchObject({ number: 1, state: "retained" });
    expect(given.next.versions[1]).toMatchObject({ number: 2, state: "active" });
    const stranger = { ...enable, keyId: "key-9" };
    expect(() => after(stranger, {}, active)).toThrow(`${alias}: EnableKey on no version`);
    expect(() => after(disable, {}, active)).toThrow("DisableKey on no version");
  });
});

describe("once KMS refused a call", () => {
  test("it is known to have had no effect", () => {
    const unanswered = { unanswered: "DisableKey" as const };
    const { record } = stepScene("drain", { rotation: unanswered, intent: { unansweredEpoch: 3 } });
    const after = applyRefused(record, matter, disable).rotations[0];
    expect(after).not.toHaveProperty("unanswered");
    expect(after?.intent).toHaveProperty("unansweredEpoch", 3);
    const made = applyRefused(record, matter, create).rotations[0];
    expect(made?.intent).not.toHaveProperty("unansweredEpoch");
    expect(applyRefused(record, { kind: "active" }, enable)).toBe(record);
  });

  const refused = (refusal: Refusal, call: Call = disable) => {
    const { record, context } = stepScene("drain");
    const outcome = { kind: "refused", refusal, message: "KMS refuses it" } as const;
    return spoken(afterRefusal(record, decided(call), outcome, context));
  };

  test.each<Refusal>(["Throttled", "PastDeadline", "InvalidState", "NotFound"])(
    "for a temporary reason, it is retried: %s",
    (refusal) => {
      const reason = "DisableKey on key-1: KMS refuses it";
      expect(refused(refusal)).toEqual({ kind: "retry", reason });
    },
  );

  test.each<[Refusal, code: string]>([
    ["LimitExceeded", "KEY_QUOTA_REACHED"],
    ["MalformedPolicy", "KEY_POLICY_REFUSED"],
    ["Other", "CALL_REFUSED"],
  ])("for a permanent reason, an operator must act: %s", (refusal, code) => {
    expect(refused(refusal)).toMatchObject(halts(code, "key-1"));
    expect(refused(refusal, create)).toMatchObject({
      finding: {
        subject: alias,
        observed: "CreateKey on alias/orders: KMS refuses it",
        next: "aws kms describe-key --key-id alias/orders",
      },
    });
  });

  test("after a denial, destructive calls wait, and the rest continues", () => {
    const schedule: Call = { kind: "ScheduleKeyDeletion", keyId: "key-1", windowDays: 7 };
    for (const call of [disable, schedule]) {
      const wait = refused("AccessDenied", call);
      expect(wait).toMatchObject(waits(nowMs + 6 * hourMs, "ACCESS_DENIED", "key-1"));
      expect(wait).toMatchObject({ reason: `KMS denies ${call.kind}` });
    }
    expect(refused("AccessDenied", enable)).toMatchObject(halts("ACCESS_DENIED", "key-1"));
    expect(refused("AccessDenied", move)).toMatchObject(halts("ACCESS_DENIED", alias));
  });

  test("a denial just after our change may be temporary", () => {
    const { record, context } = stepScene("drain", {
      record: { authorizationChangedAtMs: nowMs - minuteMs },
    });
    const outcome = { kind: "refused", refusal: "AccessDenied", message: "no" } as const;
    const wait = afterRefusal(record, decided(disable), outcome, context);
    expect(wait).toMatchObject(waits(nowMs + 9 * minuteMs));
    expect(wait).not.toHaveProperty("finding");
  });

  test("a call is about its key, its alias, or the managed key", () => {
    const { record } = stepScene("drain");
    expect(
      [create, move, tag].map((call) => subjectOfCall({ ...record, alias: "alias/x" }, call)),
    ).toEqual(["alias/x", alias, "key-1"]);
  });
});
