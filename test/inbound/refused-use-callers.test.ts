import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canaryMark, refusalsMark } from "../../lambda/inbound/canary.ts";
import { readRefusedUse } from "../../lambda/inbound/refused-use.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import { account, arnOf, decrypt, eventOf, first, role } from "./cloudtrail.ts";
import { callIn, denialOf, deniedOf, home, incorrectKeyOf, whyIgnored } from "./refused.ts";

const principalOf = (userIdentity: object) => callIn(deniedOf({ userIdentity })).principal;

describe("a principal", () => {
  const session = (name: string) => `arn:aws:sts::${account}:assumed-role/Billing/${name}`;

  test("is the role of a session: all sessions of a role are one", () => {
    const names = ["billing-worker", "i-0123456789abcdef0", "a@example.com"];
    const principals = names.map((name) => principalOf({ ...role, arn: session(name) }));
    expect(new Set(principals)).toEqual(new Set([`arn:aws:sts::${account}:assumed-role/Billing`]));
  });

  test.each([
    ["a user", `arn:aws:iam::${account}:user/team/alice`],
    ["the root user", `arn:aws:iam::${account}:root`],
  ])("is the ARN of %s", (_who, arn) => {
    expect(principalOf({ type: "IAMUser", arn })).toBe(arn);
  });

  test("of a federated user is the user who made the session: that user chooses the name", () => {
    const arn = `arn:aws:sts::${account}:federated-user/alice`;
    const broker = `arn:aws:iam::${account}:user/broker`;
    const sessionContext = { sessionIssuer: { type: "IAMUser", arn: broker } };
    expect(principalOf({ type: "FederatedUser", arn, sessionContext })).toBe(broker);
    const anybody = `arn:aws:sts::${account}:federated-user`;
    expect(principalOf({ type: "FederatedUser", arn })).toBe(anybody);
  });

  test("without an ARN is the issuer of its session, or its type and account", () => {
    const { arn: _, ...rest } = role;
    expect(principalOf(rest)).toBe(`arn:aws:iam::${account}:role/Billing`);
    expect(principalOf({ type: "AWSAccount", accountId: "444455556666" })).toBe(
      "AWSAccount 444455556666",
    );
    expect(principalOf({ type: "AWSService", accountId: "s3" })).toBe("AWSService");
    expect(principalOf({})).toBe("unknown");
  });

  test("of AWS's own partitions loses its session as well", () => {
    const arn = session("worker").replace("arn:aws:", "arn:aws-us-gov:");
    expect(principalOf({ ...role, arn })).toBe(
      `arn:aws-us-gov:sts::${account}:assumed-role/Billing`,
    );
  });
});

describe("ignored with a reason:", () => {
  test.each<[what: string, event: unknown, why: RegExp]>([
    ["a forged source", deniedOf({}, { source: "my.kms" }), /source is "my.kms"/],
    ["another service's call", deniedOf({ eventSource: "s3.amazonaws.com" }), /event source/],
    ["another account's event", deniedOf({}, { account: "444455556666" }), /from account/],
    ["another Region's event", deniedOf({}, { region: "eu-west-1" }), /from Region/],
    ["a management call", deniedOf({ eventName: "PutKeyPolicy" }), /does not use a key/],
    ["a call without a name", deniedOf({ eventName: null }), /does not use a key/],
    ["a success", deniedOf({ errorCode: undefined }), /refuses no caller/],
    ["an error of the key's state", deniedOf({ errorCode: "DisabledException" }), /refuses no/],
    ["a denied dry run", deniedOf({ requestParameters: { dryRun: true } }), /a dry run/],
    [
      "a dry run that named another key",
      incorrectKeyOf("alias/orders", {
        requestParameters: { keyId: "alias/orders", dryRun: true },
      }),
      /a dry run/,
    ],
    ["no time", deniedOf({ eventTime: null }), /its time is missing/],
    ["nothing", undefined, /its source is missing/],
  ])("%s", (_what, event, why) => {
    expect(whyIgnored(event)).toMatch(why);
  });

  test("a call of keyturn's own role, and of no role with a like name", () => {
    const by = (name: string) => ({
      userIdentity: { ...role, arn: `arn:aws:sts::${account}:assumed-role/${name}/run` },
    });
    expect(whyIgnored(deniedOf(by("Keyturn")))).toBe("keyturn's own role made the call");
    expect(callIn(deniedOf(by("Keyturn2"))).principal).toContain("Keyturn2");
  });
});

describe("a canary", () => {
  const canaryOf = (userAgent: unknown) =>
    eventOf({ eventName: "DescribeKey", errorCode: undefined, userAgent });

  test("is known by the mark of refused uses; the canary of use attempts is none", () => {
    expect(readRefusedUse(canaryOf(`aws-sdk-js/3 ${refusalsMark}`), home)).toEqual({
      kind: "canary",
      atMs: Date.UTC(2026, 10, 2, 3, 4, 5),
    });
    expect(readRefusedUse(canaryOf(canaryMark), home)).toMatchObject({ kind: "ignored" });
  });

  test("of another account or Region proves nothing here", () => {
    for (const mark of [refusalsMark, canaryMark]) {
      const event = canaryOf(`aws-sdk-js/3 ${mark}`) as object;
      for (const other of [{ account: "444455556666" }, { region: "eu-west-1" }]) {
        const foreign = { ...event, ...other };
        expect(readRefusedUse(foreign, home)).toMatchObject({ kind: "ignored" });
        expect(readUseAttempt(foreign, home)).toMatchObject({ kind: "ignored" });
      }
    }
  });

  test("is no event whose user agent is not a text", () => {
    const noText = { toString: "x", valueOf: "y" };
    for (const userAgent of [noText, [refusalsMark], null]) {
      expect(readRefusedUse(canaryOf(userAgent), home)).toMatchObject({ kind: "ignored" });
      expect(readUseAttempt(canaryOf(userAgent), home)).toMatchObject({ kind: "ignored" });
    }
  });
});

describe("any event", () => {
  const names = [...Object.keys(decrypt), "errorCode", "errorMessage"];
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.constantFrom("Decrypt", "DescribeKey", "ReEncrypt", "AccessDenied"),
    fc.constantFrom("IncorrectKeyException", "InvalidCiphertextException", arnOf(first)),
    fc.string().map((tail) => denialOf(arnOf(first), tail)),
  );
  const member = fc.oneof(fc.jsonValue(), fc.constant(undefined), text);
  const identity = fc.record(
    { type: text, arn: text, accountId: text, sessionContext: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const mutated = fc
    .record({
      detail: fc.dictionary(fc.constantFrom(...names), member, { maxKeys: 4 }),
      userIdentity: identity,
      outer: fc.dictionary(fc.constantFrom("account", "region", "source"), member, { maxKeys: 1 }),
      make: fc.constantFrom(deniedOf, (...more: object[]) => incorrectKeyOf("alias/a", ...more)),
    })
    .map(({ make, detail, userIdentity, outer }) => make({ userIdentity, ...detail }, outer));

  test("gets an answer, and every refused call is bounded and plain", () => {
    let refused = 0;
    const where = fc.constantFrom({}, home);
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), mutated), where, (event, from) => {
        const reading = readRefusedUse(event, from);
        expect(JSON.stringify(reading).length).toBeLessThan(1500);
        if (reading.kind !== "refused") return;
        refused += 1;
        const { principal, operation, error, atMs } = reading.call;
        expect(Number.isSafeInteger(atMs)).toBe(true);
        expect(principal).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,256}$/u);
        expect(`${operation} ${error}`).toMatch(/^[A-Za-z]+ [A-Za-z]+$/);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test("of any length is read in time that grows with its length alone", () => {
    const parts = ["arn:aws", "-a", "arn:aws:kms:", "arn:aws:sts::1:assumed-role/", "/", "\u202e"];
    for (const part of parts) {
      const long = part.repeat(Math.floor(200_000 / part.length));
      const userIdentity = { arn: long, type: long };
      const event = deniedOf({ errorMessage: long, userIdentity });
      const startedMs = performance.now();
      expect(JSON.stringify(readRefusedUse(event, home)).length).toBeLessThan(1500);
      expect(performance.now() - startedMs).toBeLessThan(1000);
    }
  });
});
