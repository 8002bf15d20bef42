/** Opens a key for a cryptographic operation, and returns its material. */
import { AwsError } from "../http/aws-error.ts";
import type { Material } from "./cryptography.ts";
import { traitsOf, type KeyUsage } from "./key-specs.ts";
import { openKeyOrAlias, type OpenFacts } from "./open-key.ts";
import { settleRotation } from "./rotation.ts";
import type { Call, KeyMaterial, KmsKey } from "./types.ts";

type Request = { KeyId: string; GrantTokens?: string[] };

/** Opens a key with the usage that the operation needs. */
export function useKey(call: Call, input: Request, usage: KeyUsage, facts: OpenFacts = {}): KmsKey {
  checkGrantTokens(call, input.GrantTokens);
  const key = openKeyOrAlias(call, input.KeyId, facts);
  spendOnKey(call, key);
  if (key.usage !== usage) {
    const message = `key usage is ${key.usage} which is not valid for ${call.operation}.`;
    throw new AwsError("InvalidKeyUsageException", `${key.arn} ${message}`);
  }
  settleRotation(call.world, key, call.nowMs);
  return key;
}

/** The material that originates: the newest. */
export function currentMaterial(call: Call, key: KmsKey): { id: string; made: Material } {
  const material = key.materials.at(-1);
  // The key state table excludes keys without material from every cryptographic operation.
  if (material === undefined) throw new Error(`${key.keyId} has no key material`);
  return { id: material.id, made: madeOf(call, key, material) };
}

export function materialById(call: Call, key: KmsKey, id: string): Material | undefined {
  const material = key.materials.find((each) => each.id === id);
  return material === undefined ? undefined : madeOf(call, key, material);
}

/** "Testing your permissions": a dry run ends here, because the call itself would succeed. */
export function endDryRun(input: { DryRun?: boolean }): void {
  if (input.DryRun !== true) return;
  const message = "The request would have succeeded, but the DryRun option is set.";
  throw new AwsError("DryRunOperationException", message);
}

export function checkGrantTokens(call: Call, tokens: string[] | undefined): void {
  if (tokens === undefined || tokens.every((token) => call.world.grantTokens.has(token))) return;
  throw new AwsError("InvalidGrantTokenException", "The grant token is not valid");
}

function madeOf(call: Call, key: KmsKey, material: KeyMaterial): Material {
  return (material.made ??= call.world.cryptography.generate(key.spec, material.id));
}

/** Cryptographic operations share a quota by key type, or by custom key store. */
function spendOnKey(call: Call, key: KmsKey): void {
  const store = key.customKeyStoreId;
  call.spend(store === undefined ? `keys:${traitsOf(key.spec).quota}` : `store:${store}`);
}
