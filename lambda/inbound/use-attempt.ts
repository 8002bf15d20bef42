/**
 * Parses CloudTrail's events, through EventBridge, about uses of a KMS key that is out of use.
 * Sources: "AWS service events delivered via AWS CloudTrail" in the EventBridge User Guide,
 * "CloudTrail record contents" in the CloudTrail User Guide, "Logging AWS KMS API calls" in the KMS
 * Developer Guide.
 *
 * Pure and total: every event gets an answer. `workflow/restore/use-attempt.ts` decides whether the
 * key is a version of ours, and whether keyturn put it out of use.
 */
import { canaryMark } from "./canary.ts";
import type { UseAttempt } from "../workflow/model/requests.ts";

export type UseAttemptReading =
  /** Any other event, such as the schedule's: an ordinary run. */
  | { kind: "no such event" }
  /** One for each KMS key in the event: ReEncrypt has two. Never empty. */
  | { kind: "attempt"; attempts: UseAttempt[] }
  /** The event of a canary call; from any caller it proves that events arrive. */
  | { kind: "canary"; atMs: number }
  /** It claims to be a use attempt, and is not credible or not relevant. */
  | { kind: "ignored"; why: string };

/**
 * The function's account, Region and role name. A multi-Region key has the same id in each of its
 * Regions; a call of the function's own role is not a need.
 */
export type FunctionLocation = { accountId?: string; region?: string; roleName?: string };

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
 * KMS's log entries have the exception's name in `errorCode`; those of other services may omit the
 * suffix. KMSInvalidStateException means more than pending deletion (a disconnected key store): all
 * of it counts, because a version that we disabled may fail with it as well.
 */
export const stateErrors: ReadonlySet<string> = new Set([
  "Disabled",
  "DisabledException",
  "KMSInvalidState",
  "KMSInvalidStateException",
]);

/**
 * What else fails where a version is needed: EC2 begins to attach an encrypted volume with CreateGrant,
 * and verifiers fetch the public key ("Key states", "Download public key" in the KMS Developer Guide).
 * GetKeyLastUsage tracks neither.
 */
const otherNeeds = new Set(["CreateGrant", "GetPublicKey"]);

const maxText = 256;
const maxContextKeys = 20;
/** ReEncrypt names two; no call names more, even if an event does. */
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
  if (keyIds.length === 0) return { why: "no KMS key of this account and Region" };
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
 * Repeats the checks of the rule's pattern: a pattern can be edited, and any principal that may
 * invoke the function may send it any event. But EventBridge accepts the source `aws.kms` from AWS
 * alone.
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
  if (typeof eventName !== "string" || !needsAKey(eventName)) {
    return `${shown(eventName)} does not need the key`;
  }
  if (typeof errorCode !== "string" || !stateErrors.has(errorCode)) {
    return `its error, ${shown(errorCode)}, is not about the state of a key`;
  }
  if (isElsewhere(outer["account"], home.accountId)) {
    return `it is from account ${shown(outer["account"])}`;
  }
  if (isElsewhere(outer["region"], home.region)) {
    return `it is from Region ${shown(outer["region"])}`;
  }
  if (fieldsOf(detail["requestParameters"])["dryRun"] === true) return "it is a dry run";
  if (isOwn(fieldsOf(detail["userIdentity"]), home)) return "the function's own role made the call";
  return undefined;
}

function needsAKey(eventName: string): boolean {
  return cryptographicOperations.has(eventName) || otherNeeds.has(eventName);
}

/** A session of the function's own role, in its own account. */
function isOwn(identity: Fields, { accountId, roleName }: FunctionLocation): boolean {
  if (accountId === undefined || roleName === undefined) return false;
  const issuer = fieldsOf(fieldsOf(identity["sessionContext"])["sessionIssuer"]);
  const assumed = `:sts::${accountId}:assumed-role/${roleName}/`;
  const arn = textOf(identity["arn"]) ?? "";
  return arn.includes(assumed) || isRole(textOf(issuer["arn"]) ?? "", accountId, roleName);
}

function isRole(arn: string, accountId: string, roleName: string): boolean {
  const [, , service, , account, resource = ""] = arn.split(":");
  const isRoleArn = service === "iam" && account === accountId && resource.startsWith("role/");
  return isRoleArn && resource.split("/").at(-1) === roleName;
}

function isElsewhere(there: unknown, here: string | undefined): boolean {
  return here !== undefined && there !== undefined && there !== here;
}

/**
 * The distinct ids of KMS keys, the most trustworthy first: the resources, which CloudTrail
 * resolves; KMS's message ("arn:… is disabled."); the request, as its caller wrote it. An alias
 * does not identify the key that it pointed at.
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

/** Older records have no type; the ARN has the same information. */
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

/** The AWS service that called on a principal's behalf, if one did. */
function serviceOf(detail: Fields): string | undefined {
  const address = textOf(detail["sourceIPAddress"]) ?? "";
  const isService = /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(address);
  return textOf(fieldsOf(detail["userIdentity"])["invokedBy"]) ?? (isService ? address : undefined);
}

/** Only the names: they identify the application, and values may be personal data. */
function contextKeysOf(request: Fields): string[] {
  const names = ["encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext"]
    .flatMap((member) => Object.keys(fieldsOf(request[member])))
    .flatMap((name) => textOf(name) ?? []);
  return [...new Set(names)].sort().slice(0, maxContextKeys);
}

/**
 * ISO 8601 in UTC, as CloudTrail writes it. Date.parse alone would take February 31 as another day.
 */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(value)) return undefined;
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) return undefined;
  return new Date(ms).toISOString().slice(0, 19) === value.slice(0, 19) ? ms : undefined;
}

/**
 * The text ends up in a finding for operators: no control characters, no invisible or bidirectional
 * formatting, and a limited length.
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
  return text === undefined ? "missing or not text" : `"${text}"`;
}

function fieldsOf(value: unknown): Fields {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Fields) : {};
}
