/** The AWS Encryption SDK for JavaScript, with an alias as generator key, through a rotation. */
import {
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS as ClientOfSdk,
  KmsKeyringNode,
} from "@aws-crypto/client-node";
import { expect, test } from "vitest";
import { dayMs } from "../fixtures.ts";
import { aDeployment, brief, orders, type Deployed } from "./deployed.ts";

const startMs = Date.UTC(2027, 0, 1);
const aliasArn = `arn:aws:kms:us-east-1:000000000000:${orders}`;

function anApplication({ aws }: Deployed) {
  const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const credentials = { accessKeyId: "application", secretAccessKey: "any" };
  // The library's types are older than exactOptionalPropertyTypes.
  const constructible = ClientOfSdk as unknown as Parameters<typeof getClient>[0];
  const clientProvider = getClient(constructible, { endpoint: aws.endpoint, credentials });
  const originating = new KmsKeyringNode({ clientProvider, generatorKeyId: aliasArn });
  const discovering = new KmsKeyringNode({ clientProvider, discovery: true });
  return {
    write: async (text: string) => (await encrypt(originating, text)).result,
    read: async (sealed: Buffer) => String((await decrypt(discovering, sealed)).plaintext),
    readByAlias: async (sealed: Buffer) => String((await decrypt(originating, sealed)).plaintext),
  };
}

test("new data is under the new version, and discovery reads data of both, until the old one is out of use", async () => {
  const there = await aDeployment(brief);
  const { aws, first, passUntil } = there;
  const { write, read, readByAlias } = anApplication(there);
  const old = await write("before");
  await passUntil(startMs + 9 * dayMs);
  const target = aws.kms.world.aliases.get(orders)?.keyId;
  expect(target).not.toBe(first);
  const young = await write("after");
  expect([await read(old), await read(young)]).toEqual(["before", "after"]);
  // The message names the key by its ARN, and a keyring decrypts only under the ARNs that it is given: not an alias.
  for (const sealed of [old, young]) {
    await expect(readByAlias(sealed)).rejects.toThrow("unencryptedDataKey has not been set");
  }
  // That reader never reached KMS: keyturn has no evidence of its need.
  await passUntil(startMs + 13 * dayMs);
  expect(aws.kms.world.keys.get(first)?.state).toBe("Disabled");
  await expect(read(old)).rejects.toThrow("is disabled");
  await there.deliver(aws.useAttempts.at(-1));
  expect(aws.kms.world.keys.get(first)?.state).toBe("Enabled");
  expect(await read(old)).toBe("before");
});
