/**
 * Whether a principal is an AWS service: by its name, by its service-linked role, or, as EC2 does for
 * encrypted EBS volumes, by a role of AWS's own in the account, `assumed-role/aws:ec2-infrastructure`
 * (AWS KMS Developer Guide, "Examining grants").
 */
export function isServicePrincipal(principal: string): boolean {
  return (
    principal.endsWith(".amazonaws.com") ||
    principal.includes(":role/aws-service-role/") ||
    principal.includes(":assumed-role/aws:")
  );
}
