import { describe, expect, test } from "vitest";
import { decideRevoke } from "../../lambda/workflow/5-revoke.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  anApproval,
  absent,
  alias,
  denied,
  lastUsedAtMs,
  nowMs,
  present,
  observedKey,
  unknownLastUse,
  lastUsed,
  type Observations,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const override = anApproval({ evidence: "", override: true });
/** An operator approved of the deletion. */
const approved = {
  ...override,
  evidence: "evidence-hash",
  of: "delete" as const,
  override: false,
};

const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { observedAtMs: nowMs - 20 * dayMs, hash: "evidence-hash", lastUse };
const soaked = {
  evidence,
  soakSinceMs: nowMs - 14 * dayMs,
  lateUseReadAtMs: nowMs - 13 * dayMs,
  policy: aPolicy({ retire: "delete" }),
  approval: approved,
};

/** Version 1 is disabled, and has soaked for as long as its policy asks. */
function scene(setting: StepSetting = {}) {
  const old = { state: "disabled" as const, disabledAtMs: nowMs - 15 * dayMs, ...setting.old };
  return stepScene("revoke", { ...setting, old, rotation: { ...soaked, ...setting.rotation } });
}
const decide = (setting: StepSetting = {}) => spoken(decideRevoke(scene(setting)));
const ours = { "keyturn:owner": "acme" };
const used = (operation: string, atMs: number): Observations => ({
  "last-use": { "key-1": lastUsed(operation, atMs) },
});
const unknown: Observations = { "last-use": { "key-1": unknownLastUse } };
describe("after a version was disabled", () => {
  const at = (ms: number, more: StepSetting = {}) =>
    decide({
      ...more,
      old: { disabledAtMs: nowMs - ms },
      rotation: { soakSinceMs: undefined, lateUseReadAtMs: undefined },
    });

  test("its aliases are read, and nothing more", () => {
    const full = scene({ rotation: { soakSinceMs: undefined } });
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    expect(asked).toEqual(["aliases key-1"]);
    const observed = { aliases: { "key-1": denied } };
    expect(at(0, { observed })).toMatchObject(halts("ACCESS_DENIED", "key-1"));
  });

  test("an alias on it restores it, at once or five minutes later", () => {
    const observed = { aliases: { "key-1": present(["alias/x"]) } };
    expect(at(0, { observed })).toMatchObject(changes("restore-started"));
    expect(nextOf(at(hourMs, { observed })).rotations[0]?.restored?.because).toBe("alias");
  });

  test("the soak begins once a second read, five minutes later, found none", () => {
    expect(at(5 * minuteMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(at(5 * minuteMs)).toMatchObject(changes("soaking", { version: 1, keyId: "key-1" }));
    expect(nextOf(at(5 * minuteMs)).rotations[0]).toMatchObject({ soakSinceMs: nowMs });
  });

  test("without a time on record, the soak counts from now", () => {
    const old = { disabledAtMs: undefined };
    const first = decide({ old, rotation: { soakSinceMs: undefined } });
    expect(first).toMatchObject(waits(nowMs + 5 * minuteMs));
    const late = decide({ old, rotation: { lateUseReadAtMs: undefined } });
    expect(late).toMatchObject(waits(nowMs + 65 * minuteMs));
  });
});

describe("a use in the last hour before DisableKey", () => {
  const late = (ms: number, observed: StepSetting["observed"] = {}, more: StepSetting = {}) =>
    decide({
      observed,
      old: { disabledAtMs: nowMs - ms },
      rotation: { lateUseReadAtMs: undefined, ...more.rotation },
    });

  test("is read when the evidence no longer lags", () => {
    expect(late(65 * minuteMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(late(65 * minuteMs)).toMatchObject(changes("unused", { version: 1 }));
    expect(nextOf(late(65 * minuteMs)).rotations[0]).toMatchObject({ lateUseReadAtMs: nowMs });
    const full = scene({ rotation: { lateUseReadAtMs: undefined } });
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    expect(asked).toEqual(["last-use key-1"]);
  });

  test("restores the version", () => {
    const back = late(2 * hourMs, used("Decrypt", nowMs - 3 * hourMs));
    expect(back).toMatchObject(changes("restore-started"));
    expect(nextOf(back).rotations[0]?.restored).toMatchObject({ because: "use" });
  });

  test("may be unknown, and unknown is not unused", () => {
    expect(late(2 * hourMs, unknown)).toMatchObject(waits(nowMs + 6 * hourMs, "USAGE_UNKNOWN"));
    const drain = { ...aPolicy().drain, evidence: "advisory" as const };
    const rotation = { policy: aPolicy({ drain }) };
    expect(late(2 * hourMs, unknown, { rotation })).toMatchObject(changes("unused"));
  });

  test("does not count where an operator overrode the evidence", () => {
    const rotation = { approval: override };
    const observed = used("Decrypt", nowMs - 3 * hourMs);
    expect(late(2 * hourMs, observed, { rotation })).toMatchObject(changes("unused"));
    expect(
      late(2 * hourMs, observed, { rotation: { approval: { ...override, override: false } } }),
    ).toMatchObject(changes("restore-started"));
  });

  test("may not be read", () => {
    const hidden = late(2 * hourMs, { "last-use": { "key-1": denied } });
    expect(hidden).toMatchObject(halts("ACCESS_DENIED", "key-1"));
  });
});

describe("the soak", () => {
  test("lasts as long as the policy says, and nothing is read", () => {
    const since = (ms: number) => decide({ rotation: { soakSinceMs: nowMs - ms } });
    expect(since(14 * dayMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(since(14 * dayMs)).toMatchObject({ kind: "call" });
  });

  test("ends in ScheduleKeyDeletion with the policy's window, where the policy deletes", () => {
    const wanted = { keyId: "key-1", windowDays: 30 };
    expect(decide()).toMatchObject(calls("ScheduleKeyDeletion", wanted));
    const full = scene();
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    const kinds = ["key", "aliases", "last-use", "policy", "tags", "grants"];
    expect(asked).toEqual(kinds.map((kind) => `${kind} key-1`));
  });

  test.each<[why: string, setting: StepSetting]>([
    ["the policy leaves old versions disabled", { rotation: { policy: aPolicy() } }],
    [
      "the evidence was overridden, which does not justify a deletion",
      { rotation: { approval: override } },
    ],
  ])("ends the rotation where %s", (_why, setting) => {
    const done = decide(setting);
    expect(done).toMatchObject(changes("completed", { version: 1 }));
    const { rotations, closed } = nextOf(done);
    expect(rotations).toEqual([]);
    expect(closed).toMatchObject([{ id: "r1", evidence: { observedAtMs: nowMs } }]);
  });

  test.each<[why: string, observed: StepSetting["observed"], code: string, subject: string]>([
    ["it was enabled", { key: { "key-1": observedKey("key-1") } }, "VERSION_CHANGED", "key-1"],
    ["it is deleted", { key: { "key-1": absent } }, "VERSION_DELETED", "key-1"],
    ["it has no owner", { tags: { "key-1": present({}) } }, "OTHER_OWNER", "key-1"],
    ["it lost its label", { tags: { "key-1": present(ours) } }, "STATE_BEHIND_KMS", alias],
    ["it may not be read", { key: { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
  ])("halts where %s", (_why, observed = {}, code, subject) => {
    expect(decide({ observed })).toMatchObject(halts(code, subject));
  });

  test("an alias, or a use that becomes visible, restores it", () => {
    const moved = decide({ observed: { aliases: { "key-1": present(["alias/x"]) } } });
    expect(nextOf(moved).rotations[0]?.restored?.because).toBe("alias");
    const late = decide({ observed: used("Decrypt", lastUsedAtMs + 1) });
    expect(late).toMatchObject(changes("restore-started"));
    expect(nextOf(late).rotations[0]?.restored?.because).toBe("use");
  });

  test("with an unknown last use, it is not deleted", () => {
    expect(decide({ observed: unknown })).toMatchObject(waits(nowMs + 6 * hourMs, "USAGE_UNKNOWN"));
  });

  test("may be over before the quiet period", () => {
    const drain = { atLeastMs: 0, quietForMs: 90 * dayMs, evidence: "required" as const };
    const policy = aPolicy({ retire: "delete", drain });
    const quietAtMs = lastUsedAtMs + 90 * dayMs + hourMs;
    expect(decide({ rotation: { policy } })).toMatchObject(waits(quietAtMs));
    const unanswered = "ScheduleKeyDeletion" as const;
    expect(decide({ rotation: { policy, unanswered } })).toMatchObject(changes("lapsed"));
  });

  test("a guardrail in the key policy causes a wait", () => {
    const document = JSON.stringify({ C: { "kms:TrailingDaysWithoutKeyUsage": 90 } });
    const observed = { policy: { "key-1": present({ document, hash: "h" }) } };
    expect(decide({ observed })).toMatchObject(waits(lastUsedAtMs + 91 * dayMs, "GUARDRAIL"));
  });

  test("new evidence goes on record before a call depends on it", () => {
    const never = { lastUse: { kind: "never" as const, sinceMs: 0 }, hash: "h2" };
    const read = decide({ observed: { "last-use": { "key-1": present(never) } } });
    expect(read).toMatchObject(changes("evidence-read", { evidence: "h2" }));
  });

  test("a watched drain first proves that events arrive", () => {
    const watched = decide({ context: { drainWatch: "cloudtrail" } });
    expect(watched).toMatchObject(changes("watch-tested"));
  });

  test.each(["none", "revoke", "delete"] as const)(
    "deletes nothing without an approval of the deletion, where the policy says %s",
    (approval) => {
      const policy = aPolicy({ retire: "delete", approval });
      const without = [
        undefined,
        { ...approved, of: "disable" as const },
        { ...approved, evidence: "another" },
      ];
      for (const given of without) {
        const asked = decide({ rotation: { policy, approval: given } });
        expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "APPROVAL_REQUIRED", "key-1"));
        expect(asked).toMatchObject({
          finding: {
            observed: expect.stringMatching(
              /^to delete version 1, key-1: .*KMS cannot show backups, snapshots/,
            ) as string,
          },
        });
      }
      expect(decide({ rotation: { policy } })).toMatchObject(calls("ScheduleKeyDeletion"));
    },
  );
});

test("a key in a stack is reported again, for a day before its deletion is scheduled", () => {
  const stack = { ...ours, "keyturn:retired": "r1", "aws:cloudformation:stack-name": "pay" };
  const observed = { tags: { "key-1": present(stack) } };
  const reportedAt = (stackReportedAtMs: number) =>
    decide({ observed, rotation: { stackReportedAtMs } });
  const before = nowMs - 16 * dayMs;
  expect(reportedAt(before)).toMatchObject(changes("stack-reported"));
  expect(nextOf(reportedAt(before)).rotations[0]?.stackReportedAtMs).toBe(nowMs);
  expect(reportedAt(nowMs - hourMs)).toMatchObject(waits(nowMs + 23 * hourMs, "KEY_IN_STACK"));
  expect(reportedAt(nowMs - dayMs)).toMatchObject(calls("ScheduleKeyDeletion"));
});

describe("a ScheduleKeyDeletion without an answer", () => {
  const pending = { "key-1": observedKey("key-1", { state: "PendingDeletion", deletionAtMs: 77 }) };
  const rotation = { unanswered: "ScheduleKeyDeletion" as const };

  test("has landed where the key is pending deletion", () => {
    const done = decide({ rotation, observed: { key: pending } });
    expect(done).toMatchObject(changes("deletion-scheduled", { deletionAtMs: 77 }));
    const { versions, rotations } = nextOf(done);
    expect(versions[0]).toMatchObject({ state: "pending-deletion", deletionAtMs: 77 });
    expect(rotations[0]).not.toHaveProperty("unanswered");
  });

  test("has landed also while the soak lasts longer: only what is on record is watched", () => {
    const longer = { ...rotation, soakSinceMs: nowMs - hourMs };
    expect(decide({ rotation: longer, observed: { key: pending } })).toMatchObject(
      changes("deletion-scheduled", { deletionAtMs: 77 }),
    );
  });

  test("explains only its own effect: an external deletion does not pass for ours", () => {
    expect(decide({ rotation })).toMatchObject(calls("ScheduleKeyDeletion"));
    expect(decide({ observed: { key: pending } })).toMatchObject(
      halts("DELETION_SCHEDULED_BY_OTHERS", "key-1"),
    );
  });
});
