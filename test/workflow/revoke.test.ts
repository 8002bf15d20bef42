import { describe, expect, test } from "vitest";
import { decideRevoke, disabled } from "../../lambda/workflow/5-revoke.ts";
import { aPolicy, dayMs, hourMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  anApproval,
  absent,
  alias,
  blockedMs,
  denied,
  lastUsedAtMs,
  nowMs,
  present,
  observedKey,
  lastUsed,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const known = { observedAtMs: nowMs - dayMs, hash: "evidence-hash" };
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
  "key-1": observedKey("key-1", { state: name }),
});
const landed: StepSetting = {
  rotation: { unanswered: "DisableKey" },
  observed: { key: state("Disabled") },
};
const trailing = (days: number) =>
  present({
    document: JSON.stringify({ C: { "kms:TrailingDaysWithoutKeyUsage": days } }),
    hash: "policy-hash",
  });

describe("an old version is disabled", () => {
  test("once everything about it was observed", () => {
    const full = scene();
    expect(decideRevoke(full)).toMatchObject(calls("DisableKey", { keyId: "key-1" }));
    const asked = readsOf((observed) => decideRevoke({ ...full, observed }), full.observed);
    const kinds = ["key", "aliases", "last-use", "policy", "tags", "grants"];
    expect(asked).toEqual(kinds.map((kind) => `${kind} key-1`));
  });

  test.each<[why: string, observed: StepSetting["observed"], code: string, subject: string]>([
    [
      "an alias is on it",
      { aliases: { "key-1": present(["a"]) } },
      "ALIAS_ON_OLD_VERSION",
      "key-1",
    ],
    ["an external actor disabled it", { key: state("Disabled") }, "DISABLED_BY_OTHERS", "key-1"],
    [
      "an external actor deletes it",
      { key: state("PendingDeletion") },
      "DELETION_SCHEDULED_BY_OTHERS",
      "key-1",
    ],
    ["it is deleted", { key: { "key-1": absent } }, "VERSION_DELETED", "key-1"],
    ["it has no owner", { tags: { "key-1": present({}) } }, "OTHER_OWNER", "key-1"],
    ["it lost its label", { tags: { "key-1": present(ours) } }, "STATE_BEHIND_KMS", alias],
    ["its policy may not be read", { policy: { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
  ])("not where %s", (_why, observed = {}, code, subject) => {
    expect(decide({ observed })).toMatchObject(halts(code, subject));
  });

  test("not where it was used yesterday", () => {
    const observed = { "last-use": { "key-1": lastUsed("Decrypt", nowMs - dayMs) } };
    expect(decide({ observed })).toMatchObject(waits(nowMs + 13 * dayMs + hourMs));
  });

  test("not before the guardrail in its own policy allows it", () => {
    const endsMs = lastUsedAtMs + 91 * dayMs;
    const guarded = decide({ observed: { policy: { "key-1": trailing(90) } } });
    expect(guarded).toMatchObject(waits(endsMs, "GUARDRAIL", "key-1"));
    const observed = { policy: { "key-1": trailing(54) } };
    expect(decide({ observed })).toMatchObject(calls("DisableKey"));
    expect(decide({ observed: { policy: { "key-1": trailing(55) } } })).toMatchObject({
      kind: "wait",
    });
  });

  test("a guardrail that cannot be read is read again", () => {
    const observed = { policy: { "key-1": absent } };
    expect(decide({ observed })).toMatchObject({ kind: "retry" });
  });

  test("new evidence goes on record before a call depends on it", () => {
    const observed = { "last-use": { "key-1": lastUsed("Verify", lastUsedAtMs, "h2") } };
    const read = decide({ observed });
    expect(read).toMatchObject(
      changes("evidence-read", { lastUse: "Verify at 1972-08-03T00:00:00Z", evidence: "h2" }),
    );
    expect(nextOf(read).rotations[0]?.evidence).toMatchObject({ hash: "h2", observedAtMs: nowMs });
    const never = decide({ rotation: { evidence: undefined } });
    expect(never).toMatchObject(changes("evidence-read"));
  });

  test("a key in a stack is reported for a day before", () => {
    const stack = { ...ours, "keyturn:retired": "r1", "aws:cloudformation:stack-name": "pay" };
    const observed = { tags: { "key-1": present(stack) } };
    expect(decide({ observed })).toMatchObject(changes("stack-reported"));
    expect(decide({ observed, rotation: { stackReportedAtMs: nowMs - dayMs } })).toMatchObject(
      calls("DisableKey"),
    );
  });

  test("a watched drain first proves that events arrive", () => {
    const decision = decide({ context: { drainWatch: "cloudtrail" } });
    expect(decision).toMatchObject(changes("watch-tested"));
  });

  test("its public key is archived before, while KMS still returns it", () => {
    const old = { publicKey: undefined };
    const unread = decideRevoke(scene({ old }));
    expect(unread).toEqual({ kind: "observe", reads: [{ kind: "public-key", keyId: "key-1" }] });
    const observed = { "public-key": { "key-1": present("a public key") } };
    expect(decide({ old, observed })).toMatchObject(changes("public-key-archived"));
  });

  test("an operator may disable it after overriding the evidence, and only then", () => {
    const observed = { key: state("Disabled") };
    const of = "disable" as const;
    const approval = { evidence: "", of, accepts: [], override: true, by: "ada", atMs: 0 };
    expect(decide({ observed, rotation: { approval } })).toMatchObject(changes("disabled"));
    const given = { ...approval, override: false, evidence: "evidence-hash" };
    expect(decide({ observed, rotation: { approval: given } })).toMatchObject(
      halts("DISABLED_BY_OTHERS", "key-1"),
    );
  });

  test("a policy may require an approval first, of exactly this evidence", () => {
    const policy = aPolicy({ approval: "revoke" });
    const asked = decide({ rotation: { policy } });
    expect(asked).toMatchObject(waits(nowMs + 6 * hourMs, "APPROVAL_REQUIRED", "key-1"));
    const approval = anApproval();
    expect(asked).toMatchObject({
      finding: {
        observed: expect.stringMatching(/^to disable version 1, key-1: last use/) as string,
      },
    });
    expect(decide({ rotation: { policy, approval } })).toMatchObject(calls("DisableKey"));
    const later = aPolicy({ approval: "delete" });
    expect(decide({ rotation: { policy: later } })).toMatchObject(calls("DisableKey"));
  });
});

describe("a DisableKey without an answer", () => {
  test("is undone where the version is not quiet for as long as the policy now asks", () => {
    const drain = { ...aPolicy().drain, quietForMs: 90 * dayMs };
    const rotation = { ...landed.rotation, policy: aPolicy({ drain }) };
    const back = decide({ ...landed, rotation });
    expect(back).toMatchObject(changes("restore-started"));
    expect(nextOf(back).rotations[0]?.restored).toMatchObject({ because: "use" });
  });

  test("has landed where the key reads Disabled, with no other read", () => {
    const done = decide({ ...landed, context: { drainWatch: "cloudtrail" } });
    expect(done).toMatchObject(
      changes("disabled", { version: 1, lastUse: "Sign at 1972-08-03T00:00:00Z" }),
    );
    expect(nextOf(done).versions[0]).toMatchObject({ state: "disabled", disabledAtMs: nowMs });
    expect(nextOf(done).rotations[0]).not.toHaveProperty("unanswered");
  });

  test("and the guardrail does not apply to a call that landed", () => {
    const observed = { key: state("Disabled"), policy: { "key-1": trailing(90) } };
    expect(decide({ ...landed, observed })).toMatchObject(changes("disabled"));
  });

  test("that has not landed is repeated", () => {
    expect(decide({ rotation: landed.rotation ?? {} })).toMatchObject(calls("DisableKey"));
  });

  test("of another kind does not explain a key that reads Disabled", () => {
    const rotation = { unanswered: "TagResource" as const };
    expect(decide({ ...landed, rotation })).toMatchObject(halts("DISABLED_BY_OTHERS", "key-1"));
  });

  test.each<[what: string, observed: StepSetting["observed"], because: string]>([
    ["has a new alias", { aliases: { "key-1": present(["a"]) } }, "alias"],
    [
      "was used in the quiet period",
      { "last-use": { "key-1": lastUsed("Decrypt", nowMs) } },
      "use",
    ],
    [
      "was used since the evidence was read",
      { "last-use": { "key-1": lastUsed("Decrypt", lastUsedAtMs + 1) } },
      "use",
    ],
  ])("restores a key that %s", (_what, observed, because) => {
    const back = decide({ ...landed, observed: { key: state("Disabled"), ...observed } });
    expect(back).toMatchObject(changes("restore-started", { version: 1, keyId: "key-1" }));
    expect(nextOf(back).rotations[0]).toMatchObject({ step: "drain", restored: { because } });
  });

  test("is forgotten where it can no longer land, and something blocks the next", () => {
    const rotation = { unanswered: "DisableKey" as const };
    const observed = { "last-use": { "key-1": lastUsed("Decrypt", nowMs - dayMs) } };
    const lapsed = decide({ rotation, observed });
    expect(lapsed).toMatchObject(changes("lapsed"));
    expect(lapsed).toMatchObject({
      entry: { reason: "a DisableKey without an answer had no effect" },
    });
    expect(nextOf(lapsed).rotations[0]).not.toHaveProperty("unanswered");
    expect(decide({ rotation, observed, record: { unsettled } })).toMatchObject({ kind: "wait" });
    const own = [{ epoch: 7, untilMs: blockedMs }];
    expect(decide({ rotation, observed, record: { unsettled: own } })).toMatchObject({
      kind: "wait",
    });
  });
});

describe("a policy that now retains old versions", () => {
  const policy = aPolicy({ retire: "retain" });

  test("returns an Enabled version to its drain", () => {
    const back = decide({ rotation: { policy } });
    expect(back).toMatchObject(changes("not-revoked", { version: 1 }));
    expect(nextOf(back).rotations[0]).toMatchObject({ step: "drain", stepSinceMs: nowMs });
    expect(nextOf(back).rotations[0]).not.toHaveProperty("restored");
  });

  test("restores a version that may be disabled", () => {
    const back = decide({ rotation: { policy, unanswered: "DisableKey" } });
    expect(nextOf(back).rotations[0]).toMatchObject({
      step: "drain",
      restored: { because: "use", cancel: false, relabelled: false },
    });
  });

  test("leaves a disabled version disabled", () => {
    const old = { state: "disabled" as const, disabledAtMs: nowMs - dayMs };
    expect(decide({ old, rotation: { policy } })).toMatchObject(changes("soaking"));
  });
});

describe("revoke's next decision depends on the old version's state", () => {
  test.each(["pending-activation", "active", "reactivating", "retained"] as const)(
    "one that is %s cannot be revoked",
    (state) => {
      expect(() => decide({ old: { state } })).toThrow(`version 1 is ${state}`);
    },
  );

  const at = { disabledAtMs: nowMs - dayMs };
  test("for a disabled one, keyturn reads the aliases, and then it soaks", () => {
    const old = { state: "disabled" as const, ...at };
    expect(decide({ old })).toMatchObject(changes("soaking"));
    expect(decide({ old, rotation: { soakSinceMs: nowMs } })).toMatchObject(changes("unused"));
  });

  test("one that is pending deletion causes a wait", () => {
    const old = { state: "pending-deletion" as const, deletionAtMs: nowMs + 5 };
    const approval = anApproval({ of: "delete" });
    expect(decide({ old, rotation: { approval } })).toMatchObject(waits(nowMs + 5));
  });
});

test("the record has the time and the evidence of a DisableKey", () => {
  const { record, rotation } = scene({
    rotation: { watchTestedAtMs: 5, unanswered: "DisableKey" },
  });
  const { next, entry } = disabled(record, rotation, nowMs);
  expect(entry).toMatchObject({
    event: "disabled",
    rotationId: "r1",
    step: "revoke",
    detail: { version: 1, keyId: "key-1", lastUse: "Sign at 1972-08-03T00:00:00Z" },
  });
  expect(entry.reason).not.toBe("");
  expect(next.rotations[0]).toMatchObject({ stepSinceMs: nowMs });
  expect(next.rotations[0]).not.toHaveProperty("watchTestedAtMs");
  const blind = disabled(record, stepScene("revoke").rotation, nowMs);
  expect(blind.entry.detail).toMatchObject({ lastUse: "" });
});
