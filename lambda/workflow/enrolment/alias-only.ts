/**
 * The key policy statement that lets a key originate only through the managed aliases. Source: AWS
 * KMS Developer Guide, "AWS KMS condition keys" (conditions-kms.html), `kms:RequestAlias`; IAM User
 * Guide, "Condition operators": StringNotEquals also matches where the key is absent, that is,
 * where a call names the KMS key by its id or ARN. So when the aliases move, the key that they
 * leave stops originating with no further call, and originates again as soon as they return.
 *
 * The statement does not deny ReEncryptTo and DeriveSharedSecret: through these an old version can
 * still be put to new use.
 */
import {
  isFields,
  listed,
  readDocument,
  statementsOf,
  type Fields,
} from "../model/policy-document.ts";
import { serviceUse } from "./service-use.ts";
import { serviceOf } from "../model/principals.ts";

const aliasOnlySid = "KeyturnAliasOnly";
const originating = ["kms:Encrypt", "kms:GenerateDataKey*", "kms:GenerateMac", "kms:Sign"];
const elements = ["Sid", "Effect", "Principal", "Action", "Resource", "Condition"];

/**
 * The key policy with the statement for these aliases (at least one), or without it where `aliases`
 * is undefined. Any other statement with its Sid is removed too: a Sid is unique in a policy. A
 * document that needs no change is returned unchanged.
 */
export function withAliasOnly(document: string, aliases: string[] | undefined): string {
  const policy = readDocument(document);
  const there = statementsOf(policy);
  const others = there.filter((statement) => !hasOurSid(statement));
  if (aliases === undefined && others.length === there.length) return document;
  const ours = aliases === undefined ? [] : [aliasOnlyStatement(aliases)];
  return JSON.stringify({ ...policy, Statement: [...others, ...ours] });
}

function aliasOnlyStatement(aliases: string[]): Fields {
  return {
    Sid: aliasOnlySid,
    Effect: "Deny",
    Principal: "*",
    Action: originating,
    Resource: "*",
    Condition: { StringNotEquals: { "kms:RequestAlias": [...aliases] } },
  };
}

/** The aliases that the statement names; undefined if it is missing or not as keyturn writes it. */
export function aliasOnlyOf(document: string): string[] | undefined {
  const [statement, ...more] = statementsOf(readDocument(document)).filter(hasOurSid);
  if (!isFields(statement) || more.length > 0) return undefined;
  const { Effect: effect, Principal: principal, Action: actions, Resource: resource } = statement;
  const exactlyOurs =
    hasOnly(statement, elements) &&
    effect === "Deny" &&
    isEverybody(principal) &&
    sameMembers(actions, originating) &&
    sameMembers(resource, ["*"]);
  return exactlyOurs ? aliasesOf(statement["Condition"]) : undefined;
}

/**
 * The document without the statement, if it is exactly ours. A statement that only has our Sid
 * stays: it may allow something, and a forged key must not pass for one of ours.
 */
export function withoutAliasOnly(document: string): string {
  return aliasOnlyOf(document) === undefined ? document : withAliasOnly(document, undefined);
}

/**
 * Why a key with this policy and these grants cannot have the statement; undefined where it can.
 * AWS services call by ARN, and the statement would deny them.
 */
export function whyNotAliasOnly(
  document: string,
  grants: Parameters<typeof serviceOf>[0][],
): string | undefined {
  const [granted] = grants.flatMap((grant) => serviceOf(grant) ?? []);
  if (granted !== undefined) return `a grant names the service ${granted}`;
  for (const [index, statement] of statementsOf(readDocument(document)).entries()) {
    const use = isFields(statement) ? serviceUse(statement) : undefined;
    if (use !== undefined)
      return `statement ${sidOf(statement) || index + 1} of its key policy ${use}`;
  }
  return undefined;
}

function aliasesOf(condition: unknown): string[] | undefined {
  if (!isFields(condition) || !hasOnly(condition, ["StringNotEquals"])) return undefined;
  const { StringNotEquals: block } = condition;
  if (!isFields(block) || !hasOnly(block, ["kms:RequestAlias"])) return undefined;
  const aliases = listed(block["kms:RequestAlias"]);
  return aliases.length === 0 ? undefined : aliases;
}

function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  return isFields(principal) && hasOnly(principal, ["AWS"]) && sameMembers(principal["AWS"], ["*"]);
}

function hasOnly(fields: Fields, names: string[]): boolean {
  return sameMembers(Object.keys(fields), names);
}

function sameMembers(value: unknown, wanted: string[]): boolean {
  const members = listed(value);
  return members.length === wanted.length && wanted.every((each) => members.includes(each));
}

/** Empty where it has none. */
function sidOf(statement: unknown): string {
  const [sid = ""] = isFields(statement) ? listed(statement["Sid"]) : [];
  return sid;
}

/** Only its Sid: a statement that has it may still not be ours. */
export function hasOurSid(statement: unknown): boolean {
  return sidOf(statement) === aliasOnlySid;
}
