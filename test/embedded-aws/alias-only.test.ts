/** The statement's effect on a key, with the twin's evaluation of key policies. */
import type { CreateKeyCommandInput } from "@aws-sdk/client-kms";
import { expect, test } from "vitest";
import { withAliasOnly } from "../../lambda/workflow/enrolment/alias-only.ts";
import {
  account,
  bareTwin,
  bytes,
  everything,
  outcomeOf,
  policyOf,
  type BareTwin,
} from "./harness.ts";

type Use = [operation: string, input: object];

const Message = bytes("m");
const MacAlgorithm = "HMAC_SHA_256";
const SigningAlgorithm = "ECDSA_SHA_256";
const pair = { KeyPairSpec: "ECC_NIST_P256" };

/** Each kind of key, its originating calls, and the call that processes the first one's output. */
const kinds: [
  kind: string,
  input: CreateKeyCommandInput,
  originating: Use[],
  processing: (made: Record<string, unknown>) => Use,
][] = [
  [
    "an encryption key",
    {},
    [
      ["Encrypt", { Plaintext: Message }],
      ["GenerateDataKey", { KeySpec: "AES_256" }],
      ["GenerateDataKeyWithoutPlaintext", { KeySpec: "AES_256" }],
      ["GenerateDataKeyPair", pair],
      ["GenerateDataKeyPairWithoutPlaintext", pair],
    ],
    ({ CiphertextBlob }) => ["Decrypt", { CiphertextBlob }],
  ],
  [
    "a signing key",
    { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    [["Sign", { Message, SigningAlgorithm }]],
    ({ Signature }) => ["Verify", { Message, SigningAlgorithm, Signature }],
  ],
  [
    "an HMAC key",
    { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    [["GenerateMac", { Message, MacAlgorithm }]],
    ({ Mac }) => ["VerifyMac", { Message, MacAlgorithm, Mac }],
  ],
];

const managed = ["alias/orders", "alias/orders-too"];
const arnOf = (resource: string): string => `arn:aws:kms:us-east-1:${account}:${resource}`;

function boundKey({ keyId }: BareTwin, input: CreateKeyCommandInput): string {
  return keyId({ ...input, Policy: withAliasOnly(policyOf(everything), managed) });
}

test.each(kinds)(
  "%s with the statement originates only through its managed aliases, and always processes",
  async (_kind, input, originating, processing) => {
    const lab = bareTwin();
    const [old, fresh] = [boundKey(lab, input), boundKey(lab, input)];
    for (const AliasName of [...managed, "alias/another"]) {
      lab.call("CreateAlias", { AliasName, TargetKeyId: old });
    }
    const outcomes = (KeyId: string): Promise<string[]> =>
      Promise.all(
        originating.map(([operation, more]) =>
          outcomeOf(() => lab.call(operation, { KeyId, ...more })),
        ),
      );
    const all = (outcome: string) => originating.map(() => outcome);
    const byItself = [old, arnOf(`key/${old}`)];
    for (const name of [...byItself, "alias/another", arnOf("alias/another")]) {
      expect(await outcomes(name), name).toEqual(all("AccessDeniedException"));
    }
    for (const name of [...managed, ...managed.map(arnOf)]) {
      expect(await outcomes(name), name).toEqual(all("ok"));
    }

    const [operation, more] = originating[0] ?? ["none", {}];
    const made = lab.call<Record<string, unknown>>(operation, { KeyId: managed[0], ...more });
    const [processes, what] = processing(made);
    const processedBy = (KeyId: string): Promise<string> =>
      outcomeOf(() => lab.call(processes, { KeyId, ...what }));
    for (const name of byItself) expect(await processedBy(name)).toBe("ok");

    for (const AliasName of managed) lab.call("UpdateAlias", { AliasName, TargetKeyId: fresh });
    for (const name of [...byItself, "alias/another"]) {
      expect(await outcomes(name), name).toEqual(all("AccessDeniedException"));
      expect(await processedBy(name), name).toBe("ok");
    }
    expect(await outcomes("alias/orders")).toEqual(all("ok"));

    lab.call("UpdateAlias", { AliasName: "alias/orders", TargetKeyId: old });
    expect(await outcomes("alias/orders")).toEqual(all("ok"));
    expect(await processedBy("alias/orders")).toBe("ok");
  },
);

test("a key with the statement can still be the destination of a ReEncrypt by its id", async () => {
  const lab = bareTwin();
  const [old, fresh] = [boundKey(lab, {}), boundKey(lab, {})];
  lab.call("CreateAlias", { AliasName: "alias/orders", TargetKeyId: old });
  const { CiphertextBlob } = lab.call<{ CiphertextBlob: Uint8Array }>("Encrypt", {
    KeyId: "alias/orders",
    Plaintext: Message,
  });
  const reEncrypt = { CiphertextBlob, DestinationKeyId: fresh };
  expect(await outcomeOf(() => lab.call("ReEncrypt", reEncrypt))).toBe("ok");
});
