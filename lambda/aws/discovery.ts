/** Finding keys by their tags: through Resource Groups Tagging, or, where that is not served, by walking. */
import {
  KMSClient,
  paginateListKeys,
  paginateListResourceTags,
  type KMSClientConfig,
} from "@aws-sdk/client-kms";
import {
  paginateGetResources,
  ResourceGroupsTaggingAPIClient,
  type ResourceGroupsTaggingAPIClientConfig,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { describeError, RotationError } from "../errors.ts";
import type { Discovery } from "../ports.ts";
import type { Tags } from "../workflow/types.ts";

/** One request finds a hundred keys; its page tokens die after 15 minutes. */
export function createTaggingDiscovery(
  config: ResourceGroupsTaggingAPIClientConfig = {},
): Discovery {
  const client = new ResourceGroupsTaggingAPIClient(config);
  return {
    keysTagged: (tags) =>
      found(async () => {
        const TagFilters = Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] }));
        const input = { TagFilters, ResourceTypeFilters: ["kms:key"] };
        const keyIds: string[] = [];
        for await (const page of paginateGetResources({ client, pageSize: 100 }, input)) {
          for (const { ResourceARN } of page.ResourceTagMappingList ?? []) {
            const keyId = ResourceARN?.split("/").at(-1);
            if (keyId !== undefined) keyIds.push(keyId);
          }
        }
        return keyIds;
      }),
  };
}

/** Every key, one by one: for emulators without the tagging API. */
export function createWalkingDiscovery(config: KMSClientConfig = {}): Discovery {
  const client = new KMSClient(config);
  return {
    keysTagged: (tags) =>
      found(async () => {
        const keyIds: string[] = [];
        for await (const page of paginateListKeys({ client, pageSize: 1000 }, {})) {
          for (const { KeyId } of page.Keys ?? []) {
            if (KeyId !== undefined && (await hasTags(client, KeyId, tags))) keyIds.push(KeyId);
          }
        }
        return keyIds;
      }),
  };
}

async function hasTags(client: KMSClient, keyId: string, wanted: Tags): Promise<boolean> {
  const there: Tags = {};
  try {
    for await (const page of paginateListResourceTags({ client, pageSize: 50 }, { KeyId: keyId })) {
      for (const { TagKey, TagValue } of page.Tags ?? []) there[TagKey ?? ""] = TagValue ?? "";
    }
  } catch (error) {
    if (isNotOurs(error)) return false;
    throw error;
  }
  return Object.entries(wanted).every(([name, value]) => there[name] === value);
}

/** A key that we may not look at, or that has just gone, is not one that we made. */
function isNotOurs(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return name === "AccessDeniedException" || name === "NotFoundException";
}

async function found(search: () => Promise<string[]>): Promise<string[]> {
  try {
    return await search();
  } catch (error) {
    throw new RotationError("DISCOVERY_FAILED", describeError(error), error);
  }
}
