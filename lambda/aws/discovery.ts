/** Finds keys by tag: with the Resource Groups Tagging API, or without it by listing every key. */
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
  type TagFilter,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { describeError, RotationError } from "../errors.ts";
import type { Discovery } from "../ports.ts";
import type { TaggedKey, Tags } from "../workflow/model/types.ts";

/** One request finds up to 100 keys; its page tokens expire after 15 minutes. */
export function createTaggingDiscovery(
  config: ResourceGroupsTaggingAPIClientConfig = {},
): Discovery {
  const client = new ResourceGroupsTaggingAPIClient(config);
  const keysWhere = (TagFilters: TagFilter[]): Promise<TaggedKey[]> =>
    found(async () => {
      const input = { TagFilters, ResourceTypeFilters: ["kms:key"] };
      const keys: TaggedKey[] = [];
      for await (const page of paginateGetResources({ client, pageSize: 100 }, input)) {
        for (const { ResourceARN, Tags: list } of page.ResourceTagMappingList ?? []) {
          const keyId = ResourceARN?.split("/").at(-1);
          const pairs = (list ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""]);
          if (keyId !== undefined) keys.push({ keyId, tags: Object.fromEntries(pairs) as Tags });
        }
      }
      return keys;
    });
  return {
    keysTagged: (tags) =>
      keysWhere(Object.entries(tags).map(([Key, value]) => ({ Key, Values: [value] }))),
    // A filter without values matches the tag name alone (API reference, GetResources).
    keysWithTag: (name) => keysWhere([{ Key: name }]),
  };
}

/** Lists every key and reads its tags: for emulators without the tagging API. */
export function createWalkingDiscovery(config: KMSClientConfig = {}): Discovery {
  const client = new KMSClient(config);
  const keysWhere = (matches: (tags: Tags) => boolean): Promise<TaggedKey[]> =>
    found(async () => {
      const keys: TaggedKey[] = [];
      for await (const page of paginateListKeys({ client, pageSize: 1000 }, {})) {
        for (const { KeyId: keyId } of page.Keys ?? []) {
          if (keyId === undefined) continue;
          const tags = await tagsOf(client, keyId);
          if (matches(tags)) keys.push({ keyId, tags });
        }
      }
      return keys;
    });
  return {
    keysTagged: (tags) => {
      const wanted = Object.entries(tags);
      return keysWhere((there) => wanted.every(([name, value]) => there[name] === value));
    },
    keysWithTag: (name) => keysWhere((there) => Object.hasOwn(there, name)),
  };
}

/** No tags where reading is denied: keyturn can read every key of its own. */
async function tagsOf(client: KMSClient, keyId: string): Promise<Tags> {
  const there: Tags = {};
  try {
    for await (const page of paginateListResourceTags({ client, pageSize: 50 }, { KeyId: keyId })) {
      for (const { TagKey, TagValue } of page.Tags ?? []) there[TagKey ?? ""] = TagValue ?? "";
    }
  } catch (error) {
    if (isNotOurs(error)) return {};
    throw error;
  }
  return there;
}

/** keyturn did not make a key that it may not read, or that was just deleted. */
function isNotOurs(error: unknown): boolean {
  const name = error instanceof Error ? error.name : "";
  return name === "AccessDeniedException" || name === "NotFoundException";
}

async function found(search: () => Promise<TaggedKey[]>): Promise<TaggedKey[]> {
  try {
    return await search();
  } catch (error) {
    throw new RotationError("DISCOVERY_FAILED", describeError(error), error);
  }
}
