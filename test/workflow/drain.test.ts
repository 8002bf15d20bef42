import { describe, expect, test } from "vitest";
import { decideDrain } from "../../lambda/workflow/4-drain.ts";
import { notQuiet, retiredAtMs as retiredAt } from "../../lambda/workflow/revoke/quiet.ts";
import type { Grant } from "../../lambda/workflow/model/types.ts";
import { evidenceOf } from "../../lambda/workflow/safety/destruction.ts";
import { aPolicy, dayMs, hourMs, minuteMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, spoken, waits } from "./decided.ts";
import {
  anApproval,
  absent,
  alias,
  aVersion,
  denied,
  lastUsedAtMs,
  nowMs,
  retiredAtMs,
  present,
  observedKey,
  unknownLastUse,
  lastUsed,
  stepScene,
  type StepSetting,
} from "./scene.ts";

const decide = (setting: StepSetting = {}) => spoken(decideDrain(stepScene("drain", setting)));
const state = (name: "Disabled" | "PendingDeletion") => ({
  key: { "key-1": observedKey("key-1", { state: name }) },
});
const ours = { "keyturn:owner": "acme" };

describe("the label of a retired version", () => {
  const unlabelled: StepSetting = {
    old: { label: undefined },
    rotation: { labelledAtMs: undefined },
  };

  test("is the first call, once the key and its tags were observed", () => {
    const scene = stepScene("drain", unlabelled);
    expect(decideDrain(scene)).toMatchObject(
      calls("TagResource", { keyId: "key-1", tags: { "keyturn:retired": "r1" } }),
    );
    expect(spoken(decideDrain(scene)).kind).toBe("call");
    const asked = readsOf((observed) => decideDrain({ ...scene, observed }), scene.observed);
    expect(asked).toEqual(["key key-1", "tags key-1"]);
  });

  test.each<[why: string, observed: StepSetting["observed"], code: string, subject: string]>([
    ["it is Disabled", state("Disabled"), "DISABLED_BY_OTHERS", "key-1"],
    ["it is deleted", { key: { "key-1": absent } }, "VERSION_DELETED", "key-1"],
    ["it has no owner", { tags: { "key-1": present({}) } }, "OTHER_OWNER", "key-1"],
    [
      "it has a label that is not on record",
      { tags: { "key-1": present({ ...ours, "keyturn:retired": "r0" }) } },
      "STATE_BEHIND_KMS",
      alias,
    ],
    ["it may not be read", { tags: { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
  ])("is not set where %s", (_why, observed = {}, code, subject) => {
    expect(decide({ ...unlabelled, observed })).toMatchObject(halts(code, subject));
  });
});

describe("an old version ends its drain", () => {
  test("when it is quiet, and no alias is on it", () => {
    const done = decide();
    expect(done).toMatchObject(
      changes("drained", {
        version: 1,
        keyId: "key-1",
        lastUse: "Sign at 1972-08-03T00:00:00Z",
        evidence: "evidence-hash",
      }),
    );
    expect(done).toMatchObject({ entry: { rotationId: "r1", step: "drain" } });
    expect(nextOf(done).rotations).toMatchObject([
      {
        step: "revoke",
        stepSinceMs: nowMs,
        evidence: { observedAtMs: nowMs, hash: "evidence-hash", lastUse: { kind: "used" } },
      },
    ]);
  });

  test("not before the policy's minimum time, and until then nothing is read", () => {
    const since = (ms: number) => decide({ rotation: { drainSinceMs: nowMs - ms }, observed: {} });
    expect(since(30 * dayMs - 1)).toMatchObject(waits(nowMs + 1));
    expect(since(30 * dayMs)).toMatchObject(changes("drained"));
  });

  test("the minimum time counts from its retirement by default", () => {
    const rotation = { drainSinceMs: undefined };
    const old = (ms: number) => ({ retiredAtMs: nowMs - ms });
    expect(decide({ rotation, old: old(29 * dayMs) })).toMatchObject(waits(nowMs + dayMs));
    expect(decide({ rotation, old: old(30 * dayMs) })).toMatchObject(changes("drained"));
    expect(() => decide({ rotation, old: { retiredAtMs: undefined } })).toThrow("version 1");
  });

  test("the key, its aliases and its last use are read", () => {
    const scene = stepScene("drain");
    const asked = readsOf((observed) => decideDrain({ ...scene, observed }), scene.observed);
    expect(asked).toEqual(["key key-1", "aliases key-1", "last-use key-1"]);
  });

  test.each<[why: string, observed: StepSetting["observed"], code: string, subject: string]>([
    [
      "an alias is on it",
      { aliases: { "key-1": present(["alias/x"]) } },
      "ALIAS_ON_OLD_VERSION",
      "key-1",
    ],
    ["an external actor disabled it", state("Disabled"), "DISABLED_BY_OTHERS", "key-1"],
    ["it is deleted", { key: { "key-1": absent } }, "VERSION_DELETED", "key-1"],
    ["its use may not be read", { "last-use": { "key-1": denied } }, "ACCESS_DENIED", "key-1"],
  ])("not where %s", (_why, observed = {}, code, subject) => {
    expect(decide({ observed })).toMatchObject(halts(code, subject));
  });

  test("under a policy that retains, in use or not", () => {
    const done = decide({
      rotation: { policy: aPolicy({ retire: "retain" }) },
      observed: { "last-use": { "key-1": lastUsed("Decrypt", nowMs - hourMs) } },
    });
    expect(done).toMatchObject(
      changes("completed", {
        version: 1,
        keyId: "key-1",
        lastUse: "Decrypt at 1972-09-26T23:00:00Z",
      }),
    );
    expect(done).toMatchObject({ entry: { rotationId: "r1", step: "drain" } });
    const { versions, rotations, closed } = nextOf(done);
    expect(versions[0]).toMatchObject({ state: "retained" });
    expect(rotations).toEqual([]);
    expect(closed).toMatchObject([{ id: "r1", evidence: { hash: "evidence-hash" } }]);
  });

  test("a version being restored is restored first", () => {
    const restored = { because: "use" as const, cancel: false, relabelled: false };
    const observed = state("Disabled");
    expect(decide({ rotation: { restored }, observed })).toMatchObject(calls("EnableKey"));
  });

  test("a version that was never retired cannot drain", () => {
    expect(retiredAt(aVersion(1, { retiredAtMs: 5 }))).toBe(5);
    expect(() => retiredAt(aVersion(1))).toThrow("version 1 was never retired");
  });
});

describe("an old version is not quiet", () => {
  const use = (operation: string, atMs: number): StepSetting => ({
    observed: { "last-use": { "key-1": lastUsed(operation, atMs) } },
  });
  const lateMs = retiredAtMs + 5 * minuteMs + 1;
  const approval = anApproval();
  const because = { retiredAtMs: retiredAtMs - 10 * dayMs, label: "r1" };

  test("while it was used within the quiet period and the lag of the evidence", () => {
    const quietAtMs = nowMs - hourMs + 14 * dayMs + hourMs;
    expect(decide(use("Decrypt", nowMs - hourMs))).toMatchObject(waits(quietAtMs));
    expect(decide(use("Decrypt", nowMs - hourMs))).not.toHaveProperty("finding");
  });

  test("and is observed again after an hour at the earliest", () => {
    const soon = decide(use("Decrypt", nowMs - 14 * dayMs - hourMs + 1));
    expect(soon).toMatchObject(waits(nowMs + hourMs));
  });

  test("where its use is unknown, unless evidence is advisory", () => {
    const observed = { "last-use": { "key-1": unknownLastUse } };
    expect(decide({ observed })).toMatchObject(waits(nowMs + 6 * hourMs, "USAGE_UNKNOWN", "key-1"));
    const drain = { ...aPolicy().drain, evidence: "advisory" as const };
    expect(decide({ observed, rotation: { policy: aPolicy({ drain }) } })).toMatchObject(
      changes("drained"),
    );
  });

  test("where it originated after it was retired, at any time, until an approval", () => {
    const blocked = decide(use("Sign", lateMs));
    expect(blocked).toMatchObject(
      waits(nowMs + 6 * hourMs, "ORIGINATED_AFTER_ACTIVATION", "key-1"),
    );
    expect(blocked).toMatchObject({
      finding: {
        observed: expect.stringMatching(
          /version 1 was used after its retirement: Sign at .*evidence evidence-hash/,
        ) as string,
        next: expect.stringMatching(/approve.* --version 1 --evidence evidence-hash/) as string,
      },
    });
    expect(decide({ ...use("Sign", lateMs), rotation: { approval } })).toMatchObject(
      changes("drained"),
    );
    const another = { ...approval, evidence: "another" };
    expect(decide({ ...use("Sign", lateMs), rotation: { approval: another } })).toMatchObject({
      kind: "wait",
    });
  });

  test("and the approval that it asks for accepts what an AWS service holds, too", () => {
    const grant = { grantId: "b0", grantee: "rds.amazonaws.com", operations: ["Decrypt"] };
    const setting = use("Sign", lateMs);
    const observed = { ...setting.observed, grants: { "key-1": present([grant]) } };
    expect(decide({ ...setting, observed })).toMatchObject({
      finding: {
        code: "ORIGINATED_AFTER_ACTIVATION",
        observed: expect.stringContaining("; grant:b0: rds.amazonaws.com may Decrypt") as string,
        next: expect.stringContaining("--accept grant:b0") as string,
      },
    });
  });

  test("where the approved use is more recent than the quiet period", () => {
    const fresh = { ...use("Sign", nowMs - dayMs), rotation: { approval } };
    expect(decide(fresh)).toMatchObject(waits(nowMs + 13 * dayMs + hourMs));
  });

  test("any evidence suffices after an override", () => {
    const override = { ...approval, evidence: "", override: true };
    const setting = { ...use("Sign", nowMs - dayMs), rotation: { approval: override } };
    expect(decide(setting)).toMatchObject(changes("drained"));
    const scene = stepScene("drain", setting);
    expect(notQuiet(scene, evidenceOf(scene))).toBeUndefined();
  });

  test("an approval without override does not cover an unknown use", () => {
    const scene = stepScene("drain", {
      rotation: { approval: { ...approval, evidence: "unknown-hash" } },
      observed: { "last-use": { "key-1": unknownLastUse } },
    });
    expect(spoken(decideDrain(scene))).toMatchObject({ finding: { code: "USAGE_UNKNOWN" } });
  });

  test("for twice as long as its policy plans: a finding reports it", () => {
    const inDrain = (ms: number) =>
      decide({
        ...use("Decrypt", nowMs - hourMs),
        old: because,
        rotation: { drainSinceMs: nowMs - ms },
      });
    const reported = inDrain(88 * dayMs);
    expect(reported).toMatchObject({
      kind: "wait",
      finding: { code: "DRAIN_PROLONGED", subject: "key-1", sinceMs: nowMs },
    });
    expect(reported).toMatchObject({
      finding: { observed: expect.stringContaining("version 1 has drained for 88 days") as string },
    });
    expect(inDrain(88 * dayMs - 1)).not.toHaveProperty("finding");
  });

  test("the command shows the last use of the key", () => {
    const reported = decide({ observed: { "last-use": { "key-1": unknownLastUse } } });
    expect(reported).toMatchObject({
      finding: {
        next: "aws kms get-key-last-usage --key-id key-1",
        observed: "older than the tracking",
      },
    });
    expect(lastUsedAtMs).toBeLessThan(retiredAtMs);
  });
});

describe("a drained version that an AWS service holds by a grant", () => {
  const held: Grant = { grantId: "b0", grantee: "ec2.amazonaws.com", operations: ["Decrypt"] };
  const grants = { "key-1": present([held]) };

  test("is reported also while it is not unused for long enough", () => {
    const observed = { grants, "last-use": { "key-1": lastUsed("Decrypt", nowMs - dayMs) } };
    const untilMs = nowMs + 13 * dayMs + hourMs;
    expect(decide({ observed })).toMatchObject(waits(untilMs, "GRANT_HOLDS_OLD_VERSION", "key-1"));
  });

  test("is reported with the grant where it still originates", () => {
    const observed = { grants, "last-use": { "key-1": lastUsed("Sign", nowMs - dayMs) } };
    const full = stepScene("drain", { observed });
    const asked = readsOf((some) => decideDrain({ ...full, observed: some }), full.observed);
    expect(asked).toEqual(["key key-1", "aliases key-1", "last-use key-1", "grants key-1"]);
    expect(decide({ observed })).toMatchObject({
      finding: {
        code: "ORIGINATED_AFTER_ACTIVATION",
        observed: expect.stringContaining("; grant:b0: ec2.amazonaws.com may Decrypt") as string,
        next: expect.stringContaining("--accept grant:b0") as string,
      },
    });
  });
});
