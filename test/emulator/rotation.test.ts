/** A whole rotation, and a rollback at its end, on the emulator. */
import type { CreateKeyCommandInput, KMS } from "@aws-sdk/client-kms";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, test } from "vitest";
import { keys } from "../../lambda/aws/dynamodb-items.ts";
import { genesisHash, hashOf } from "../../lambda/record/journal.ts";
import type { ManagedKey } from "../../lambda/workflow/model/types.ts";
import { Approver } from "../approver.ts";
import { aDeployment, type Deployment } from "./deployment.ts";
import { listen } from "./listener.ts";

const alias = "alias/orders";

const document = {
  owner: "acme",
  policies: {
    fast: {
      cryptoperiod: "1d",
      lead: "0m",
      propagation: "5m",
      drain: { atLeast: "2h", quietFor: "2h", evidence: "advisory" as const },
      retire: "delete" as const,
      soak: "1h",
      deletionWindowDays: 7,
    },
  },
  managedKeys: [{ alias, policy: "fast" }],
};

type Kind = {
  kind: string;
  input: CreateKeyCommandInput;
  /** Makes an item under the alias that `read` must be able to read under the key. */
  make: (kms: KMS) => Promise<Uint8Array | undefined>;
  read: (kms: KMS, KeyId: string, made: Uint8Array | undefined) => Promise<boolean | undefined>;
};

const text = Buffer.from("a text");
const SigningAlgorithm = "ECDSA_SHA_256";
const MacAlgorithm = "HMAC_SHA_256";

const kinds: Kind[] = [
  {
    kind: "a symmetric key",
    input: {},
    make: async (kms) => (await kms.encrypt({ KeyId: alias, Plaintext: text })).CiphertextBlob,
    read: async (kms, KeyId, CiphertextBlob) => {
      const { Plaintext } = await kms.decrypt({ KeyId, CiphertextBlob });
      return text.equals(Plaintext ?? Buffer.alloc(0));
    },
  },
  {
    kind: "an ECC key for signing",
    input: { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" },
    make: async (kms) =>
      (await kms.sign({ KeyId: alias, Message: text, SigningAlgorithm })).Signature,
    read: async (kms, KeyId, Signature) =>
      (await kms.verify({ KeyId, Message: text, Signature, SigningAlgorithm })).SignatureValid,
  },
  {
    kind: "an HMAC key",
    input: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    make: async (kms) => (await kms.generateMac({ KeyId: alias, Message: text, MacAlgorithm })).Mac,
    read: async (kms, KeyId, Mac) =>
      (await kms.verifyMac({ KeyId, Message: text, Mac, MacAlgorithm })).MacValid,
  },
];

async function made({ kms }: Deployment, input: CreateKeyCommandInput): Promise<string> {
  const Tags = [{ TagKey: "team", TagValue: "a" }];
  const { KeyMetadata } = await kms.createKey({ ...input, Description: "orders", Tags });
  const KeyId = KeyMetadata?.KeyId ?? "";
  await kms.createAlias({ AliasName: alias, TargetKeyId: KeyId });
  const GranteePrincipal = "arn:aws:iam::000000000000:role/orders";
  await kms.createGrant({ KeyId, Name: "orders", GranteePrincipal, Operations: ["DescribeKey"] });
  return KeyId;
}

async function observed({ kms }: Deployment, KeyId: string) {
  const [{ KeyMetadata }, { Tags = [] }, { Grants = [] }] = await Promise.all([
    kms.describeKey({ KeyId }),
    kms.listResourceTags({ KeyId }),
    kms.listGrants({ KeyId }),
  ]);
  const tags = Object.fromEntries(Tags.map(({ TagKey = "", TagValue }) => [TagKey, TagValue]));
  return { ...KeyMetadata, tags, grants: Grants.map(({ Name }) => Name) };
}

async function behindTheAlias({ kms }: Deployment): Promise<string | undefined> {
  return (await kms.describeKey({ KeyId: alias })).KeyMetadata?.KeyId;
}

describe.each(kinds)("$kind", ({ input, make, read }) => {
  test("is enrolled, and rotated at the end of its cryptoperiod; its items stay readable", async () => {
    const deployment = await aDeployment(document);
    const { kms, runUntil } = deployment;
    const old = await made(deployment, input);
    const product = await make(kms);
    await runUntil(alias, ({ enrolledAtMs }) => enrolledAtMs !== undefined);
    const ours = { "keyturn:owner": "acme", "keyturn:alias": alias, team: "a" };
    expect((await observed(deployment, old)).tags).toMatchObject({
      ...ours,
      "keyturn:version": "1",
    });
    expect(await behindTheAlias(deployment)).toBe(old);

    const { rotations } = await runUntil(alias, ({ rotations: [one] }) => one?.step === "drain");
    const fresh = (await behindTheAlias(deployment)) ?? "none";
    expect(fresh).not.toBe(old);
    const [before, after] = [await observed(deployment, old), await observed(deployment, fresh)];
    expect(after).toMatchObject({
      Description: "orders",
      KeySpec: before.KeySpec,
      KeyUsage: before.KeyUsage,
      KeyState: "Enabled",
      grants: ["orders"],
      tags: { ...ours, "keyturn:version": "2", "keyturn:rotation": rotations[0]?.id },
    });
    expect(await read(kms, old, product)).toBe(true);
    expect(await read(kms, fresh, await make(kms))).toBe(true);
  });
});

async function request(deployment: Deployment, id: string, body: object): Promise<void> {
  const client = new DynamoDB(deployment.sdk);
  const queue = { queue: "due", dueAtMs: 1 };
  const Item = marshall({ ...keys.request(alias, id), ...queue, by: "ada", ...body });
  await client.putItem({ TableName: deployment.tableName, Item });
  client.destroy();
}

test("an old version is tagged, disabled and scheduled for deletion, and a rollback restores it", async () => {
  const deployment = await aDeployment(document);
  const { kms, runUntil } = deployment;
  const old = await made(deployment, {});
  const product = await kinds[0]?.make(kms);
  const state = (wanted: string) => (record: { versions: { number: number; state: string }[] }) =>
    record.versions.some((version) => version.number === 1 && version.state === wanted);
  await runUntil(alias, state("disabled"));
  expect(await observed(deployment, old)).toMatchObject({
    KeyState: "Disabled",
    tags: { "keyturn:retired": expect.any(String) as string },
  });
  const approvals = ({ versions, findings }: ManagedKey) =>
    new Approver().requests(versions, findings);
  const waiting = await runUntil(alias, (record) => approvals(record).length > 0);
  for (const approval of approvals(waiting)) {
    await request(deployment, "01KB0000000000000000000000", approval);
  }
  await runUntil(alias, state("pending-deletion"));
  const fresh = await behindTheAlias(deployment);
  expect(await observed(deployment, old)).toMatchObject({ KeyState: "PendingDeletion" });

  await request(deployment, "01KB0000000000000000000001", { kind: "rollback", version: 2 });
  await runUntil(alias, state("active"));
  expect(await behindTheAlias(deployment)).toBe(old);
  const { tags, KeyState } = await observed(deployment, old);
  expect(KeyState).toBe("Enabled");
  expect(tags).not.toHaveProperty("keyturn:retired");
  expect(await observed(deployment, fresh ?? "none")).toMatchObject({ KeyState: "Enabled" });
  expect(await kinds[0]?.read(kms, old, product)).toBe(true);
});

test("a dependent receives every line of the journal on the bus, in an unbroken chain", async () => {
  const deployment = await aDeployment(document);
  const readLines = await listen(deployment.sdk, deployment.accountId);
  await made(deployment, {});
  const activated = await deployment.runUntil(
    alias,
    ({ rotations: [one] }) => one?.step === "drain",
  );
  await deployment.run();
  const lines = new Map((await readLines()).map((line) => [line.revision, line]));
  const sorted = [...lines.values()].toSorted((a, b) => a.revision - b.revision);
  expect(sorted.length).toBeGreaterThanOrEqual(activated.revision);
  let previousHash = genesisHash;
  for (const [index, { hash, ...line }] of sorted.entries()) {
    expect(line).toMatchObject({ revision: index + 1, previousHash });
    expect(hashOf(line)).toBe(hash);
    previousHash = hash;
  }
  expect(sorted.map(({ event }) => event)).toEqual(
    expect.arrayContaining(["enrolled", "opened", "generated", "distributed", "activated"]),
  );
});
