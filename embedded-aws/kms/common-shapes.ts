/** Shapes that many operations share, with the constraints of the AWS KMS API reference. */
import { blob, flag, integer, list, map, oneOf, structure, text } from "../http/shape.ts";

export const keyIdShape = text({ min: 1, max: 2048 });
export const aliasNameShape = text({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ });
export const markerShape = text({ min: 1, max: 1024, pattern: /^[\u0020-\u00FF]*$/ });
export const principalShape = text({ min: 1, max: 256, pattern: /^[\w+=,.@:/-]+$/ });
export const servicePrincipalShape = text({
  min: 1,
  max: 128,
  pattern: /^[A-Za-z0-9-]+\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/,
});
/** The model's pattern wants an account number, which the ARN of a bucket has not: only the length is checked. */
export const sourceArnShape = text({ min: 20, max: 512 });
export const descriptionShape = text({ max: 8192 });
export const policyShape = text({
  min: 1,
  max: 131_072,
  pattern: /^[\t\n\r\u0020-\u00FF]+$/,
});
export const policyNameShape = text({ min: 1, max: 128, pattern: /^\w+$/ });
export const grantTokenShape = text({ min: 1, max: 8192 });
export const grantTokensShape = list(grantTokenShape, { max: 10 });
export const tagsShape = list(
  structure({ TagKey: text({ min: 1, max: 128 }), TagValue: text({ max: 256 }) }, {}),
);
export const plaintextShape = blob({ min: 1, max: 4096 });
export const ciphertextShape = blob({ min: 1, max: 6144 });
export const encryptionContextShape = map();
export const encryptionAlgorithmShape = oneOf(
  "SYMMETRIC_DEFAULT",
  "RSAES_OAEP_SHA_1",
  "RSAES_OAEP_SHA_256",
  "SM2PKE",
);

/** A Nitro enclave: `operation` refuses its attestation document. */
export const recipientShape = structure(
  {},
  {
    KeyEncryptionAlgorithm: oneOf("RSAES_OAEP_SHA_256"),
    AttestationDocument: blob({ min: 1, max: 262_144 }),
  },
);

/** The parameters that all cryptographic operations share. */
export const cryptographicOptions = { GrantTokens: grantTokensShape, DryRun: flag() };

export function pageShapes(maxLimit: number) {
  return { Limit: integer({ min: 1, max: maxLimit }), Marker: markerShape };
}
