/** The KMS state of an account: to compare, and to clear. */
import {
  paginateListAliases,
  paginateListGrants,
  paginateListKeys,
  paginateListResourceTags,
  type KMS,
} from "@aws-sdk/client-kms";

async function keyIds(client: KMS): Promise<string[]> {
  const ids: string[] = [];
  for await (const { Keys } of paginateListKeys({ client }, {})) {
    ids.push(...(Keys ?? []).map(({ KeyId }) => KeyId ?? ""));
  }
  return ids;
}

async function aliases(client: KMS): Promise<[name: string, keyId: string | undefined][]> {
  const found: [string, string | undefined][] = [];
  for await (const { Aliases } of paginateListAliases({ client }, {})) {
    for (const { AliasName = "", TargetKeyId } of Aliases ?? []) {
      if (!AliasName.startsWith("alias/aws/")) found.push([AliasName, TargetKeyId]);
    }
  }
  return found;
}

export async function snapshotOf(client: KMS): Promise<{ keys: unknown[]; aliases: unknown }> {
  const keys: unknown[] = [];
  for (const KeyId of await keyIds(client)) {
    const { KeyMetadata } = await client.describeKey({ KeyId });
    const { Policy } = await client.getKeyPolicy({ KeyId, PolicyName: "default" });
    const tags: unknown[] = [];
    const grants: unknown[] = [];
    for await (const page of paginateListResourceTags({ client }, { KeyId })) {
      tags.push(...(page.Tags ?? []));
    }
    for await (const page of paginateListGrants({ client }, { KeyId })) {
      grants.push(...(page.Grants ?? []));
    }
    keys.push({ ...KeyMetadata, Policy, tags, grants });
  }
  return { keys, aliases: Object.fromEntries(await aliases(client)) };
}

/** KMS deletes no key at once: schedules the account's keys with the shortest waiting period. */
export async function clearAccount(client: KMS): Promise<void> {
  for (const [AliasName] of await aliases(client)) await client.deleteAlias({ AliasName });
  for (const KeyId of await keyIds(client)) {
    const { KeyMetadata } = await client.describeKey({ KeyId });
    if (KeyMetadata?.KeyState === "PendingDeletion") continue;
    await client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 });
  }
}
