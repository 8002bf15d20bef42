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
  type TagFilter,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { describeError, RotationError } from "../errors.ts";
import type { Discovery } from "../ports.ts";
import type { TaggedKey, Tags } from "../workflow/model/types.ts";

/** One request finds a hundred keys; its page tokens die after 15 minutes. */
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
    // A filter without values asks for the name alone (API reference, GetResources).
    keysWithTag: (name) => keysWhere([{ Key: name }]),
  };
}

/** Every key, one by one: for emulators without the tagging API. */
export function createWalkingDiscovery(config: KMSClientConfig = {}): Discovery {
  const client = new KMSClient(config);
  const keysWhere = (carries: (tags: Tags) => boolean): Promise<TaggedKey[]> =>
    found(async () => {
      const keys: TaggedKey[] = [];
      for await (const page of paginateListKeys({ client, pageSize: 1000 }, {})) {
        for (const { KeyId: keyId } of page.Keys ?? []) {
          if (keyId === undefined) continue;
          const tags = await tagsOf(client, keyId);
          if (carries(tags)) keys.push({ keyId, tags });
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

/** None where we may not look: a key that is not ours is found by no tag. */
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

/** A key that we may not look at, or that has just gone, is not one that we made. */
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
