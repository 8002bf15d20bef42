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
import {
  canaryIn,
  contextKeysOf,
  detailType,
  eventSource,
  fieldsOf,
  isOwn,
  keyArnInText,
  keyIdOf,
  maxKeys,
  principalOf,
  resourceArns,
  serviceOf,
  shown,
  textOf,
  timeOf,
  whyForeign,
  type Fields,
  type FunctionLocation,
} from "./cloudtrail.ts";
import { cryptographicOperations } from "../workflow/model/operations.ts";
import type { UseAttempt } from "../workflow/model/requests.ts";

export type UseAttemptReading =
  /** Any other event, such as the schedule's: an ordinary run. */
  | { kind: "no such event" }
  /** One for each KMS key in the event: ReEncrypt has two. Never empty. */
  | { kind: "attempt"; attempts: UseAttempt[] }
  /** The event of a canary call; from any caller it proves that events arrive. */
  | { kind: "canary"; atMs: number }
  /** It claims to be a use attempt, and is not relevant; or, `isForged`, it is no event of KMS here. */
  | { kind: "ignored"; why: string; isForged?: true };

/** A reason to ignore the event. */
type Ignored = { why: string };

/**
 * KMS's log entries have the exception's name in `errorCode`; those of other services may omit the
 * suffix. KMSInvalidStateException means more than pending deletion: the message has the state.
 */
export const stateErrors: ReadonlySet<string> = new Set([
  "Disabled",
  "DisabledException",
  "KMSInvalidState",
  "KMSInvalidStateException",
]);

/**
 * What KMS's message names where keyturn is not the cause: a state to which it brings no key ("<key ARN> is pending
 * import.", "Key states" in the KMS Developer Guide), or an external key store that failed. Any other message counts,
 * and none: an operator can undo an unnecessary restore, and nobody can undo a deletion.
 */
const otherCause = / is (?:pending import|unavailable|creating|updating)\b|key store/;

/**
 * What else fails where a version is needed: EC2 begins to attach an encrypted volume with CreateGrant,
 * and verifiers fetch the public key ("Key states", "Download public key" in the KMS Developer Guide).
 * GetKeyLastUsage tracks neither.
 */
const otherNeeds = new Set(["CreateGrant", "GetPublicKey"]);

export function readUseAttempt(event: unknown, home: FunctionLocation = {}): UseAttemptReading {
  const outer = fieldsOf(event);
  const detail = fieldsOf(outer["detail"]);
  const claims =
    outer["source"] === "aws.kms" ||
    outer["detail-type"] === detailType ||
    detail["eventSource"] === eventSource;
  if (!claims) return { kind: "no such event" };
  const heardAtMs = canaryIn(outer, detail, canaryMark, home);
  if (heardAtMs !== undefined) return { kind: "canary", atMs: heardAtMs };
  const foreign = whyForeign(outer, detail, home);
  if (foreign !== undefined) return { kind: "ignored", why: foreign, isForged: true };
  const read = attemptsIn(detail, home);
  return "why" in read ? { kind: "ignored", ...read } : { kind: "attempt", attempts: read };
}

function attemptsIn(detail: Fields, home: FunctionLocation): UseAttempt[] | Ignored {
  const why = whyNot(detail, home);
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

function whyNot(detail: Fields, home: FunctionLocation): string | undefined {
  const { eventName, errorCode, errorMessage } = detail;
  if (typeof eventName !== "string" || !needsAKey(eventName)) {
    return `${shown(eventName)} does not need the key`;
  }
  const isState = typeof errorCode === "string" && stateErrors.has(errorCode);
  if (!isState || otherCause.test(String(errorMessage))) {
    return `its error, ${shown(errorCode)}, has another cause`;
  }
  if (fieldsOf(detail["requestParameters"])["dryRun"] === true) return "it is a dry run";
  if (isOwn(fieldsOf(detail["userIdentity"]), home)) return "the function's own role made the call";
  return undefined;
}

function needsAKey(eventName: string): boolean {
  return cryptographicOperations.has(eventName) || otherNeeds.has(eventName);
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
