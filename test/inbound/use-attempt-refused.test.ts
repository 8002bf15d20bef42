import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FunctionLocation } from "../../lambda/inbound/cloudtrail.ts";
import { readUseAttempt } from "../../lambda/inbound/use-attempt.ts";
import {
  account,
  arnOf,
  attemptIn,
  attemptsIn,
  decrypt,
  eventOf,
  first,
  keysIn,
  region,
  resourceOf,
} from "./cloudtrail.ts";

describe("not a use attempt", () => {
  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "run"],
    ["a list", [eventOf()]],
    ["{}", {}],
    ["a direct invocation", { reason: "by hand" }],
    [
      "an event of a schedule",
      { "detail-type": "Scheduled Event", source: "aws.events", resources: [], detail: {} },
    ],
    ["an event of EventBridge Scheduler", { source: "aws.scheduler", detail: "{}" }],
  ])("is %s: an ordinary run", (_what, event) => {
    expect(readUseAttempt(event)).toEqual({ kind: "no such event" });
  });
});

function ignored(why: RegExp): object {
  return { kind: "ignored", why: expect.stringMatching(why) as string };
}

const invalid = (errorMessage: string) =>
  eventOf({ errorCode: "KMSInvalidStateException", errorMessage });

function notOut(...states: string[]): [string, unknown, RegExp][] {
  return states.map((state) => {
    const event = invalid(`${arnOf(first)} is ${state}.`);
    return [`a key that is ${state}`, event, /has another cause/];
  });
}

describe("ignored with a reason:", () => {
  const forged: [string, unknown, RegExp][] = [
    ["a forged source", eventOf({}, { source: "my.kms" }), /source is "my.kms"/],
    ["a missing source", eventOf({}, { source: undefined }), /source is missing/],
    [
      "KMS's own event",
      eventOf({}, { "detail-type": "KMS CMK Deletion" }),
      /detail-type is "KMS CMK Deletion"/,
    ],
    ["another service's call", eventOf({ eventSource: "s3.amazonaws.com" }), /event source is "s3/],
    ["no detail", eventOf({}, { detail: null }), /event source is missing/],
  ];
  const irrelevant: [string, unknown, RegExp][] = [
    ["an administrative call", eventOf({ eventName: "EnableKey" }), /"EnableKey" does not need/],
    ["a read", eventOf({ eventName: "GetKeyPolicy" }), /"GetKeyPolicy" does not need/],
    ["a call without a name", eventOf({ eventName: undefined }), /does not need the key/],
    ["a call that succeeded", eventOf({ errorCode: undefined }), /its error, missing/],
    ["a refusal of access", eventOf({ errorCode: "AccessDenied" }), /its error, "AccessDenied"/],
    ["a dry run", eventOf({ requestParameters: { dryRun: true } }), /^it is a dry run$/],
    ...notOut("pending import", "unavailable", "creating", "updating"),
    [
      "a failure of an external key store",
      invalid("The external key store proxy rejected the request because a cipher is invalid."),
      /has another cause/,
    ],
    ["no event id", eventOf({ eventID: undefined }), /no event id/],
    ["an event id of invisible characters", eventOf({ eventID: " \u200b\n" }), /no event id/],
    ["no time", eventOf({ eventTime: undefined }), /its time is missing/],
    ["a time in words", eventOf({ eventTime: "yesterday" }), /its time is "yesterday"/],
    ["a time in another zone", eventOf({ eventTime: "2026-11-02T03:04:05+01:00" }), /its time/],
    ["a day that does not exist", eventOf({ eventTime: "2026-02-31T00:00:00Z" }), /its time/],
    ["an hour that does not exist", eventOf({ eventTime: "2026-02-03T25:00:00Z" }), /its time/],
  ];

  test.each(forged)("%s, which is no event of KMS", (_what, event, why) => {
    expect(readUseAttempt(event)).toEqual({ ...ignored(why), isForged: true });
  });

  test.each(irrelevant)("%s", (_what, event, why) => {
    expect(readUseAttempt(event)).toEqual(ignored(why));
  });

  test("an event forwarded from another account or Region, if the function's own are known", () => {
    const home = { accountId: account, region };
    const outers = [{ account: "444455556666" }, { region: "eu-west-1" }];
    for (const outer of outers) {
      expect(keysIn(eventOf({}, outer))).toEqual([first]);
      expect(readUseAttempt(eventOf({}, outer), home).kind).toBe("ignored");
    }
  });
});

describe("text for operators", () => {
  test("has no control characters and no bidirectional formatting", () => {
    const attempt = attemptIn(
      eventOf({
        eventID: "abc\r\n\u001b[31mdef",
        userIdentity: { arn: "arn:\u202eevil\u2028\u0000" },
        requestParameters: { encryptionContext: { "a\tb": "1", "\u0007": "2", "\ud800c": "3" } },
      }),
    );
    expect(attempt).toMatchObject({
      eventId: "abc[31mdef",
      principal: "arn:evil",
      encryptionContextKeys: ["ab", "c"],
    });
  });

  test("is of bounded length", () => {
    const long = "x".repeat(100_000);
    const entries = Array.from({ length: 500 }, (_, i) => [`${String(i).padStart(3, "0")}${long}`]);
    const arns = Array.from({ length: 500 }, (_, i) =>
      resourceOf(`${String(i).padStart(8, "0")}${first.slice(8)}`),
    );
    const attempts = attemptsIn(
      eventOf({
        eventID: long,
        userIdentity: { type: long, accountId: account, invokedBy: long },
        requestParameters: { encryptionContext: Object.fromEntries(entries) as object },
        resources: arns,
      }),
    );
    expect(attempts).toHaveLength(4);
    expect(attempts[0]?.encryptionContextKeys).toHaveLength(20);
    expect(attempts[0]?.principal).toHaveLength(256);
    expect(JSON.stringify(attempts).length).toBeLessThan(4 * 24 * 300);
    const ignored = readUseAttempt(eventOf({ eventName: long }));
    expect(JSON.stringify(ignored).length).toBeLessThan(400);
  });
});

describe("a call of the function's own role", () => {
  const home = { accountId: account, region, roleName: "Keyturn" };
  const sessionOf = (name: string, whose = account) => ({
    type: "AssumedRole",
    arn: `arn:aws:sts::${whose}:assumed-role/${name}/session`,
    accountId: whose,
    sessionContext: {
      sessionIssuer: { type: "Role", arn: `arn:aws:iam::${whose}:role/path/${name}` },
    },
  });

  test.each(["GetPublicKey", "CreateGrant", "Decrypt"])("is ignored: %s", (eventName) => {
    const event = eventOf({ eventName, userIdentity: sessionOf("Keyturn") });
    expect(readUseAttempt(event, home)).toMatchObject({ kind: "ignored" });
    const { arn: _, ...withoutArn } = sessionOf("Keyturn");
    const issued = eventOf({ eventName, userIdentity: withoutArn });
    expect(readUseAttempt(issued, home)).toMatchObject({ kind: "ignored" });
  });

  test("is not taken for one of a role with a like name, of another account, or of an unknown role", () => {
    for (const identity of [
      sessionOf("Keyturn2"),
      sessionOf("NotKeyturn"),
      sessionOf("Keyturn", "444455556666"),
      // An IAM user chooses its path, and may write a role session there.
      { arn: `arn:aws:iam::${account}:user/:sts::${account}:assumed-role/Keyturn/eve` },
    ]) {
      expect(readUseAttempt(eventOf({ userIdentity: identity }), home).kind).toBe("attempt");
    }
    const own = eventOf({ userIdentity: sessionOf("Keyturn") });
    expect(readUseAttempt(own, { accountId: account, region }).kind).toBe("attempt");
  });
});

describe("any event", () => {
  const member = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.string({ unit: "binary" }));
  const mutated = fc
    .record({
      detail: fc.dictionary(fc.constantFrom(...Object.keys(decrypt)), member, { maxKeys: 3 }),
      outer: fc.dictionary(fc.constantFrom("account", "region", "time", "id"), member),
    })
    .map(({ detail, outer }) => eventOf(detail, outer));

  test("gets an answer, and every attempt conforms to its type", () => {
    const home = fc.constantFrom<FunctionLocation>({}, { accountId: account, region });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), mutated), home, (event, where) => {
        const reading = readUseAttempt(event, where);
        if (reading.kind !== "attempt") return;
        expect(reading.attempts.length).toBeGreaterThan(0);
        for (const { keyId, atMs, principal, eventId } of reading.attempts) {
          expect(keyId).toMatch(/^(?:[0-9a-f-]{36}|mrk-[0-9a-f]{32})$/);
          expect(Number.isSafeInteger(atMs)).toBe(true);
          for (const text of [principal, eventId]) {
            expect(text).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]{1,256}$/u);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
