/** For all tests of the embedded AWS: a running one with its clients, and a twin without HTTP. */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import {
  KMS,
  type CreateKeyCommandInput,
  type CreateKeyCommandOutput,
  type KeySpec,
  type KeyUsageType,
} from "@aws-sdk/client-kms";
import { ResourceGroupsTaggingAPI } from "@aws-sdk/client-resource-groups-tagging-api";
import { SimClock } from "../../embedded-aws/clock.ts";
import {
  startEmbeddedAws,
  type EmbeddedAws,
  type EmbeddedAwsOptions,
} from "../../embedded-aws/embedded-aws.ts";
import { cheapCryptography } from "../../embedded-aws/kms/cheap-cryptography.ts";
import { KmsTwin, type KmsTwinOptions } from "../../embedded-aws/kms/twin.ts";
import { SimRandom } from "../../embedded-aws/random.ts";

export const account = "000000000000";
export const dayMs = 86_400_000;
export const hourMs = 3_600_000;
export const startMs = Date.UTC(2026, 10, 1);

export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (blob: Uint8Array | undefined): string => Buffer.from(blob ?? []).toString();

export function arnOf(user: string): string {
  return `arn:aws:iam::${account}:user/${user}`;
}

type ClientConfig = {
  endpoint: string;
  region: string;
  maxAttempts: number;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

export type Lab = {
  aws: EmbeddedAws;
  kms: KMS;
  dynamoDb: DynamoDB;
  eventBridge: EventBridge;
  tagging: ResourceGroupsTaggingAPI;
  /** The same KMS, called by another user. */
  kmsAs(user: string): KMS;
  aKey(input?: CreateKeyCommandInput): Promise<{ KeyId: string; Arn: string }>;
  close(): Promise<void>;
};

/** Request quotas are off; the tests of quotas turn them on. */
export async function openLab(options: EmbeddedAwsOptions = {}): Promise<Lab> {
  const aws = await startEmbeddedAws({
    quotas: "off",
    cryptography: cheapCryptography,
    clock: new SimClock({ startMs }),
    ...options,
  });
  const clients: { destroy(): void }[] = [];
  const opened = <T extends { destroy(): void }>(client: T): T => {
    clients.push(client);
    return client;
  };
  const configOf = (user: string): ClientConfig => ({
    endpoint: aws.endpoint,
    region: "us-east-1",
    maxAttempts: 1,
    credentials: { accessKeyId: user, secretAccessKey: "any" },
  });
  const config = configOf("tester");
  const kms = opened(new KMS(config));
  return {
    aws,
    kms,
    dynamoDb: opened(new DynamoDB(config)),
    eventBridge: opened(new EventBridge(config)),
    tagging: opened(new ResourceGroupsTaggingAPI(config)),
    kmsAs: (user) => opened(new KMS(configOf(user))),
    async aKey(input = {}) {
      const { KeyMetadata: metadata } = await kms.createKey(input);
      return { KeyId: metadata?.KeyId ?? "", Arn: metadata?.Arn ?? "" };
    },
    async close() {
      for (const client of clients) client.destroy();
      await aws.close();
    },
  };
}

/** The error code of a call, or "ok". */
export async function outcomeOf(call: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof call === "function" ? call() : call);
    return "ok";
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** Code and message, for tests of KMS's own messages. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

export type BareTwin = {
  twin: KmsTwin;
  clock: SimClock;
  /** The caller chooses the type of the answer: the twin does not use the SDK's types. */
  call: <T>(operation: string, input?: unknown, user?: string) => T;
  keyId: (input?: CreateKeyCommandInput) => string;
};

/** The twin alone, called directly without a network. */
export function bareTwin(options: Partial<KmsTwinOptions> = {}): BareTwin {
  const clock = new SimClock({ startMs });
  const twin = new KmsTwin({
    clock,
    random: new SimRandom(1),
    cryptography: cheapCryptography,
    quotas: "off",
    ...options,
  });
  const call = <T>(operation: string, input: unknown = {}, user = "tester"): T =>
    twin.call(operation, input, { principalArn: arnOf(user) }) as T;
  return {
    twin,
    clock,
    call,
    keyId(input = {}) {
      const { KeyMetadata: metadata } = call<CreateKeyCommandOutput>("CreateKey", input);
      return metadata?.KeyId ?? "";
    },
  };
}

export const root = { AWS: `arn:aws:iam::${account}:root` };

/** The statement that delegates the management of a key to IAM. */
export const everything = {
  Effect: "Allow",
  Principal: root,
  Action: "kms:*",
  Resource: "*",
};

export function policyOf(...statements: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: statements });
}

/** Creates a key of each kind once, for all tests. */
export function oneKeyOfEachKind(
  lab: () => Lab,
): (KeySpec: KeySpec, KeyUsage: KeyUsageType) => Promise<string> {
  const made = new Map<string, Promise<string>>();
  return (KeySpec, KeyUsage) => {
    const kind = `${KeySpec} ${KeyUsage}`;
    const known =
      made.get(kind) ??
      lab()
        .aKey({ KeySpec, KeyUsage })
        .then(({ KeyId }) => KeyId);
    made.set(kind, known);
    return known;
  };
}
