/**
 * Whether a principal is an AWS service: a service name, a service-linked role, or AWS's own role
 * in the account, as of EC2 for encrypted EBS volumes: `assumed-role/aws:ec2-infrastructure` (AWS
 * KMS Developer Guide, "Examining grants").
 */
export function isServicePrincipal(principal: string): boolean {
  return (
    /\.amazonaws\.(com(\.cn)?|eu)$/.test(principal) ||
    principal.includes(":role/aws-service-role/") ||
    principal.includes(":assumed-role/aws:")
  );
}
