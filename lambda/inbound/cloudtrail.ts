/**
 * The common parts of CloudTrail's events of KMS, as EventBridge delivers them. Pure and total: no field of
 * an event is trusted. Sources: "CloudTrail record contents" and "CloudTrail userIdentity element" in the
 * CloudTrail User Guide, "Logging AWS KMS API calls" in the KMS Developer Guide.
 */

/**
 * The function's account, Region and role name. A multi-Region key has the same id in each of its
 * Regions; a call of the function's own role is not a need.
 */
export type FunctionLocation = { accountId?: string; region?: string; roleName?: string };

/** A function ARN names its Region and account; an emulator may pass another string. */
export function homeOf(functionArn: string, roleName: string | undefined): FunctionLocation {
  const [, , , region, accountId] = functionArn.split(":");
  if (region === undefined || accountId === undefined) return {};
  return { region, accountId, ...(roleName === undefined ? {} : { roleName }) };
}

export type Fields = Record<string, unknown>;

export const detailType = "AWS API Call via CloudTrail";
export const eventSource = "kms.amazonaws.com";

const maxText = 256;
const maxContextKeys = 20;
/** ReEncrypt names two; no call names more, even if an event does. */
export const maxKeys = 4;

const keyId = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}";
const keyArn = `arn:aws(?:-[a-z]+)*:kms:(?<region>[a-z0-9-]+):(?<account>[0-9]{12}):key/(?<id>${keyId})`;
const isKeyId = new RegExp(`^(?:${keyId})$`);
const isKeyArn = new RegExp(`^${keyArn}$`);
export const keyArnInText = new RegExp(`${keyArn}(?![0-9a-zA-Z-])`, "g");

/** When the canary of this mark was sent here, by its event; undefined for any other event. */
export function canaryIn(
  outer: Fields,
  detail: Fields,
  mark: string,
  home: FunctionLocation,
): number | undefined {
  const { userAgent } = detail;
  const isOurs =
    detail["eventName"] === "DescribeKey" &&
    typeof userAgent === "string" &&
    userAgent.includes(mark) &&
    whyForeign(outer, detail, home) === undefined;
  return isOurs ? timeOf(detail["eventTime"]) : undefined;
}

/**
 * Why it is no event of a KMS call in this account and Region. Repeats the checks of the rule's pattern: a
 * pattern can be edited, and any principal that may invoke the function may send it any event. But
 * EventBridge accepts the source `aws.kms` from AWS alone.
 */
export function whyForeign(
  outer: Fields,
  detail: Fields,
  home: FunctionLocation,
): string | undefined {
  if (outer["source"] !== "aws.kms") return `its source is ${shown(outer["source"])}`;
  if (outer["detail-type"] !== detailType) {
    return `its detail-type is ${shown(outer["detail-type"])}`;
  }
  if (detail["eventSource"] !== eventSource) {
    return `its event source is ${shown(detail["eventSource"])}`;
  }
  if (isElsewhere(outer["account"], home.accountId)) {
    return `it is from account ${shown(outer["account"])}`;
  }
  if (isElsewhere(outer["region"], home.region)) {
    return `it is from Region ${shown(outer["region"])}`;
  }
  return undefined;
}

/** A session of the function's own role, in its own account. */
export function isOwn(identity: Fields, { accountId, roleName }: FunctionLocation): boolean {
  if (accountId === undefined || roleName === undefined) return false;
  return (
    isSession(textOf(identity["arn"]) ?? "", accountId, roleName) ||
    isRole(issuerOf(identity) ?? "", accountId, roleName)
  );
}

/** The path of an IAM user may contain the ARN of a session. */
function isSession(arn: string, accountId: string, roleName: string): boolean {
  const [, , service, , account, resource = ""] = arn.split(":");
  const isHere = service === "sts" && account === accountId;
  return isHere && resource.startsWith(`assumed-role/${roleName}/`);
}

function isRole(arn: string, accountId: string, roleName: string): boolean {
  const [, , service, , account, resource = ""] = arn.split(":");
  const isRoleArn = service === "iam" && account === accountId && resource.startsWith("role/");
  return isRoleArn && resource.split("/").at(-1) === roleName;
}

function isElsewhere(there: unknown, here: string | undefined): boolean {
  return here !== undefined && there !== undefined && there !== here;
}

/** Older records have no type; the ARN has the same information. */
export function resourceArns(resources: unknown): unknown[] {
  if (!Array.isArray(resources)) return [];
  return resources
    .map(fieldsOf)
    .filter(({ type }) => type === undefined || type === "AWS::KMS::Key")
    .map((resource) => resource["ARN"]);
}

export function keyIdOf(candidate: unknown, home: FunctionLocation): string | undefined {
  if (typeof candidate !== "string") return undefined;
  if (isKeyId.test(candidate)) return candidate;
  const { region, account, id } = isKeyArn.exec(candidate)?.groups ?? {};
  const isHere = !isElsewhere(account, home.accountId) && !isElsewhere(region, home.region);
  return isHere ? id : undefined;
}

/** "CloudTrail userIdentity element": a caller of another account may show its account alone. */
export function principalOf(identity: Fields): string {
  const arn = textOf(identity["arn"]) ?? issuerOf(identity);
  if (arn !== undefined) return arn;
  const type = textOf(identity["type"]) ?? "unknown";
  const account = identity["accountId"];
  const isAccount = typeof account === "string" && /^[0-9]{12}$/.test(account);
  return isAccount ? `${type} ${account}`.slice(0, maxText) : type;
}

/** The role of a session, or the user who made it: the caller chooses the name of each session. */
export function withoutSession(identity: Fields): string {
  const principal = principalOf(identity);
  const session = /^(arn:[^:]*:sts::[^:]*:assumed-role\/[^/]+)\/.*$/s.exec(principal);
  if (session !== null) return session[1] ?? principal;
  const [federated] = /^arn:[^:]*:sts::[^:]*:federated-user(?=\/)/.exec(principal) ?? [];
  if (federated === undefined) return principal;
  return issuerOf(identity) ?? federated;
}

/** The ARN of the role, or user, whose session it is. */
function issuerOf(identity: Fields): string | undefined {
  return textOf(fieldsOf(fieldsOf(identity["sessionContext"])["sessionIssuer"])["arn"]);
}

/** The AWS service that called on a principal's behalf, if one did. */
export function serviceOf(detail: Fields): string | undefined {
  const address = textOf(detail["sourceIPAddress"]) ?? "";
  const isService = /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(address);
  return textOf(fieldsOf(detail["userIdentity"])["invokedBy"]) ?? (isService ? address : undefined);
}

/** Only the names: they identify the application, and values may be personal data. */
export function contextKeysOf(request: Fields): string[] {
  const names = ["encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext"]
    .flatMap((member) => Object.keys(fieldsOf(request[member])))
    .flatMap((name) => textOf(name) ?? []);
  return [...new Set(names)].sort().slice(0, maxContextKeys);
}

/**
 * ISO 8601 in UTC, as CloudTrail writes it. Date.parse alone would take February 31 as another day.
 */
export function timeOf(value: unknown): number | undefined {
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
export function textOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value
    .slice(0, maxText)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "")
    .trim();
  return text === "" ? undefined : text;
}

export function shown(value: unknown): string {
  const text = textOf(value);
  return text === undefined ? "missing or not text" : `"${text}"`;
}

export function fieldsOf(value: unknown): Fields {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Fields) : {};
}
