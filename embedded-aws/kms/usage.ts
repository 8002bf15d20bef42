/** GetKeyLastUsage, by its page in the AWS KMS API reference. */
import { structure } from "../http/shape.ts";
import { keyIdShape } from "./common-shapes.ts";
import { trackingStartMs, visibleUse } from "./last-use.ts";
import { openKey } from "./open-key.ts";
import { operation } from "./operation.ts";
import type { Use } from "./types.ts";

export const usageOperations = {
  GetKeyLastUsage: operation(structure({ KeyId: keyIdShape }, {}), (call, input) => {
    const key = openKey(call, input.KeyId);
    const use = visibleUse(call.world, key, call.nowMs);
    return {
      KeyId: key.keyId,
      // For an unused key, KMS answers an empty structure, not an absent one.
      KeyLastUsage: use === undefined ? {} : shown(use, call.world.lastUsePrecisionMs),
      TrackingStartDate: new Date(trackingStartMs(call.world, key)),
      KeyCreationDate: new Date(key.createdAtMs),
    };
  }),
};

function shown(use: Use, precisionMs: number) {
  return {
    Operation: use.operation,
    Timestamp: new Date(Math.floor(use.atMs / precisionMs) * precisionMs),
    CloudTrailEventId: use.eventId,
    KmsRequestId: use.requestId,
  };
}
