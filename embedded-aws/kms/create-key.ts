/** CreateKey, by the rules of its page in the AWS KMS API reference. */
import { AwsError } from "../http/aws-error.ts";
import { flag, oneOf, structure, text, type Read } from "../http/shape.ts";
import { authorizeByIdentity } from "./authorize.ts";
import { descriptionShape, policyShape, tagsShape } from "./common-shapes.ts";
import { keySpecNames, traitsOf, type KeySpec, type KeyUsage } from "./key-specs.ts";
import { keyMetadata } from "./metadata.ts";
import { operation } from "./operation.ts";
import { checkLockout, defaultPolicy, storePolicy } from "./policies.ts";
import { keyArn } from "./resolve.ts";
import { checkTags, requestTags } from "./tags.ts";
import type { Call, CustomKeyStore, KmsKey, Origin, World } from "./types.ts";

const input = structure(
  {},
  {
    Policy: policyShape,
    Description: descriptionShape,
    KeyUsage: oneOf<KeyUsage>(
      "ENCRYPT_DECRYPT",
      "SIGN_VERIFY",
      "GENERATE_VERIFY_MAC",
      "KEY_AGREEMENT",
      "ENCAPSULATE_DECAPSULATE",
    ),
    CustomerMasterKeySpec: oneOf<KeySpec>(...keySpecNames),
    KeySpec: oneOf<KeySpec>(...keySpecNames),
    Origin: oneOf<Origin>("AWS_KMS", "EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"),
    CustomKeyStoreId: text({ min: 1, max: 64 }),
    BypassPolicyLockoutSafetyCheck: flag(),
    Tags: tagsShape,
    MultiRegion: flag(),
    XksKeyId: text({ min: 1, max: 128, pattern: /^[a-zA-Z0-9-_.]+$/ }),
  },
);

type CreateKeyInput = Read<typeof input>;

export const createKeyOperations = { CreateKey: operation(input, createKey) };

function createKey(call: Call, request: CreateKeyInput) {
  const { world } = call;
  const spec = specOf(request);
  const usage = usageOf(request, spec);
  const origin = request.Origin ?? "AWS_KMS";
  const store = storeOf(world, request, spec, origin);
  checkTags(request.Tags ?? []);
  authorizeCreation(call, request);
  const policy = storePolicy(request.Policy ?? defaultPolicy(world.account));
  const key: KmsKey = {
    ...newKey(call, { spec, usage, origin, multiRegion: request.MultiRegion ?? false }),
    ...(store === undefined ? {} : { customKeyStoreId: store.id }),
    ...(request.XksKeyId === undefined ? {} : { xksKeyId: request.XksKeyId }),
    state: origin === "EXTERNAL" ? "PendingImport" : "Enabled",
    description: request.Description ?? "",
    policy,
    tags: new Map((request.Tags ?? []).map((tag) => [tag.TagKey, tag.TagValue])),
  };
  if (request.BypassPolicyLockoutSafetyCheck !== true) checkLockout(call, key, policy.document);
  if (customerKeys(world) >= world.keyQuota) {
    throw new AwsError("LimitExceededException", "The quota of KMS keys has been reached");
  }
  world.keys.set(key.keyId, key);
  call.keyId = key.keyId;
  return { KeyMetadata: keyMetadata(world, key) };
}

/** There is no key yet: identity policies alone allow the call and the key's tags. */
function authorizeCreation(call: Call, request: CreateKeyInput): void {
  const { Tags: tags = [] } = request;
  const tagged = tags.length === 0 ? {} : requestTags(tags);
  const bypasses = request.BypassPolicyLockoutSafetyCheck;
  const values = {
    ...tagged,
    "kms:BypassPolicyLockoutSafetyCheck": bypasses === undefined ? undefined : String(bypasses),
  };
  authorizeByIdentity(call, "*", { action: "CreateKey", values });
  if (tags.length === 0) return;
  const anyKey = keyArn(call.world, "00000000-0000-0000-0000-000000000000");
  authorizeByIdentity(call, anyKey, { action: "TagResource", values: tagged });
}

type Kind = Pick<KmsKey, "spec" | "usage" | "origin" | "multiRegion">;

/** A customer key in its first state, with material unless that must be imported. */
export function newKey(call: Call, kind: Kind): KmsKey {
  const { world, nowMs } = call;
  const keyId = kind.multiRegion ? `mrk-${world.random.hex(32)}` : world.random.uuid();
  return {
    ...kind,
    keyId,
    arn: keyArn(world, keyId),
    sequence: world.keysMade++,
    manager: "CUSTOMER",
    createdAtMs: nowMs,
    state: "Enabled",
    description: "",
    policy: storePolicy(defaultPolicy(world.account)),
    tags: new Map(),
    aliasNames: new Set(),
    grants: new Map(),
    materials: kind.origin === "EXTERNAL" ? [] : [{ id: world.random.hex(64) }],
    uses: [],
  };
}

function specOf(request: CreateKeyInput): KeySpec {
  const { KeySpec: spec, CustomerMasterKeySpec: oldName } = request;
  if (spec !== undefined && oldName !== undefined) {
    throw invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request.");
  }
  return spec ?? oldName ?? "SYMMETRIC_DEFAULT";
}

function usageOf(request: CreateKeyInput, spec: KeySpec): KeyUsage {
  const { KeyUsage: usage } = request;
  if (usage === undefined && spec !== "SYMMETRIC_DEFAULT") {
    throw invalid(
      "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
    );
  }
  const chosen = usage ?? "ENCRYPT_DECRYPT";
  const { usages, algorithms } = traitsOf(spec);
  if (!usages.includes(chosen)) {
    throw invalid(`KeyUsage ${chosen} is not compatible with KeySpec ${spec}`);
  }
  if (algorithms[chosen] === undefined) {
    throw unsupported(`KeySpec ${spec} is not supported in this Region`);
  }
  return chosen;
}

/** The custom key store of the new key, if its origin requires one. */
function storeOf(
  world: World,
  request: CreateKeyInput,
  spec: KeySpec,
  origin: Origin,
): CustomKeyStore | undefined {
  const { CustomKeyStoreId: storeId, XksKeyId: xksKeyId } = request;
  const custom = origin === "AWS_CLOUDHSM" || origin === "EXTERNAL_KEY_STORE";
  if (!custom) {
    if (storeId !== undefined) throw invalid(`Origin ${origin} takes no CustomKeyStoreId`);
    if (xksKeyId !== undefined) throw invalid(`Origin ${origin} takes no XksKeyId`);
    return undefined;
  }
  if (storeId === undefined) throw invalid(`Origin ${origin} requires a CustomKeyStoreId`);
  if (spec !== "SYMMETRIC_DEFAULT") {
    throw unsupported(`KeySpec ${spec} is not supported in custom key stores`);
  }
  if (request.MultiRegion === true) {
    throw unsupported("Multi-Region keys are not supported in custom key stores");
  }
  const store = world.customKeyStores.get(storeId);
  if (store === undefined || store.type !== origin) {
    const message = `Custom key store ${storeId} does not exist`;
    throw new AwsError("CustomKeyStoreNotFoundException", message);
  }
  checkExternalKey(world, request, origin);
  if (store.connected) return store;
  const message = `Custom key store ${storeId} is not connected`;
  throw new AwsError("CustomKeyStoreInvalidStateException", message);
}

/** "Each KMS key in an external key store must use a different external key." */
function checkExternalKey(world: World, request: CreateKeyInput, origin: Origin): void {
  const { CustomKeyStoreId: storeId, XksKeyId: xksKeyId } = request;
  if (origin === "AWS_CLOUDHSM") {
    if (xksKeyId !== undefined) throw invalid("Origin AWS_CLOUDHSM takes no XksKeyId");
    return;
  }
  if (xksKeyId === undefined) throw invalid("Origin EXTERNAL_KEY_STORE requires an XksKeyId");
  for (const key of world.keys.values()) {
    if (key.customKeyStoreId === storeId && key.xksKeyId === xksKeyId) {
      const message = `External key ${xksKeyId} is already associated with another KMS key`;
      throw new AwsError("XksKeyAlreadyInUseException", message);
    }
  }
}

function customerKeys(world: World): number {
  return world.keys.size - world.awsManagedKeys;
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}

function unsupported(message: string): AwsError {
  return new AwsError("UnsupportedOperationException", message);
}
