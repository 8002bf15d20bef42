import { describe, expect, test } from "vitest";
import { decideRevoke, disabled } from "../../lambda/workflow/5-revoke.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, halts, looksOf, nextOf, spoken, waits } from "./decided.ts";
import {
  absent,
  alias,
  blockedMs,
  denied,
  lastUsedAtMs,
  nowMs,
  saw,
  sawKey,
  sawUse,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const known = { lookedAtMs: nowMs - dayMs, hash: "evidence-hash" };
const lastUse = { kind: "used" as const, atMs: lastUsedAtMs, operation: "Sign" };
const evidence = { ...known, lastUse };

/** The drain is over, and its evidence is on record. */
function scene(setting: StepSetting = {}) {
  const rotation = { evidence, ...setting.rotation };
  return stepScene("revoke", { ...setting, rotation });
}
const decide = (setting: StepSetting = {}) => spoken(decideRevoke(scene(setting)));
const ours = { "keyturn:owner": "acme" };
const state = (name: "Enabled" | "Disabled" | "PendingDeletion") => ({
  "key-1": sawKey("key-1", { state: name }),
});
const landed: StepSetting = {
  rotation: { unanswered: "DisableKey" },
  seen: { key: state("Disabled") },
};
const trailing = (days: number) =>
  saw({
    document: JSON.stringify({ C: { "kms:TrailingDaysWithoutKeyUsage": days } }),
    hash: "policy-hash",
  });

describe("an old version is disabled", () => {
  test("once everything about it was seen", () => {
    const full = scene();
    expect(decideRevoke(full)).toMatchObject(calls("DisableKey", { keyId: "key-1" }));
    const asked = looksOf((seen) => decideRevoke({ ...full, seen }), full.seen);
    const kinds = ["key", "aliases", "last-use", "policy", "tags"];
    expect(asked).toEqual(kinds.map((kind) => `${kind} key-1`));
  });

  test.each<[why: string, seen: StepSetting["seen"], code: string, subject: string]>([
    ["an alias is on it", { aliases: { "key-1": saw(["a"]) } }, "ALIAS_ON_OLD_VERSION", "key-1"],
    ["somebody disabled it", { key: state("Disabled") }, "VERSION_CHANGED", "key-1"],
    ["somebody deletes it", { key: state("PendingDeletion") }, "VERSION_CHANGED", "key-1"],
    ["it is gone", { key: { "key-1": absent } }, "VERSION_GONE", "key-1"],
    ["it is another owner's", { tags: { "key-1": saw({}) } }, "OTHER_OWNER", alias],
    ["it lost its label", { tags: { "key-1": saw(ours) } }, "STATE_BEHIND_KMS", alias],
    ["its policy may not be read", { policy: { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
  ])("not where %s", (_why, seen = {}, code, subject) => {
    expect(decide({ seen })).toMatchObject(halts(code, subject));
  });

  test("not where it was used yesterday", () => {
    const seen = { "last-use": { "key-1": sawUse("Decrypt", nowMs - dayMs) } };
    expect(decide({ seen })).toMatchObject(waits(nowMs + 13 * dayMs + hourMs));
  });

  test("not before the guardrail in its own policy allows it", () => {
    const endsMs = lastUsedAtMs + 91 * dayMs;
    const guarded = decide({ seen: { policy: { "key-1": trailing(90) } } });
    expect(guarded).toMatchObject(waits(endsMs, "GUARDRAIL", "key-1"));
    const seen = { policy: { "key-1": trailing(54) } };
    expect(decide({ seen })).toMatchObject(calls("DisableKey"));
    expect(decide({ seen: { policy: { "key-1": trailing(55) } } })).toMatchObject({ kind: "wait" });
  });

  test("a guardrail that cannot be read is asked for again", () => {
    const seen = { policy: { "key-1": absent } };
    expect(decide({ seen })).toMatchObject({ kind: "retry" });
  });

  test("new evidence is put on record before anything rests on it", () => {
    const seen = { "last-use": { "key-1": sawUse("Verify", lastUsedAtMs, "h2") } };
    const read = decide({ seen });
    expect(read).toMatchObject(
      changes("evidence-read", { lastUse: "Verify at 1972-08-03T00:00:00Z", evidence: "h2" }),
    );
    expect(nextOf(read).rotations[0]?.evidence).toMatchObject({ hash: "h2", lookedAtMs: nowMs });
    const never = decide({ rotation: { evidence: undefined } });
    expect(never).toMatchObject(changes("evidence-read"));
  });

  test("the people of a stack that has the key hear of it a day before", () => {
    const stack = { ...ours, "keyturn:retired": "r1", "aws:cloudformation:stack-name": "pay" };
    const seen = { tags: { "key-1": saw(stack) } };
    expect(decide({ seen })).toMatchObject(changes("stack-told"));
    expect(decide({ seen, rotation: { stackToldAtMs: nowMs - dayMs } })).toMatchObject(
      calls("DisableKey"),
    );
  });

  test("where a watched drain was asked for, somebody would hear of its use", () => {
    const decision = decide({ moment: { drainWatch: "cloudtrail" } });
    expect(decision).toMatchObject(changes("watch-tested"));
  });

  test("a policy may ask for a person's word first, on just this evidence", () => {
    const policy = aPolicy({ approval: "revoke" });
    const asked = decide({ rotation: { policy } });
    expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "APPROVAL_REQUIRED", "key-1"));
    const approval = { evidence: "evidence-hash", override: false, by: "ada", atMs: 0 };
    expect(decide({ rotation: { policy, approval } })).toMatchObject(calls("DisableKey"));
    const later = aPolicy({ approval: "delete" });
    expect(decide({ rotation: { policy: later } })).toMatchObject(calls("DisableKey"));
  });
});

describe("a DisableKey without an answer", () => {
  test("has landed where the key reads Disabled, and nothing else is asked", () => {
    const done = decide({ ...landed, moment: { drainWatch: "cloudtrail" } });
    expect(done).toMatchObject(
      changes("disabled", { version: 1, lastUse: "Sign at 1972-08-03T00:00:00Z" }),
    );
    expect(nextOf(done).versions[0]).toMatchObject({ standing: "disabled", disabledAtMs: nowMs });
    expect(nextOf(done).rotations[0]).not.toHaveProperty("unanswered");
  });

  test("and the guardrail says nothing of what was done", () => {
    const seen = { key: state("Disabled"), policy: { "key-1": trailing(90) } };
    expect(decide({ ...landed, seen })).toMatchObject(changes("disabled"));
  });

  test("that has not landed is made again", () => {
    expect(decide({ rotation: landed.rotation ?? {} })).toMatchObject(calls("DisableKey"));
  });

  test("of another kind does not excuse a key that reads Disabled", () => {
    const rotation = { unanswered: "TagResource" as const };
    expect(decide({ ...landed, rotation })).toMatchObject(halts("VERSION_CHANGED", "key-1"));
  });

  test.each<[what: string, seen: StepSetting["seen"], because: string]>([
    ["an alias was put on", { aliases: { "key-1": saw(["a"]) } }, "alias"],
    ["was used in the quiet period", { "last-use": { "key-1": sawUse("Decrypt", nowMs) } }, "use"],
    [
      "was used since the evidence was read",
      { "last-use": { "key-1": sawUse("Decrypt", lastUsedAtMs + 1) } },
      "use",
    ],
  ])("brings back a key that %s", (_what, seen, because) => {
    const back = decide({ ...landed, seen: { key: state("Disabled"), ...seen } });
    expect(back).toMatchObject(changes("needed", { version: 1, keyId: "key-1" }));
    expect(nextOf(back).rotations[0]).toMatchObject({ step: "drain", restored: { because } });
  });

  test("is forgotten where it can no longer land, and something stands in the way", () => {
    const rotation = { unanswered: "DisableKey" as const };
    const seen = { "last-use": { "key-1": sawUse("Decrypt", nowMs - dayMs) } };
    const lapsed = decide({ rotation, seen });
    expect(lapsed).toMatchObject(changes("lapsed"));
    expect(lapsed).toMatchObject({
      entry: { reason: "a DisableKey without an answer had no effect" },
    });
    expect(nextOf(lapsed).rotations[0]).not.toHaveProperty("unanswered");
    expect(decide({ rotation, seen, record: { unsettled } })).toMatchObject({ kind: "wait" });
    const own = [{ epoch: 7, untilMs: blockedMs }];
    expect(decide({ rotation, seen, record: { unsettled: own } })).toMatchObject({ kind: "wait" });
  });
});

describe("a policy that now retains old versions", () => {
  const policy = aPolicy({ retire: "retain" });

  test("sends one that was not touched back to its drain", () => {
    const back = decide({ rotation: { policy } });
    expect(back).toMatchObject(changes("not-revoked", { version: 1 }));
    expect(nextOf(back).rotations[0]).toMatchObject({ step: "drain", stepSinceMs: nowMs });
    expect(nextOf(back).rotations[0]).not.toHaveProperty("restored");
  });

  test("gives back one that may have been disabled", () => {
    const back = decide({ rotation: { policy, unanswered: "DisableKey" } });
    expect(nextOf(back).rotations[0]).toMatchObject({
      step: "drain",
      restored: { because: "use", cancel: false, relabelled: false },
    });
  });

  test("leaves one that is disabled where it is", () => {
    const old = { standing: "disabled" as const, disabledAtMs: nowMs - dayMs };
    expect(decide({ old, rotation: { policy } })).toMatchObject(changes("soaking"));
  });
});

describe("what revoke does next goes by how the old version stands", () => {
  test.each(["created", "serving", "returning", "retained"] as const)(
    "one that is %s cannot be revoked",
    (standing) => {
      expect(() => decide({ old: { standing } })).toThrow(`version 1 is ${standing}`);
    },
  );

  const at = { disabledAtMs: nowMs - dayMs };
  test("one that is disabled is looked at for aliases, and then soaks", () => {
    const old = { standing: "disabled" as const, ...at };
    expect(decide({ old })).toMatchObject(changes("soaking"));
    expect(decide({ old, rotation: { soakSinceMs: nowMs } })).toMatchObject(changes("unused"));
  });

  test("one that is pending deletion is waited for", () => {
    const old = { standing: "deletion-scheduled" as const, deletionAtMs: nowMs + 5 };
    expect(decide({ old })).toMatchObject(waits(nowMs + 5));
  });
});

test("the record says since when a version is disabled, and on what evidence", () => {
  const { record, rotation } = scene({ rotation: { watchAskedAtMs: 5, unanswered: "DisableKey" } });
  const { next, entry } = disabled(record, rotation, nowMs);
  expect(entry).toMatchObject({
    event: "disabled",
    rotationId: "r1",
    step: "revoke",
    detail: { version: 1, keyId: "key-1", lastUse: "Sign at 1972-08-03T00:00:00Z" },
  });
  expect(entry.reason).not.toBe("");
  expect(next.rotations[0]).toMatchObject({ stepSinceMs: nowMs });
  expect(next.rotations[0]).not.toHaveProperty("watchAskedAtMs");
  const blind = disabled(record, stepScene("revoke").rotation, nowMs);
  expect(blind.entry.detail).toMatchObject({ lastUse: "" });
});
