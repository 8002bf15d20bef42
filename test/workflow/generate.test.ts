import { describe, expect, test } from "vitest";
import { decideGenerate, extraOf, generated } from "../../lambda/workflow/1-generate.ts";
import { aKey, aPolicy, hourMs } from "../fixtures.ts";
import { calls, changes, halts, readsOf, nextOf, ofRotation, spoken, waits } from "./decided.ts";
import {
  absent,
  alias,
  aRotation,
  aVersion,
  blockedMs,
  denied,
  nowMs,
  openedAtMs,
  present,
  stepScene,
  type StepSetting,
  unsettled,
} from "./scene.ts";

const decide = (setting: StepSetting = {}) =>
  spoken(decideGenerate(stepScene("generate", setting)));
const first: StepSetting = { intent: { attempts: 0 } };
const reads = (setting: StepSetting) => {
  const scene = stepScene("generate", setting);
  return readsOf((observed) => decideGenerate({ ...scene, observed }), scene.observed);
};

describe("the key of the new version", () => {
  test("is made as the intent says, with the key policy of the old one", () => {
    expect(reads(first)).toEqual(["policy key-1"]);
    expect(decide(first)).toEqual({
      kind: "call",
      call: {
        kind: "CreateKey",
        shape: aVersion(1).shape,
        description: "",
        policy: "{}",
        tags: { team: "blue", "keyturn:attempt": "1" },
      },
      matter: ofRotation,
      reason: "version 2 does not exist yet",
    });
  });

  test("is made again only after a search for the key of an earlier attempt", () => {
    expect(reads({})).toEqual(["successors r1", "policy key-1"]);
    expect(decide()).toMatchObject(calls("CreateKey", { tags: { "keyturn:attempt": "2" } }));
  });

  test("originates only through the intent's aliases, if the policy says so", () => {
    const policy = aPolicy({ originate: "alias-only" });
    const made = decide({ rotation: { policy }, intent: { aliases: [alias, "alias/b"] } });
    expect(made).toMatchObject(
      calls("CreateKey", {
        policy: expect.stringContaining(
          '{"kms:RequestAlias":["alias/orders","alias/b"]}',
        ) as string,
      }),
    );
  });

  test("is not made where the policy of the old one cannot be read", () => {
    expect(decide({ ...first, observed: { policy: { "key-1": absent } } })).toEqual({
      kind: "retry",
      reason: "the policy of key-1 could not be read",
    });
    expect(decide({ ...first, observed: { policy: { "key-1": denied } } })).toMatchObject(
      halts("ACCESS_DENIED", "key-1"),
    );
    expect(decide({ observed: { successors: { r1: denied } } })).toMatchObject(
      halts("ACCESS_DENIED", "r1"),
    );
  });

  test("is not made where that policy changed since: the rotation begins again", () => {
    const other = aRotation({ id: "r0" });
    const { rotation } = stepScene("generate");
    const policy = { "key-1": present({ document: "{}", hash: "another" }) };
    const done = decide({ record: { rotations: [other, rotation] }, observed: { policy } });
    expect(done).toMatchObject(changes("abandoned", { policyHash: "policy-hash" }));
    expect(done).toMatchObject({ entry: { rotationId: "r1", step: "generate" } });
    expect(nextOf(done).rotations).toEqual([other]);
  });

  test("is not made where the rotation was rolled back, and nothing is read", () => {
    expect(reads({ rotation: { cancelledAtMs: 5 } })).toEqual([]);
    const done = decide({ rotation: { cancelledAtMs: 5 } });
    expect(done).toMatchObject(changes("cancelled", { from: 1, to: 2 }));
    expect(done).toMatchObject({ entry: { rotationId: "r1", step: "generate" } });
    expect(nextOf(done).rotations).toEqual([]);
    expect(nextOf(done).closed).toMatchObject([{ id: "r1", cancelledAtMs: 5 }]);
  });
});

describe("a CreateKey without an answer", () => {
  const lost: StepSetting = { intent: { attempts: 4, unansweredEpoch: 3 } };
  const withMisses = (misses: number) => ({ intent: { ...lost.intent, misses } });

  test("causes a wait until it can create no key, and every key is visible", () => {
    const other = { epoch: 5, untilMs: blockedMs + hourMs };
    const waiting = decide({ ...lost, record: { unsettled: [other, ...unsettled] } });
    expect(waiting).toMatchObject(waits(blockedMs));
    expect(waiting).not.toHaveProperty("finding");
    const landed = [{ epoch: 3, untilMs: nowMs }, other];
    expect(decide({ ...lost, record: { unsettled: landed } })).toMatchObject(changes("not-found"));
    expect(decide({ ...lost, record: { unsettled: [other] } })).toMatchObject(changes("not-found"));
  });

  test("for the third time is reported", () => {
    expect(decide({ ...withMisses(1), record: { unsettled } })).not.toHaveProperty("finding");
    const reported = decide({ ...withMisses(2), record: { unsettled } });
    expect(reported).toMatchObject(waits(blockedMs, "STUCK", "r1"));
    expect(reported).toMatchObject({
      finding: {
        observed:
          "CreateKey for version 2 gave no answer 2 times; keyturn finds no key of these calls",
        next: "aws kms list-keys",
      },
    });
  });

  test("that created no key is on record as a miss", () => {
    expect(reads(lost)).toEqual(["successors r1"]);
    for (const successors of [{ r1: present([]) }, { r1: absent }]) {
      const done = decide({ ...withMisses(1), observed: { successors } });
      expect(done).toMatchObject(changes("not-found", { attempts: 4, candidates: 0 }));
      expect(done).toMatchObject({ entry: { rotationId: "r1", step: "generate" } });
      const [rotation] = nextOf(done).rotations;
      expect(rotation).toMatchObject({ step: "generate", intent: { attempts: 4, misses: 2 } });
      expect(rotation?.intent).not.toHaveProperty("unansweredEpoch");
    }
  });

  test.each([
    [
      "cannot be read",
      { key: { "key-9": denied }, tags: { "key-9": denied }, policy: { "key-9": denied } },
    ],
    [
      "is Disabled",
      {
        key: {
          "key-9": present(aKey({ keyId: "key-9", state: "Disabled", createdAtMs: openedAtMs })),
        },
      },
    ],
  ])(
    "whose key %s at the search leaves no excess key: a later search may adopt it",
    (_what, shown) => {
      const tags = { "key-9": present({}) };
      const policy = { "key-9": present({ document: "{}", hash: "policy-hash" }) };
      const observed = { tags, policy, successors: { r1: present(["key-9"]) }, ...shown };
      const done = decide({ ...lost, observed });
      expect(done).toMatchObject(changes("not-found", { candidates: 1 }));
      expect(nextOf(done).extras).toEqual([]);
    },
  );

  test.each([
    [2, 1],
    [3, 2],
    [6, 16],
    [7, 24],
    [9, 24],
  ])("after %i misses is not repeated before %i hours", (misses, hours) => {
    const since = (ms: number) => decide({ intent: { misses, lastAttemptAtMs: nowMs - ms } });
    const early = since(hours * hourMs - 1);
    expect(early).toMatchObject(waits(nowMs + 1, "STUCK", "r1"));
    expect(since(hours * hourMs)).toMatchObject(calls("CreateKey"));
  });

  test("is repeated soon after a first miss, and where none is known", () => {
    expect(decide({ intent: { misses: 1, lastAttemptAtMs: nowMs } })).toMatchObject(
      calls("CreateKey"),
    );
    expect(decide({ intent: { misses: 5 } })).toMatchObject(calls("CreateKey"));
  });
});

describe("once it has its key", () => {
  const { shape, arn } = aVersion(2);
  const key = aKey({ ...shape, keyId: "key-2", arn, createdAtMs: openedAtMs });

  test("the new version is on record, and distribute begins", () => {
    const { record, rotation, context } = stepScene("generate", {
      intent: { unansweredEpoch: 3 },
    });
    const { next, entry } = generated(record, rotation, key, context);
    expect(entry).toEqual({
      event: "generated",
      reason: "KMS created the key of the new version",
      rotationId: "r1",
      step: "generate",
      detail: { version: 2, keyId: "key-2", attempts: 1 },
    });
    expect(next.versions[1]).toEqual({
      number: 2,
      keyId: "key-2",
      arn: key.arn,
      shape: aVersion(1).shape,
      state: "pending-activation",
      createdAtMs: openedAtMs,
      policyHash: "policy-hash",
    });
    expect(next.rotations).toMatchObject([{ step: "distribute", stepSinceMs: nowMs }]);
    expect(next.rotations[0]?.intent).not.toHaveProperty("unansweredEpoch");
    expect(next.authorizationChangedAtMs).toBe(nowMs);
  });

  test("the record has whether it originates only through its aliases", () => {
    const policy = aPolicy({ originate: "alias-only" });
    const { record, rotation, context } = stepScene("generate", { rotation: { policy } });
    const { next } = generated(record, rotation, key, context);
    expect(next.versions[1]).toMatchObject({ aliasOnly: true });
  });

  test("any other key created for the intent is an excess key", () => {
    expect(extraOf(aRotation(), "key-9", nowMs)).toEqual({
      keyId: "key-9",
      rotationId: "r1",
      madeAfterMs: openedAtMs,
      foundAtMs: nowMs,
    });
  });
});
