/**
 * The condition key values of one request. Source: "Condition keys for AWS KMS" in the AWS KMS
 * Developer Guide, "AWS global condition context keys" in the IAM User Guide.
 */
import type { RequestContext } from "./policy-conditions.ts";
import { accountOf, principalNames } from "./principals.ts";
import type { Call, GrantConstraints, KmsKey } from "./types.ts";
import { trailingDaysWithoutUse } from "./last-use.ts";

/** The facts of a request, beside its key, that a policy condition can use. */
export type Facts = {
  action: string;
  aliasName?: string | undefined;
  encryptionContext?: Record<string, string> | undefined;
  /** The grant that CreateGrant requests. */
  grant?: { operations: string[]; constraints?: GrantConstraints };
  /** Condition keys of this operation alone, such as `kms:SigningAlgorithm`. */
  values?: Record<string, string | readonly string[] | undefined>;
};

/** `key` is undefined if the request is about an alias or the account. */
export function requestContext(call: Call, key: KmsKey | undefined, facts: Facts): RequestContext {
  const context = new Map<string, readonly string[]>();
  const add = (name: string, value: string | readonly string[] | undefined) => {
    if (value === undefined) return;
    context.set(name.toLowerCase(), typeof value === "string" ? [value] : value);
  };
  addPrincipal(call, add);
  add("aws:CurrentTime", new Date(call.nowMs).toISOString());
  add("aws:EpochTime", String(Math.floor(call.nowMs / 1000)));
  add("aws:RequestedRegion", call.world.region);
  // AWS only accepts TLS; the twin's plain HTTP does not count.
  add("aws:SecureTransport", "true");
  add("aws:ViaAWSService", "false");
  if (key !== undefined) addKey(call, key, facts.action, add);
  add("kms:RequestAlias", facts.aliasName);
  const pairs = Object.entries(facts.encryptionContext ?? {});
  for (const [name, value] of pairs) add(`kms:EncryptionContext:${name}`, value);
  if (pairs.length > 0)
    add(
      "kms:EncryptionContextKeys",
      pairs.map(([name]) => name),
    );
  for (const [name, value] of Object.entries(facts.values ?? {})) add(name, value);
  return context;
}

type Add = (name: string, value: string | readonly string[] | undefined) => void;

function addPrincipal(call: Call, add: Add): void {
  const { principalArn } = call.caller;
  const account = accountOf(principalArn);
  const role = principalNames(call.caller).find((name) => name.includes(":role/"));
  const session = principalArn.includes(":assumed-role/");
  const type = principalArn.endsWith(":root") ? "Account" : session ? "AssumedRole" : "User";
  add("aws:PrincipalArn", session ? role : principalArn);
  add("aws:PrincipalAccount", account);
  add("aws:PrincipalType", type);
  add("aws:PrincipalIsAWSService", "false");
  add("aws:SourceArn", call.caller.sourceArn);
  add("kms:CallerAccount", account);
}

function addKey(call: Call, key: KmsKey, action: string, add: Add): void {
  add("kms:KeyOrigin", key.origin);
  add("kms:KeySpec", key.spec);
  add("kms:CustomerMasterKeySpec", key.spec);
  add("kms:KeyUsage", key.usage);
  add("kms:CustomerMasterKeyUsage", key.usage);
  add("kms:MultiRegion", String(key.multiRegion));
  if (key.multiRegion) add("kms:MultiRegionKeyType", "PRIMARY");
  // AWS applies a change of tags or aliases up to five minutes later; the hook decides when.
  const { tags, aliasNames } = call.world.authorizedBy?.(key, call.caller) ?? key;
  for (const [name, value] of tags) add(`aws:ResourceTag/${name}`, value);
  add("kms:ResourceAliases", [...aliasNames]);
  if (action === "DisableKey" || action === "ScheduleKeyDeletion") {
    const days = trailingDaysWithoutUse(call.world, key, call.nowMs);
    add("kms:TrailingDaysWithoutKeyUsage", String(days));
  }
}
