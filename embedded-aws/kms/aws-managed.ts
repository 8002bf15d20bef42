/** AWS managed keys. Source: "AWS managed keys" and "Key policies of AWS managed keys". */
import { addAlias } from "./aliases.ts";
import { newKey } from "./create-key.ts";
import { storePolicy } from "./policies.ts";
import { aliasArn } from "./resolve.ts";
import type { Call, KmsKey } from "./types.ts";

const yearMs = 365 * 86_400_000;

/**
 * Creates an AWS service's own key in an account, with its alias. No principal can manage it: its
 * key policy lets the account read its metadata, and use it only through the service.
 */
export function addAwsManagedKey(call: Call, service: string): KmsKey {
  const { world } = call;
  const kind = {
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    origin: "AWS_KMS",
    multiRegion: false,
  } as const;
  const key: KmsKey = {
    ...newKey(call, kind),
    manager: "AWS",
    description: `Default key that protects my ${service} data when no other key is defined`,
    policy: storePolicy(policyOf(call, service)),
    automaticRotation: { periodDays: 365, nextMs: call.nowMs + yearMs },
  };
  world.keys.set(key.keyId, key);
  world.awsManagedKeys++;
  world.predefinedAliases.delete(`alias/aws/${service}`);
  addAlias(call, `alias/aws/${service}`, key);
  return key;
}

/** "If you specify a predefined AWS alias, KMS associates the alias with an AWS managed key" (DescribeKey). */
export function associatePredefined(call: Call, identifier: string): void {
  for (const name of call.world.predefinedAliases) {
    const isNamed = identifier === name || identifier === aliasArn(call.world, name);
    if (isNamed) addAwsManagedKey(call, name.slice("alias/aws/".length));
  }
}

function policyOf(call: Call, service: string): string {
  const { account, region } = call.world;
  const through = {
    "kms:CallerAccount": account,
    "kms:ViaService": `${service}.${region}.amazonaws.com`,
  };
  return JSON.stringify({
    Version: "2012-10-17",
    Id: `auto-${service}-2`,
    Statement: [
      {
        Sid: `Allow access through ${service} for all principals in the account`,
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          ...["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"],
          ...["kms:CreateGrant", "kms:DescribeKey"],
        ],
        Resource: "*",
        Condition: { StringEquals: through },
      },
      {
        Sid: "Allow direct access to key metadata to the account",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Action: ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        Resource: "*",
      },
    ],
  });
}
