/** The answer of CreateKey and DescribeKey: `KeyMetadata` of the AWS KMS API reference. */
import { algorithmsOf, type KeyUsage } from "./key-specs.ts";
import type { KmsKey, World } from "./types.ts";

const algorithmLists: Partial<Record<KeyUsage, string>> = {
  ENCRYPT_DECRYPT: "EncryptionAlgorithms",
  SIGN_VERIFY: "SigningAlgorithms",
  GENERATE_VERIFY_MAC: "MacAlgorithms",
  KEY_AGREEMENT: "KeyAgreementAlgorithms",
  ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
};

export function keyMetadata(world: World, key: KmsKey) {
  return {
    AWSAccountId: world.account,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: new Date(key.createdAtMs),
    Enabled: key.state === "Enabled",
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    ...(key.deletionAtMs === undefined ? {} : { DeletionDate: new Date(key.deletionAtMs) }),
    Origin: key.origin,
    ...storeMetadata(world, key),
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...algorithmMetadata(key),
    MultiRegion: key.multiRegion,
    ...multiRegionMetadata(world, key),
    ...materialMetadata(key),
  };
}

/** The list of algorithms for the key's usage. */
export function algorithmMetadata(key: KmsKey): Record<string, readonly string[]> {
  const name = algorithmLists[key.usage];
  return name === undefined ? {} : { [name]: algorithmsOf(key) };
}

function storeMetadata(world: World, key: KmsKey) {
  if (key.customKeyStoreId === undefined) return {};
  const cluster = world.customKeyStores.get(key.customKeyStoreId)?.cloudHsmClusterId;
  return {
    CustomKeyStoreId: key.customKeyStoreId,
    ...(cluster === undefined ? {} : { CloudHsmClusterId: cluster }),
    ...(key.xksKeyId === undefined ? {} : { XksKeyConfiguration: { Id: key.xksKeyId } }),
  };
}

function multiRegionMetadata(world: World, key: KmsKey) {
  if (!key.multiRegion) return {};
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: "PRIMARY",
      PrimaryKey: { Arn: key.arn, Region: world.region },
      ReplicaKeys: [],
    },
  };
}

/** Present for symmetric keys whose material KMS can rotate. */
function materialMetadata(key: KmsKey) {
  const current = key.materials.at(-1);
  const rotates = key.spec === "SYMMETRIC_DEFAULT" && key.customKeyStoreId === undefined;
  return current === undefined || !rotates ? {} : { CurrentKeyMaterialId: current.id };
}
