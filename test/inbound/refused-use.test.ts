import { describe, expect, test } from "vitest";
import { readRefusedUse } from "../../lambda/inbound/refused-use.ts";
import { account, arnOf, first, multiRegion, region, resourceOf, second } from "./cloudtrail.ts";
import {
  byIdentity,
  byKeyPolicy,
  callIn,
  denialOf,
  deniedOf,
  home,
  incorrectKeyOf,
  whyIgnored,
} from "./refused.ts";

const orders = "alias/orders";
const ordersArn = `arn:aws:kms:${region}:${account}:${orders}`;
const foreign = [
  ["another account", arnOf(first, region, "444455556666")],
  ["another Region", arnOf(first, "eu-west-1")],
] as const;

describe("a denial", () => {
  test.each([
    byIdentity,
    "because no session policy allows the kms:Decrypt action",
    "because no VPC endpoint policy allows the kms:Decrypt action",
    "with an explicit deny in a service control policy",
    "with an explicit deny in a resource-based policy",
    "",
  ])("is of the key in its message, with the tail '%s'", (tail) => {
    const call = callIn(deniedOf({ errorMessage: denialOf(arnOf(first), tail) }));
    expect(call).toEqual({
      atMs: Date.UTC(2026, 10, 2, 3, 4, 5),
      principal: `arn:aws:sts::${account}:assumed-role/Billing`,
      operation: "Decrypt",
      error: "AccessDenied",
      on: { keyId: first },
    });
  });

  test("is marked where only the key policy denies it", () => {
    const call = callIn(deniedOf({ errorMessage: denialOf(arnOf(first), byKeyPolicy) }));
    expect(call).toMatchObject({ on: { keyId: first }, byKeyPolicy: true });
  });

  test("has one name, whichever of the two error codes CloudTrail writes", () => {
    for (const errorCode of ["AccessDenied", "AccessDeniedException"]) {
      expect(callIn(deniedOf({ errorCode })).error).toBe("AccessDenied");
    }
  });

  test("is of the key in its message, whatever the request and the resources name", () => {
    const requestParameters = { keyId: orders };
    const both = deniedOf({ requestParameters, resources: [resourceOf(second)] });
    expect(callIn(both).on).toEqual({ keyId: first });
  });

  test.each([
    ["message names no key", { errorMessage: "You are not authorized to perform this action" }],
    ["message names an alias", { errorMessage: denialOf(ordersArn) }],
    ["message has half of an ARN", { errorMessage: denialOf(arnOf(first).slice(0, -1)) }],
    ["message is absent", { errorMessage: undefined }],
    ["message is no text", { errorMessage: { arn: arnOf(first) } }],
  ])("is unattributed where its %s", (_what, detail) => {
    const resources = [resourceOf(first)];
    const event = deniedOf({ resources, requestParameters: { keyId: first }, ...detail });
    expect(readRefusedUse(event, home)).toEqual({ kind: "unattributed" });
  });

  test.each(foreign)("of a key of %s is ignored", (_where, arn) => {
    const event = deniedOf({ errorMessage: denialOf(arn) });
    expect(whyIgnored(event)).toBe("no KMS key of this account and Region");
  });

  test.each([
    ["GovCloud", "aws-us-gov", "us-gov-west-1"],
    ["China", "aws-cn", "cn-north-1"],
    ["the European Sovereign Cloud", "aws-eusc", "eusc-de-east-1"],
  ])("in %s is read as everywhere", (_where, partition, there) => {
    const arn = arnOf(first, there).replace("arn:aws:", `arn:${partition}:`);
    const event = deniedOf({ errorMessage: denialOf(arn) }, { region: there });
    expect(callIn(event, { ...home, region: there }).on).toEqual({ keyId: first });
  });

  test("of a multi-Region key has the key's id", () => {
    const event = deniedOf({ errorMessage: denialOf(arnOf(multiRegion)) });
    expect(callIn(event).on).toEqual({ keyId: multiRegion });
  });

  test.each(["ReEncryptFrom", "ReEncryptTo"])("of ReEncrypt is of one half: %s", (half) => {
    const errorMessage = denialOf(arnOf(second), byIdentity.replace("Decrypt", half), half);
    const event = deniedOf({ eventName: "ReEncrypt", errorMessage });
    expect(callIn(event)).toMatchObject({ operation: half, on: { keyId: second } });
  });

  test("of ReEncrypt whose message names no half keeps the operation", () => {
    const errorMessage = `not authorized on ${arnOf(second)}`;
    const event = deniedOf({ eventName: "ReEncrypt", errorMessage });
    expect(callIn(event).operation).toBe("ReEncrypt");
  });
});

describe("a call that names another key than that of the data", () => {
  const oaep = { encryptionAlgorithm: "RSAES_OAEP_SHA_256" };

  test.each([
    ["without resources, as in a record of 2020", undefined],
    ["with resources, as in the guide", [resourceOf(second)]],
  ])("is by the alias that it names, %s", (_form, resources) => {
    for (const named of [orders, ordersArn]) {
      expect(callIn(incorrectKeyOf(named, { resources })).on).toEqual({ alias: orders });
    }
  });

  test("is of the key that it names where it names no alias", () => {
    for (const named of [second, arnOf(second)]) {
      expect(callIn(incorrectKeyOf(named)).on).toEqual({ readingByKeyId: second });
    }
    const resolved = incorrectKeyOf(undefined, { resources: [resourceOf(first)] });
    expect(callIn(resolved).on).toEqual({ readingByKeyId: first });
  });

  test("is of the resource where the request is absent, and otherwise unattributed", () => {
    const event = (resources: unknown) =>
      incorrectKeyOf(undefined, { requestParameters: null, resources });
    expect(callIn(event([resourceOf(second)])).on).toEqual({ readingByKeyId: second });
    for (const resources of [undefined, null, [], [{ type: "AWS::S3::Object" }]]) {
      expect(readRefusedUse(event(resources), home)).toEqual({ kind: "unattributed" });
    }
  });

  test.each(foreign)("is ignored where the key is of %s", (_where, arn) => {
    const alias = arn.replace(/key\/.*/, orders);
    for (const named of [arn, alias]) {
      expect(whyIgnored(incorrectKeyOf(named))).toBe("no KMS key of this account and Region");
    }
  });

  test("fails with another error for asymmetric ciphertext", () => {
    const errorCode = "InvalidCiphertextException";
    const byAlias = incorrectKeyOf(orders, {
      errorCode,
      errorMessage: undefined,
      requestParameters: { keyId: orders, ...oaep },
      resources: [resourceOf(second)],
    });
    expect(callIn(byAlias)).toMatchObject({ error: errorCode, on: { alias: orders } });
  });

  test.each([["SYMMETRIC_DEFAULT"], [undefined], [null]])(
    "is no corrupt symmetric ciphertext (%s)",
    (encryptionAlgorithm) => {
      const event = incorrectKeyOf(orders, {
        errorCode: "InvalidCiphertextException",
        requestParameters: { keyId: orders, encryptionAlgorithm },
      });
      expect(whyIgnored(event)).toBe("symmetric ciphertext that no key made");
    },
  );

  test.each([
    ["VerifyMac", "KMSInvalidMacException"],
    ["Verify", "KMSInvalidSignatureException"],
  ])("fails %s with %s: that counts for a call by alias alone", (eventName, errorCode) => {
    const event = (keyId: string) =>
      incorrectKeyOf(keyId, {
        ...{ eventName, errorCode, requestParameters: { keyId } },
        resources: [resourceOf(second)],
      });
    expect(callIn(event(orders))).toMatchObject({
      ...{ operation: eventName, error: errorCode },
      on: { alias: orders },
    });
    expect(callIn(event(ordersArn)).on).toEqual({ alias: orders });
    for (const keyId of [second, arnOf(second)]) {
      expect(whyIgnored(event(keyId))).toBe("the call named no alias");
    }
  });
});

describe("a ReEncrypt from another key than that of the data", () => {
  const reEncrypt = (request: object, resources?: unknown) =>
    incorrectKeyOf(undefined, {
      eventName: "ReEncrypt",
      requestParameters: { destinationKeyId: "alias/new", ...request },
      resources,
    });

  test("is by the alias of its source", () => {
    expect(callIn(reEncrypt({ sourceKeyId: orders }))).toMatchObject({
      ...{ operation: "ReEncrypt", error: "IncorrectKeyException" },
      on: { alias: orders },
    });
  });

  test("is of the source that it names, in whatever order the resources are", () => {
    for (const resources of [
      [resourceOf(first), resourceOf(second)],
      [resourceOf(second), resourceOf(first)],
      [resourceOf(second)],
      undefined,
    ]) {
      const event = reEncrypt({ sourceKeyId: arnOf(first) }, resources);
      expect(callIn(event).on).toEqual({ readingByKeyId: first });
    }
  });

  test("is ignored where its source is of another account, and its destination is here", () => {
    const sourceKeyId = `arn:aws:kms:${region}:444455556666:${orders}`;
    const event = reEncrypt({ sourceKeyId }, [resourceOf(second)]);
    expect(whyIgnored(event)).toBe("no KMS key of this account and Region");
  });

  test("is of the first resource where the request names no source: AWS lists the source first", () => {
    const event = reEncrypt({}, [resourceOf(first), resourceOf(second)]);
    expect(callIn(event).on).toEqual({ readingByKeyId: first });
  });
});
