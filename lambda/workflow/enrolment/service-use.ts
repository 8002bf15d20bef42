/**
 * The signs in a key policy statement that AWS services use the key. Sources: AWS KMS Developer Guide, "AWS KMS
 * condition keys" and "Encryption context"; IAM User Guide, "AWS global condition context keys" (properties of the
 * principal, and of the request). The names of condition keys are not case-sensitive.
 */
import {
  conditionsOf,
  isFields,
  listed,
  type Condition,
  type Fields,
} from "../model/policy-document.ts";
import { isServicePrincipal } from "../model/principals.ts";

/**
 * Keys that only a call by a service has, or through one: kms:ViaService, kms:GrantIsForAWSResource,
 * kms:GranteeServicePrincipal, kms:GrantConstraintSourceArn, aws:SourceArn, SourceAccount, SourceOrgID, SourceOrgPaths
 * and SourceOwner, aws:CalledVia and its First and Last, aws:PrincipalIsAWSService, PrincipalServiceName and
 * PrincipalServiceNamesList, aws:ViaAWSService. Of the encryption contexts: the services' own prefix `aws:`, and the
 * names of Secrets Manager, Parameter Store and Glue.
 */
const ofServices =
  /^(kms:(via|grantis|.*serviceprincipal|.*sourcearn|encryptioncontext:(aws:|secret(arn|versionid)|parameter_arn|glue_))|aws:(source[ao]|calledvia|principal(is|servicen)|viaaws))/i;

/** What shows it; undefined where nothing does. */
export function serviceUse(statement: Fields): string | undefined {
  const { Effect: effect, Principal: principal, NotPrincipal: others } = statement;
  const conditions = conditionsOf(statement);
  // Such a statement takes the key from services, and leaves it to none of them.
  const onlyDenies =
    effect === "Deny" &&
    conditions.every(([operator, key]) =>
      /^string(equals|like) kms:viaservice$/i.test(`${operator} ${key}`),
    );
  const service = serviceIn(others) ?? (onlyDenies ? undefined : serviceIn(principal));
  if (service !== undefined) return `names the service ${service}`;
  const condition = onlyDenies ? undefined : conditions.find(isOfServices);
  return condition === undefined ? undefined : `has the condition key ${condition[1]}`;
}

function serviceIn(principal: unknown): string | undefined {
  if (!isFields(principal)) return undefined;
  const [service] = listed(principal["Service"]);
  return service ?? listed(principal["AWS"]).find(isServicePrincipal);
}

/** With any operator and value: a condition that excludes some services leaves it open whether others use the key. */
function isOfServices([, key, values]: Condition): boolean {
  const names = [key, ...values.map((value) => key.replace(/contextkeys$/i, `context:${value}`))];
  const principals = /principal(arn)?$/i.test(key) ? values : [];
  return names.some((name) => ofServices.test(name)) || principals.some(isServicePrincipal);
}
