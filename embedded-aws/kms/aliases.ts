/** Aliases. Source: "Aliases in AWS KMS" in the AWS KMS Developer Guide and the operations' pages. */
import { AwsError } from "../http/aws-error.ts";
import { structure } from "../http/shape.ts";
import { authorize, authorizeByIdentity } from "./authorize.ts";
import { aliasNameShape, keyIdShape, pageShapes } from "./common-shapes.ts";
import { traitsOf } from "./key-specs.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";
import { aliasArn, findAlias, findKey } from "./resolve.ts";
import type { Alias, Call, KmsKey, PredefinedAlias, World } from "./types.ts";

const maxAliasesPerKey = 50;
const aliasAndTarget = structure({ AliasName: aliasNameShape, TargetKeyId: keyIdShape }, {});

export const aliasOperations = {
  CreateAlias: operation(aliasAndTarget, (call, input) => {
    const { AliasName: name } = input;
    checkName(name);
    authorizeAlias(call, name);
    const key = openTarget(call, input.TargetKeyId);
    if (call.world.aliases.has(name)) {
      const message = `An alias with the name ${aliasArn(call.world, name)} already exists`;
      throw new AwsError("AlreadyExistsException", message);
    }
    checkQuota(key);
    addAlias(call, name, key);
  }),

  UpdateAlias: operation(aliasAndTarget, (call, input) => {
    const { world } = call;
    checkName(input.AliasName);
    authorizeAlias(call, input.AliasName);
    const alias = findAlias(world, input.AliasName);
    const current = world.keys.get(alias.keyId);
    if (current !== undefined) {
      authorize(call, current, { action: "UpdateAlias" });
    }
    const next = openTarget(call, input.TargetKeyId);
    if (current !== undefined) checkSameKind(current, next);
    if (next.keyId !== alias.keyId) checkQuota(next);
    current?.aliasNames.delete(alias.name);
    next.aliasNames.add(alias.name);
    alias.keyId = next.keyId;
    alias.updatedAtMs = call.nowMs;
  }),

  DeleteAlias: operation(structure({ AliasName: aliasNameShape }, {}), (call, input) => {
    checkName(input.AliasName);
    authorizeAlias(call, input.AliasName);
    const alias = findAlias(call.world, input.AliasName);
    const key = openKey(call, alias.keyId);
    key.aliasNames.delete(alias.name);
    removeAlias(call.world, alias.name);
  }),

  ListAliases: operation(structure({}, { KeyId: keyIdShape, ...pageShapes(100) }), listAliases),
};

function listAliases(call: Call, input: { KeyId?: string; Limit?: number; Marker?: string }) {
  // Only IAM grants this permission; the key policy does not count.
  authorizeByIdentity(call, "*", { action: "ListAliases" });
  const key = input.KeyId === undefined ? undefined : findKey(call, input.KeyId);
  const aliases = key === undefined ? allAliases(call.world) : aliasesOf(call.world, key);
  const { items, rest } = pageOf(aliases, (alias) => alias.name, input, {
    scope: `aliases ${key?.keyId ?? ""}`,
    defaultLimit: 50,
  });
  return { Aliases: items.map(aliasEntry), ...rest };
}

function aliasEntry(alias: Alias | PredefinedAlias) {
  const named = { AliasName: alias.name, AliasArn: alias.arn };
  if (!("keyId" in alias)) return named;
  return {
    ...named,
    TargetKeyId: alias.keyId,
    CreationDate: new Date(alias.createdAtMs),
    LastUpdatedDate: new Date(alias.updatedAtMs),
  };
}

function aliasesOf(world: World, key: KmsKey): Alias[] {
  return [...key.aliasNames].sort().map((name) => findAlias(world, name));
}

function allAliases(world: World): (Alias | PredefinedAlias)[] {
  if (world.aliasOrder !== undefined) return world.aliasOrder;
  const predefined = [...world.predefinedAliases].map((name) => ({
    name,
    arn: aliasArn(world, name),
  }));
  const all = [...world.aliases.values(), ...predefined];
  return (world.aliasOrder = all.sort((a, b) => (a.name < b.name ? -1 : 1)));
}

export function addAlias(call: Call, name: string, key: KmsKey): void {
  const { world, nowMs } = call;
  const arn = aliasArn(world, name);
  world.aliases.set(name, { name, arn, keyId: key.keyId, createdAtMs: nowMs, updatedAtMs: nowMs });
  world.aliasOrder = undefined;
  key.aliasNames.add(name);
}

export function removeAlias(world: World, name: string): void {
  world.aliases.delete(name);
  world.aliasOrder = undefined;
}

/** An alias has no policy: apart from its keys' policies, only IAM grants access to it. */
function authorizeAlias(call: Call, name: string): void {
  authorizeByIdentity(call, aliasArn(call.world, name), { action: call.operation });
}

function openTarget(call: Call, keyId: string): KmsKey {
  if (/^(?:alias\/|arn:.*:alias\/)/.test(keyId)) {
    throw new AwsError("ValidationException", "Aliases must refer to keys. Not aliases");
  }
  return openKey(call, keyId);
}

function checkName(name: string): void {
  if (!name.startsWith("alias/")) {
    const see = "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    const message = `Alias must start with the prefix "alias/". Please see ${see}`;
    throw new AwsError("ValidationException", message);
  }
  // KMS answers with a code that its model does not name, and with no message.
  if (name.startsWith("alias/aws/")) throw new AwsError("NotAuthorizedException", "");
  if (name === "alias/") throw new AwsError("InvalidAliasNameException", "Invalid alias name");
  if (!name.includes(":")) return;
  throw new AwsError("ValidationException", `${name} contains invalid characters for an alias`);
}

/** "The current and new KMS key must be the same type, and they must have the same key usage." */
function checkSameKind(current: KmsKey, next: KmsKey): void {
  const types = [traitsOf(current.spec).type, traitsOf(next.spec).type];
  if (types[0] === types[1] && current.usage === next.usage) return;
  const message =
    `The alias cannot move from a key of type ${types[0]} and usage ${current.usage} ` +
    `to one of type ${types[1]} and usage ${next.usage}`;
  throw new AwsError("ValidationException", message);
}

function checkQuota(key: KmsKey): void {
  if (key.aliasNames.size < maxAliasesPerKey) return;
  const message = `${key.arn} already has ${maxAliasesPerKey} aliases`;
  throw new AwsError("LimitExceededException", message);
}
