/**
 * The keys of one conformance run. It changes only keys that it made, which carry its tag, and aliases of its prefix.
 * A run that was killed leaves such keys and aliases: the next one ends them first.
 */
import {
  KMS,
  paginateListAliases,
  paginateListKeys,
  type CreateKeyCommandInput,
  type KMSClientConfig,
  type Tag,
} from "@aws-sdk/client-kms";
import { tagNames } from "../lambda/workflow/model/tag-names.ts";
import { isDenied } from "./answers.ts";

export const tag = { TagKey: "keyturn:conformance", TagValue: "delete-me" };
export const aliasPrefix = "alias/keyturn-conformance-";
/** The shortest window of ScheduleKeyDeletion. */
const windowDays = 7;

export type MadeKey = { id: string; arn: string };

/** Of the ARN of a key or an alias. */
export function partsOf(arn: string): { partition: string; region: string; account: string } {
  const [, partition = "", , region = "", account = ""] = arn.split(":");
  return { partition, region, account };
}

export class Lab {
  readonly kms: KMS;
  readonly #made: MadeKey[] = [];
  readonly #tags: Tag[];
  #aliases = 0;

  /** `owner`: the owner tag of a deployment, whose role may make no key without it. */
  constructor(config: KMSClientConfig, owner?: string) {
    this.kms = new KMS({ ...config, maxAttempts: 5 });
    this.#tags = [
      tag,
      ...(owner === undefined ? [] : [{ TagKey: tagNames.owner, TagValue: owner }]),
    ];
  }

  async key(input: CreateKeyCommandInput = {}): Promise<MadeKey> {
    const Description = "keyturn conformance: safe to delete";
    const made = await this.kms.createKey({ Description, ...input, Tags: this.#tags });
    const key = { id: made.KeyMetadata?.KeyId ?? "", arn: made.KeyMetadata?.Arn ?? "" };
    this.#made.push(key);
    return key;
  }

  /** The root of the account, as the ARN of a key names it. */
  async account(): Promise<string> {
    const { arn } = this.#made[0] ?? (await this.key());
    const { partition, account } = partsOf(arn);
    return `arn:${partition}:iam::${account}:root`;
  }

  keyArns(): string[] {
    return this.#made.map(({ arn }) => arn);
  }

  aliasName(): string {
    this.#aliases += 1;
    return `${aliasPrefix}${this.#aliases}`;
  }

  /** Names that differ from run to run, replaced by the order in which this run made them. */
  shown(text: string): string {
    return this.#made.reduce(
      (all, { id, arn }, index) =>
        all.replaceAll(arn, `<key ${index + 1}>`).replaceAll(id, `<key ${index + 1}>`),
      text,
    );
  }

  /** Ends what a run left: this one or an earlier one. Returns the number of keys. */
  async clear(): Promise<number> {
    const { kms } = this;
    for await (const { Aliases = [] } of paginateListAliases({ client: kms }, {})) {
      for (const { AliasName = "" } of Aliases) {
        if (AliasName.startsWith(aliasPrefix)) await kms.deleteAlias({ AliasName });
      }
    }
    let ended = 0;
    for (const KeyId of await this.#tagged()) {
      const { KeyMetadata } = await kms.describeKey({ KeyId });
      if (KeyMetadata?.KeyState === "PendingDeletion") continue;
      await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: windowDays });
      ended += 1;
    }
    return ended;
  }

  close(): void {
    this.kms.destroy();
  }

  /** KMS's own lists, which show a key at once: the search by tags may show it late. */
  async #tagged(): Promise<Set<string>> {
    const keyIds = new Set(this.#made.map(({ id }) => id));
    for await (const { Keys = [] } of paginateListKeys({ client: this.kms }, {})) {
      for (const { KeyId = "" } of Keys) {
        if (await this.#isTagged(KeyId)) keyIds.add(KeyId);
      }
    }
    return keyIds;
  }

  async #isTagged(KeyId: string): Promise<boolean> {
    try {
      const { Tags = [] } = await this.kms.listResourceTags({ KeyId });
      return Tags.some(
        ({ TagKey, TagValue }) => TagKey === tag.TagKey && TagValue === tag.TagValue,
      );
    } catch (error) {
      // Not ours to read, so not ours to end: a key of this run allows its maker everything.
      if (!(error instanceof Error)) throw error;
      if (isDenied(error) || error.name === "NotFoundException") return false;
      throw error;
    }
  }
}
