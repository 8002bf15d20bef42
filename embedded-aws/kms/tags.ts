/** Tags. Source: "Tags in AWS KMS" in the AWS KMS Developer Guide and the TagResource page. */
import { AwsError } from "../http/aws-error.ts";
import { list, structure, text } from "../http/shape.ts";
import { keyIdShape, pageShapes, tagsShape } from "./common-shapes.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import { pageOf } from "./pages.ts";

type Tag = { TagKey: string; TagValue: string };

const maxTags = 50;
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The rules for one request, independent of the key's tags. */
export function checkTags(tags: Tag[]): void {
  if (tags.length > maxTags) throw new AwsError("TagException", "Too many tags");
  if (new Set(tags.map((tag) => tag.TagKey)).size !== tags.length) {
    throw new AwsError("TagException", "Duplicate tag keys");
  }
  for (const { TagKey: key, TagValue: value } of tags) {
    if (isReserved(key)) throw reserved();
    if (!allowed.test(key) || !allowed.test(value)) {
      throw new AwsError("TagException", `Tag ${key} contains characters that are not allowed`);
    }
  }
}

/** The condition key values of the tags in a request. */
export function requestTags(tags: Tag[]): Record<string, string | string[]> {
  const pairs = tags.map((tag) => [`aws:RequestTag/${tag.TagKey}`, tag.TagValue] as const);
  return { ...Object.fromEntries(pairs), "aws:TagKeys": tags.map((tag) => tag.TagKey) };
}

const tagResource = structure({ KeyId: keyIdShape, Tags: tagsShape }, {});

const untagResource = structure(
  { KeyId: keyIdShape, TagKeys: list(text({ min: 1, max: 128 })) },
  {},
);

export const tagOperations = {
  TagResource: operation(tagResource, (call, input) => {
    const key = openKey(call, input.KeyId, { values: requestTags(input.Tags) });
    checkTags(input.Tags);
    const tags = new Map([
      ...key.tags,
      ...input.Tags.map((tag) => [tag.TagKey, tag.TagValue] as const),
    ]);
    if (tags.size > maxTags) {
      throw new AwsError("LimitExceededException", `A key has at most ${maxTags} tags`);
    }
    for (const [name, value] of tags) key.tags.set(name, value);
  }),

  UntagResource: operation(untagResource, (call, input) => {
    const key = openKey(call, input.KeyId, { values: { "aws:TagKeys": input.TagKeys } });
    if (input.TagKeys.some(isReserved)) throw reserved();
    for (const name of input.TagKeys) key.tags.delete(name);
  }),

  ListResourceTags: operation(structure({ KeyId: keyIdShape }, pageShapes(50)), (call, input) => {
    const key = openKey(call, input.KeyId);
    const tags = [...key.tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    tags.sort((a, b) => (a.TagKey < b.TagKey ? -1 : 1));
    const { items, rest } = pageOf(tags, (tag) => tag.TagKey, input, {
      scope: `tags ${key.keyId}`,
      defaultLimit: 50,
    });
    return { Tags: items, ...rest };
  }),
};

function isReserved(tagKey: string): boolean {
  return tagKey.toLowerCase().startsWith("aws:");
}

function reserved(): AwsError {
  return new AwsError("TagException", "Tags beginning with aws: are reserved");
}
