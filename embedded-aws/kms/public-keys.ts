/** GetPublicKey and DeriveSharedSecret, by their pages in the AWS KMS API reference. */
import { AwsError } from "../http/aws-error.ts";
import { blob, oneOf, structure } from "../http/shape.ts";
import {
  cryptographicOptions,
  grantTokensShape,
  keyIdShape,
  recipientShape,
} from "./common-shapes.ts";
import { traitsOf } from "./key-specs.ts";
import { algorithmMetadata } from "./metadata.ts";
import { openKeyOrAlias } from "./open-key.ts";
import { operation } from "./operation.ts";
import { recordUse } from "./last-use.ts";
import { checkGrantTokens, currentMaterial, endDryRun, useKey } from "./use-key.ts";

const deriveInput = structure(
  {
    KeyId: keyIdShape,
    KeyAgreementAlgorithm: oneOf("ECDH"),
    PublicKey: blob({ min: 1, max: 8192 }),
  },
  { Recipient: recipientShape, ...cryptographicOptions },
);

export const publicKeyOperations = {
  GetPublicKey: operation(
    structure({ KeyId: keyIdShape }, { GrantTokens: grantTokensShape }),
    (call, input) => {
      checkGrantTokens(call, input.GrantTokens);
      const key = openKeyOrAlias(call, input.KeyId);
      if (traitsOf(key.spec).type !== "asymmetric") {
        const message = `${key.arn} key spec is ${key.spec} which is not valid for GetPublicKey.`;
        throw new AwsError("UnsupportedOperationException", message);
      }
      if (key.materials.length === 0) {
        throw new AwsError("KMSInvalidStateException", `${key.arn} is pending import.`);
      }
      return {
        KeyId: key.arn,
        PublicKey: call.world.cryptography.publicKey(currentMaterial(call, key).made),
        CustomerMasterKeySpec: key.spec,
        KeySpec: key.spec,
        KeyUsage: key.usage,
        ...algorithmMetadata(key),
      };
    },
  ),

  DeriveSharedSecret: operation(deriveInput, (call, input) => {
    const values = { "kms:KeyAgreementAlgorithm": input.KeyAgreementAlgorithm };
    const key = useKey(call, input, "KEY_AGREEMENT", { values });
    endDryRun(input);
    const { made } = currentMaterial(call, key);
    const secret = call.world.cryptography.agree(made, input.PublicKey);
    if (secret === undefined) throw new AwsError("ValidationException", "");
    recordUse(call, key, "DeriveSharedSecret");
    return {
      KeyId: key.arn,
      SharedSecret: secret,
      KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
      KeyOrigin: key.origin,
    };
  }),
};
