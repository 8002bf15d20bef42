import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import type { UseAttempt } from "../../lambda/workflow/model/requests.ts";
import type { UseAttemptEvent } from "../../embedded-aws/kms/use-attempts.ts";
import { account, arnOf, bareTwin, bytes, openLab, outcomeOf, type Lab } from "./harness.ts";

const EncryptionContext = { tenant: "Miller", invoice: "4711" };
const secret = bytes("the plaintext of a secret");
const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" } as const;
const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
const ecdsa = { Message: secret, SigningAlgorithm: "ECDSA_SHA_256" };
const mac = { Message: secret, MacAlgorithm: "HMAC_SHA_256" };

function aTwin(options: Parameters<typeof bareTwin>[0] = {}) {
  const bare = bareTwin(options);
  const events: UseAttemptEvent[] = [];
  bare.twin.onUseAttempt = (event) => events.push(event);
  const attempts = (): UseAttempt[] =>
    events.flatMap((event) => {
      const home = { accountId: account, region: bare.twin.world.region };
      const reading = readUseAttempt(event, home);
      return reading.kind === "attempt" ? reading.attempts : [];
    });
  const cipherUnder = (KeyId: string): Uint8Array =>
    bare.call<{ CiphertextBlob: Uint8Array }>("Encrypt", {
      KeyId,
      Plaintext: secret,
      EncryptionContext,
    }).CiphertextBlob;
  return { ...bare, events, attempts, cipherUnder };
}

type Twin = ReturnType<typeof aTwin>;

const ways = {
  disabled: (twin: Twin, KeyId: string) => twin.call("DisableKey", { KeyId }),
  "pending deletion": (twin: Twin, KeyId: string) => twin.call("ScheduleKeyDeletion", { KeyId }),
};

const names = ["invoice", "tenant"];
const dataKey = { KeySpec: "AES_256", EncryptionContext };
const decryptInput = (twin: Twin, KeyId: string) => ({
  CiphertextBlob: twin.cipherUnder(KeyId),
  EncryptionContext,
});

/** Each operation, the shape of its key, its input, and the context names in its event. */
const uses: [string, object, (twin: Twin, KeyId: string) => object, string[]][] = [
  ["Encrypt", {}, (_, KeyId) => ({ KeyId, Plaintext: secret, EncryptionContext }), names],
  ["Decrypt", {}, decryptInput, names],
  ["GenerateDataKey", {}, (_, KeyId) => ({ KeyId, ...dataKey }), names],
  ["GenerateDataKeyPair", {}, (_, KeyId) => ({ KeyId, KeyPairSpec: "ECC_NIST_P256" }), []],
  ["Sign", signing, (_, KeyId) => ({ KeyId, ...ecdsa }), []],
  ["GenerateMac", hmac, (_, KeyId) => ({ KeyId, ...mac }), []],
];

const cases = uses.flatMap(([operation, shape, inputOf, contextKeys]) =>
  (["disabled", "pending deletion"] as const).map((way) => {
    return { operation, shape, inputOf, contextKeys, way };
  }),
);

describe("an attempt to use a disabled key", () => {
  test.each(cases)(
    "$operation under a key that is $way is reported once",
    async ({ operation, shape, inputOf, contextKeys, way }) => {
      const twin = aTwin();
      const keyId = twin.keyId(shape);
      const input = inputOf(twin, keyId);
      ways[way](twin, keyId);
      expect(twin.events).toEqual([]);
      await outcomeOf(() => twin.call(operation, input, "worker"));
      expect(twin.events).toHaveLength(1);
      expect(twin.attempts()).toEqual([
        {
          eventId: twin.events[0]?.detail.eventID,
          keyId,
          atMs: twin.clock.nowMs(),
          operation,
          principal: arnOf("worker"),
          encryptionContextKeys: contextKeys,
        },
      ]);
    },
  );

  test("has CloudTrail's format", async () => {
    const twin = aTwin();
    const keyId = twin.keyId();
    twin.call("CreateAlias", { AliasName: "alias/billing", TargetKeyId: keyId });
    const input = { KeyId: "alias/billing", Plaintext: secret, EncryptionContext };
    ways.disabled(twin, keyId);
    await outcomeOf(() => twin.call("Encrypt", input));
    const ARN = `arn:aws:kms:us-east-1:${account}:key/${keyId}`;
    expect(twin.events).toMatchObject([
      {
        version: "0",
        "detail-type": "AWS API Call via CloudTrail",
        source: "aws.kms",
        account,
        time: "2026-11-01T00:00:00Z",
        detail: {
          userIdentity: { type: "IAMUser", arn: arnOf("tester"), accountId: account },
          eventTime: "2026-11-01T00:00:00Z",
          errorCode: "DisabledException",
          errorMessage: `${ARN} is disabled.`,
          requestParameters: {
            keyId: "alias/billing",
            encryptionAlgorithm: "SYMMETRIC_DEFAULT",
            encryptionContext: EncryptionContext,
          },
          responseElements: null,
          resources: [{ accountId: account, type: "AWS::KMS::Key", ARN }],
        },
      },
    ]);
  });

  test("names the role of a session", async () => {
    const twin = aTwin();
    const KeyId = twin.keyId(hmac);
    ways["pending deletion"](twin, KeyId);
    const principalArn = `arn:aws:sts::${account}:assumed-role/Billing/worker`;
    await outcomeOf(() => twin.twin.call("GenerateMac", { KeyId, ...mac }, { principalArn }));
    expect(twin.events[0]?.detail).toMatchObject({
      userIdentity: { type: "AssumedRole", arn: principalArn, accountId: account },
      errorCode: "KMSInvalidStateException",
    });
    expect(twin.attempts()[0]?.principal).toBe(principalArn);
  });

  test("by ReEncrypt names the disabled key, and the key in the request", async () => {
    const twin = aTwin();
    const [from, to] = [twin.keyId(), twin.keyId()];
    const input = {
      CiphertextBlob: twin.cipherUnder(from),
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: to,
      DestinationEncryptionContext: { level: "3A" },
    };
    ways.disabled(twin, to);
    await outcomeOf(() => twin.call("ReEncrypt", input));
    ways["pending deletion"](twin, from);
    await outcomeOf(() => twin.call("ReEncrypt", input));
    const refused = twin.events.map(({ detail }) =>
      detail.resources.map(({ ARN }) => ARN.slice(-36)),
    );
    expect(refused).toEqual([[to], [from]]);
    const attempts = twin.attempts();
    expect(attempts.map(({ keyId }) => keyId)).toEqual([to, from, to]);
    expect(attempts[0]?.encryptionContextKeys).toEqual(["invoice", "level", "tenant"]);
  });

  test("contains no plaintext, ciphertext or signature", async () => {
    const twin = aTwin();
    const [keyId, signer] = [twin.keyId(), twin.keyId(signing)];
    const CiphertextBlob = twin.cipherUnder(keyId);
    const { Signature } = twin.call<{ Signature: Uint8Array }>("Sign", { KeyId: signer, ...ecdsa });
    for (const key of [keyId, signer]) ways.disabled(twin, key);
    const verify = { KeyId: signer, ...ecdsa, Signature };
    await outcomeOf(() => twin.call("Encrypt", { KeyId: keyId, Plaintext: secret }));
    await outcomeOf(() => twin.call("Decrypt", { CiphertextBlob, EncryptionContext }));
    await outcomeOf(() => twin.call("Verify", verify));
    expect(twin.events).toHaveLength(3);
    for (const { detail } of twin.events) {
      const members = Object.keys(detail.requestParameters);
      for (const name of ["plaintext", "ciphertextBlob", "message", "signature"]) {
        expect(members).not.toContain(name);
      }
    }
    const reported = JSON.stringify(twin.events);
    for (const blob of [secret, CiphertextBlob, Signature]) {
      expect(reported).not.toContain(Buffer.from(blob).toString("base64"));
      expect(reported).not.toContain(Buffer.from(blob).toString());
    }
  });

  test("has its own ids, and does not change the twin's other ids", async () => {
    const history = async (isHeard: boolean) => {
      const twin = aTwin();
      if (!isHeard) twin.twin.onUseAttempt = undefined;
      const KeyId = twin.keyId(hmac);
      ways.disabled(twin, KeyId);
      for (let i = 0; i < 3; i++)
        await outcomeOf(() => twin.call("GenerateMac", { KeyId, ...mac }));
      return {
        ids: twin.events.flatMap(({ id, detail }) => [id, detail.eventID]),
        next: twin.keyId(),
      };
    };
    const [reported, again, unreported] = [
      await history(true),
      await history(true),
      await history(false),
    ];
    expect(new Set(reported.ids).size).toBe(6);
    expect(again).toEqual(reported);
    expect(unreported).toEqual({ ids: [], next: reported.next });
  });
});

describe("no event reports", () => {
  test("the use of an enabled key, successful or failed", async () => {
    const twin = aTwin();
    const [KeyId, macKey] = [twin.keyId(), twin.keyId(hmac)];
    expect(await outcomeOf(() => twin.call("Encrypt", { KeyId, Plaintext: secret }))).toBe("ok");
    const wrongUsage = () => twin.call("Encrypt", { KeyId: macKey, Plaintext: secret });
    expect(await outcomeOf(wrongUsage)).toBe("InvalidKeyUsageException");
    const noKey = () => twin.call("Encrypt", { KeyId: "alias/none", Plaintext: secret });
    expect(await outcomeOf(noKey)).toBe("NotFoundException");
    expect(twin.events).toEqual([]);
  });

  test("a management call, although the key's state forbids it", async () => {
    const twin = aTwin();
    const KeyId = twin.keyId(signing);
    ways["pending deletion"](twin, KeyId);
    for (const operation of ["EnableKey", "DisableKey", "ScheduleKeyDeletion"]) {
      const refused = outcomeOf(() => twin.call(operation, { KeyId }));
      expect(await refused).toBe("KMSInvalidStateException");
    }
    expect(twin.events).toEqual([]);
  });

  test("a public key of a disabled key, where KMS gives it", async () => {
    const twin = aTwin();
    const KeyId = twin.keyId(signing);
    ways.disabled(twin, KeyId);
    expect(await outcomeOf(() => twin.call("GetPublicKey", { KeyId }))).toBe("ok");
    expect(twin.events).toEqual([]);
  });

  test("other errors of a disabled key: access, the wrong key, a malformed request", async () => {
    const twin = aTwin();
    const [KeyId, other] = [twin.keyId(), twin.keyId()];
    const CiphertextBlob = twin.cipherUnder(other);
    ways.disabled(twin, KeyId);
    const stranger = { principalArn: "arn:aws:iam::999988887777:user/stranger" };
    const encrypt = { KeyId, Plaintext: secret };
    const outcomes = [
      await outcomeOf(() => twin.twin.call("Encrypt", encrypt, stranger)),
      await outcomeOf(() => twin.call("Decrypt", { KeyId, CiphertextBlob, EncryptionContext })),
      await outcomeOf(() => twin.call("Encrypt", { KeyId })),
    ];
    expect(outcomes).toEqual([
      "AccessDeniedException",
      "IncorrectKeyException",
      "ValidationException",
    ]);
    expect(twin.events).toEqual([]);
  });
});

test("a use of a key in another state is reported too, and keyturn ignores it", async () => {
  const twin = aTwin();
  const KeyId = twin.keyId(hmac);
  for (const state of ["Unavailable", "Creating", "PendingImport"] as const) {
    twin.twin.forceState(KeyId, state);
    await outcomeOf(() => twin.call("GenerateMac", { KeyId, ...mac }));
  }
  const messages = twin.events.map(({ detail }) => detail.errorMessage.split(" is ")[1]);
  expect(messages).toEqual(["unavailable.", "creating.", "pending import."]);
  expect(twin.attempts()).toEqual([]);
});

describe("the embedded AWS", () => {
  let lab: Lab;

  beforeAll(async () => void (lab = await openLab()));

  afterAll(() => lab.close());

  test("lists the attempts, repeatedly, for a test that delivers them", async () => {
    const listed = async (): Promise<unknown[]> => {
      const response = await fetch(`${lab.aws.endpoint}/_keyturn/use-attempts`);
      expect(response.status).toBe(200);
      return (await response.json()) as unknown[];
    };
    expect(await listed()).toEqual([]);
    const { KeyId } = await lab.aKey();
    await lab.kms.disableKey({ KeyId });
    const encrypt = { KeyId, Plaintext: secret, EncryptionContext };
    expect(await outcomeOf(lab.kmsAs("worker").encrypt(encrypt))).toBe("DisabledException");
    expect(await listed()).toEqual(lab.aws.useAttempts);
    const [event, ...more] = await listed();
    expect(more).toEqual([]);
    expect(JSON.stringify(event)).not.toContain(Buffer.from(secret).toString("base64"));
    expect(readUseAttempt(event)).toMatchObject({
      kind: "attempt",
      attempts: [
        {
          keyId: KeyId,
          operation: "Encrypt",
          principal: arnOf("worker"),
          encryptionContextKeys: ["invoice", "tenant"],
        },
      ],
    });
  });
});
