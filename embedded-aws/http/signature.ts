/** The caller: the access key id of the SigV4 signature. The signature itself is not verified. */
import { AwsError } from "./aws-error.ts";

const credential = /^AWS4-HMAC-SHA256 .*?Credential=([^/,\s]+)\/[^,]*/;

export function principalOf(authorization: string | undefined, account: string): string {
  if (authorization === undefined || authorization === "") {
    throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const accessKeyId = credential.exec(authorization)?.[1];
  if (accessKeyId === undefined) {
    const message = "Authorization header requires 'Credential' parameter.";
    throw new AwsError("IncompleteSignatureException", message);
  }
  return `arn:aws:iam::${account}:user/${accessKeyId}`;
}
