/** The embedded AWS: KMS, DynamoDB, EventBridge and the tagging API behind one loopback port. */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { SimClock } from "./clock.ts";
import { createTableInput, startDynamoDb } from "./dynamodb.ts";
import { EventRecorder, type RecordedEvent } from "./eventbridge.ts";
import { AwsError } from "./http/aws-error.ts";
import { control } from "./http/control.ts";
import type { FaultHook, Service } from "./http/faults.ts";
import { authorizeService } from "./iam/service-requests.ts";
import { failure, success, type Reply } from "./http/reply.ts";
import { listen, type Incoming } from "./http/server.ts";
import { principalOf } from "./http/signature.ts";
import type { CloudTrailEvent } from "./kms/cloudtrail-record.ts";
import { defaultRegion, KmsTwin, type KmsTwinOptions } from "./kms/twin.ts";
import type { KeyChangeEvent } from "./kms/key-changes.ts";
import type { UseAttemptEvent } from "./kms/use-attempts.ts";
import { SimRandom } from "./random.ts";
import { callTagging } from "./tagging.ts";

export type EmbeddedAwsOptions = Partial<Omit<KmsTwinOptions, "clock" | "random">> & {
  /** Any free port by default. */
  port?: number;
  clock?: SimClock;
  seed?: number;
  fault?: FaultHook;
};

export type Calls = Record<Service, Record<string, number>>;

export type EmbeddedAws = {
  endpoint: string;
  port: number;
  kms: KmsTwin;
  clock: SimClock;
  events: readonly RecordedEvent[];
  /** The CloudTrail events of uses that a key's state refused. The embedded AWS does not deliver them. */
  useAttempts: readonly UseAttemptEvent[];
  /** The CloudTrail events of refused uses. The embedded AWS does not deliver them. */
  refusedUses: readonly CloudTrailEvent[];
  /** The CloudTrail events of changes to keys and aliases. The embedded AWS does not deliver them. */
  keyChanges: readonly KeyChangeEvent[];
  /** The environment variables with which a process uses it. */
  env: Record<string, string>;
  createStateTable(tableName: string): Promise<void>;
  /** Calls per operation since the last reset, including faults. */
  calls(): Calls;
  resetCalls(): void;
  fault: FaultHook | undefined;
  close(): Promise<void>;
};

type Request = {
  service: Service;
  operation: string;
  incoming: Incoming;
  principalArn: string;
  requestId: string;
};

/** Some services of the example of ListAliases in the AWS KMS API reference, without keys as in a new account. */
const predefinedAliases = ["acm", "dynamodb", "ebs", "rds", "redshift", "s3"];

const services: Record<string, Service> = {
  TrentService: "kms",
  DynamoDB_20120810: "dynamodb",
  AWSEvents: "events",
  ResourceGroupsTaggingAPI_20170126: "tagging",
};

export async function startEmbeddedAws(options: EmbeddedAwsOptions = {}): Promise<EmbeddedAws> {
  const clock = options.clock ?? new SimClock();
  const random = new SimRandom(seedIn(options.region, options.seed ?? 1));
  const quotaClockMs = () => performance.now();
  const kms = new KmsTwin({ quotaClockMs, predefinedAliases, ...options, clock, random });
  const recorder = new EventRecorder(clock, random);
  const trail = trailOf(kms);
  const dynamoDb = startDynamoDb();
  const calls = newCalls();

  const apply = async (request: Request): Promise<Reply> => {
    const { service, operation, incoming, requestId, ...caller } = request;
    try {
      const input = parseInput(incoming.body);
      // KMS authorizes by itself: there, key policies count too.
      if (service === "kms")
        return success(kms.call(operation, input, { ...caller, requestId }), requestId);
      authorizeService(kms.world, { service, operation, input, ...caller });
      if (service === "dynamodb") return await dynamoDb.answer(incoming.headers, incoming.body);
      if (service === "events") return success(recorder.call(operation, input), requestId);
      return success(callTagging(kms, operation, input), requestId);
    } catch (error) {
      return failure(error, requestId);
    }
  };

  const answer = async (incoming: Incoming): Promise<Reply | "hang up"> => {
    if (incoming.path.startsWith("/_keyturn/")) return control(aws, incoming);
    const request = routed(incoming, kms.world.account);
    if (!("service" in request)) return request;
    const { service, operation } = request;
    const counts = calls[service];
    counts[operation] = (counts[operation] ?? 0) + 1;
    const fault = aws.fault?.(service, operation, inputOf(incoming.body), incoming.connection);
    if (fault?.kind === "drop") return "hang up";
    if (fault?.kind === "before") {
      return failure(new AwsError(fault.code, "", fault.status), request.requestId);
    }
    if (fault?.kind === "delay") await sleep(fault.ms);
    const reply = await apply(request);
    return fault?.kind === "lost" ? "hang up" : reply;
  };

  const server = await listen(options.port ?? 0, answer);
  const endpoint = `http://127.0.0.1:${server.port}`;
  const env = environment(endpoint, kms.world.region);
  const aws: EmbeddedAws = {
    endpoint,
    port: server.port,
    kms,
    clock,
    events: recorder.events,
    ...trail,
    env,
    async createStateTable(tableName) {
      const body = Buffer.from(JSON.stringify(createTableInput(tableName)));
      const reply = await dynamoDb.answer(tableHeaders, body);
      if (reply.status !== 200) throw new Error(`CreateTable: ${reply.body}`);
    },
    calls: () => structuredClone(calls),
    resetCalls() {
      Object.assign(calls, newCalls());
      kms.resetCounts();
    },
    fault: options.fault,
    close: () => server.close(),
  };
  return aws;
}

/** No two Regions have a key id in common: outside of the default one, the seed depends on the Region's name. */
function seedIn(region: string | undefined, seed: number): number {
  if (region === undefined || region === defaultRegion) return seed;
  return createHash("sha256").update(`${region} ${seed}`).digest().readUInt32BE();
}

function trailOf(kms: KmsTwin): Pick<EmbeddedAws, "useAttempts" | "refusedUses" | "keyChanges"> {
  const keyChanges: KeyChangeEvent[] = [];
  const useAttempts: UseAttemptEvent[] = [];
  const refusedUses: CloudTrailEvent[] = [];
  kms.onUseAttempt = (event) => useAttempts.push(event);
  kms.onRefusedUse = (event) => refusedUses.push(event);
  kms.onKeyChange = (event) => keyChanges.push(event);
  return { useAttempts, refusedUses, keyChanges };
}

/** The service, operation and caller of a request, or the error reply. */
function routed(incoming: Incoming, account: string): Request | Reply {
  const target = String(incoming.headers["x-amz-target"] ?? "");
  const [prefix = "", operation = ""] = target.split(".", 2);
  const service = Object.hasOwn(services, prefix) ? services[prefix] : undefined;
  const requestId = randomUUID();
  try {
    if (service === undefined || operation === "") {
      throw new AwsError("UnknownOperationException", "");
    }
    const principalArn = principalOf(incoming.headers.authorization as string, account);
    return { service, operation, incoming, principalArn, requestId };
  } catch (error) {
    return failure(error, requestId);
  }
}

function parseInput(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new AwsError("SerializationException", "Could not parse request body into json");
  }
}

function inputOf(body: Buffer): unknown {
  try {
    return parseInput(body);
  } catch {
    return undefined;
  }
}

function newCalls(): Calls {
  return { kms: {}, dynamodb: {}, events: {}, tagging: {} };
}

function environment(endpoint: string, region: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    // The AWS CLI and boto3 know the Region by this name.
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: "keyturn",
    AWS_SECRET_ACCESS_KEY: "keyturn",
  };
}

const tableHeaders = {
  "content-type": "application/x-amz-json-1.0",
  "x-amz-target": "DynamoDB_20120810.CreateTable",
  "x-amz-date": "20260101T000000Z",
  authorization: "AWS4-HMAC-SHA256 Credential=keyturn/a/b/c/d, SignedHeaders=host, Signature=0",
};
