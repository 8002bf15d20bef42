/** The facts of AWS on which keyturn's design rests, each as calls that any endpoint can answer. */
import type { CreateKeyCommandInput } from "@aws-sdk/client-kms";
import { outcomeOf } from "./answers.ts";
import { partsOf, type Lab, type MadeKey } from "./lab.ts";

export type Fact = {
  /** A name for `--only`, and for the report. */
  name: string;
  /** What keyturn does by it. */
  matters: string;
  /** No public source settles it: the answer of AWS decides. */
  isUnsettled?: true;
  /** What the endpoint answers: values without names that differ from run to run. */
  ask: (lab: Lab) => Promise<unknown>;
};

const signing: CreateKeyCommandInput = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const mac: CreateKeyCommandInput = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
const Plaintext = Buffer.from("keyturn");

/** What callers and keyturn ask of a key that is out of use. */
async function askedOf(lab: Lab, KeyId: string, CiphertextBlob: Uint8Array, other: MadeKey) {
  const { kms } = lab;
  const AliasName = lab.aliasName();
  await kms.createAlias({ AliasName, TargetKeyId: other.id });
  const grant = { GranteePrincipal: await lab.account(), Operations: ["Decrypt" as const] };
  const DryRun = true;
  return {
    Encrypt: await outcomeOf(kms.encrypt({ KeyId, Plaintext })),
    Decrypt: await outcomeOf(kms.decrypt({ CiphertextBlob })),
    "Encrypt, as a dry run": await outcomeOf(kms.encrypt({ KeyId, Plaintext, DryRun })),
    CreateGrant: await outcomeOf(kms.createGrant({ KeyId, ...grant })),
    UpdateAlias: await outcomeOf(kms.updateAlias({ AliasName, TargetKeyId: KeyId })),
    TagResource: await outcomeOf(
      kms.tagResource({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }),
    ),
    GetKeyPolicy: await outcomeOf(kms.getKeyPolicy({ KeyId })),
    ListGrants: await outcomeOf(kms.listGrants({ KeyId })),
    GetKeyLastUsage: await outcomeOf(kms.getKeyLastUsage({ KeyId })),
    EnableKey: await outcomeOf(kms.enableKey({ KeyId })),
  };
}

async function used(lab: Lab): Promise<{ key: MadeKey; cipher: Uint8Array; other: MadeKey }> {
  const [key, other] = [await lab.key(), await lab.key()];
  const { CiphertextBlob } = await lab.kms.encrypt({ KeyId: key.id, Plaintext });
  return { key, other, cipher: CiphertextBlob ?? new Uint8Array() };
}

export const facts: Fact[] = [
  {
    name: "create-key-with-a-copied-policy",
    matters: "generate makes the new version with the key policy that GetKeyPolicy returned",
    async ask(lab) {
      const { id: KeyId } = await lab.key();
      const { Policy = "{}" } = await lab.kms.getKeyPolicy({ KeyId });
      const copy = await lab.key({ Policy: JSON.stringify(JSON.parse(Policy)) });
      const { Policy: again = "" } = await lab.kms.getKeyPolicy({ KeyId: copy.id });
      return {
        isSameDocument: JSON.stringify(JSON.parse(again)) === JSON.stringify(JSON.parse(Policy)),
      };
    },
  },
  {
    name: "create-key-that-locks-its-maker-out",
    matters: "keyturn never bypasses KMS's lock-out check, and reports its refusal",
    ask: (lab) => outcomeOf(lab.key({ Policy: leavesOut })),
  },
  {
    name: "disabled-key",
    matters:
      "DisableKey can be undone, and an attempt to use the key is refused as DisabledException",
    async ask(lab) {
      const { key, cipher, other } = await used(lab);
      await lab.kms.disableKey({ KeyId: key.id });
      return askedOf(lab, key.id, cipher, other);
    },
  },
  {
    name: "public-key-of-a-disabled-key",
    matters: "keyturn archives the public key while the version is Enabled",
    isUnsettled: true,
    async ask(lab) {
      const { id: KeyId } = await lab.key(signing);
      await lab.kms.disableKey({ KeyId });
      return outcomeOf(lab.kms.getPublicKey({ KeyId }));
    },
  },
  {
    name: "key-pending-deletion",
    matters: "a deletion can be cancelled, and the key is Disabled then",
    async ask(lab) {
      const { key, cipher, other } = await used(lab);
      const KeyId = key.id;
      await lab.kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
      const asked = await askedOf(lab, KeyId, cipher, other);
      const again = await outcomeOf(lab.kms.scheduleKeyDeletion({ KeyId }));
      await lab.kms.cancelKeyDeletion({ KeyId });
      const { KeyMetadata } = await lab.kms.describeKey({ KeyId });
      return { ...asked, ScheduleKeyDeletion: again, afterCancel: KeyMetadata?.KeyState };
    },
  },
  {
    name: "public-key-of-a-key-pending-deletion",
    matters: "a refused GetPublicKey cancels the deletion",
    async ask(lab) {
      const { id: KeyId } = await lab.key(signing);
      await lab.kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
      return outcomeOf(lab.kms.getPublicKey({ KeyId }));
    },
  },
  {
    name: "alias-moves-between-keys-of-one-kind",
    matters: "activate moves the aliases, and only to a key of the same type and usage",
    async ask(lab) {
      const { kms } = lab;
      const [first, second, other] = [await lab.key(), await lab.key(), await lab.key(mac)];
      const AliasName = lab.aliasName();
      await kms.createAlias({ AliasName, TargetKeyId: first.id });
      const moved = await outcomeOf(kms.updateAlias({ AliasName, TargetKeyId: second.id }));
      const { Aliases = [] } = await kms.listAliases({ KeyId: second.id });
      return {
        sameKind: moved,
        isListed: Aliases.some((one) => one.AliasName === AliasName),
        otherUsage: await outcomeOf(kms.updateAlias({ AliasName, TargetKeyId: other.id })),
        taken: await outcomeOf(kms.createAlias({ AliasName, TargetKeyId: first.id })),
      };
    },
  },
  {
    name: "decrypt-by-an-alias-that-moved",
    matters: "a reader that names the alias for old data is locked out by the move",
    async ask(lab) {
      const { key, cipher: CiphertextBlob, other } = await used(lab);
      const AliasName = lab.aliasName();
      await lab.kms.createAlias({ AliasName, TargetKeyId: key.id });
      await lab.kms.updateAlias({ AliasName, TargetKeyId: other.id });
      return {
        byAlias: await outcomeOf(lab.kms.decrypt({ CiphertextBlob, KeyId: AliasName })),
        withoutKeyId: await outcomeOf(lab.kms.decrypt({ CiphertextBlob })),
      };
    },
  },
  {
    name: "grants-by-name",
    matters: "a grant with the same name and members is not made twice",
    async ask(lab) {
      const { id: KeyId } = await lab.key();
      const GranteePrincipal = await lab.account();
      const named = { KeyId, GranteePrincipal, Name: "one", Operations: ["Decrypt" as const] };
      const [first, second] = [await lab.kms.createGrant(named), await lab.kms.createGrant(named)];
      const { Grants = [] } = await lab.kms.listGrants({ KeyId });
      return { isOne: first.GrantId === second.GrantId && Grants.length === 1 };
    },
  },
  {
    name: "grant-constraints",
    matters: "a copied grant keeps every constraint",
    async ask(lab) {
      const { id: KeyId } = await lab.key();
      const GranteePrincipal = await lab.account();
      const given = (Constraints: object) =>
        outcomeOf(
          lab.kms.createGrant({ KeyId, GranteePrincipal, Operations: ["Decrypt"], Constraints }),
        );
      const pairs = { a: "b" };
      return {
        both: await given({ EncryptionContextEquals: pairs, EncryptionContextSubset: pairs }),
        source: await given({ SourceArn: "arn:aws:s3:::keyturn-conformance" }),
      };
    },
  },
  {
    name: "grant-of-a-service",
    matters: "keyturn copies no grant that a service made for itself, and knows it by its members",
    async ask(lab) {
      const { id: KeyId, arn } = await lab.key();
      const { region, account } = partsOf(arn);
      const SourceArn = `arn:aws:dynamodb:${region}:${account}:table/keyturn-conformance`;
      const service = "dynamodb.amazonaws.com";
      const made = await outcomeOf(
        lab.kms.createGrant({
          ...{ KeyId, GranteeServicePrincipal: service, RetiringServicePrincipal: service },
          ...{ Operations: ["Decrypt"], Constraints: { SourceArn } },
        }),
      );
      const { Grants = [] } = await lab.kms.listGrants({ KeyId });
      return { made, members: Grants.map((one) => Object.keys(one).sort()) };
    },
  },
  {
    name: "rotation-status-of-keys-that-never-rotate",
    matters: "keyturn asks it of symmetric keys alone, and needs no answer",
    async ask(lab) {
      const [ecc, hmac] = [await lab.key(signing), await lab.key(mac)];
      const status = async ({ id: KeyId }: MadeKey): Promise<unknown> => {
        let enabled: unknown;
        const read = async () =>
          (enabled = (await lab.kms.getKeyRotationStatus({ KeyId })).KeyRotationEnabled);
        const outcome = await outcomeOf(read());
        return outcome === "ok" ? enabled : outcome;
      };
      return { ecc: await status(ecc), hmac: await status(hmac) };
    },
  },
  {
    name: "last-use-of-an-unused-key",
    matters: "an empty record of the last use is evidence from the start of its tracking on",
    async ask(lab) {
      const { id: KeyId } = await lab.key();
      const { KeyLastUsage, TrackingStartDate, KeyCreationDate } = await lab.kms.getKeyLastUsage({
        KeyId,
      });
      const startMs = TrackingStartDate?.getTime() ?? 0;
      return {
        use: KeyLastUsage,
        isTrackedSinceCreation: Math.abs(startMs - (KeyCreationDate?.getTime() ?? 0)) < 60_000,
      };
    },
  },
];

const leavesOut = JSON.stringify({
  Version: "2012-10-17",
  Statement: [
    {
      ...{ Sid: "ReadOnly", Effect: "Allow", Principal: { AWS: "*" } },
      ...{ Action: ["kms:DescribeKey"], Resource: "*" },
    },
  ],
});
