/** KMS through the AWS SDK. The SDK may retry reads; it makes a changing call once, on a connection of its own. */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  CancelKeyDeletionCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  KMSClient,
  paginateListAliases,
  paginateListResourceTags,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  type KMSClientConfig,
} from "@aws-sdk/client-kms";
import { keyPolicyOf } from "../record/canonical.ts";
import { RotationError } from "../errors.ts";
import type { Clock, Guard, KeyService } from "../ports.ts";
import type { Call, LastUse, Outcome, Tags } from "../workflow/model/types.ts";
import { isNotOffered, isUnfit, outcomeOf, sighted } from "./kms-errors.ts";
import { createGrantInput, createKeyInput, keyOf, lastUseFrom, tagList } from "./kms-shapes.ts";
import { listGrants } from "./list-grants.ts";

/** The largest page of each listing (API reference). */
const pageSize = { aliases: 100, tags: 50 };

/** A request was due to be sent after its run's deadline; it was not sent. */
class PastDeadline extends Error {
  override readonly name = "PastDeadline";
}

/** `requestHandler`: options, no handler. */
export type KeyServiceConfig = Omit<KMSClientConfig, "requestHandler"> & {
  requestHandler?: Record<string, unknown>;
};

/**
 * Lambda freezes a process with its idle connections, and KMS closes them meanwhile. The SDK repeats a read that fails
 * on such a connection. A changing call would be without an answer, and the managed key would wait until that call can
 * no longer land.
 */
const notKept = { keepAlive: false };

export function createKeyService(clock: Clock, config: KeyServiceConfig = {}): KeyService {
  const reading = new KMSClient(config);
  const requestHandler = { ...config.requestHandler, httpAgent: notKept, httpsAgent: notKept };
  const writing = new KMSClient({ ...config, maxAttempts: 1, requestHandler });
  refuseLateSends(writing, clock);
  const canaryClients = new Map<string, KMSClient>();
  return {
    describe: (key) =>
      sighted(async () => {
        const { KeyMetadata } = await reading.send(new DescribeKeyCommand({ KeyId: key }));
        return keyOf(KeyMetadata);
      }),
    aliasesOf: (keyId) =>
      sighted(async () => {
        const names: string[] = [];
        const pages = paginateListAliases(
          { client: reading, pageSize: pageSize.aliases },
          { KeyId: keyId },
        );
        for await (const { Aliases } of pages) {
          for (const { AliasName } of Aliases ?? [])
            if (AliasName !== undefined) names.push(AliasName);
        }
        return names;
      }),
    policyOf: (keyId) =>
      sighted(async () => {
        const { Policy } = await reading.send(
          new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: "default" }),
        );
        return keyPolicyOf(Policy ?? "{}");
      }),
    tagsOf: (keyId) =>
      sighted(async () => {
        const tags: Tags = {};
        const pages = paginateListResourceTags(
          { client: reading, pageSize: pageSize.tags },
          { KeyId: keyId },
        );
        for await (const { Tags: page } of pages) {
          for (const { TagKey, TagValue } of page ?? []) tags[TagKey ?? ""] = TagValue ?? "";
        }
        return tags;
      }),
    grantsOf: (keyId) => sighted(() => listGrants(reading, keyId)),
    lastUseOf: (keyId) => sighted(() => lastUse(reading, keyId)),
    publicKeyOf: (keyId) =>
      sighted(async () => {
        const { PublicKey } = await reading.send(new GetPublicKeyCommand({ KeyId: keyId }));
        return Buffer.from(PublicKey ?? []).toString("base64");
      }, isUnfit),
    rotatesItself: (keyId) => sighted(() => rotationOf(reading, keyId), isUnfit),
    canary: async (keyId, mark) => {
      const client = canaryClients.get(mark) ?? new KMSClient({ ...config, customUserAgent: mark });
      canaryClients.set(mark, client);
      await sighted(() => client.send(new DescribeKeyCommand({ KeyId: keyId })));
    },
    allAliases: () => allAliases(reading),
    change: (call, guard) => outcomeOf(() => sending.run(guard, () => send(writing, call, guard))),
  };
}

async function lastUse(client: KMSClient, keyId: string): Promise<LastUse> {
  try {
    return lastUseFrom(await client.send(new GetKeyLastUsageCommand({ KeyId: keyId })));
  } catch (error) {
    if (!isNotOffered(error)) throw error;
    return { kind: "unknown", why: "GetKeyLastUsage is unavailable" };
  }
}

async function rotationOf(client: KMSClient, keyId: string): Promise<boolean> {
  const answer = await client.send(new GetKeyRotationStatusCommand({ KeyId: keyId }));
  return answer.KeyRotationEnabled === true;
}

async function allAliases(client: KMSClient): Promise<{ alias: string; keyId: string }[]> {
  const all: { alias: string; keyId: string }[] = [];
  const observation = await sighted(async () => {
    for await (const { Aliases } of paginateListAliases(
      { client, pageSize: pageSize.aliases },
      {},
    )) {
      for (const { AliasName, TargetKeyId } of Aliases ?? []) {
        if (AliasName === undefined || TargetKeyId === undefined) continue;
        all.push({ alias: AliasName, keyId: TargetKeyId });
      }
    }
  });
  if (observation.kind === "observed") return all;
  const why = observation.kind === "denied" ? observation.message : "not found";
  throw new RotationError("KMS_FAILED", `ListAliases: ${why}`, undefined);
}

/** The guard of the current changing call. */
const sending = new AsyncLocalStorage<Guard>();

/**
 * The last check before a request is sent: it stops a promise that Lambda froze and resumed in a
 * later invocation.
 */
function refuseLateSends(client: KMSClient, clock: Clock): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const deadlineMs = sending.getStore()?.deadlineMs;
      if (deadlineMs === undefined || clock.nowMs() > deadlineMs) {
        throw new PastDeadline("past the run's deadline");
      }
      return next(args);
    },
    { step: "finalizeRequest", priority: "low", name: "keyturnDeadline" },
  );
}

/** Makes the call; beyond "done", its answer has only what the workflow stores. */
async function send(
  client: KMSClient,
  call: Call,
  guard: Guard,
): Promise<Extract<Outcome, { kind: "done" }>> {
  const options = { abortSignal: AbortSignal.timeout(guard.limitMs) };
  switch (call.kind) {
    case "CreateKey": {
      const command = new CreateKeyCommand(createKeyInput(call));
      const key = keyOf((await client.send(command, options)).KeyMetadata);
      return { kind: "done", keyId: key.keyId, arn: key.arn, createdAtMs: key.createdAtMs };
    }
    case "CreateGrant":
      await client.send(new CreateGrantCommand(createGrantInput(call)), options);
      return { kind: "done" };
    case "UpdateAlias": {
      const input = { AliasName: call.alias, TargetKeyId: call.keyId };
      await client.send(new UpdateAliasCommand(input), options);
      return { kind: "done" };
    }
    case "TagResource": {
      const input = { KeyId: call.keyId, Tags: tagList(call.tags) };
      await client.send(new TagResourceCommand(input), options);
      return { kind: "done" };
    }
    case "UntagResource": {
      const input = { KeyId: call.keyId, TagKeys: call.names };
      await client.send(new UntagResourceCommand(input), options);
      return { kind: "done" };
    }
    case "CancelKeyDeletion":
      await client.send(new CancelKeyDeletionCommand({ KeyId: call.keyId }), options);
      return { kind: "done" };
    case "EnableKey":
      await client.send(new EnableKeyCommand({ KeyId: call.keyId }), options);
      return { kind: "done" };
    case "DisableKey":
      await client.send(new DisableKeyCommand({ KeyId: call.keyId }), options);
      return { kind: "done" };
    case "ScheduleKeyDeletion": {
      const input = { KeyId: call.keyId, PendingWindowInDays: call.windowDays };
      const command = new ScheduleKeyDeletionCommand(input);
      const { DeletionDate } = await client.send(command, options);
      return { kind: "done", ...(DeletionDate && { deletionAtMs: DeletionDate.getTime() }) };
    }
  }
}
