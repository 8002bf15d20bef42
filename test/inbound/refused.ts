/** CloudTrail's events of refused uses, for the tests of their parser and of the collector. */
import { readRefusedUse, type RefusedCall } from "../../lambda/inbound/refused-use.ts";
import type { FunctionLocation } from "../../lambda/inbound/cloudtrail.ts";
import { account, arnOf, decrypt, eventOf, first, region, role } from "./cloudtrail.ts";

export const home: FunctionLocation = { accountId: account, region, roleName: "Keyturn" };

export const byIdentity = "because no identity-based policy allows the kms:Decrypt action";
export const byKeyPolicy = "because no resource-based policy allows the kms:Decrypt action";

/** KMS's message, which names the key even where the call named an alias. */
export function denialOf(arn: string, tail = byIdentity, action = "Decrypt"): string {
  return `User: ${role.arn} is not authorized to perform: kms:${action} on resource: ${arn} ${tail}`;
}

/** A denied Decrypt as AWS records it: without parameters, and without resources. */
export function deniedOf(detail: object = {}, outer: object = {}): unknown {
  return eventOf(
    {
      errorCode: "AccessDenied",
      errorMessage: denialOf(arnOf(first)),
      requestParameters: null,
      resources: undefined,
      ...detail,
    },
    outer,
  );
}

/** A Decrypt that named the wrong key; `named` is the request's key id. */
export function incorrectKeyOf(named: unknown, detail: object = {}, outer: object = {}): unknown {
  const { encryptionAlgorithm } = decrypt.requestParameters;
  return eventOf(
    {
      errorCode: "IncorrectKeyException",
      errorMessage:
        "The key ID in the request does not identify a CMK that can perform this operation.",
      requestParameters: { keyId: named, encryptionAlgorithm },
      resources: undefined,
      ...detail,
    },
    outer,
  );
}

/** The refused call in an event; throws where the event is none. */
export function callIn(event: unknown, where: FunctionLocation = home): RefusedCall {
  const reading = readRefusedUse(event, where);
  if (reading.kind !== "refused") throw new Error(JSON.stringify(reading));
  return reading.call;
}

export function whyIgnored(event: unknown, where: FunctionLocation = home): string {
  const reading = readRefusedUse(event, where);
  return reading.kind === "ignored" ? reading.why : `it is ${reading.kind}`;
}
