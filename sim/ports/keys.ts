/** KeyService on the KMS twin, without a network in between. */
import type {
  CreateKeyCommandOutput,
  GetKeyLastUsageCommandOutput,
  GetKeyRotationStatusCommandOutput,
  ListAliasesCommandOutput,
  ScheduleKeyDeletionCommandOutput,
  Tag,
} from "@aws-sdk/client-kms";
import { isUnfit, outcomeOf, sighted } from "../../lambda/aws/kms-errors.ts";
import {
  createGrantInput,
  createKeyInput,
  grantOf,
  keyOf,
  lastUseFrom,
  tagList,
  type GrantEntry,
} from "../../lambda/aws/kms-shapes.ts";
import { keyPolicyOf } from "../../lambda/record/canonical.ts";
import type { Clock, Discovery, Guard, KeyService } from "../../lambda/ports.ts";
import type {
  Call,
  KeyPolicy,
  Outcome,
  TaggedKey,
  Tags,
} from "../../lambda/workflow/model/types.ts";
import { AwsError } from "../../embedded-aws/http/aws-error.ts";
import type { KmsTwin } from "../../embedded-aws/kms/twin.ts";

type Ask = <T>(operation: string, input: unknown) => Promise<T>;
type Page = { NextMarker?: string; Truncated?: boolean };

/** Anything that answers like KMS. */
type Answers = Pick<KmsTwin, "call">;

export function createKeyServiceTwin(
  twin: Answers,
  clock: Pick<Clock, "nowMs">,
  principalArn: string,
): KeyService {
  const ask = askAs(twin, principalArn);
  const pages = pagesOf(ask);
  const policies = new Map<string, KeyPolicy>();
  return {
    describe: (key) =>
      sighted(async () => {
        const { KeyMetadata } = await ask<CreateKeyCommandOutput>("DescribeKey", { KeyId: key });
        return keyOf(KeyMetadata);
      }),
    aliasesOf: (keyId) =>
      sighted(async () => (await allAliases(pages, { KeyId: keyId })).map(({ alias }) => alias)),
    policyOf: (keyId) =>
      sighted(async () => {
        const { Policy } = await ask<{ Policy: string }>("GetKeyPolicy", { KeyId: keyId });
        const known = policies.get(Policy) ?? keyPolicyOf(Policy);
        policies.set(Policy, known);
        return known;
      }),
    tagsOf: (keyId) => sighted(() => tagsOf(pages, keyId)),
    grantsOf: (keyId) =>
      sighted(async () => {
        const all = await pages<{ Grants?: GrantEntry[] }>("ListGrants", { KeyId: keyId });
        return all.flatMap(({ Grants }) => (Grants ?? []).map(grantOf));
      }),
    lastUseOf: (keyId) =>
      sighted(async () =>
        lastUseFrom(await ask<GetKeyLastUsageCommandOutput>("GetKeyLastUsage", { KeyId: keyId })),
      ),
    publicKeyOf: (keyId) =>
      sighted(async () => {
        const { PublicKey } = await ask<{ PublicKey: Uint8Array }>("GetPublicKey", {
          KeyId: keyId,
        });
        return Buffer.from(PublicKey).toString("base64");
      }, isUnfit),
    rotatesItself: (keyId) =>
      sighted(async () => {
        const answer = await ask<GetKeyRotationStatusCommandOutput>("GetKeyRotationStatus", {
          KeyId: keyId,
        });
        return answer.KeyRotationEnabled === true;
      }, isUnfit),
    canary: async (keyId) => void (await sighted(() => ask("DescribeKey", { KeyId: keyId }))),
    allAliases: () => allAliases(pages, {}),
    change: (call, guard) => outcomeOf(() => change(ask, clock, call, guard)),
  };
}

/** Finds keys by tags without a lag. The tagging API is not KMS: no KMS call is needed. */
export function createDiscoveryTwin(twin: KmsTwin): Discovery {
  const keysWhere = (carries: (tags: Map<string, string>) => boolean): Promise<TaggedKey[]> => {
    const found = [...twin.world.keys.values()].filter(({ tags }) => carries(tags));
    const plain = found.map(({ keyId, tags }) => ({ keyId, tags: Object.fromEntries(tags) }));
    return Promise.resolve(plain);
  };
  return {
    keysTagged(tags) {
      const wanted = Object.entries(tags);
      return keysWhere((there) => wanted.every(([name, value]) => there.get(name) === value));
    },
    keysWithTag: (name) => keysWhere((there) => there.has(name)),
  };
}

/** Throws errors like the SDK: `outcomeOf` and `sighted` interpret them in one place. */
function askAs(twin: Answers, principalArn: string): Ask {
  return async <T>(operation: string, input: unknown) => {
    try {
      return (await twin.call(operation, input, { principalArn })) as T;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const asThrown = new Error(error.message, { cause: error });
      asThrown.name = error.code;
      throw Object.assign(asThrown, { $metadata: { httpStatusCode: error.httpStatus } });
    }
  };
}

type Pages = <T>(operation: string, input: object) => Promise<T[]>;

function pagesOf(ask: Ask): Pages {
  return async <T>(operation: string, input: object) => {
    const all: T[] = [];
    let marker: { Marker?: string } = {};
    for (;;) {
      const page = await ask<T & Page>(operation, { ...input, ...marker });
      all.push(page);
      if (page.NextMarker === undefined) return all;
      marker = { Marker: page.NextMarker };
    }
  };
}

async function allAliases(
  pages: Pages,
  input: { KeyId?: string },
): Promise<{ alias: string; keyId: string }[]> {
  const lists = await pages<ListAliasesCommandOutput>("ListAliases", input);
  return lists.flatMap(({ Aliases }) =>
    (Aliases ?? []).flatMap(({ AliasName: alias, TargetKeyId: keyId }) =>
      alias === undefined || keyId === undefined ? [] : [{ alias, keyId }],
    ),
  );
}

async function tagsOf(pages: Pages, keyId: string): Promise<Tags> {
  const lists = await pages<{ Tags?: Tag[] }>("ListResourceTags", { KeyId: keyId });
  const all = lists.flatMap(({ Tags: page }) => page ?? []);
  return Object.fromEntries(all.map(({ TagKey, TagValue }) => [TagKey ?? "", TagValue ?? ""]));
}

async function change(
  ask: Ask,
  clock: Pick<Clock, "nowMs">,
  call: Call,
  guard: Guard,
): Promise<Extract<Outcome, { kind: "done" }>> {
  if (clock.nowMs() > guard.deadlineMs) {
    throw Object.assign(new Error("past the deadline of the run"), { name: "PastDeadline" });
  }
  switch (call.kind) {
    case "CreateKey": {
      const answer = await ask<CreateKeyCommandOutput>("CreateKey", createKeyInput(call));
      const { keyId, arn, createdAtMs } = keyOf(answer.KeyMetadata);
      return { kind: "done", keyId, arn, createdAtMs };
    }
    case "CreateGrant":
      await ask("CreateGrant", createGrantInput(call));
      return { kind: "done" };
    case "UpdateAlias":
      await ask("UpdateAlias", { AliasName: call.alias, TargetKeyId: call.keyId });
      return { kind: "done" };
    case "TagResource":
      await ask("TagResource", { KeyId: call.keyId, Tags: tagList(call.tags) });
      return { kind: "done" };
    case "UntagResource":
      await ask("UntagResource", { KeyId: call.keyId, TagKeys: call.names });
      return { kind: "done" };
    case "CancelKeyDeletion":
    case "EnableKey":
    case "DisableKey":
      await ask(call.kind, { KeyId: call.keyId });
      return { kind: "done" };
    case "ScheduleKeyDeletion": {
      const input = { KeyId: call.keyId, PendingWindowInDays: call.windowDays };
      const answer = await ask<ScheduleKeyDeletionCommandOutput>("ScheduleKeyDeletion", input);
      const { DeletionDate } = answer;
      return { kind: "done", ...(DeletionDate && { deletionAtMs: DeletionDate.getTime() }) };
    }
  }
}
