/** Which principals, and which grants, are those of AWS services, and which principals are deleted. */
import type { Grant } from "./kms.ts";

type Parties = Pick<Grant, "grantee" | "granteeIsService" | "retiring" | "retiringIsService">;

/** A service's name is a host name, in every partition: `ec2.amazonaws.com`, `s3.c2s.ic.gov`. */
const serviceName = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i;

const serviceLinkedRole = ":role/aws-service-role/";

/** IAM shows a deleted principal as its unique id, which no new principal gets. */
const uniqueId = /^A(IDA|ROA|GPA|SCA|NPA|NVA|PKA)[A-Z0-9]{12,}$/;

/**
 * Whether a principal is an AWS service: a service name, a service-linked role, or AWS's own role
 * in the account, as of EC2 for encrypted EBS volumes: `assumed-role/aws:ec2-infrastructure` (AWS
 * KMS Developer Guide, "Examining grants").
 */
export function isServicePrincipal(principal: string): boolean {
  return principal.includes(serviceLinkedRole) || isServiceItself(principal);
}

/** The AWS service that may use or retire the grant; undefined where it is for no service. */
export function serviceOf(grant: Parties): string | undefined {
  const { grantee, granteeIsService, retiring, retiringIsService } = grant;
  // Only an AWS service has the field of its own.
  if (granteeIsService === true || isServicePrincipal(grantee)) return grantee;
  if (retiring === undefined) return undefined;
  return retiringIsService === true || isServicePrincipal(retiring) ? retiring : undefined;
}

/**
 * Whether an AWS service made the grant for a resource of its own. A grant to a service-linked role
 * is the customer's, as of Auto Scaling (Amazon EC2 Auto Scaling User Guide, "Required AWS KMS key
 * policy for use with encrypted volumes").
 */
export function isMadeByService(grant: Parties): boolean {
  const { grantee, granteeIsService, retiring = "", retiringIsService } = grant;
  return (
    granteeIsService === true ||
    retiringIsService === true ||
    isServiceItself(grantee) ||
    isServiceItself(retiring)
  );
}

export function isDeletedPrincipal(principal: string): boolean {
  return uniqueId.test(principal);
}

function isServiceItself(principal: string): boolean {
  return serviceName.test(principal) || principal.includes(":assumed-role/aws:");
}
