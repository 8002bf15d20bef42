/** Which principals, and which grants, are those of AWS services. */
import type { Grant } from "./kms.ts";

/**
 * Whether a principal is an AWS service: a service name, a service-linked role, or AWS's own role
 * in the account, as of EC2 for encrypted EBS volumes: `assumed-role/aws:ec2-infrastructure` (AWS
 * KMS Developer Guide, "Examining grants").
 */
export function isServicePrincipal(principal: string): boolean {
  return (
    // A host name, whose domain each partition has for itself.
    /^[\w-]+(\.[\w-]+)+$/.test(principal) ||
    principal.includes(":role/aws-service-role/") ||
    principal.includes(":assumed-role/aws:")
  );
}

/** The AWS service that may use or retire the grant; undefined where it is for no service. */
export function serviceOf(
  grant: Pick<Grant, "grantee" | "granteeIsService" | "retiring" | "retiringIsService">,
): string | undefined {
  const { grantee, granteeIsService, retiring, retiringIsService } = grant;
  // Only an AWS service has the field of its own.
  if (granteeIsService === true || isServicePrincipal(grantee)) return grantee;
  if (retiring === undefined) return undefined;
  return retiringIsService === true || isServicePrincipal(retiring) ? retiring : undefined;
}
