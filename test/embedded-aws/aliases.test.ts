import type { CreateKeyCommandInput, KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytes, openLab, outcomeOf, refusalOf, text, type Lab } from "./harness.ts";

let lab: Lab;
let kms: KMS;
let counter = 0;

beforeAll(async () => {
  lab = await openLab();
  ({ kms } = lab);
});

afterAll(async () => {
  await lab.close();
});

async function anAlias(input: CreateKeyCommandInput = {}): Promise<string> {
  const AliasName = `alias/a-${counter++}`;
  const { KeyId: TargetKeyId } = await lab.aKey(input);
  await kms.createAlias({ AliasName, TargetKeyId });
  return AliasName;
}

async function targetOf(alias: string): Promise<string | undefined> {
  return (await kms.describeKey({ KeyId: alias })).KeyMetadata?.KeyId;
}

describe("the name of an alias", () => {
  test.each([
    ["orders", "ValidationException"],
    ["alias/", "InvalidAliasNameException"],
    ["alias/aws/orders", "NotAuthorizedException"],
    ["alias/or:ders", "ValidationException"],
    ["alias/or ders", "ValidationException"],
    [`alias/${"x".repeat(251)}`, "ValidationException"],
    [`alias/${"x".repeat(250)}`, "ok"],
    ["alias/Orders_1/live-2", "ok"],
  ])("%s: %s", async (AliasName, expected) => {
    const { KeyId: TargetKeyId } = await lab.aKey();
    expect(await outcomeOf(kms.createAlias({ AliasName, TargetKeyId }))).toBe(expected);
  });

  test("is unique", async () => {
    const AliasName = await anAlias();
    const { KeyId: TargetKeyId } = await lab.aKey();
    expect(await outcomeOf(kms.createAlias({ AliasName, TargetKeyId }))).toBe(
      "AlreadyExistsException",
    );
  });

  test("is free again once the alias is deleted", async () => {
    const AliasName = await anAlias();
    await kms.deleteAlias({ AliasName });
    expect(await outcomeOf(kms.deleteAlias({ AliasName }))).toBe("NotFoundException");
    const { KeyId: TargetKeyId } = await lab.aKey();
    expect(await outcomeOf(kms.createAlias({ AliasName, TargetKeyId }))).toBe("ok");
  });
});

describe("an alias moves", () => {
  const signing = (KeySpec: string) => ({ KeyUsage: "SIGN_VERIFY", KeySpec }) as const;
  const hmac = { KeyUsage: "GENERATE_VERIFY_MAC", KeySpec: "HMAC_256" } as const;
  const rsaEncrypting = { KeyUsage: "ENCRYPT_DECRYPT", KeySpec: "RSA_2048" } as const;
  const moves: [string, object, object, string][] = [
    ["from symmetric to symmetric", {}, {}, "ok"],
    ["from RSA_2048 to RSA_4096", signing("RSA_2048"), signing("RSA_4096"), "ok"],
    ["from RSA to ECC of one usage", signing("RSA_2048"), signing("ECC_NIST_P256"), "ok"],
    ["from HMAC_256 to HMAC_512", hmac, { ...hmac, KeySpec: "HMAC_512" }, "ok"],
    ["from symmetric to RSA of one usage", {}, rsaEncrypting, "ValidationException"],
    ["from signing to encrypting", signing("RSA_2048"), rsaEncrypting, "ValidationException"],
    ["from symmetric to HMAC", {}, hmac, "ValidationException"],
    [
      "from signing to key agreement",
      signing("ECC_NIST_P256"),
      { KeyUsage: "KEY_AGREEMENT", KeySpec: "ECC_NIST_P256" },
      "ValidationException",
    ],
  ];

  test.each(moves)("%s: %4$s", async (_, from, to, expected) => {
    const AliasName = await anAlias(from);
    const { KeyId: TargetKeyId } = await lab.aKey(to);
    expect(await outcomeOf(kms.updateAlias({ AliasName, TargetKeyId }))).toBe(expected);
    expect((await targetOf(AliasName)) === TargetKeyId).toBe(expected === "ok");
  });

  test("off a key pending deletion, but not onto one", async () => {
    const AliasName = await anAlias();
    const source = (await targetOf(AliasName)) ?? "";
    const { KeyId: TargetKeyId } = await lab.aKey();
    await kms.scheduleKeyDeletion({ KeyId: source });
    await kms.updateAlias({ AliasName, TargetKeyId });
    expect(await targetOf(AliasName)).toBe(TargetKeyId);
    expect(await refusalOf(kms.updateAlias({ AliasName, TargetKeyId: source }))).toMatch(
      /^KMSInvalidStateException: .* is pending deletion\.$/,
    );
  });

  test("only if it exists", async () => {
    const { KeyId: TargetKeyId } = await lab.aKey();
    const move = kms.updateAlias({ AliasName: "alias/nowhere", TargetKeyId });
    expect(await outcomeOf(move)).toBe("NotFoundException");
  });

  test("onto a key, not onto an alias", async () => {
    const AliasName = await anAlias();
    const TargetKeyId = await anAlias();
    expect(await refusalOf(kms.updateAlias({ AliasName, TargetKeyId }))).toBe(
      "ValidationException: Aliases must refer to keys. Not aliases",
    );
  });

  test("and its date shows the move, even to the same key", async () => {
    const AliasName = await anAlias();
    const TargetKeyId = (await targetOf(AliasName)) ?? "";
    lab.aws.clock.advance(5000);
    await kms.updateAlias({ AliasName, TargetKeyId });
    const [alias] = (await kms.listAliases({ KeyId: TargetKeyId })).Aliases ?? [];
    expect(alias?.LastUpdatedDate?.getTime()).toBe((alias?.CreationDate?.getTime() ?? 0) + 5000);
  });

  test("and an earlier ciphertext is decrypted without a key id, but not by the alias", async () => {
    const AliasName = await anAlias();
    const { CiphertextBlob } = await kms.encrypt({ KeyId: AliasName, Plaintext: bytes("secret") });
    const { KeyId: TargetKeyId } = await lab.aKey();
    await kms.updateAlias({ AliasName, TargetKeyId });
    expect(text((await kms.decrypt({ CiphertextBlob })).Plaintext)).toBe("secret");
    expect(await outcomeOf(kms.decrypt({ CiphertextBlob, KeyId: AliasName }))).toBe(
      "IncorrectKeyException",
    );
  });
});

test("a key has at most fifty aliases", async () => {
  const { KeyId: TargetKeyId } = await lab.aKey();
  for (let i = 0; i < 50; i++) {
    await kms.createAlias({ AliasName: `alias/many/${i}`, TargetKeyId });
  }
  const one = { AliasName: "alias/many/50", TargetKeyId };
  expect(await outcomeOf(kms.createAlias(one))).toBe("LimitExceededException");
  const moved = { AliasName: await anAlias(), TargetKeyId };
  expect(await outcomeOf(kms.updateAlias(moved))).toBe("LimitExceededException");
});
