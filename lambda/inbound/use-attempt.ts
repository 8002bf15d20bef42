/**
 * What CloudTrail tells, through EventBridge, of the use of a KMS key that is out of use. Sources: "AWS
 * service events delivered via AWS CloudTrail" in the EventBridge User Guide, "CloudTrail record
 * contents" in the CloudTrail User Guide, "Logging AWS KMS API calls" in the KMS Developer Guide.
 *
 * Pure, and total: whatever the function is invoked with gets an answer. Whether the key is a version
 * of ours, and out of use by our doing, is for `workflow/attempt.ts` to say.
 */
import { canaryMark } from "./canary.ts";
import type { UseAttempt } from "../workflow/model/requests.ts";

export type UseAttemptReading =
  /** Nothing that says it is one, such as what the schedule sends: an ordinary run. */
  | { kind: "no such event" }
  /** One for each KMS key that it names: ReEncrypt has two. Never empty. */
  | { kind: "attempt"; attempts: UseAttempt[] }
  /** The event of a call that was made to see whether events come; whoever made it, they do. */
  | { kind: "canary"; atMs: number }
  /** It says it is one, and is not to be believed or not of interest. */
  | { kind: "ignored"; why: string };

/** Where the function lives. A multi-Region key has the same id in each of its Regions. */
export type FunctionLocation = { accountId?: string; region?: string };

type Fields = Record<string, unknown>;

/** A reason to ignore the event. */
type Ignored = { why: string };

const detailType = "AWS API Call via CloudTrail";
const eventSource = "kms.amazonaws.com";

/** "Cryptographic operations" in the KMS Developer Guide, as far as they use a KMS key. */
const cryptographicOperations = new Set([
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "ReEncrypt",
  "Sign",
  "Verify",
  "VerifyMac",
]);

/**
 * KMS's log entries have the name of the exception in `errorCode`, other services' also one without the
 * suffix. KMSInvalidStateException says more than pending deletion (a key store that is not connected):
 * all of it counts, because a version that we have disabled may fail so as well.
 */
export const stateErrors: ReadonlySet<string> = new Set([
  "Disabled",
  "DisabledException",
  "KMSInvalidState",
  "KMSInvalidStateException",
]);

const maxText = 256;
const maxContextKeys = 20;
/** ReEncrypt names two; no call names more, whatever an event says. */
const maxKeys = 4;

const keyId = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}";
const keyArn = `arn:aws(?:-[a-z]+)*:kms:(?<region>[a-z0-9-]+):(?<account>[0-9]{12}):key/(?<id>${keyId})`;
const isKeyId = new RegExp(`^(?:${keyId})$`);
const isKeyArn = new RegExp(`^${keyArn}$`);
const keyArnInText = new RegExp(`${keyArn}(?![0-9a-zA-Z-])`, "g");

export function readUseAttempt(event: unknown, home: FunctionLocation = {}): UseAttemptReading {
  const outer = fieldsOf(event);
  const detail = fieldsOf(outer["detail"]);
  const claims =
    outer["source"] === "aws.kms" ||
    outer["detail-type"] === detailType ||
    detail["eventSource"] === eventSource;
  if (!claims) return { kind: "no such event" };
  const heardAtMs = canaryIn(outer, detail);
  if (heardAtMs !== undefined) return { kind: "canary", atMs: heardAtMs };
  const read = attemptsIn(outer, detail, home);
  return "why" in read ? { kind: "ignored", ...read } : { kind: "attempt", attempts: read };
}

function canaryIn(outer: Fields, detail: Fields): number | undefined {
  const isOurs =
    outer["source"] === "aws.kms" &&
    outer["detail-type"] === detailType &&
    detail["eventSource"] === eventSource &&
    detail["eventName"] === "DescribeKey" &&
    String(detail["userAgent"]).includes(canaryMark);
  return isOurs ? timeOf(detail["eventTime"]) : undefined;
}

function attemptsIn(outer: Fields, detail: Fields, home: FunctionLocation): UseAttempt[] | Ignored {
  const why = whyNot(outer, detail, home);
  if (why !== undefined) return { why };
  const eventId = textOf(detail["eventID"]);
  if (eventId === undefined) return { why: "it has no event id" };
  const atMs = timeOf(detail["eventTime"]);
  if (atMs === undefined) return { why: `its time is ${shown(detail["eventTime"])}` };
  const keyIds = keyIdsIn(detail, home);
  if (keyIds.length === 0) return { why: "it names no KMS key of this account and Region" };
  const service = serviceOf(detail);
  return keyIds.map((id) => ({
    eventId,
    keyId: id,
    atMs,
    operation: String(detail["eventName"]),
    principal: principalOf(fieldsOf(detail["userIdentity"])),
    ...(service === undefined ? {} : { service }),
    encryptionContextKeys: contextKeysOf(fieldsOf(detail["requestParameters"])),
  }));
}

/**
 * What a rule's pattern would have kept out. It is looked at again, because a pattern can be edited, and
 * whoever may invoke the function may send it anything: but EventBridge lets only AWS say `aws.kms`.
 */
function whyNot(outer: Fields, detail: Fields, home: FunctionLocation): string | undefined {
  const { eventName, errorCode } = detail;
  if (outer["source"] !== "aws.kms") return `its source is ${shown(outer["source"])}`;
  if (outer["detail-type"] !== detailType) {
    return `its detail-type is ${shown(outer["detail-type"])}`;
  }
  if (detail["eventSource"] !== eventSource) {
    return `its event source is ${shown(detail["eventSource"])}`;
  }
  if (typeof eventName !== "string" || !cryptographicOperations.has(eventName)) {
    return `${shown(eventName)} is not a cryptographic operation`;
  }
  if (typeof errorCode !== "string" || !stateErrors.has(errorCode)) {
    return `its error, ${shown(errorCode)}, is not about the state of a key`;
  }
  if (isElsewhere(outer["account"], home.accountId)) {
    return `it is of account ${shown(outer["account"])}`;
  }
  if (isElsewhere(outer["region"], home.region)) {
    return `it is of Region ${shown(outer["region"])}`;
  }
  return undefined;
}

function isElsewhere(there: unknown, here: string | undefined): boolean {
  return here !== undefined && there !== undefined && there !== here;
}

/**
 * The distinct ids of KMS keys, the most trustworthy first: the resources, which CloudTrail resolves;
 * KMS's message ("arn:… is disabled."); the request, as its caller wrote it. An alias does not say
 * which key it pointed at.
 */
function keyIdsIn(detail: Fields, home: FunctionLocation): string[] {
  const request = fieldsOf(detail["requestParameters"]);
  const message = detail["errorMessage"];
  const inMessage = typeof message === "string" ? message.matchAll(keyArnInText) : [];
  const named = ["keyId", "sourceKeyId", "destinationKeyId"].map((name) => request[name]);
  const candidates = [
    ...resourceArns(detail["resources"]),
    ...Array.from(inMessage, ([arn]) => arn),
    ...named,
  ];
  const ids = candidates.flatMap((candidate) => keyIdOf(candidate, home) ?? []);
  return [...new Set(ids)].slice(0, maxKeys);
}

/** Older records name no type; the ARN says as much. */
function resourceArns(resources: unknown): unknown[] {
  if (!Array.isArray(resources)) return [];
  return resources
    .map(fieldsOf)
    .filter(({ type }) => type === undefined || type === "AWS::KMS::Key")
    .map((resource) => resource["ARN"]);
}

function keyIdOf(candidate: unknown, home: FunctionLocation): string | undefined {
  if (typeof candidate !== "string") return undefined;
  if (isKeyId.test(candidate)) return candidate;
  const { region, account, id } = isKeyArn.exec(candidate)?.groups ?? {};
  const isHere = !isElsewhere(account, home.accountId) && !isElsewhere(region, home.region);
  return isHere ? id : undefined;
}

/** "CloudTrail userIdentity element": a caller of another account may show its account alone. */
function principalOf(identity: Fields): string {
  const issuer = fieldsOf(fieldsOf(identity["sessionContext"])["sessionIssuer"]);
  const arn = textOf(identity["arn"]) ?? textOf(issuer["arn"]);
  if (arn !== undefined) return arn;
  const type = textOf(identity["type"]) ?? "unknown";
  const account = identity["accountId"];
  const isAccount = typeof account === "string" && /^[0-9]{12}$/.test(account);
  return isAccount ? `${type} ${account}`.slice(0, maxText) : type;
}

/** The AWS service that called for somebody, where one did. */
function serviceOf(detail: Fields): string | undefined {
  const address = textOf(detail["sourceIPAddress"]) ?? "";
  const isService = /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(address);
  return textOf(fieldsOf(detail["userIdentity"])["invokedBy"]) ?? (isService ? address : undefined);
}

/** The names alone: they lead to the application, and the values may be personal data. */
function contextKeysOf(request: Fields): string[] {
  const names = ["encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext"]
    .flatMap((member) => Object.keys(fieldsOf(request[member])))
    .flatMap((name) => textOf(name) ?? []);
  return [...new Set(names)].sort().slice(0, maxContextKeys);
}

/** ISO 8601 in UTC, as CloudTrail writes it. A 31st of February would parse, as another day. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value)) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return undefined;
  return new Date(ms).toISOString().slice(0, 19) === value.slice(0, 19) ? ms : undefined;
}

/**
 * Whatever comes here ends up in a finding that people read: no control characters, nothing that turns
 * the direction of writing or hides in it, and not too much.
 */
function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value
    .slice(0, maxText)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "")
    .trim();
  return text === "" ? undefined : text;
}

function shown(value: unknown): string {
  const text = textOf(value);
  return text === undefined ? "missing or no text" : `"${text}"`;
}

function fieldsOf(value: unknown): Fields {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Fields) : {};
}
