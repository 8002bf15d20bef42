/** Encapsulate and Decapsulate, by their pages in the AWS KMS API reference (October 2026). */
import { AwsError } from "../http/aws-error.ts";
import { blob, oneOf, structure } from "../http/shape.ts";
import { cryptographicOptions, keyIdShape } from "./common-shapes.ts";
import { checkAlgorithm } from "./key-specs.ts";
import { recordUse } from "./last-use.ts";
import { operation } from "./operation.ts";
import { currentMaterial, endDryRun, useKey } from "./use-key.ts";

const algorithm = { EncapsulationAlgorithm: oneOf("ML_KEM") };
const encapsulateInput = structure({ KeyId: keyIdShape, ...algorithm }, cryptographicOptions);
const decapsulateInput = structure(
  { KeyId: keyIdShape, ...algorithm, SharedSecretCiphertextBlob: blob({ min: 1, max: 6144 }) },
  cryptographicOptions,
);

export const encapsulateOperations = {
  Encapsulate: operation(encapsulateInput, (call, input) => {
    const key = useKey(call, input, "ENCAPSULATE_DECAPSULATE");
    checkAlgorithm(key, input.EncapsulationAlgorithm);
    endDryRun(input);
    const { made } = currentMaterial(call, key);
    const { secret, encapsulated } = call.world.cryptography.encapsulate(made, call.world.random);
    recordUse(call, key, "Encapsulate");
    return {
      KeyId: key.arn,
      SharedSecret: secret,
      SharedSecretCiphertextBlob: encapsulated,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  }),

  /** ML-KEM rejects implicitly: a ciphertext of another key yields another secret, and no error. */
  Decapsulate: operation(decapsulateInput, (call, input) => {
    const key = useKey(call, input, "ENCAPSULATE_DECAPSULATE");
    checkAlgorithm(key, input.EncapsulationAlgorithm);
    endDryRun(input);
    const { made } = currentMaterial(call, key);
    const blob = input.SharedSecretCiphertextBlob;
    const secret = call.world.cryptography.decapsulate(made, blob);
    if (secret === undefined) throw new AwsError("InvalidCiphertextException", "");
    recordUse(call, key, "Decapsulate");
    return {
      KeyId: key.arn,
      SharedSecret: secret,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    };
  }),
};
