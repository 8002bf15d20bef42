/**
 * Parses CloudTrail's events, through EventBridge, about uses of a KMS key that KMS refused its caller: the
 * rotation may have locked them out. Sources as in `cloudtrail.ts`; "Troubleshooting AWS KMS permissions"
 * in the KMS Developer Guide for the messages.
 *
 * Pure and total: every event gets an answer. `refusals/collected.ts` decides whether it is stored.
 */
import { refusalsMark } from "./canary.ts";
import {
  canaryIn,
  fieldsOf,
  isOwn,
  keyArnInText,
  keyIdOf,
  resourceArns,
  shown,
  timeOf,
  whyForeign,
  withoutSession,
  type Fields,
  type FunctionLocation,
} from "./cloudtrail.ts";
import { cryptographicOperations } from "../workflow/model/operations.ts";

/** `on`: the key that refused it; or the alias, or key, that the call named for data of another key. */
export type RefusedCall = {
  atMs: number;
  principal: string;
  operation: string;
  error: string;
  on: { keyId: string } | { alias: string } | { readingByKeyId: string };
  byKeyPolicy?: true;
};

export type RefusedUseReading =
  | { kind: "refused"; call: RefusedCall }
  /** The event of a canary of this rule; from any caller it proves that events arrive. */
  | { kind: "canary"; atMs: number }
  /** Relevant, and nothing in it names a key. */
  | { kind: "unattributed" }
  /** Not credible, or not relevant. */
  | { kind: "ignored"; why: string };

/** The denials, with the name that the id of a use has. */
export const denials: ReadonlyMap<string, string> = new Map([
  ["AccessDenied", "AccessDenied"],
  ["AccessDeniedException", "AccessDenied"],
]);

/** KMS refuses data that another key made: the call named an alias, or a key, that does not fit. */
export const otherKeyErrors: ReadonlySet<string> = new Set([
  "IncorrectKeyException",
  "InvalidCiphertextException",
  "KMSInvalidMacException",
  "KMSInvalidSignatureException",
]);

/** The operations whose refusal matters: they use the key, or begin to. In the order of the rule's pattern. */
export const refusable: ReadonlySet<string> = new Set(
  [...cryptographicOperations, "CreateGrant", "GetPublicKey"].sort(),
);

const aliasArn =
  /^arn:aws(?:-[a-z]+)*:kms:([a-z0-9-]+):([0-9]{12}):(alias\/[a-zA-Z0-9/_-]{1,250})$/;
const aliasName = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
const actionOfReEncrypt = /\bkms:(ReEncryptFrom|ReEncryptTo)\b/;

export function readRefusedUse(event: unknown, home: FunctionLocation = {}): RefusedUseReading {
  const outer = fieldsOf(event);
  const detail = fieldsOf(outer["detail"]);
  const heardAtMs = canaryIn(outer, detail, refusalsMark, home);
  if (heardAtMs !== undefined) return { kind: "canary", atMs: heardAtMs };
  const why = whyNot(outer, detail, home);
  if (why !== undefined) return { kind: "ignored", why };
  const atMs = timeOf(detail["eventTime"]);
  if (atMs === undefined) {
    return { kind: "ignored", why: `its time is ${shown(detail["eventTime"])}` };
  }
  const found = { atMs, principal: withoutSession(fieldsOf(detail["userIdentity"])) };
  return denials.has(String(detail["errorCode"]))
    ? denied(detail, home, found)
    : madeByAnotherKey(detail, home, found);
}

function whyNot(outer: Fields, detail: Fields, home: FunctionLocation): string | undefined {
  const { eventName, errorCode } = detail;
  const foreign = whyForeign(outer, detail, home);
  if (foreign !== undefined) return foreign;
  if (typeof eventName !== "string" || !refusable.has(eventName)) {
    return `${shown(eventName)} does not use a key`;
  }
  const isRelevant =
    typeof errorCode === "string" && (denials.has(errorCode) || otherKeyErrors.has(errorCode));
  if (!isRelevant) return `its error, ${shown(errorCode)}, refuses no caller`;
  if (fieldsOf(detail["requestParameters"])["dryRun"] === true) return "it is a dry run";
  if (isOwn(fieldsOf(detail["userIdentity"]), home)) return "keyturn's own role made the call";
  return undefined;
}

type Found = Pick<RefusedCall, "atMs" | "principal">;

/** Only KMS's message names the key: there KMS has resolved an alias. */
function denied(detail: Fields, home: FunctionLocation, found: Found): RefusedUseReading {
  const { errorMessage: message, eventName, errorCode } = detail;
  if (typeof message !== "string") return { kind: "unattributed" };
  // The path of an IAM user, before it, may contain the ARN of another key.
  const [, resource = message] = message.split(" on resource: ");
  const [arn] = resource.match(keyArnInText) ?? [];
  if (arn === undefined) return { kind: "unattributed" };
  const keyId = keyIdOf(arn, home);
  if (keyId === undefined) return { kind: "ignored", why: "no KMS key of this account and Region" };
  const half = eventName === "ReEncrypt" ? actionOfReEncrypt.exec(message)?.[1] : undefined;
  const call: RefusedCall = {
    ...found,
    operation: half ?? String(eventName),
    error: denials.get(String(errorCode)) ?? "AccessDenied",
    on: { keyId },
  };
  const byKeyPolicy = message.includes("no resource-based policy allows");
  return { kind: "refused", call: byKeyPolicy ? { ...call, byKeyPolicy } : call };
}

/**
 * A wrong MAC or signature says nothing of the rotation unless the call named an alias, and corrupt symmetric
 * ciphertext is no sign of another key: KMS has another error for that.
 */
function madeByAnotherKey(detail: Fields, home: FunctionLocation, found: Found): RefusedUseReading {
  const { eventName, errorCode } = detail;
  const request = fieldsOf(detail["requestParameters"]);
  const error = String(errorCode);
  const named = eventName === "ReEncrypt" ? request["sourceKeyId"] : request["keyId"];
  const algorithm =
    request[eventName === "ReEncrypt" ? "sourceEncryptionAlgorithm" : "encryptionAlgorithm"];
  if (error === "InvalidCiphertextException" && isSymmetric(algorithm)) {
    return { kind: "ignored", why: "symmetric ciphertext that no key made" };
  }
  const call = { ...found, operation: String(eventName), error };
  const alias = aliasOf(named, home);
  if (alias !== undefined) return { kind: "refused", call: { ...call, on: { alias } } };
  if (error === "KMSInvalidMacException" || error === "KMSInvalidSignatureException") {
    return { kind: "ignored", why: "the call named no alias" };
  }
  // ReEncrypt has two resources: what it named as its source decides.
  const isNamed = eventName === "ReEncrypt" && typeof named === "string";
  const candidates = isNamed ? [named] : [...resourceArns(detail["resources"]), named];
  const keyIds = candidates.flatMap((one) => keyIdOf(one, home) ?? []);
  const [readingByKeyId] = keyIds;
  if (readingByKeyId !== undefined) {
    return { kind: "refused", call: { ...call, on: { readingByKeyId } } };
  }
  const isElsewhere = candidates.some((one) => typeof one === "string" && one.startsWith("arn:"));
  return isElsewhere
    ? { kind: "ignored", why: "no KMS key of this account and Region" }
    : { kind: "unattributed" };
}

function isSymmetric(algorithm: unknown): boolean {
  return algorithm === undefined || algorithm === null || algorithm === "SYMMETRIC_DEFAULT";
}

function aliasOf(named: unknown, home: FunctionLocation): string | undefined {
  if (typeof named !== "string") return undefined;
  if (aliasName.test(named)) return named;
  const [, region, account, alias] = aliasArn.exec(named) ?? [];
  const isHere = (home.region ?? region) === region && (home.accountId ?? account) === account;
  return isHere ? alias : undefined;
}
