import { describe, expect, test } from "vitest";
import type { Call, Grant, KeyShape, Outcome, Refusal } from "../../lambda/workflow/model/types.ts";
import { dayMs } from "../fixtures.ts";
import type { KeyLab } from "./key-lab.ts";
import { absentKeyId, keySides, keyturnArn, policyFor } from "./sides.ts";

const symmetric: KeyShape = {
  spec: "SYMMETRIC_DEFAULT",
  usage: "ENCRYPT_DECRYPT",
  origin: "AWS_KMS",
  multiRegion: false,
};

const shapes: [kind: string, shape: Partial<KeyShape>][] = [
  ["a symmetric key", {}],
  ["a symmetric key in a custom key store", { origin: "AWS_CLOUDHSM", customKeyStoreId: "cks-1" }],
  ["a multi-Region key", { multiRegion: true }],
  ["an RSA key", { spec: "RSA_3072" }],
  ["an ECC key for signing", { spec: "ECC_NIST_P256", usage: "SIGN_VERIFY" }],
  ["an ECC key for key agreement", { spec: "ECC_NIST_P384", usage: "KEY_AGREEMENT" }],
  ["an ML-DSA key", { spec: "ML_DSA_65", usage: "SIGN_VERIFY" }],
  ["an HMAC key", { spec: "HMAC_256", usage: "GENERATE_VERIFY_MAC" }],
];

const customKeyStores = [{ id: "cks-1", type: "AWS_CLOUDHSM", connected: true } as const];
const fullAccess = policyFor("kms:*");

function createKey(changes: Partial<Extract<Call, { kind: "CreateKey" }>> = {}): Call {
  const base = { kind: "CreateKey", shape: symmetric, policy: fullAccess } as const;
  return { ...base, description: "", tags: {}, ...changes };
}

function grantTo(grantee: string, changes: Partial<Grant> = {}): Omit<Grant, "grantId"> {
  return { grantee, operations: ["Decrypt"], ...changes };
}

describe.each(keySides)("a changing call through %s", (_side, open) => {
  test.each(shapes)("creates %s with the requested shape", async (_kind, shape) => {
    const { keys, guard, accountId, clock, toldAs } = await open({ customKeyStores });
    const call = createKey({
      shape: { ...symmetric, ...shape },
      description: "orders",
      tags: { "keyturn:owner": "acme", "keyturn:attempt": "1" },
    });
    const made = await keys.change(call, guard());
    if (made.kind !== "done" || made.keyId === undefined) throw new Error(JSON.stringify(made));
    expect(made).toStrictEqual({
      kind: "done",
      keyId: made.keyId,
      arn: `arn:aws:kms:us-east-1:${accountId}:key/${made.keyId}`,
      createdAtMs: toldAs(clock.nowMs()),
    });
    expect(await keys.describe(made.keyId)).toMatchObject({
      value: { ...symmetric, ...shape, description: "orders", arn: made.arn, state: "Enabled" },
    });
    expect(await keys.tagsOf(made.keyId)).toEqual({
      kind: "observed",
      value: { "keyturn:owner": "acme", "keyturn:attempt": "1" },
    });
    const policy = await keys.policyOf(made.keyId);
    expect(policy.kind === "observed" && JSON.parse(policy.value.document)).toEqual(
      JSON.parse(fullAccess),
    );
  });

  test("creates another key each time: CreateKey is not idempotent", async () => {
    const { keys, guard } = await open();
    const first = await keys.change(createKey(), guard());
    const second = await keys.change(createKey(), guard());
    expect(first).not.toEqual(second);
  });

  test("moves an alias", async () => {
    const { keys, ask, aKey, guard } = await open();
    const [old, fresh] = [aKey(), aKey()];
    ask("CreateAlias", { AliasName: "alias/orders", TargetKeyId: old });
    const move: Call = { kind: "UpdateAlias", alias: "alias/orders", keyId: fresh };
    expect(await keys.change(move, guard())).toStrictEqual({ kind: "done" });
    expect(await keys.describe("alias/orders")).toMatchObject({ value: { keyId: fresh } });
    expect(await keys.aliasesOf(old)).toEqual({ kind: "observed", value: [] });
  });

  test("adds tags to the existing ones", async () => {
    const { keys, aKey, guard } = await open();
    const keyId = aKey({ Tags: [{ TagKey: "team", TagValue: "a" }] });
    const tag: Call = { kind: "TagResource", keyId, tags: { "keyturn:retired": "r1" } };
    expect(await keys.change(tag, guard())).toStrictEqual({ kind: "done" });
    expect(await keys.tagsOf(keyId)).toEqual({
      kind: "observed",
      value: { team: "a", "keyturn:retired": "r1" },
    });
  });

  test("copies a complete grant", async () => {
    const { keys, aKey, guard } = await open();
    const keyId = aKey();
    const grants = [
      grantTo("arn:aws:iam::000000000000:role/plain"),
      grantTo("arn:aws:iam::000000000000:role/full", {
        name: "orders",
        retiring: keyturnArn,
        operations: ["Encrypt", "Decrypt"],
        constraints: { encryptionContextEquals: { tenant: "a", region: "eu" } },
      }),
    ];
    for (const grant of grants) {
      const outcome = await keys.change({ kind: "CreateGrant", keyId, grant }, guard());
      expect(outcome).toStrictEqual({ kind: "done" });
    }
    const observation = await keys.grantsOf(keyId);
    const there = observation.kind === "observed" ? observation.value : [];
    expect(there.map(({ grantId: _, ...grant }) => grant)).toEqual(expect.arrayContaining(grants));
    expect(there).toHaveLength(2);
  });

  test("disables, enables, and schedules a deletion, and returns its date", async () => {
    const { keys, aKey, guard, clock, toldAs } = await open();
    const keyId = aKey();
    const stateAfter = async (call: Call): Promise<[Outcome, string]> => {
      const outcome = await keys.change(call, guard());
      const observation = await keys.describe(keyId);
      return [
        outcome,
        observation.kind === "observed" ? observation.value.state : observation.kind,
      ];
    };
    const done: Outcome = { kind: "done" };
    expect(await stateAfter({ kind: "DisableKey", keyId })).toStrictEqual([done, "Disabled"]);
    expect(await stateAfter({ kind: "DisableKey", keyId })).toStrictEqual([done, "Disabled"]);
    expect(await stateAfter({ kind: "EnableKey", keyId })).toStrictEqual([done, "Enabled"]);
    const deletionAtMs = toldAs(clock.nowMs() + 9 * dayMs);
    expect(await stateAfter({ kind: "ScheduleKeyDeletion", keyId, windowDays: 9 })).toStrictEqual([
      { kind: "done", deletionAtMs },
      "PendingDeletion",
    ]);
    expect(await keys.describe(keyId)).toMatchObject({ value: { deletionAtMs } });
  });
});

type Refused = [why: string, refusal: Refusal, arrange: (lab: KeyLab) => Call];

/** A key with an alias. */
function aliased(lab: KeyLab, input = {}, alias = "alias/orders"): string {
  const keyId = lab.aKey(input);
  lab.ask("CreateAlias", { AliasName: alias, TargetKeyId: keyId });
  return keyId;
}

function pendingDeletion(lab: KeyLab): string {
  const keyId = lab.aKey();
  lab.ask("ScheduleKeyDeletion", { KeyId: keyId, PendingWindowInDays: 7 });
  return keyId;
}

const onKey: Record<string, (keyId: string) => Call> = {
  CreateGrant: (keyId) => ({ kind: "CreateGrant", keyId, grant: grantTo(keyturnArn) }),
  UpdateAlias: (keyId) => ({ kind: "UpdateAlias", alias: "alias/orders", keyId }),
  TagResource: (keyId) => ({ kind: "TagResource", keyId, tags: { a: "b" } }),
  UntagResource: (keyId) => ({ kind: "UntagResource", keyId, names: ["a"] }),
  EnableKey: (keyId) => ({ kind: "EnableKey", keyId }),
  DisableKey: (keyId) => ({ kind: "DisableKey", keyId }),
  ScheduleKeyDeletion: (keyId) => ({ kind: "ScheduleKeyDeletion", keyId, windowDays: 7 }),
};

const refusals: Refused[] = [
  ...Object.entries(onKey).flatMap(([name, callOn]): Refused[] => [
    [
      `${name} on a key whose policy forbids it`,
      "AccessDenied",
      (lab) => {
        aliased(lab);
        return callOn(lab.aKey({ Policy: policyFor("kms:DescribeKey") }));
      },
    ],
    [
      `${name} on a key pending deletion`,
      "InvalidState",
      (lab) => {
        aliased(lab);
        return callOn(pendingDeletion(lab));
      },
    ],
    [
      `${name} on a key that does not exist`,
      "NotFound",
      (lab) => {
        aliased(lab);
        return callOn(absentKeyId);
      },
    ],
  ]),
  [
    "UpdateAlias of an alias that does not exist",
    "NotFound",
    (lab) => ({ kind: "UpdateAlias", alias: "alias/absent", keyId: lab.aKey() }),
  ],
  [
    "UpdateAlias away from a key whose policy forbids it",
    "AccessDenied",
    (lab) => {
      aliased(lab, { Policy: policyFor() });
      return { kind: "UpdateAlias", alias: "alias/orders", keyId: lab.aKey() };
    },
  ],
  [
    "UpdateAlias to a key of another kind",
    "Other",
    (lab) => {
      aliased(lab);
      const keyId = lab.aKey({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
      return { kind: "UpdateAlias", alias: "alias/orders", keyId };
    },
  ],
  [
    "CreateGrant on a disabled key",
    "InvalidState",
    (lab) => {
      const keyId = lab.aKey();
      lab.ask("DisableKey", { KeyId: keyId });
      return { kind: "CreateGrant", keyId, grant: grantTo(keyturnArn) };
    },
  ],
  [
    "TagResource beyond fifty tags",
    "LimitExceeded",
    (lab) => {
      const tags = Array.from({ length: 50 }, (_, n) => ({ TagKey: `t${n}`, TagValue: "" }));
      return { kind: "TagResource", keyId: lab.aKey({ Tags: tags }), tags: { more: "" } };
    },
  ],
  [
    "CreateKey with a policy that locks keyturn out",
    "MalformedPolicy",
    () => createKey({ policy: policyFor() }),
  ],
  ["CreateKey with a policy that is not JSON", "MalformedPolicy", () => createKey({ policy: "{" })],
  ["CreateKey with a reserved tag", "Other", () => createKey({ tags: { "aws:a": "b" } })],
];

describe.each(keySides)("KMS refuses, and nothing changes, through %s:", (_side, open) => {
  test.each(refusals)("%s is %s", async (_why, refusal, arrange) => {
    const lab = await open();
    const call = arrange(lab);
    const before = lab.kms.snapshot();
    const outcome = await lab.keys.change(call, lab.guard());
    expect(outcome).toStrictEqual({
      kind: "refused",
      refusal,
      message: expect.stringMatching(/\w+/) as string,
    });
    expect(lab.kms.snapshot()).toEqual(before);
  });

  test("CreateKey beyond the account's quota of keys is LimitExceeded", async () => {
    const lab = await open({ keyQuota: 1 });
    lab.aKey();
    expect(await lab.keys.change(createKey(), lab.guard())).toMatchObject({
      kind: "refused",
      refusal: "LimitExceeded",
    });
    expect(lab.kms.snapshot().keys).toHaveLength(1);
  });

  test("the sixth UpdateAlias within a second is Throttled", async () => {
    const lab = await open({ quotas: "on", quotaClockMs: () => 0 });
    const keyId = aliased(lab);
    const move: Call = { kind: "UpdateAlias", alias: "alias/orders", keyId };
    const outcomes: Outcome[] = [];
    for (let count = 0; count < 6; count += 1) {
      outcomes.push(await lab.keys.change(move, lab.guard()));
    }
    expect(outcomes.slice(0, 5)).toEqual(Array(5).fill({ kind: "done" }));
    expect(outcomes[5]).toMatchObject({ kind: "refused", refusal: "Throttled" });
    lab.clock.advance(1000);
    expect(await lab.keys.change(move, lab.guard())).toEqual({ kind: "done" });
  });

  test("any call of a run after its deadline is PastDeadline", async () => {
    const lab = await open();
    const keyId = lab.aKey();
    const guard = lab.guard();
    lab.clock.moveTo(guard.deadlineMs);
    expect(await lab.keys.change({ kind: "DisableKey", keyId }, guard)).toEqual({ kind: "done" });
    lab.clock.advance(1);
    expect(await lab.keys.change({ kind: "EnableKey", keyId }, guard)).toMatchObject({
      kind: "refused",
      refusal: "PastDeadline",
    });
    expect(await lab.keys.describe(keyId)).toMatchObject({ value: { state: "Disabled" } });
  });
});
