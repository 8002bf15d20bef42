/**
 * Finds the key or alias that a request names. Source: "Key identifiers (KeyId)" in the AWS KMS
 * Developer Guide; the messages are KMS's own.
 */
import { AwsError } from "../http/aws-error.ts";
import type { Alias, Call, KmsKey, World } from "./types.ts";

const keyIdPattern = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;

export type Found = { key: KmsKey; aliasName?: string };

export function keyArn(world: World, keyId: string): string {
  return `arn:aws:kms:${world.region}:${world.account}:key/${keyId}`;
}

export function aliasArn(world: World, aliasName: string): string {
  return `arn:aws:kms:${world.region}:${world.account}:${aliasName}`;
}

/** For operations that take a key id, key ARN, alias name or alias ARN. */
export function findKeyOrAlias(call: Call, identifier: string): Found {
  const resource = resourceOf(call, identifier);
  if (!resource.startsWith("alias/")) return { key: findById(call, resource, identifier) };
  const alias = findAlias(call.world, resource);
  return { key: findById(call, alias.keyId, identifier), aliasName: alias.name };
}

/** For management operations, which take only a key id or key ARN. */
export function findKey(call: Call, identifier: string): KmsKey {
  const resource = resourceOf(call, identifier);
  if (!resource.startsWith("alias/")) return findById(call, resource, identifier);
  if (!identifier.startsWith("arn:")) throw invalidKeyId(identifier);
  const message = "Key Aliases are not supported for this operation";
  throw new AwsError("InvalidArnException", message);
}

export function findAlias(world: World, aliasName: string): Alias {
  const alias = world.aliases.get(aliasName);
  if (alias !== undefined) return alias;
  const message = `Alias ${aliasArn(world, aliasName)} is not found.`;
  throw new AwsError("NotFoundException", message);
}

function findById(call: Call, keyId: string, identifier: string): KmsKey {
  if (!keyIdPattern.test(keyId)) throw invalidKeyId(identifier);
  const key = call.world.keys.get(keyId);
  if (key === undefined) {
    const message = `Key '${keyArn(call.world, keyId)}' does not exist`;
    throw new AwsError("NotFoundException", message);
  }
  call.keyId = key.keyId;
  return key;
}

/** A key id or alias name, extracted from an ARN if it is one. */
function resourceOf(call: Call, identifier: string): string {
  if (!identifier.startsWith("arn:")) return identifier;
  const [, partition, service, region = "", account = "", ...rest] = identifier.split(":");
  const resource = rest.join(":");
  const known = resource.startsWith("key/") || resource.startsWith("alias/");
  if (partition !== "aws" || service !== "kms" || !known) {
    throw new AwsError("InvalidArnException", `Invalid arn ${identifier}`);
  }
  if (region !== call.world.region) {
    throw new AwsError("NotFoundException", `Invalid arn ${region}`);
  }
  if (account !== call.world.account) throw foreignKey(call);
  return resource.startsWith("key/") ? resource.slice("key/".length) : resource;
}

function foreignKey(call: Call): AwsError {
  const who = `User: ${call.caller.principalArn} is not authorized to perform`;
  const why =
    "on this resource because the resource does not exist in this Region, no resource-based " +
    "policies allow access, or a resource-based policy explicitly denies access";
  return new AwsError("AccessDeniedException", `${who}: kms:${call.operation} ${why}`);
}

function invalidKeyId(identifier: string): AwsError {
  return new AwsError("NotFoundException", `Invalid keyId '${identifier}'`);
}
